"""A clock in the hand of a test: waits take no time, and are remembered."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field


@dataclass
class HandClock:
    """Time passes by waiting, and where a test says so.

    Attributes:
        us: Wall clock, microseconds since 1970 UTC.
        mono_s: Seconds that never jump.
        waited_s: How long each call of `sleep` and `pause` was, in seconds.
    """

    us: int = 1_800_000_000_000_000
    mono_s: float = 100.0
    waited_s: list[float] = field(default_factory=list)

    def now_us(self) -> int:
        """Wall clock."""
        return self.us

    def monotonic_s(self) -> float:
        """Seconds since some moment."""
        return self.mono_s

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.waited_s.append(seconds)
        self.passes(seconds)

    async def pause(self, seconds: float) -> None:
        """The same; other tasks have their turn."""
        self.sleep(seconds)
        await asyncio.sleep(0)

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait for an event, with the real clock: threads know no other."""
        return event.wait(timeout_s)

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.us += round(seconds * 1_000_000)
        self.mono_s += seconds

    @property
    def total_s(self) -> float:
        """How long all waits were."""
        return round(sum(self.waited_s), 3)
