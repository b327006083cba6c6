"""Where botocore sends: ``URLLib3Session.send``, below signing and retries.

A request is signed anew each time; what signs it is no part of its identity. The event
``before-send`` would do for one service and one client; this reaches all of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
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
from nbdurable.integrations.http.streams import Ending, Heard
from nbdurable.integrations.http.switch import (
    frame_here,
    is_refused_outside,
    replace,
)


def open_doors(module: ModuleType) -> None:
    """Reach every client of botocore."""
    replace(module.URLLib3Session, "send", _door)


def _door(original: Callable[..., Any]) -> Callable[..., Any]:
    def sending(self: Any, request: Any) -> Any:
        frame = frame_here()
        outside = frame is None and is_refused_outside()
        if frame is None and not outside:
            return original(self, request)
        known = is_looked_at(frame, request.method, request.url)
        body = _body(request.body) if known else None
        if body is None:
            return original(self, request)
        wire = BotocoreWire(request, body)
        if outside:
            refuse_outside(wire)
        policy = promised(wire, frame)
        if frame is None or policy is None:
            return original(self, request)
        go = functools.partial(original, self, request)
        response = send(Exchange(wire, policy, frame), go, lambda got: got.content)
        if not request.stream_output:
            _ = response.content
        return response

    return sending


def _body(body: object) -> bytes | None:
    """The bytes of a body; None for a stream, which can be read only once."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, (bytes, bytearray)) else None


class BotocoreWire:
    """A request of botocore.

    Args:
        request: The prepared request.
        body: The bytes of its body.
    """

    anonymous = True

    def __init__(self, request: Any, body: bytes) -> None:
        self.request = request
        self.method: str = request.method
        self.url: str = request.url
        self.headers: Mapping[str, str] = _Headers(request.headers)
        self.body = body

    def is_loss(self, error: BaseException) -> bool:
        """Whether there was no whole answer."""
        from botocore.exceptions import BotoCoreError
        from urllib3.exceptions import HTTPError

        return isinstance(error, (BotoCoreError, HTTPError))

    def loss(self, kind: str, message: str) -> Exception:
        """The library's exception, about this request."""
        from botocore import exceptions

        cls = getattr(exceptions, kind, exceptions.HTTPClientError)
        facts = {"error": message, "endpoint_url": self.url, "proxy_url": self.url}
        error: Exception = cls(**facts, request=self.request)
        return error

    def rebuilt(self, recording: Recording) -> Any:
        """The response again, unread."""
        from botocore.awsrequest import AWSResponse

        raw = urllib3_bodies.playing(recording)
        return AWSResponse(self.url, recording.status, raw.headers, raw)

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
        """Nothing is to be taken off: AWS encodes no answers."""
        del response
        return None

    def listen(self, response: Any, ending: Ending) -> None:
        """Tell of the body while it is read, or of what was read in one piece."""
        if self.request.stream_output:
            response.raw = urllib3_bodies.Listening(response.raw, ending)
            return
        heard: Heard = ending.heard
        heard.hear(response.content)
        ending.all_said()


class _Headers(dict[str, str]):
    """Headers by lower-case names, as text: some of a signed request are bytes."""

    def __init__(self, headers: Mapping[str, str | bytes]) -> None:
        super().__init__(
            (name.lower(), v.decode("latin-1") if isinstance(v, bytes) else v)
            for name, v in headers.items()
        )
