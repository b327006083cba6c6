"""Bodies of urllib3, which requests and botocore read: one that tells, one that plays.

Both hand out pieces as they come. A whole body given to urllib3 itself would be handed
out in other pieces, and a live stream would wait until a piece is full.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from http.client import responses
from typing import Any

from nbdurable.integrations.http.limits import SLICE_BYTES
from nbdurable.integrations.http.recording import Recording, handed_out
from nbdurable.integrations.http.refusals import StreamEnds
from nbdurable.integrations.http.streams import Ending, listen


class _Around:
    """Stands for a urllib3 response, and is one in all that it doesn't do itself."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        for piece in self.stream(decode_content=True):
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line + b"\n" for line in lines)
        if rest:
            yield rest

    def stream(
        self,
        amt: int | None = 2**16,
        decode_content: bool | None = None,  # noqa: FBT001  # urllib3's
    ) -> Iterator[bytes]:
        """The body in pieces."""
        raise NotImplementedError


class Listening(_Around):
    """Tells of a body while it is read, decoded."""

    def __init__(self, inner: Any, ending: Ending) -> None:
        super().__init__(inner)
        self._ending = ending

    def stream(
        self,
        amt: int | None = 2**16,
        decode_content: bool | None = None,  # noqa: FBT001  # urllib3's
    ) -> Iterator[bytes]:
        """The body in pieces, as they come."""
        return listen(self._inner.stream(amt, decode_content), self._ending)

    def read(self, amt: int | None = None, *args: Any, **more: Any) -> bytes:
        """As much of the body as is asked for, or all."""
        try:
            data: bytes = self._inner.read(amt, *args, **more)
        except BaseException as error:
            self._ending.tell(error)
            raise
        if data and self._ending.heard.hear(data):
            self._ending.tell()
        if amt is None or (amt and not data) or self._inner.closed:
            self._ending.all_said()
        return data

    def close(self) -> None:
        """Nobody reads on."""
        self._ending.tell()
        self._inner.close()

    def release_conn(self) -> None:
        """Nobody reads on; the connection may be used again."""
        self._ending.tell()
        self._inner.release_conn()


class Playing(_Around):
    """Hands a recorded body out in the pieces in which it came."""

    def __init__(self, inner: Any, recording: Recording) -> None:
        super().__init__(inner)
        self._pieces = list(recording.pieces())
        self._ends = StreamEnds(pieces=len(self._pieces))
        self._whole = recording.whole

    def stream(
        self,
        amt: int | None = 2**16,
        decode_content: bool | None = None,  # noqa: FBT001  # urllib3's
    ) -> Iterator[bytes]:
        """The body in pieces, none longer than is asked for."""
        del decode_content
        while self._pieces:
            piece = self._pieces.pop(0)
            most = amt or len(piece)
            yield from (piece[i : i + most] for i in range(0, len(piece), most))
        self._end()

    def read(self, amt: int | None = None, *_: Any, **__: Any) -> bytes:
        """As much of the body as is asked for, or all."""
        whole = b"".join(self._pieces)
        data, rest = (whole, b"") if amt is None else (whole[:amt], whole[amt:])
        self._pieces = [rest] if rest else []
        if amt is None or (amt and not data):
            self._end()
        return data

    @property
    def closed(self) -> bool:
        """Whether nothing is left."""
        return self._whole and not self._pieces

    def _end(self) -> None:
        if not self._whole:
            raise self._ends


def playing(recording: Recording) -> Any:
    """The urllib3 response of a recorded answer."""
    from urllib3 import HTTPResponse

    inner = HTTPResponse(
        body=io.BytesIO(),
        headers=handed_out(recording),
        status=recording.status,
        reason=responses.get(recording.status, ""),
        version=11,
        preload_content=False,
    )
    return Playing(inner, recording)


def decoded(encoding: str, body: bytes) -> Iterator[bytes]:
    """A body without its encoding; little is in memory at a time."""
    from urllib3 import HTTPResponse

    response = HTTPResponse(
        body=io.BytesIO(body),
        headers={"content-encoding": encoding},
        preload_content=False,
    )
    yield from response.stream(SLICE_BYTES, decode_content=True)
