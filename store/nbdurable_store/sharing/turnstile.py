"""Who may open ``store.duckdb`` now: a flock on ``store.lock``, held for one burst.

DuckDB's own lock is a POSIX lock: it vanishes as soon as anybody in this process opens
and closes the file. So ours is a flock on a file beside it, and DuckDB's only guards
against foreign tools. Everybody takes it exclusively, readers too: a burst lasts a few
milliseconds, and one process can't attach the file twice anyway.

The wait polls, because a blocking flock has no time limit and a stopped process may
hold the lock for ever. Nobody on the way of an agent's call ever waits here.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbdurable_store import files
from nbdurable_store.clock import Clock

STEP_S = 0.002
"""How often a waiting reader looks; a burst takes some 10 ms."""
REMEMBERED = b"\x01"
NOTE_BYTES_MAX = 256


class Turnstile:
    """Lets one at a time through, among the threads and processes of one store.

    Args:
        path: The lock file; made if it isn't there.
        clock: For the wait.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._thread = threading.Lock()
        self._fd = -1

    @contextmanager
    def passage(self, wait_s: float) -> Iterator[bool]:
        """Go through, or be told after ``wait_s`` that somebody else is inside.

        Raises:
            OSError: The lock file can't be made or opened.
        """
        until = self._clock.monotonic_s() + wait_s
        with self.alone(wait_s) as alone:
            if not alone:
                yield False
                return
            try:
                yield self._take(until)
            finally:
                self._let_go()

    @contextmanager
    def alone(self, wait_s: float) -> Iterator[bool]:
        """Keep the other threads of this process out, whatever other processes do."""
        if not self._thread.acquire(timeout=wait_s):
            yield False
            return
        try:
            yield True
        finally:
            self._thread.release()

    def remember(self, note: bytes) -> None:
        """From inside: note in the lock file that ``store.duckdb`` has its name now.

        Args:
            note: How it was left. Where the lock file can't be written, nothing is noted.
        """
        known = os.pread(self._fd, NOTE_BYTES_MAX, 0)
        if known != REMEMBERED + note:
            with contextlib.suppress(OSError):
                os.pwrite(self._fd, REMEMBERED + note, 0)
                os.ftruncate(self._fd, 1 + len(note))

    def remembered(self) -> bytes:
        """From inside: the last note."""
        return os.pread(self._fd, NOTE_BYTES_MAX, 0)[1:]

    def remembers(self) -> bool:
        """From inside: whether ``store.duckdb`` was there before."""
        return os.pread(self._fd, 1, 0) == REMEMBERED

    def forked(self) -> None:
        """In the child of a fork: the parent goes on holding what it holds."""
        self._thread = threading.Lock()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _take(self, until: float) -> bool:
        """Lock the file, and make sure that it still is the one with that name."""
        while True:
            self._fd = self._open()
            if not self._locked(until):
                return False
            if self._same():
                return True
            self._let_go()

    def _open(self) -> int:
        flags = os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | flags, files.FILE_MODE)
        except PermissionError:
            # A reader without permission to write can lock it as well.
            return os.open(self._path, os.O_RDONLY | flags)

    def _locked(self, until: float) -> bool:
        while not files.lock(self._fd):
            if self._clock.monotonic_s() >= until:
                return False
            self._clock.sleep(STEP_S)
        return True

    def _same(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.lstat())
        except FileNotFoundError:
            return False

    def _let_go(self) -> None:
        """Unlock and close: closing alone would leave the lock with a forked child."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                files.unlock(fd)
            finally:
                os.close(fd)
