"""Where aiohttp sends: a middleware, which is its documented place, for every session.

Only that every session gets it needs a replaced method, ``ClientSession._request``: its
name is private, but a session made before, or with middlewares of its own, has no other
door. Nothing but the argument ``middlewares`` of it is touched.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from nbdurable.integrations.http.aiohttp_wire import AiohttpWire
from nbdurable.integrations.http.exchange import Exchange
from nbdurable.integrations.http.sending import (
    is_looked_at,
    named,
    promised,
    refuse_outside,
    send_async,
)
from nbdurable.integrations.http.switch import (
    frame_here,
    is_refused_outside,
    replace,
)


def open_doors(module: ModuleType) -> None:
    """Reach every session of aiohttp."""
    replace(module.ClientSession, "_request", _door)


def _door(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def sending(self: Any, *args: Any, **more: Any) -> Any:
        if frame_here() is None and not is_refused_outside():
            return await original(self, *args, **more)
        theirs = more.pop("middlewares", None)
        if theirs is None:
            theirs = getattr(self, "_middlewares", ())
        return await original(self, *args, **more, middlewares=(*theirs, _journal))

    return sending


async def _journal(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
    """Innermost of the middlewares: it sees the request as it is sent."""
    frame, url, policy = frame_here(), str(request.url), None
    if is_looked_at(frame, request.method, url):
        body = await _body(request)
        wire = AiohttpWire(request, body or b"")
        policy = None if body is None else promised(wire, frame)
        if policy is not None and is_refused_outside():
            refuse_outside(wire)
    if frame is None:
        return await handler(request)
    if policy is None:
        with named(frame, request.method, url):
            return await handler(request)
    go = functools.partial(handler, request)
    return await send_async(Exchange(wire, policy, frame), go, wire.read)


async def _body(request: Any) -> bytes | None:
    """The bytes of a body; None for a stream, which can be read only once."""
    from aiohttp.payload import BytesPayload

    body = request.body
    if not body:
        return b""
    if isinstance(body, BytesPayload):
        data: bytes = await body.as_bytes()
        return data
    return bytes(body) if isinstance(body, (bytes, bytearray)) else None
