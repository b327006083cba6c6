"""Where model calls are journaled: ``send`` of the clients of httpx and httpx2.

That method is public, every request of every SDK built on these libraries passes it
once per attempt, and it can be replaced on the class: clients that exist and clients to
come are reached alike. Outside durable cells it costs one look at a variable.

`install` is called at the first durable attempt of a process and `remove` when the
extension is unloaded. If another library has replaced ``send`` in between, its
replacement stays and ours, underneath it, does nothing any more.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.driving import Returned
from nbdurable.engine.calls.exchange import begin, begin_async
from nbdurable.engine.where.frames import Frame, current_frame, inside
from nbdurable.integrations.http.asked import asks_model, may_ask_model
from nbdurable.integrations.http.exchange import FAILED, Exchange, refuse_outside
from nbdurable.integrations.http.imports import forget_imports, when_imported
from nbdurable.integrations.http.refusals import Refused, Unanswered

LIBRARIES = ("httpx", "httpx2")
"""They are two: httpx2 continues httpx under its own name, with its own classes."""

_on = False
_replaced: dict[type[Any], tuple[Callable[..., Any], Callable[..., Any]]] = {}


def install() -> None:
    """Journal model calls from now on. Idempotent.

    A library that isn't imported yet is reached when it is.
    """
    global _on  # noqa: PLW0603  # one switch per process: classes are patched once
    _on = True
    for name in LIBRARIES:
        module = sys.modules.get(name)
        if module is not None and hasattr(module, "AsyncClient"):
            _replace(module)
        else:
            when_imported(name, _replace)


def remove() -> None:
    """Journal nothing any more, and put ``send`` back where nobody replaced it since."""
    global _on  # noqa: PLW0603  # see above
    _on = False
    forget_imports()
    for cls, (original, ours) in list(_replaced.items()):
        if cls.__dict__.get("send") is ours:
            cls.send = original
            del _replaced[cls]


def _replace(library: ModuleType) -> None:
    for cls, door in ((library.Client, _door), (library.AsyncClient, _async_door)):
        if cls not in _replaced:
            original = cls.send
            ours = door(library, original)
            _replaced[cls] = original, ours
            cls.send = ours


def _door(library: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def send(self: Any, request: Any, *, stream: bool = False, **more: Any) -> Any:
        frame = current_frame() if _on else None
        if frame is None and _on and frozen.is_on():
            refuse_outside(request, request.read())
        if frame is None or not _may_ask(frame, request):
            return original(self, request, stream=stream, **more)
        if not asks_model(request.method, request.url.path, request.read()):
            return original(self, request, stream=stream, **more)
        exchange = Exchange(library, self, request, frame)
        sending = functools.partial(original, self, request, stream=True, **more)
        response = _response(exchange, sending)
        if not stream:
            _read(response)
        return response

    return send


def _may_ask(frame: Frame[Any], request: Any) -> bool:
    return not frame.quiet and may_ask_model(request.method, request.url.path)


def _response(exchange: Exchange, sending: Callable[[], Any]) -> Any:
    again = exchange.served_again()
    if again is not None:
        return again
    try:
        begun = begin(exchange.frame, exchange.call)
    except (Refused, Unanswered) as failure:
        return exchange.served_failure(failure)
    if isinstance(begun, Returned):
        return exchange.served(begun)
    exchange.begun(begun)
    try:
        with inside(begun.frame):
            response = sending()
            if response.status_code >= FAILED:
                _read(response)
    except BaseException as error:
        exchange.end(exchange.broke(error))
        raise
    if response.status_code >= FAILED:
        exchange.end(exchange.refused(response))
    else:
        exchange.listen(response)
    return response


def _read(response: Any) -> None:
    try:
        response.read()
    except BaseException:
        response.close()
        raise


def _async_door(
    library: ModuleType, original: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def send(
        self: Any, request: Any, *, stream: bool = False, **more: Any
    ) -> Any:
        frame = current_frame() if _on else None
        if frame is None and _on and frozen.is_on():
            refuse_outside(request, await request.aread())
        if frame is None or not _may_ask(frame, request):
            return await original(self, request, stream=stream, **more)
        if not asks_model(request.method, request.url.path, await request.aread()):
            return await original(self, request, stream=stream, **more)
        exchange = Exchange(library, self, request, frame)
        sending = functools.partial(original, self, request, stream=True, **more)
        response = await _response_async(exchange, sending)
        if not stream:
            await _aread(response)
        return response

    return send


async def _response_async(
    exchange: Exchange, sending: Callable[[], Awaitable[Any]]
) -> Any:
    again = exchange.served_again()
    if again is not None:
        return again
    try:
        begun = await begin_async(exchange.frame, exchange.call)
    except (Refused, Unanswered) as failure:
        return exchange.served_failure(failure)
    if isinstance(begun, Returned):
        return exchange.served(begun)
    exchange.begun(begun)
    try:
        with inside(begun.frame):
            response = await sending()
            if response.status_code >= FAILED:
                await _aread(response)
    except BaseException as error:
        exchange.end(exchange.broke(error))
        raise
    if response.status_code >= FAILED:
        await exchange.end_async(exchange.refused(response))
    else:
        exchange.listen(response)
    return response


async def _aread(response: Any) -> None:
    try:
        await response.aread()
    except BaseException:
        await response.aclose()
        raise
