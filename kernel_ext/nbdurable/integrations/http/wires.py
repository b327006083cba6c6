"""What an exchange needs of the library that sends it.

There are several libraries, and what a journaled exchange does is the same in all: so
the exchange knows none of them, and each has a module that knows it (`httpx_wire`,
`aiohttp_wire`, `requests_doors`, `botocore_doors`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from nbdurable.integrations.http.recording import Recording
from nbdurable.integrations.http.streams import Ending

Response = Any
"""A response of the library; its type is the library's affair."""


class Wire(Protocol):
    """One request of one library, on its way.

    Attributes:
        request: The library's own request; what it raises may hold it.
        method: HTTP method.
        url: The whole address.
        headers: Looked up by lower-case names.
        body: As it is sent.
        anonymous: What the library raises names neither the request nor the response.
    """

    anonymous: bool
    request: object
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    def is_loss(self, error: BaseException) -> bool:
        """Whether this is the library's way to say that there was no whole answer."""
        ...

    def loss(self, kind: str, message: str) -> Exception:
        """The library's exception of that class, about this request."""
        ...

    def rebuilt(self, recording: Recording) -> Response:
        """The response again, as the library hands it out, unread.

        A library that only awaits gives an awaitable of it.
        """
        ...

    def status(self, response: Response) -> int:
        """HTTP status."""
        ...

    def said(self, response: Response) -> Iterable[tuple[str, str]]:
        """The headers of a response."""
        ...

    def content(self, response: Response) -> bytes:
        """The decoded body of a response that was read."""
        ...

    def decoder(self, response: Response) -> Callable[[bytes], Iterable[bytes]] | None:
        """Takes the content encoding off a whole body, piece by piece; None without one."""
        ...

    def listen(self, response: Response, ending: Ending) -> None:
        """Tell of the body while it is read."""
        ...
