"""httpx, and httpx2, which continues it under its own name with its own classes."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

from nbdurable.integrations.http.limits import SLICE_BYTES
from nbdurable.integrations.http.recording import Recording, handed_out
from nbdurable.integrations.http.streams import Ending, listen, listen_async, played


class HttpxWire:
    """A request of httpx or httpx2; its body is read.

    Args:
        library: The module.
        client: The client that sends.
        request: The library's request.
        auth: What is given to the sending to authorise it.
    """

    anonymous = False

    def __init__(
        self, library: ModuleType, client: Any, request: Any, auth: Any = None
    ) -> None:
        self._library, self._client = library, client
        self.request = request
        self.method: str = request.method
        self.url = str(request.url)
        self.headers = _authorised(library, client, request, auth)
        self.body: bytes = request.content
        self._was_read = False

    def is_loss(self, error: BaseException) -> bool:
        """Whether there was no whole answer."""
        return isinstance(error, self._library.RequestError)

    def loss(self, kind: str, message: str) -> Exception:
        """The library's exception, about this request."""
        cls = getattr(self._library, kind, self._library.RequestError)
        error: Exception = cls(message, request=self.request)
        return error

    def rebuilt(self, recording: Recording) -> Any:
        """The response again, unread."""
        response = self._library.Response(
            recording.status,
            headers=handed_out(recording),
            stream=playing(self._library, played(recording)),
            request=self.request,
            extensions={"http_version": b"HTTP/1.1"},
        )
        response.elapsed = dt.timedelta(milliseconds=recording.took_ms)
        encoding = getattr(self._client, "_default_encoding", None)
        if encoding is not None:
            response.default_encoding = encoding
        return response

    def status(self, response: Any) -> int:
        """HTTP status."""
        status: int = response.status_code
        return status

    def said(self, response: Any) -> Iterable[tuple[str, str]]:
        """The headers of a response."""
        pairs: Iterable[tuple[str, str]] = response.headers.multi_items()
        return pairs

    def content(self, response: Any) -> bytes:
        """The body of a response that was read."""
        body: bytes = response.content
        return body

    def decoder(self, response: Any) -> Callable[[bytes], Iterable[bytes]] | None:
        """Takes the content encoding off."""
        if self._was_read:  # what is heard of it was decoded
            return None
        encoding = response.headers.get("content-encoding", "")
        return (
            functools.partial(_decoded, self._library, encoding) if encoding else None
        )

    def listen(self, response: Any, ending: Ending) -> None:
        """Tell of the body while it is read."""
        self._was_read = response.is_stream_consumed  # some transports do so
        if self._was_read:
            ending.heard.hear(response.content)
            ending.all_said()
            return
        kind = _of(self._library, _Listening)
        response.stream = kind(response.stream, ending)


def _authorised(library: ModuleType, client: Any, request: Any, auth: Any) -> Any:
    """The headers with the one that only the sending adds, for a name and a password."""
    if not isinstance(auth, (tuple, library.Auth)):
        auth = getattr(client, "auth", None)
    if isinstance(auth, tuple):
        auth = library.BasicAuth(*auth)
    if not isinstance(auth, library.BasicAuth):
        return request.headers
    asked = library.Request(request.method, request.url, headers=request.headers)
    return next(auth.auth_flow(asked)).headers


def _decoded(library: ModuleType, encoding: str, body: bytes) -> Iterator[bytes]:
    """A body without its encoding; little is in memory at a time."""
    slices = (body[i : i + SLICE_BYTES] for i in range(0, len(body), SLICE_BYTES))
    headers = {"content-encoding": encoding}
    stream = playing(library, slices)
    response = library.Response(200, headers=headers, stream=stream)
    pieces: Iterator[bytes] = response.iter_bytes()
    return pieces


class _Listening:
    def __init__(self, inner: Any, ending: Ending) -> None:
        self._inner, self._ending = inner, ending

    def __iter__(self) -> Iterator[bytes]:
        return listen(self._inner, self._ending)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return listen_async(self._inner, self._ending)

    def close(self) -> None:
        self._ending.tell()
        self._inner.close()

    async def aclose(self) -> None:
        self._ending.tell()
        await self._inner.aclose()


class _Playing:
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


@functools.cache
def _of(library: ModuleType, kind: type[Any]) -> type[Any]:
    """The class for one library: a client takes streams of its own library only."""
    bases = (kind, library.SyncByteStream, library.AsyncByteStream)
    return type(kind.__name__.strip("_"), bases, {})


def playing(library: ModuleType, pieces: Iterable[bytes]) -> Any:
    """A stream of ``library`` that plays pieces back, without delay."""
    return _of(library, _Playing)(pieces)
