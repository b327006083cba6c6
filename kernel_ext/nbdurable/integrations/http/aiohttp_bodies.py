"""Bodies of aiohttp: one that tells, and responses made of recordings.

`replayed` gives aiohttp a connection that leads nowhere and feeds it with the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from http.client import responses
from types import SimpleNamespace
from typing import Any, Final

from nbdurable.integrations.http.recording import Recording, handed_out
from nbdurable.integrations.http.refusals import StreamEnds

BODILESS: Final = frozenset({204, 304})
"""Statuses whose answers have no body."""

LINE_CHARS_MAX: Final = 1 << 16
"""Of a header that aiohttp is fed with; more than what is kept of one."""


class Listening:
    """Tells of a body while it is read; a `StreamReader` in all else."""

    def __init__(self, inner: Any, ending: Any) -> None:
        self._inner, self._ending = inner, ending

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _pieces(self.readline)

    def iter_any(self) -> AsyncIterator[bytes]:
        """Pieces as they come."""
        return _pieces(self.readany)

    def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        """Pieces of at most ``n`` bytes."""
        return _pieces(lambda: self.read(n))

    async def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        """Pieces as the server sent them, and whether each is at its end."""
        while (chunk := await self.readchunk()) != (b"", False):
            yield chunk

    async def read(self, n: int = -1) -> bytes:
        """At most ``n`` bytes, or all."""
        return await self._heard(self._inner.read(n))

    async def readany(self) -> bytes:
        """What is there."""
        return await self._heard(self._inner.readany())

    async def readexactly(self, n: int) -> bytes:
        """So many bytes."""
        return await self._heard(self._inner.readexactly(n))

    async def readline(self, **more: Any) -> bytes:
        """A line."""
        return await self._heard(self._inner.readline(**more))

    async def readuntil(self, *args: Any, **more: Any) -> bytes:
        """What stands before a separator, and that."""
        return await self._heard(self._inner.readuntil(*args, **more))

    async def readchunk(self) -> tuple[bytes, bool]:
        """A piece, and whether it is at its end."""
        ends = False

        async def only() -> bytes:
            nonlocal ends
            data, ends = await self._inner.readchunk()
            return bytes(data)

        return await self._heard(only()), ends

    def set_exception(self, *args: Any) -> None:
        """Nobody reads on."""
        self._ending.tell()
        self._inner.set_exception(*args)

    async def _heard(self, reading: Awaitable[bytes]) -> bytes:
        try:
            data = await reading
        except BaseException as error:
            self._ending.tell(error)
            raise
        if data and self._ending.heard.hear(data):
            await self._ending.tell_async()
        if self._inner.at_eof():
            await self._ending.all_said_async()
        return data


class _Part(Listening):
    """The part of a body that is recorded."""

    def __init__(self, inner: Any, recording: Recording) -> None:
        super().__init__(inner, None)
        self._ends = StreamEnds(pieces=len(recording.pieces()))

    def set_exception(self, *args: Any) -> None:
        """Nobody reads on."""

    async def _heard(self, reading: Awaitable[bytes]) -> bytes:
        data = await reading
        if not data:
            raise self._ends
        return data


async def _pieces(read: Callable[[], Awaitable[bytes]]) -> AsyncIterator[bytes]:
    while piece := await read():
        yield piece


def filled(data: bytes) -> Any:
    """A body of which everything has come."""
    from aiohttp import StreamReader
    from aiohttp.base_protocol import BaseProtocol

    loop = asyncio.get_running_loop()
    reader = StreamReader(BaseProtocol(loop), 1 << 30, loop=loop)
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def replayed(request: Any, recording: Recording) -> Any:
    """The response to a request that is not sent."""
    from aiohttp.client_proto import ResponseHandler

    protocol = ResponseHandler(asyncio.get_running_loop())
    protocol.connection_made(_Nowhere())
    protocol.set_response_params(
        skip_payload=request.method == "HEAD",
        read_until_eof=True,
        auto_decompress=False,
        max_line_size=LINE_CHARS_MAX,
        max_field_size=LINE_CHARS_MAX,
    )
    connection: Any = _Connection(protocol)
    response = await request.send(connection)
    protocol.data_received(_answer(request.method, recording))
    await response.start(connection)
    if not recording.whole:
        response.content = _Part(response.content, recording)
    return response


def _answer(method: str, recording: Recording) -> bytes:
    """The bytes of an answer on the wire, in the pieces in which it came."""
    reason = responses.get(recording.status, "")
    lines = [f"HTTP/1.1 {recording.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in handed_out(recording)]
    if method == "HEAD" or recording.status in BODILESS:
        return _head(lines)
    body = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in recording.pieces())
    return _head([*lines, "transfer-encoding: chunked"]) + body + b"0\r\n\r\n"


def _head(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


class _Nowhere(asyncio.Transport):
    """Takes whatever is sent."""

    def write(self, data: object) -> None:
        """Drop it."""

    def writelines(self, data: object) -> None:
        """Drop it."""

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """There is nothing to close."""

    def abort(self) -> None:
        """There is nothing to close."""

    def pause_reading(self) -> None:
        """Everything has come."""

    def resume_reading(self) -> None:
        """Everything has come."""


class _Connection:
    """A connection that aiohttp may use and give back."""

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.transport = protocol.transport
        self._connector = SimpleNamespace(force_close=False)

    def close(self) -> None:
        """There is nothing to close."""

    def release(self) -> None:
        """Nobody waits for it."""

    def add_callback(self, callback: Callable[[], None]) -> None:
        """It is never lost."""
