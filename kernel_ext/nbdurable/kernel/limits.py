"""`--timeout` of a cell: the stop button, pressed by a clock.

A thread waits for as long as the cell may take, and then sends SIGINT to the main
thread, as the stop button does. Whoever handles that does what it always does: code is
interrupted in place, an awaiting cell is cancelled. The signal must reach the cell and
nothing after it: so it is sent under a lock, and the block isn't left before a signal
that was sent has been handled.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType

from nbdurable.engine.where.frames import outside
from nbdurable_store.clock import SYSTEM_CLOCK, Clock

SLICE_S = 0.001
"""How long the end of a cell waits for a signal at a time."""


class Limit:
    """The time limit of one cell.

    Args:
        seconds: How long it may take; 0 for no limit.
        over: Called when it is over, before the code learns it.
        clock: Where time comes from.

    Attributes:
        fired: Whether the time was over before the cell.
    """

    def __init__(
        self,
        seconds: float,
        over: Callable[[], object] = lambda: None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.fired = False
        self._over = over
        self._seconds, self._clock = seconds, clock
        self._ended = threading.Event()
        self._handled = False
        self._lock = threading.Lock()

    @property
    def applies(self) -> bool:
        """Whether there is a limit, and the code can be interrupted."""
        main = threading.current_thread() is threading.main_thread()
        return self._seconds > 0 and main

    @contextlib.contextmanager
    def watching(self) -> Generator[None]:
        """Interrupt the block when its time is over."""
        if not self.applies:
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def on_signal(number: int, frame: FrameType | None) -> None:
            fired = self.fired  # a signal before that was somebody else's
            ours, self._handled = fired and not self._handled, fired
            if ours:
                self._over()
            if callable(before) and not (ours and self._ended.is_set()):
                before(number, frame)

        signal.signal(signal.SIGINT, on_signal)
        timer = threading.Thread(target=self._wait, name="nbdurable-limit", daemon=True)
        with outside():
            timer.start()
        try:
            yield
            self._end()
        except BaseException:
            self._end()
            raise
        finally:
            signal.signal(signal.SIGINT, before)

    def _end(self) -> None:
        """From here on nothing is sent, and what was sent has arrived."""
        self._ended.set()
        with self._lock:
            pass
        while self.fired and not self._handled:
            self._clock.sleep(SLICE_S)

    def _wait(self) -> None:
        if self._clock.wait(self._ended, self._seconds):
            return
        main = threading.main_thread().ident
        with self._lock:
            if not self._ended.is_set() and main is not None:
                self.fired = True
                signal.pthread_kill(main, signal.SIGINT)
