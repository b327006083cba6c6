"""Whose turn it is: limits that hold for every process on one store.

A place is a flock, so the death of its holder gives it back. A rate is a short file of
moments, read and written with its own flock held.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from blake3 import blake3

from nbdurable_store import files
from nbdurable_store.clock import Clock
from nbdurable_store.sharing.rates import MOMENTS_MAX, Rate

FOLDER: Final = "turns"

LOOK_S: Final = 0.05
"""How long to wait before looking again for a place that somebody else holds."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A place that is held, until it is given back."""

    release: Callable[[], None]


def _nothing() -> None:
    """No place is limited."""


@dataclass(slots=True, eq=False)
class Turns:
    """The limits of one store.

    Attributes:
        root: The store's folder; None for one in memory, which no other process sees.
        clock: Tells the time.
    """

    root: Path | None
    clock: Clock
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _held: set[tuple[str, int]] = field(default_factory=set)
    _moments: dict[str, list[int]] = field(default_factory=dict)

    def take(self, name: str, limit: int | None, rate: Rate | None) -> Turn | float:
        """Take a turn, or be told after how many seconds to ask again.

        Args:
            name: Of what is limited.
            limit: How many at a time.
            rate: How many in how long.

        Raises:
            OSError: The store's folder can't be written.
        """
        place = self._place(name, limit) if limit is not None else Turn(_nothing)
        if place is None:
            return LOOK_S
        wait_s = self._start(name, rate) if rate is not None else 0.0
        if wait_s <= 0:
            return place
        place.release()
        return wait_s

    def _place(self, name: str, limit: int) -> Turn | None:
        for number in range(limit):
            turn = self._one(name, number)
            if turn is not None:
                return turn
        return None

    def _one(self, name: str, number: int) -> Turn | None:
        if self.root is None:
            return self._in_memory(name, number)
        fd = self._open(self.root, f"{_file(name)}.{number}.lock")
        if not files.lock(fd):
            os.close(fd)
            return None

        def release() -> None:
            # Closing alone would leave the lock with a forked child.
            files.unlock(fd)
            os.close(fd)

        return Turn(release)

    def _in_memory(self, name: str, number: int) -> Turn | None:
        with self._lock:
            if (name, number) in self._held:
                return None
            self._held.add((name, number))
        return Turn(lambda: self._held.discard((name, number)))

    def _start(self, name: str, rate: Rate) -> float:
        """Count a start now, or say how long it has to wait, seconds."""
        with self._lock:
            if self.root is None:
                moments, wait_s = self._counted(self._moments.get(name, []), rate)
                self._moments[name] = moments
                return wait_s
            fd = self._open(self.root, f"{_file(name)}.rate")
            try:
                if not files.lock(fd):
                    return LOOK_S
                moments, wait_s = self._counted(_read(fd), rate)
                os.ftruncate(fd, 0)
                os.pwrite(fd, json.dumps(moments).encode(), 0)
                files.unlock(fd)
                return wait_s
            finally:
                os.close(fd)

    def _counted(self, moments: list[int], rate: Rate) -> tuple[list[int], float]:
        now_us, window_us = self.clock.now_us(), round(rate.window_s * 1_000_000)
        recent = sorted(m for m in moments if now_us - window_us < m <= now_us)
        if len(recent) < rate.starts:
            return [*recent[-MOMENTS_MAX:], now_us], 0.0
        first = recent[-rate.starts]
        return recent, max(LOOK_S, (first + window_us - now_us) / 1_000_000)

    def _open(self, root: Path, name: str) -> int:
        folder = root / FOLDER
        files.make_folder(folder)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(folder / name, flags, files.FILE_MODE)


def _file(name: str) -> str:
    return blake3(name.encode(errors="surrogatepass")).hexdigest(length=16)


def _read(fd: int) -> list[int]:
    """The moments; what a dying process left half written counts as none."""
    try:
        found = json.loads(os.pread(fd, 20 * MOMENTS_MAX, 0) or b"[]")
    except ValueError:
        return []
    return [m for m in found if isinstance(m, int)] if isinstance(found, list) else []
