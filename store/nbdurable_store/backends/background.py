"""The thread that keeps ``store.duckdb`` near the journal, when nothing else goes on.

It begins with the first append of a process and works in pauses: while calls follow each
other closely it waits, because its CPU time would be theirs, and a reader finds what is
new in the segments anyway. It gets no signals, and it ends before the interpreter does.
"""

from __future__ import annotations

import atexit
import signal
import threading
from collections.abc import Callable

from nbdurable_store.backends.projection import READ_WAIT_S, Projection, Turn
from nbdurable_store.clock import Clock

QUIET_S = 1.0
"""A pause between appends in which ingest is in nobody's way."""
LATE_S = 30.0
"""Without a pause, ingest begins after so long all the same."""
RETRY_S = 5.0
"""When another program has the file open, it is tried again after so long."""
TURN_WAIT_S = 0.5
"""Nobody waits for this thread, so it waits until a reader or another kernel is done."""
END_WAIT_S = 5.0
"""A burst that is under way ends in a fraction of that; a stopped disk may not."""


class Background:
    """Ingests from time to time.

    Args:
        projection: Where to.
        clock: The machine's clock, or a test's.
        tidy: What is done in the same pause, once everything was taken over.
    """

    def __init__(
        self,
        projection: Projection,
        clock: Clock,
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        self._projection = projection
        self._clock = clock
        self._tidy = tidy
        self._asked = threading.Event()
        self.nudged = False
        """Whether another nudge says nothing new."""
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def nudge(self) -> None:
        """Say that something was appended. Costs next to nothing."""
        if not self.nudged:
            self.nudged = True
            self._asked.set()
            if self._thread is None and not self._ended.is_set():
                self._start()

    def flush(self) -> None:
        """Take over everything now, in this thread, unless the file can't be used."""
        while self._projection.ingest(wait_s=READ_WAIT_S) is Turn.MORE:
            pass

    def close(self) -> None:
        """End the thread, after the burst that is under way. Idempotent."""
        self._ended.set()
        self._asked.set()
        self._projection.stop()
        thread, self._thread = self._thread, None
        if thread is not None:
            atexit.unregister(self.close)
            thread.join(END_WAIT_S)

    def forked(self) -> None:
        """In the child of a fork: the thread is the parent's."""
        self._asked = threading.Event()
        self._ended = threading.Event()
        self._ended.set()
        self._thread = None

    def _start(self) -> None:
        self._thread = threading.Thread(
            target=self._work, name="nbdurable-ingest", daemon=True
        )
        atexit.register(self.close)
        self._thread.start()

    def _work(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        asked, ended = self._asked, self._ended
        while not ended.is_set():
            asked.wait()
            self._wait_for_quiet(asked, ended)
            while not ended.is_set():
                turn = self._projection.ingest(wait_s=TURN_WAIT_S)
                if turn is Turn.DONE:
                    self._tidy()
                    break
                if turn is Turn.LATER:
                    self._clock.wait(ended, RETRY_S)

    def _wait_for_quiet(self, asked: threading.Event, ended: threading.Event) -> None:
        until = self._clock.monotonic_s() + LATE_S
        while asked.is_set() and self._clock.monotonic_s() < until:
            asked.clear()
            self.nudged = False  # a nudge in between is of what is taken over below
            if self._clock.wait(ended, QUIET_S):
                return
