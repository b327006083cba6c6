"""The two streams of a journaled answer: one listens, one plays back.

`Listening` passes the body through and tells its `Listener` once how the reading
ended. That happens at the end of file, at a strong mark, or in ``close``, never in a
generator's ``finally``: an SDK's stream object is a reference cycle, and after a
``break`` nothing would happen before the garbage collector runs.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol

from nbdurable.integrations.http.marks import Mark, Marks
from nbdurable.integrations.http.refusals import StreamEnds


class Listener(Protocol):
    """Whoever wants to know how the reading of a body ended; asked at most once."""

    def ended(self, heard: Heard, error: BaseException | None) -> None:
        """The reading ended; durable on return if it ended well."""

    async def ended_async(self, heard: Heard, error: BaseException | None) -> None:
        """The same, without blocking the event loop."""


@dataclass(slots=True)
class Heard:
    """What passed so far.

    Attributes:
        marks: The marks seen in it.
        decode: Removes the content encoding of what passed.
        elapsed_ms: Milliseconds since the request.
        chunks: The pieces as they came.
        ms: When each came.
        eof: Whether the server said everything.
    """

    marks: Marks
    decode: Callable[[bytes], bytes]
    elapsed_ms: Callable[[], float]
    chunks: list[bytes] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)
    eof: bool = False

    def hear(self, chunk: bytes) -> bool:
        """Take a piece; true if the answer is complete with it."""
        self.chunks.append(chunk)
        self.ms.append(round(self.elapsed_ms(), 1))
        return self.marks.feed(chunk) is Mark.STRONG

    def whole(self) -> bool:
        """Whether the answer is complete, now that nobody reads on."""
        return self.eof or self.marks.seen is not Mark.NONE


class Ending:
    """Tells a listener once, and keeps the stream usable whatever happens."""

    def __init__(self, heard: Heard, listener: Listener) -> None:
        self.heard = heard
        self._listener: Listener | None = listener

    def tell(self, error: BaseException | None = None) -> None:
        """The reading ended here."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.ended(self.heard, error)

    async def tell_async(self, error: BaseException | None = None) -> None:
        """The reading ended here, in an async client."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.ended_async(self.heard, error)


def _listen(inner: Any, ending: Ending) -> Iterator[bytes]:
    try:
        for chunk in inner:
            if ending.heard.hear(chunk):
                ending.tell()
            yield chunk
    except GeneratorExit:
        raise
    except BaseException as error:
        ending.tell(error)
        raise
    ending.heard.eof = True
    ending.tell()


async def _listen_async(inner: Any, ending: Ending) -> AsyncIterator[bytes]:
    try:
        async for chunk in inner:
            if ending.heard.hear(chunk):
                await ending.tell_async()
            yield chunk
    except GeneratorExit:
        raise
    except BaseException as error:
        ending.tell(error)
        raise
    ending.heard.eof = True
    await ending.tell_async()


class _Listening:
    def __init__(self, inner: Any, ending: Ending) -> None:
        self._inner, self._ending = inner, ending

    def __iter__(self) -> Iterator[bytes]:
        return _listen(self._inner, self._ending)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _listen_async(self._inner, self._ending)

    def close(self) -> None:
        self._ending.tell()
        self._inner.close()

    async def aclose(self) -> None:
        self._ending.tell()
        await self._inner.aclose()


class _Playing:
    def __init__(self, pieces: list[bytes], *, whole: bool) -> None:
        self._pieces, self._whole = pieces, whole

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        self._end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        self._end()

    def _end(self) -> None:
        if not self._whole:
            raise StreamEnds(pieces=len(self._pieces))


@functools.cache
def _of(library: ModuleType, kind: type[Any]) -> type[Any]:
    """The class for one library: a client takes streams of its own library only."""
    bases = (kind, library.SyncByteStream, library.AsyncByteStream)
    return type(kind.__name__.strip("_"), bases, {})


def listening(library: ModuleType, inner: Any, ending: Ending) -> Any:
    """A stream of ``library`` (httpx or httpx2) that listens to ``inner``."""
    return _of(library, _Listening)(inner, ending)


def playing(library: ModuleType, pieces: list[bytes], *, whole: bool = True) -> Any:
    """A stream of ``library`` that plays pieces back, without delay.

    Args:
        library: httpx or httpx2.
        pieces: The body.
        whole: False if it was closed before its end: reading on raises `StreamEnds`.
    """
    return _of(library, _Playing)(pieces, whole=whole)
