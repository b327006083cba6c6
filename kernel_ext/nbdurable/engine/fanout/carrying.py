"""One item's call, carried on step by step by whoever has time for it.

`run_sync` takes a call from its beginning to its end in one thread. Here its protocol
rests between two steps, so that one thread can begin and record the calls of many items
while others run their functions (`conducting`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any, Final

from nbdurable.engine.calls import outcomes
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.call import conduct_claimed
from nbdurable.engine.calls.driving import performed
from nbdurable.engine.calls.going import Append, Command, Conduct, Pause, Perform
from nbdurable.engine.calls.invoking import requested
from nbdurable.engine.calls.promised import Tool
from nbdurable.engine.calls.requests import TOOL_KIND, CallRequest, Claim, Outcome
from nbdurable.engine.fanout.items import Counted, Map
from nbdurable.engine.identity.plain import ATOMS, TEXTS, TREES
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.where.frames import Frame, enter

SMALL_PARTS_MAX: Final = 200
SMALL_CHARS_MAX: Final = 10_000
SMALL_BYTES_MAX: Final = 16_384
"""What is larger takes its time to be digested, encoded or read, and others would wait."""


class Call:
    """The call of one item. One thread at a time has it.

    Attributes:
        index: The place of its item.
        item: The item.
        value: What it gave, once it has ended.
        error: What it raised instead.
        begun: Its function has begun to run, perhaps for another attempt.
        command: What its protocol asks for; None before it begins and once it has ended.
        ms: How long its function took at last, milliseconds.
        dropped: It was not made, because the map ended before.
    """

    __slots__ = (
        "_claim", "_context", "_counted", "_frame", "_given", "_map",
        "_request", "_steps", "begun", "command", "dropped", "error", "index", "item", "ms", "value",
    )  # fmt: skip

    _claim: Claim
    _counted: Counted
    _frame: Frame[Attempt]
    _given: tuple[tuple[Any, ...], dict[str, Any]]
    _request: CallRequest
    _steps: Conduct | None

    def __init__(self, mapping: Map, index: int, item: object) -> None:
        self.index, self.item = index, item
        self.value: object = None
        self.ms = 0.0
        self.error: BaseException | None = None
        self.command: Command | None = None
        self.dropped = self.begun = False
        self._map, self._steps = mapping, None
        # Tasks and functions that it starts begin in its scope, and in no other item's.
        self._context = copy_context()

    def begin(self) -> Callable[[], Outcome | None] | None:
        """Take it to its first command; or what may take long, for another thread."""
        frame, args, kwargs = self._map.place(self.index, self.item)
        if not is_quick(self._map.made, (*args, *kwargs.values())):
            return self.whole
        self._frame, self._given = frame, (args, kwargs)
        self._counted = Counted(self._map)
        return self._context.run(self._begun)

    def _begun(self) -> Callable[[], Outcome | None] | None:
        frame = self._frame
        try:
            enter(frame)
            request = requested(frame, self._map.made, *self._given)
            if request is None:
                return self.whole
            self._request = request
            self._claim = frame.attempt.claim(frame, request)
        except BaseException as raised:  # noqa: BLE001  # told to whoever collects
            self.end(None, raised)
            return None
        if not self._is_at_hand():
            return self.finish
        self._conduct()
        return None

    def _is_at_hand(self) -> bool:
        """Whether what becomes of it is decided without reading much."""
        match = self._claim.match
        if match.call is None:
            return match.past is Past.NOTHING and not self._may_be_elsewhere()
        outcome = match.call.outcome
        return outcome is None or outcome.size <= SMALL_BYTES_MAX

    def _may_be_elsewhere(self) -> bool:
        return self._request.policy.effect is Effect.PURE

    def _conduct(self) -> None:
        try:
            steps = conduct_claimed(self._frame, self._request, self._claim)
        except BaseException as raised:  # noqa: BLE001  # told to whoever collects
            self.end(None, raised)
            return
        if isinstance(steps, Outcome):
            self.end(steps.value, steps.raised)
        else:
            self._steps = steps
            self._advance(None, None)

    def advance(self, sent: Outcome | None, error: BaseException | None = None) -> None:
        """Take it to its next command, or to its end.

        Args:
            sent: How its function ended, if that was the last command.
            error: What the last command raised.
        """
        self._context.run(self._advance, sent, error)

    def _advance(self, sent: Outcome | None, error: BaseException | None) -> None:
        steps = self._steps
        assert steps is not None
        try:
            self.command = steps.throw(error) if error else steps.send(sent)
        except StopIteration as stop:
            done: Outcome = stop.value
            self.end(done.value, done.raised)
        except BaseException as raised:  # noqa: BLE001  # told to whoever collects
            self.end(None, raised)

    def perform(self) -> Outcome | None:
        """Run its function, unless the map is over.

        Returns:
            How it ended, if going on from there is quick; else this has gone on.
        """
        command = self.command
        assert isinstance(command, Perform)
        if self._map.over.is_set() and not self.begun:
            self._drop(command)
            return None
        self.begun = True
        clock = self._frame.attempt.clock
        began_s = clock.monotonic_s()
        outcome = self._context.run(performed, command, self._request, self._function)
        outcome.ms = self.ms = round((clock.monotonic_s() - began_s) * 1000, 3)
        if outcome.raised is None and is_small((outcome.value,)):
            return outcome
        self.advance(outcome)
        if outcome.raised is not None and self._fails(command):
            self._look(outcome.raised)
        return None

    def _fails(self, ran: Perform) -> bool:
        """Whether it ends with what was raised now: it may be tried again, or found out."""
        again = isinstance(self.command, Append) and any(
            "again_ms" in record.fields for record in self.command.records
        )
        return not again and not ran.find_out

    def finish(self) -> Outcome | None:
        """Do the rest by blocking."""
        if self._steps is None and self._map.over.is_set():
            self.dropped = True
            return None
        if self._steps is None:
            self._context.run(self._conduct)
        while self.command is not None:
            if isinstance(self.command, Perform):
                if (outcome := self.perform()) is not None:
                    self.advance(outcome)
            else:
                self.carry_out()
        return None

    def whole(self) -> Outcome | None:
        """Do all of it by blocking."""
        if self._map.over.is_set():
            self.dropped = True
            return None
        try:
            self.value = self._context.run(self._map.item, self.index, self.item)
        except BaseException as raised:  # noqa: BLE001  # told to whoever collects
            self.error = raised
            self._look(raised)
        return None

    def carry_out(self) -> None:
        """Append, or wait, alone; and go on to the next command."""
        home, command = self._frame.attempt.home, self.command
        error: BaseException | None = None
        try:
            if isinstance(command, Append):
                home.append(command.records, sync=command.sync)
            elif isinstance(command, Pause):
                home.clock.sleep(command.seconds)
        except BaseException as raised:  # noqa: BLE001  # the protocol is told
            error = raised
        self.advance(None, error)

    def _function(self) -> object:
        self._counted.begins()
        args, kwargs = self._given
        return self._map.elsewhere(args, kwargs)

    def _drop(self, command: Perform) -> None:
        """It is recorded as begun, and never will be."""
        assert self._steps is not None
        if not command.find_out:
            attempt, call_id = self._frame.attempt, command.frame.parent
            outcomes.not_begun(attempt, call_id, self._request)
        self._steps.close()
        self.command, self.dropped = None, True

    def _look(self, error: BaseException) -> None:
        """See at once whether it lets another item begin."""
        if self._map.ends(error):
            self._map.over.set()

    def end(self, value: object, error: BaseException | None) -> None:
        """It is over, with this."""
        self.value, self.error, self.command = value, error, None
        if error is not None:
            self._look(error)
        self._counted.ended(failed=error is not None)


def is_quick(made: Tool, given: Sequence[object]) -> bool:
    """Whether the call of a tool is begun in no time, and waits for no turn."""
    policy = made.policy
    if made.kind != TOOL_KIND or policy.limit is not None or policy.rate is not None:
        return False
    return is_small(given)


def is_small(values: Sequence[object]) -> bool:
    """Whether these are plain data, and little."""
    parts, chars = SMALL_PARTS_MAX, SMALL_CHARS_MAX
    left: list[Any] = list(values)
    while left and parts >= 0 and chars >= 0:
        value = left.pop()
        kind = type(value)
        if kind in TEXTS:
            chars -= len(value)
        elif kind in TREES:
            parts -= len(value)
            left += value
            left += value.values() if kind is dict else ()
        elif kind not in ATOMS:
            return False
        parts -= 1
    return parts >= 0 and chars >= 0
