"""Listening to the body of an answer while its reader takes it.

The listener is told once how the reading ended. That happens at the end of file, at a
strong mark, or in ``close``, never in a generator's ``finally``: an SDK's stream object
is a reference cycle, and after a ``break`` nothing would happen before the garbage
collector runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from nbdurable.integrations.http.limits import BODY_BYTES_MAX
from nbdurable.integrations.http.marks import Mark, Marks
from nbdurable.integrations.http.recording import Recording
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
        elapsed_ms: Milliseconds since the request.
        chunks: The pieces as they came; none any more once they are too many to keep.
        ms: When each came.
        size: Bytes that passed.
        eof: Whether the server said everything.
    """

    marks: Marks
    elapsed_ms: Callable[[], float]
    chunks: list[bytes] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)
    size: int = 0
    eof: bool = False

    def hear(self, chunk: bytes) -> bool:
        """Take a piece; true if the answer is complete with it."""
        self.size += len(chunk)
        if self.size > BODY_BYTES_MAX:
            self.chunks.clear()
            self.ms.clear()
        else:
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

    def all_said(self) -> None:
        """The server said everything."""
        self.heard.eof = True
        self.tell()

    async def all_said_async(self) -> None:
        """The server said everything, to an async client."""
        self.heard.eof = True
        await self.tell_async()


def played(recording: Recording) -> Iterator[bytes]:
    """The pieces of a recorded body.

    Raises:
        StreamEnds: It was closed before its end, and is read on.
    """
    pieces = recording.pieces()
    yield from pieces
    if not recording.whole:
        raise StreamEnds(pieces=len(pieces))


def listen(inner: Any, ending: Ending) -> Iterator[bytes]:
    """The pieces of a body as they are read."""
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
    ending.all_said()


async def listen_async(inner: Any, ending: Ending) -> AsyncIterator[bytes]:
    """The pieces of a body as an async client reads them."""
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
    await ending.all_said_async()
