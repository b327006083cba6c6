"""Time as an argument: the one real sleep and the one real clock live here."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What the product knows of time. Tests hand in a clock of their own."""

    def now_us(self) -> int:
        """Wall clock in microseconds since 1970-01-01 UTC. May jump."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never jump, comparable within one process only."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block the calling thread; signals are still delivered."""
        ...

    async def pause(self, seconds: float) -> None:
        """Suspend the running task; the event loop goes on, and may cancel it."""
        ...

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until ``event`` is set, at most ``timeout_s``; true if it is set."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_us(self) -> int:
        """Wall clock in microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000

    # Python's own functions: a call of ours reads this clock four times.
    monotonic_s = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)

    async def pause(self, seconds: float) -> None:
        """Suspend the running task."""
        import asyncio  # whoever awaits has it; the store alone doesn't need it

        await asyncio.sleep(seconds)

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until ``event`` is set, at most ``timeout_s``; true if it is set."""
        return event.wait(timeout_s)


SYSTEM_CLOCK: Clock = SystemClock()
