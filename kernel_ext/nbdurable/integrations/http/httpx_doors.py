"""Where httpx and httpx2 send: ``send`` of their clients.

That method is public, every request of every SDK built on these libraries passes it once
per attempt, and it can be replaced on the class: clients that exist and clients to come
are reached alike. Outside durable cells it costs one look at a variable.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from nbdurable.engine.where.frames import Frame
from nbdurable.integrations.http.exchange import Exchange
from nbdurable.integrations.http.httpx_wire import HttpxWire
from nbdurable.integrations.http.limits import BODY_BYTES_MAX
from nbdurable.integrations.http.sending import (
    is_looked_at,
    named,
    promised,
    refuse_outside,
    send,
    send_async,
)
from nbdurable.integrations.http.switch import (
    frame_here,
    is_refused_outside,
    replace,
)


def open_doors(library: ModuleType) -> None:
    """Reach the clients of httpx or httpx2."""
    replace(library.Client, "send", functools.partial(_door, library))
    replace(library.AsyncClient, "send", functools.partial(_async_door, library))


def _door(library: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def sending(self: Any, request: Any, *, stream: bool = False, **more: Any) -> Any:
        frame = frame_here()
        if frame is None:
            if is_refused_outside():
                request.read()
                refuse_outside(HttpxWire(library, self, request))
            return original(self, request, stream=stream, **more)
        policy = None
        if _is_read(frame, request):
            request.read()
            wire = HttpxWire(library, self, request, more.get("auth"))
            policy = promised(wire, frame)
        if policy is None:
            with named(frame, request.method, str(request.url), request.headers):
                return original(self, request, stream=stream, **more)
        go = functools.partial(original, self, request, stream=True, **more)
        response = send(Exchange(wire, policy, frame), go, _read)
        if not stream:
            _read(response)
        return response

    return sending


def _async_door(
    library: ModuleType, original: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[Any]]:
    async def sending(
        self: Any, request: Any, *, stream: bool = False, **more: Any
    ) -> Any:
        frame = frame_here()
        if frame is None:
            if is_refused_outside():
                await request.aread()
                refuse_outside(HttpxWire(library, self, request))
            return await original(self, request, stream=stream, **more)
        policy = None
        if _is_read(frame, request):
            await request.aread()
            wire = HttpxWire(library, self, request, more.get("auth"))
            policy = promised(wire, frame)
        if policy is None:
            with named(frame, request.method, str(request.url), request.headers):
                return await original(self, request, stream=stream, **more)
        go = functools.partial(original, self, request, stream=True, **more)
        response = await send_async(Exchange(wire, policy, frame), go, _aread)
        if not stream:
            await _aread(response)
        return response

    return sending


def _is_read(frame: Frame[Any], request: Any) -> bool:
    """Whether the body of a request is read, to be looked at.

    That of a tool's request only where it says its length and isn't long: an upload
    from a file or a generator passes as it is.
    """
    url = str(request.url)
    if is_looked_at(None, request.method, url):
        return True
    length = request.headers.get("content-length", "0")
    unknown = "transfer-encoding" in request.headers or not length.isdigit()
    long = unknown or int(length) > BODY_BYTES_MAX
    return not long and is_looked_at(frame, request.method, url)


def _read(response: Any) -> None:
    try:
        response.read()
    except BaseException:
        response.close()
        raise


async def _aread(response: Any) -> None:
    try:
        await response.aread()
    except BaseException:
        await response.aclose()
        raise
