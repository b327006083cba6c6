"""A function with a time limit: it runs in a thread, and may end after its time.

No thread can be ended from outside. So the call that gave up leaves its function
running, and says in the journal that it did; what the function then returns or raises is
recorded as late. It is the call's outcome unless the call was made again meanwhile.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Final

from nbdurable.engine.calls.requests import Outcome
from nbdurable.engine.where.frames import outside
from nbdurable_store.clock import Clock

Settle = Callable[[Outcome], None]
"""Is told what came late."""

_running: Final[contextvars.ContextVar[Late | None]] = contextvars.ContextVar(
    "nbdurable_late", default=None
)
_left: Final[dict[str, set[Late]]] = {}
_lock: Final = threading.Lock()


class Late:
    """One execution of a function with a limit.

    Args:
        call_id: Logical id of its call.
        function: The function.

    Attributes:
        overtaken: Nobody waits for it, and its call was made again since.
    """

    def __init__(self, call_id: str, function: Callable[[], object]) -> None:
        self.overtaken = False
        self._call_id, self._function = call_id, function
        self._ended = threading.Event()
        self._outcome: Outcome | None = None
        self._settle: Settle | None = None

    def perform(self, clock: Clock, limit_s: float) -> Outcome:
        """How it ended, or that it had not ended in time."""
        with _lock:
            _left.setdefault(self._call_id, set()).add(self)
        context = contextvars.copy_context()
        context.run(_running.set, self)
        thread = threading.Thread(
            target=context.run, args=(self._run,), name="nbdurable-call", daemon=True
        )
        with outside():  # the step doesn't wait for it: that is what the limit is for
            thread.start()
        try:
            in_time = clock.wait(self._ended, limit_s)
        except BaseException as stopped:  # noqa: BLE001  # journaled, then raised again
            return Outcome(raised=stopped, leave=self._leave)
        if in_time and self._outcome is not None:
            return self._outcome
        return Outcome(raised=TimeoutError(), expired=True, leave=self._leave)

    def _run(self) -> None:
        try:
            outcome = Outcome(self._function())
        except BaseException as raised:  # noqa: BLE001  # journaled, then raised again
            outcome = Outcome(raised=raised)
        with _lock:
            self._outcome, settle = outcome, self._settle
            running = _left.get(self._call_id, set())
            running.discard(self)
            if not running:
                _left.pop(self._call_id, None)
        self._ended.set()
        if settle is not None:
            settle(outcome)

    def _leave(self, settle: Settle) -> None:
        """The journal says that nobody waits: tell what comes, or has come."""
        with _lock:
            self._settle, outcome = settle, self._outcome
        if outcome is not None:
            settle(outcome)


def overtake(call_id: str) -> None:
    """A call is made again: functions of it that still run make no calls any more."""
    with _lock:
        for late in _left.get(call_id, ()):
            late.overtaken = True


def is_overtaken() -> bool:
    """Whether the running code is such a function."""
    late = _running.get()
    return late is not None and late.overtaken
