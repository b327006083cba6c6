"""`nd.aio`: the doors that wait, for code that awaits.

    if await nd.aio.approve("Send this to Anna?", show=report): ...

They are the same calls as those of `nd`: what was asked by one is answered for the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from nbdurable.engine.fanout.awaited import map_awaited as map  # noqa: A004  # as `nd.aio.map`
from nbdurable.engine.waits import doors
from nbdurable.engine.waits.doors import UNSAID

__all__ = ["approve", "ask", "map", "sleep", "sleep_until", "wait_for"]


async def approve(
    text: str, *, show: object = None, timeout: float | timedelta | None = None
) -> bool:
    """As `nd.approve`, without blocking the event loop."""
    answer: bool = await doors.approval(text, show, timeout).wait_for()
    return answer


async def ask(
    text: str,
    answer: type | Sequence[str] | Mapping[str, type] = str,
    *,
    show: object = None,
    timeout: float | timedelta | None = None,
    default: object = UNSAID,
) -> Any:
    """As `nd.ask`, without blocking the event loop."""
    return await doors.question(text, answer, show, timeout, default).wait_for()


async def wait_for(
    name: str, *, timeout: float | timedelta | None = None, default: object = UNSAID
) -> Any:
    """As `nd.wait_for`, without blocking the event loop."""
    return await doors.signal(name, timeout, default).wait_for()


async def sleep(span: float | timedelta) -> None:
    """As `nd.sleep`, without blocking the event loop."""
    await doors.pause(span).wait_for()


async def sleep_until(moment: datetime | str) -> None:
    """As `nd.sleep_until`, without blocking the event loop."""
    await doors.moment(moment).wait_for()
