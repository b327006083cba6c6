"""aiohttp's requests and responses.

A replayed response is made by aiohttp itself: a connection that leads nowhere is fed
with the recorded answer, and its parser does the rest. So nothing of its classes is
imitated, and what it makes of an answer is what it made of it then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from nbdurable.integrations.http.aiohttp_bodies import Listening, filled, replayed
from nbdurable.integrations.http.recording import Recording
from nbdurable.integrations.http.streams import Ending

LOSSES = frozenset({"ServerDisconnectedError", "ClientPayloadError"})
"""Exceptions of aiohttp that are made of a message."""


class AiohttpWire:
    """A request of aiohttp.

    Args:
        request: The library's request.
        body: The bytes of its body.
    """

    anonymous = True

    def __init__(self, request: Any, body: bytes) -> None:
        self.request = request
        self.method: str = request.method
        self.url = str(request.url)
        self.headers = request.headers
        self.body = body
        self._content = b""

    def is_loss(self, error: BaseException) -> bool:
        """Whether there was no whole answer."""
        from aiohttp import ClientError

        return isinstance(error, (ClientError, asyncio.TimeoutError))

    def loss(self, kind: str, message: str) -> Exception:
        """The library's exception, about this request."""
        import aiohttp

        if "Timeout" in kind:
            kind = "ServerTimeoutError"
        elif kind not in LOSSES:
            kind = "ClientConnectionError"
        cls: type[Exception] = getattr(aiohttp, kind)
        return cls(message)

    async def rebuilt(self, recording: Recording) -> Any:
        """The response again, unread."""
        return await replayed(self.request, recording)

    def status(self, response: Any) -> int:
        """HTTP status."""
        status: int = response.status
        return status

    def said(self, response: Any) -> Iterable[tuple[str, str]]:
        """The headers of a response."""
        pairs: Iterable[tuple[str, str]] = response.headers.items()
        return pairs

    async def read(self, response: Any) -> None:
        """Read the body, and leave it to be read."""
        self._content = await response.content.read()
        response.content = filled(self._content)

    def content(self, response: Any) -> bytes:
        """The body of a response that was read."""
        del response
        return self._content

    def decoder(self, response: Any) -> Callable[[bytes], Iterable[bytes]] | None:
        """Nothing is to be taken off: what is read was decoded."""
        del response
        return None

    def listen(self, response: Any, ending: Ending) -> None:
        """Tell of the body while it is read."""
        response.content = Listening(response.content, ending)
