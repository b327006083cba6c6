"""How far a map is, in one line. Pure."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from nbdurable.engine.where.moments import duration

SMOOTH_MIN = 3
"""So many items have to have run before their pace says anything about the rest."""


@dataclass(slots=True, eq=False)
class Progress:
    """Counts of a map, kept by its threads.

    Attributes:
        total: How many items there are, or None where that isn't known.
        replayed: How many were served.
        ran: How many were executed and gave a result.
        failed: How many raised.
        running: How many are being executed, or have been and are being recorded.
        busy_ms: How long those that ran took together.

    Example:
        >>> done = Progress(1000, replayed=31, ran=611, running=8, busy_ms=6_110.0)
        >>> done.line(limit=8)
        '642/1,000 · 31 replayed · 8 running · ~0.4 s'
        >>> done.line(limit=4)
        '642/1,000 · 31 replayed · 4 running · ~0.9 s'
        >>> done.line(limit=8, waiting=[("429", 14.0), ("429", 30.0)])
        '642/1,000 · 31 replayed · 6 running · 2 waiting (429, next in 14 s) · ~0.4 s'
        >>> done.share
        0.642
    """

    total: int | None
    replayed: int = 0
    ran: int = 0
    failed: int = 0
    running: int = 0
    busy_ms: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begins(self) -> None:
        """An item is executed from now on."""
        with self.lock:
            self.running += 1

    def ended(self, ms: float | None, *, failed: bool) -> None:
        """An item is over; ``ms`` is None if it was served."""
        with self.lock:
            self.running -= ms is not None
            self.failed += failed
            if failed:
                return
            if ms is None:
                self.replayed += 1
            else:
                self.ran += 1
                self.busy_ms += ms

    @property
    def done(self) -> int:
        """How many items are over."""
        return self.replayed + self.ran + self.failed

    @property
    def share(self) -> float | None:
        """How much of it is done, 0 to 1; None where nobody knows how much there is."""
        return min(self.done / self.total, 1.0) if self.total else None

    def line(self, limit: int, waiting: Sequence[tuple[str, float]] = ()) -> str:
        """What people read.

        Args:
            limit: How many run at a time.
            waiting: Of those that run, which are tried again later: why, and in how many
                seconds.
        """
        done = self.done
        of = f"/{self.total:,}" if self.total is not None else ""
        running = min(self.running - len(waiting), limit)
        parts = [
            f"{done:,}{of}",
            f"{self.replayed:,} replayed" if self.replayed else "",
            f"{self.failed:,} failed" if self.failed else "",
            f"{running:,} running" if running > 0 else "",
            _waits(waiting),
            self._rest(done, limit),
        ]
        return " · ".join(filter(None, parts))

    def _rest(self, done: int, limit: int) -> str:
        if self.total is None or self.ran < SMOOTH_MIN or done >= self.total:
            return ""
        each_ms = self.busy_ms / self.ran
        return f"~{duration(each_ms * (self.total - done) / limit)}"


def _waits(waiting: Sequence[tuple[str, float]]) -> str:
    """How many wait to be tried again, why, and when the next one is."""
    if not waiting:
        return ""
    whys = ", ".join(sorted({why for why, _ in waiting}))
    next_s = max(0.0, min(left_s for _, left_s in waiting))
    return f"{len(waiting):,} waiting ({whys}, next in {duration(next_s * 1000)})"
