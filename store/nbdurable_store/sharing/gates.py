"""A lock file: one passes, or several who share it. flock, so that death opens it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbdurable_store import files
from nbdurable_store.clock import SYSTEM_CLOCK, Clock

STEP_S = 0.01
"""How often one who waits looks; a blocking flock would have no time limit."""

TIDY = "tidy.lock"
"""Held by whoever seals, removes or collects: each rewrites what the others read."""

BLOBS = "blobs.lock"
"""Shared by whoever puts blobs; alone with it, files of blobs may be removed."""


class Gate:
    """A lock file; each who passes has a descriptor of its own, threads too.

    Args:
        path: The file; made if it isn't there, and never removed.
        clock: For the wait.
    """

    def __init__(self, path: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        self._path = path
        self._clock = clock

    @contextmanager
    def passed(self, wait_s: float = 0.0, *, shared: bool = False) -> Iterator[bool]:
        """Pass, or be told after ``wait_s`` that somebody else is in the way.

        Raises:
            OSError: The file can't be made or opened.
        """
        until = self._clock.monotonic_s() + wait_s
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(self._path, flags, files.FILE_MODE)
        try:
            while not (passed := files.lock(fd, shared=shared)):
                if self._clock.monotonic_s() >= until:
                    break
                self._clock.sleep(STEP_S)
            try:
                yield passed
            finally:
                if passed:
                    # Closing alone would leave the lock with a forked child.
                    files.unlock(fd)
        finally:
            os.close(fd)
