"""Libraries that send a prepared request over urllib3: what requests and botocore share."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
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
from nbdurable.integrations.http.switch import frame_here, is_refused_outside


class PreparedWire(ABC):
    """A prepared request, to the half that both libraries tell alike.

    Args:
        sender: What sends it.
        request: The library's request.
        body: The bytes of its body.
    """

    anonymous = False

    def __init__(self, sender: Any, request: Any, body: bytes) -> None:
        self.sender = sender
        self.request = request
        self.method: str = request.method
        self.url: str = request.url
        self.headers: Mapping[str, str] = request.headers
        self.body = body

    @abstractmethod
    def is_loss(self, error: BaseException) -> bool:
        """Whether there was no whole answer."""

    @abstractmethod
    def loss(self, kind: str, message: str) -> Exception:
        """The library's exception, about this request."""

    @abstractmethod
    def rebuilt(self, recording: Recording) -> Any:
        """The response again, unread."""

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
        """Nothing is to be taken off: urllib3 decodes what is read, AWS encodes nothing."""
        del response
        return None

    def listen(self, response: Any, ending: Ending) -> None:
        """Tell of the body while it is read."""
        response.raw = urllib3_bodies.Listening(response.raw, ending)

    def arrived(self, response: Any) -> None:
        """What the library does with a response before it hands it out."""
        del response


def door(
    original: Callable[..., Any], wire_of: Callable[[Any, Any, bytes], PreparedWire]
) -> Callable[..., Any]:
    """A library's ``send``, as one that journals what is to be journaled.

    Args:
        original: The library's own, called with the sender, the request and more.
        wire_of: Makes the wire of a sender, a request and the bytes of its body.
    """

    def sending(self: Any, request: Any, *args: Any, **more: Any) -> Any:
        go = functools.partial(original, self, request, *args, **more)
        frame = frame_here()
        outside = frame is None and is_refused_outside()
        if frame is None and not outside:
            return go()
        known = is_looked_at(frame, request.method, request.url)
        body = _body(request.body) if known else None
        if body is None:
            return go()
        wire = wire_of(self, request, body)
        if outside:
            refuse_outside(wire)
        policy = promised(wire, frame)
        if frame is None or policy is None:
            return go()
        response = send(Exchange(wire, policy, frame), go, wire.content)
        wire.arrived(response)
        return response

    return sending


def _body(body: object) -> bytes | None:
    """The bytes of a body; None for a stream, which can be read only once."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, (bytes, bytearray)) else None
