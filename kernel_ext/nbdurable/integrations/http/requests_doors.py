"""Where requests sends: ``HTTPAdapter.send``, the documented place of a transport."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from nbdurable.integrations.http import urllib3_bodies
from nbdurable.integrations.http.exchange import Exchange
from nbdurable.integrations.http.recording import Recording
from nbdurable.integrations.http.sending import (
    is_looked_at,
    promised,
    refuse_outside,
    send,
)
from nbdurable.integrations.http.streams import Ending
from nbdurable.integrations.http.switch import (
    frame_here,
    is_refused_outside,
    replace,
)


def open_doors(module: ModuleType) -> None:
    """Reach every session of requests."""
    replace(module.HTTPAdapter, "send", _door)


def _door(original: Callable[..., Any]) -> Callable[..., Any]:
    def sending(self: Any, request: Any, *args: Any, **more: Any) -> Any:
        frame = frame_here()
        outside = frame is None and is_refused_outside()
        if frame is None and not outside:
            return original(self, request, *args, **more)
        known = is_looked_at(frame, request.method, request.url)
        body = _body(request.body) if known else None
        if body is None:
            return original(self, request, *args, **more)
        wire = RequestsWire(self, request, body)
        if outside:
            refuse_outside(wire)
        policy = promised(wire, frame)
        if frame is None or policy is None:
            return original(self, request, *args, **more)
        go = functools.partial(original, self, request, *args, **more)
        return send(
            Exchange(wire, policy, frame), go, lambda response: response.content
        )

    return sending


def _body(body: object) -> bytes | None:
    """The bytes of a body; None for a stream, which can be read only once."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, (bytes, bytearray)) else None


class RequestsWire:
    """A request of requests.

    Args:
        adapter: The adapter that sends.
        request: The prepared request.
        body: The bytes of its body.
    """

    anonymous = False

    def __init__(self, adapter: Any, request: Any, body: bytes) -> None:
        self._adapter = adapter
        self.request = request
        self.method: str = request.method
        self.url: str = request.url
        self.headers = request.headers
        self.body = body

    def is_loss(self, error: BaseException) -> bool:
        """Whether there was no whole answer."""
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        return isinstance(error, (RequestException, HTTPError))

    def loss(self, kind: str, message: str) -> Exception:
        """The library's exception, about this request."""
        from requests import exceptions

        cls = getattr(exceptions, kind, exceptions.ConnectionError)
        error: Exception = cls(message, request=self.request)
        return error

    def rebuilt(self, recording: Recording) -> Any:
        """The response again, unread."""
        raw = urllib3_bodies.playing(recording)
        return self._adapter.build_response(self.request, raw)

    def status(self, response: Any) -> int:
        """HTTP status."""
        status: int = response.status_code
        return status

    def said(self, response: Any) -> Iterable[tuple[str, str]]:
        """The headers of a response."""
        pairs: Iterable[tuple[str, str]] = response.headers.items()
        return pairs

    def content(self, response: Any) -> bytes:
        """The body of a response that was read."""
        body: bytes = response.content
        return body

    def decoder(self, response: Any) -> Callable[[bytes], Iterable[bytes]] | None:
        """Nothing is to be taken off: what is read was decoded."""
        del response
        return None

    def listen(self, response: Any, ending: Ending) -> None:
        """Tell of the body while it is read."""
        response.raw = urllib3_bodies.Listening(response.raw, ending)
