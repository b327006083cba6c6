"""Who executes in a run: a flock per run, given back by the death of its holder."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path

from blake3 import blake3

from nbdurable_store import files
from nbdurable_store.clock import Clock
from nbdurable_store.errors import RunBusy

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""Run ids that can be file names as they are; others are named by their digest."""
CLAIM_BYTES_MAX = 4096


class Leases:
    """The runs that this process holds.

    Args:
        root: The store's folder.
        owner: Id of this process as an owner.
        clock: For the age of a claim.
    """

    def __init__(self, root: Path, owner: str, clock: Clock) -> None:
        self._root = root
        self._owner = owner
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, tuple[int, int]] = {}

    def claim(self, run: str) -> RunLease:
        """Take a run; see `nbdurable_store.protocol.Store.claim`."""
        with self._lock:
            fd, count = self._held.get(run, (-1, 0))
            if not count:
                try:
                    fd = self._take(run)
                except FileNotFoundError as e:
                    raise files.left(self._root) from e
                except OSError as e:
                    raise files.told(self._root, e) from e
            self._held[run] = (fd, count + 1)
        return RunLease(self, run)

    def release(self, run: str) -> None:
        """Give back one claim of a run; the last one lets others in."""
        with self._lock:
            fd, count = self._held.pop(run, (-1, 0))
            if count > 1:
                self._held[run] = (fd, count - 1)
            elif count == 1:
                self._path(run).unlink(missing_ok=True)
                _let_go(fd)

    def close(self) -> None:
        """Give everything back."""
        for run in list(self._held):
            while run in self._held:
                self.release(run)

    def forked(self) -> None:
        """In the child of a fork: let go of what the parent goes on holding."""
        self._lock = threading.Lock()
        for fd, _count in self._held.values():
            os.close(fd)
        self._held.clear()

    def _path(self, run: str) -> Path:
        plain = PLAIN_NAME.fullmatch(run)
        name = (
            run
            if plain
            else f"x{blake3(run.encode(errors='surrogatepass')).hexdigest(length=16)}"
        )
        return self._root / "runs" / f"{name}.lock"

    def _take(self, run: str) -> int:
        """Lock the run's file, and make sure that it still is the one with that name.

        The holder removes the file before it lets go, so a lock on a removed file is
        nobody's lock: try again.
        """
        path = self._path(run)
        files.make_folder(path.parent)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        while True:
            fd = os.open(path, flags, files.FILE_MODE)
            if not files.lock(fd):
                raise self._busy(run, fd)
            if _same(fd, path):
                break
            os.close(fd)
        claim = {
            "run": run,
            "owner": self._owner,
            "pid": os.getpid(),
            "since": self._clock.now_us(),
        }
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps(claim).encode(), 0)
        return fd

    def _busy(self, run: str, fd: int) -> RunBusy:
        raw = os.pread(fd, CLAIM_BYTES_MAX, 0)
        os.close(fd)
        try:
            claim = json.loads(raw)
            pid, since_us = int(claim["pid"]), int(claim["since"])
        except (ValueError, KeyError, TypeError):
            return RunBusy(run=run, pid=0, age_s=0.0)
        age_us = max(0, self._clock.now_us() - since_us)
        return RunBusy(run=run, pid=pid, age_s=age_us / 1e6)


class RunLease:
    """The right to execute in a run, until released."""

    def __init__(self, leases: Leases, run: str) -> None:
        self._leases = leases
        self._run: str | None = run

    def release(self) -> None:
        """Give the run back. Idempotent."""
        run, self._run = self._run, None
        if run is not None:
            self._leases.release(run)


def _let_go(fd: int) -> None:
    """Unlock and close: closing alone would leave the lock with a forked child."""
    files.unlock(fd)
    os.close(fd)


def _same(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
