"""One call that waits: it looks, waits a little, and looks again.

The deadline of a wait is a fact of its first ``call.started`` and survives restarts. In
the life of one kernel the wall clock isn't asked again: it may jump.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.parked import Asked, Dismiss
from nbdurable.engine.codec import PLAIN, decode
from nbdurable.engine.past.pasts import CallPast, CallState, SignalPast
from nbdurable.engine.past.waits import (
    Wait,
    Waiting,
    WaitKind,
    is_open,
    misfit,
    signals_for,
    wait_of,
    waiting,
)
from nbdurable.engine.telling import lines
from nbdurable.engine.telling.waits import answered, unanswered
from nbdurable.engine.values import previews
from nbdurable.engine.waits.pauses import NoAnswer, WaitingForAnswer
from nbdurable.engine.where.frames import current_frame
from nbdurable.engine.where.moments import duration
from nbdurable_store.errors import DurableError
from nbdurable_store.records import Plain

SLICE_S: Final = 0.2
"""How long a wait goes without a look: an answer from another process, or an interrupt of
an awaiting cell, takes this long to be noticed."""

_PARKED: Final = frozenset({CallState.STARTED, CallState.INTERRUPTED})


class Found(NamedTuple):
    """What a wait ends with."""

    value: object


@dataclass(slots=True, eq=False)
class Waiter:
    """A call that waits.

    Attributes:
        attempt: The attempt of its step.
        wait: What it waits for.
        seconds: How long at most, from its first attempt on; None for what `wait` says.
        shown: What is shown with the question.
        took: The signal that ended it.
        answer: What it said, as text.
    """

    attempt: Attempt
    wait: Wait
    seconds: float | None = None
    shown: object = None
    took: SignalPast | None = None
    answer: str = ""

    def begins(self, known: CallPast | None) -> dict[str, Plain]:
        """What its ``call.started`` says; one that was parked keeps its deadline."""
        before = wait_of(known) if known and known.state in _PARKED else None
        if before is not None:
            self.wait = self.wait.until(before.deadline_us)
            return self.wait.plain()
        if self.seconds is not None:
            span_us = round(self.seconds * 1_000_000)
            self.wait = self.wait.until(self.attempt.clock.now_us() + span_us)
        if known is not None:
            self.attempt.home.parked.untils.pop(known.id, None)
        return self.wait.plain()

    def ended(self, _: object) -> dict[str, str | int | float]:
        """What its ``call.completed`` says."""
        return {"took": self.took.id} if self.took else {}

    def sit(self) -> object:
        """Wait by blocking."""
        with self._asked() as look:
            while (found := look()) is None:
                self.attempt.clock.wait(look.heard, look.slice_s())
        return found.value

    async def sit_async(self) -> object:
        """Wait without blocking the event loop."""
        with self._asked() as look:
            while (found := look()) is None:  # it may come from elsewhere
                await self.attempt.clock.pause(look.slice_s())
        return found.value

    @contextlib.contextmanager
    def _asked(self) -> Iterator[Look]:
        frame = current_frame()
        assert frame is not None, "a wait is performed within its call"
        parked = self.attempt.home.parked
        look = Look(self, frame.parent, self._until_s(frame.parent))
        how = "parked: run this cell again and it goes on waiting"
        parked.listening.add(look.heard)
        try:
            yield look
        except NoAnswer as none:
            how = f"no answer came in {none.waited}"
            raise
        finally:
            parked.listening.discard(look.heard)
            if look.dismiss is not None:
                look.dismiss(self._ended(how))

    def _ended(self, how: str) -> str:
        """The line that takes the place of the question."""
        took = self.took
        if took is None:
            return unanswered(self.wait, how)
        now = lines.now(self.attempt.clock.now_us())
        return answered(self.wait, self.answer, took.by, took.at_us, now)

    def _until_s(self, call: str) -> float | None:
        """When it ends, on this process's own clock."""
        if not self.wait.deadline_us:
            return None
        clock, untils = self.attempt.clock, self.attempt.home.parked.untils
        left_s = (self.wait.deadline_us - clock.now_us()) / 1_000_000
        if self.seconds is not None:  # whatever was done to the calendar meanwhile
            left_s = min(left_s, self.seconds)
        return untils.setdefault(call, clock.monotonic_s() + left_s)


class Look:
    """Looks whether a wait is over."""

    def __init__(self, waiter: Waiter, call: str, until_s: float | None) -> None:
        self._waiter, self._call, self._until_s = waiter, call, until_s
        self._attempt = waiter.attempt
        self._began_s = self._attempt.clock.monotonic_s()
        opened = self._attempt.home.history.opened
        self.headless = opened is not None and bool(opened.fields.get("headless"))
        self.heard = threading.Event()
        self.dismiss: Dismiss | None = None
        self._shown = waiter.wait.kind is WaitKind.TIMER or self.headless

    def __call__(self) -> Found | None:
        """What it ends with, or None: wait a little.

        Raises:
            NoAnswer: The time is over.
            WaitingForAnswer: There is nobody to ask.
        """
        self.heard.clear()
        over = self._left_s() <= 0
        if self._waiter.wait.kind is WaitKind.TIMER:
            return Found(None) if over else None
        found = self._answer()
        if found is None and not (over or self.headless):
            self._show()
        if found is not None or not (over or self.headless):
            return found
        asked = self.now()
        if over:
            waited = duration(
                (self._attempt.clock.monotonic_s() - self._began_s) * 1000
            )
            raise NoAnswer(
                text=asked.wait.text, reference=asked.reference, waited=waited
            )
        raise self._attempt.stop(
            WaitingForAnswer(
                text=asked.wait.text, reference=asked.reference, command=asked.command
            )
        )

    def _show(self) -> None:
        """Show the question once, if no answer was there at the first look."""
        if not self._shown:
            self._shown = True
            parked = self._attempt.home.parked
            self.dismiss = parked.ask(Asked(self.now(), self._waiter.shown))

    def slice_s(self) -> float:
        """How long to wait before the next look, seconds."""
        return max(0.0, min(SLICE_S, self._left_s()))

    def now(self) -> Waiting:
        """The call as others see it."""
        home = self._attempt.home
        with home.lock:
            return next(w for w in waiting(home.history) if w.call.id == self._call)

    def _left_s(self) -> float:
        if self._until_s is None:
            return SLICE_S
        return self._until_s - self._attempt.clock.monotonic_s()

    def _answer(self) -> Found | None:
        """The first signal that fits, in the order of the journal."""
        home, wait = self._attempt.home, self._waiter.wait
        home.refresh()
        with home.lock:
            history = home.history
            sent = list(signals_for(history, history.calls[self._call], wait))
        for signal in sent:
            found = self._read(signal)
            if found is None or misfit(wait, found.value):
                continue
            if self._claims(signal):
                self._waiter.took = signal
                told = (
                    found.value if isinstance(found.value, str) else repr(found.value)
                )
                self._waiter.answer = previews.shorten(home.secrets.scrub(told), 80)
                return found
        return None

    def _claims(self, signal: SignalPast) -> bool:
        """Take a signal, if no other wait of this process was quicker."""
        home, wait = self._attempt.home, self._waiter.wait
        with home.lock:
            history, claims = home.history, home.parked.claims
            left = signals_for(history, history.calls[self._call], wait)
            holder = history.calls.get(claims.get(signal.id, self._call))
            mine = holder is None or holder.id == self._call
            free = mine or (holder is not None and not is_open(history, holder))
            if not free or signal.id not in {one.id for one in left}:
                return False
            claims[signal.id] = self._call
        return True

    def _read(self, signal: SignalPast) -> Found | None:
        """Its value; None for one that can't be read, which answers nothing."""
        if signal.value is None or signal.value.codec not in PLAIN:
            return None
        try:
            data = self._attempt.store.get(signal.value)
            secrets = self._attempt.home.secrets
            return Found(decode(signal.value.codec, data, secrets=secrets))
        except DurableError:
            return None
