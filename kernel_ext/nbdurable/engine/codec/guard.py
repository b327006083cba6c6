"""Between a pickler and a sink: nothing with a secret passes, and long texts stand alone.

What a pickler writes is searched before it is handed on. Texts and bytes of 4 kB or
more are handed on as pieces, so that a chat that grows shares all turns but the new
one. Where they stand is seen in the pickle itself: an opcode, a length, and behind as
many bytes the opcode that follows every text. If some other bytes look like that, a cut
is made that nobody needed.
"""

from __future__ import annotations

import re
from typing import Final

from nbdurable.engine.values.redact import Secrets
from nbdurable_store.protocol import Sink
from nbdurable_store.records import Buffer

LONG_BYTES_MIN: Final = 1 << 12
"""From here on a text or a buffer is stored by itself."""

_FRAME: Final = b"\x95"
_PROTOCOL: Final = b"\x80\x05\x95"
_LARGE_BYTES_MIN: Final = 1 << 16
"""The pickler hands over texts and bytes of this length by themselves."""

_MEMOIZE: Final = 0x94
_LONG: Final = re.compile(rb"\x00\x00(?<=[XB][\x00-\xff][\x10-\xff]\x00\x00)")
"""Behind it, a text (X) or bytes (B) of 4,096 to 65,535 bytes. The zeros stand first, since
they are rare where the letters are not."""

_BEFORE: Final = 3
"""Bytes of it before the zeros."""

_GATHERED_BYTES: Final = _LARGE_BYTES_MIN // 2
"""Of short pickles; so together they are never taken for one long text."""

_TAIL_BYTES: Final = 512
"""What is searched once more with what follows."""


class Overflow(Exception):
    """More was handed over than was asked for."""


class SecretFound(Exception):
    """What was handed over holds a secret; the argument is its name."""


class Guard:
    """The file that a pickler writes to.

    Args:
        sink: Where it goes.
        secrets: What must not pass.
        most: Bytes beyond which `Overflow` is raised; ``None`` for no limit.
    """

    def __init__(self, sink: Sink, secrets: Secrets, most: int | None = None) -> None:
        self._sink = sink
        self._secrets = secrets
        self._room = most
        self._tail = b""

    def write(self, data: bytes) -> int:
        """Search and hand on what a pickler writes."""
        self._count(len(data))
        self._search(data)
        if data.startswith((_FRAME, _PROTOCOL)) or len(data) < _LARGE_BYTES_MIN:
            self._in_pieces(data)
        else:
            self._sink.piece(data)
        return len(data)

    def stretch(self, data: memoryview) -> int:
        """Search and hand on a part of the head that is stored by itself."""
        self._count(data.nbytes)
        edge = self._tail + bytes(data[:_TAIL_BYTES])
        if name := self._secrets.find(edge) or self._secrets.find(data):
            raise SecretFound(name)
        self._tail = bytes(data[-_TAIL_BYTES:])
        self._sink.piece(data)
        return data.nbytes

    def leaf(self, data: Buffer, *, texts: bool, wide: bool) -> None:
        """Search and hand on a buffer.

        Args:
            data: The buffer.
            texts: Whether its bytes can spell a text.
            wide: Whether with more than one byte a character.
        """
        self._count(memoryview(data).nbytes)
        if texts and (name := self._secrets.find(data, wide=wide)):
            raise SecretFound(name)
        self._sink.leaf(data)

    def _count(self, size: int) -> None:
        """Before anything is searched, which takes longer than all the rest."""
        if self._room is not None:
            self._room -= size
            if self._room < 0:
                raise Overflow

    def _search(self, data: bytes) -> None:
        if name := self._secrets.find(self._tail + data[:_TAIL_BYTES]):
            raise SecretFound(name)
        if name := self._secrets.find(data):
            raise SecretFound(name)
        self._tail = data[-_TAIL_BYTES:]

    def _in_pieces(self, data: bytes) -> None:
        view, at = memoryview(data), 0
        found = _LONG.search(data)
        while found:
            begin = found.end()
            end = begin + int.from_bytes(data[begin - 4 : begin], "little")
            if end < len(data) and data[end] == _MEMOIZE:
                self._sink.write(view[at:begin])
                self._sink.piece(view[begin:end])
                at = end
            found = _LONG.search(data, max(at + _BEFORE, found.start() + 1))
        self._sink.write(view[at:])


class Gathering:
    """In front of a guard, where many short pickles follow one another.

    Args:
        guard: What searches them, some at a time: each search has a price.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._short = bytearray()

    def write(self, data: bytes) -> int:
        """Hand on what is long; keep what is short until it is long."""
        if len(data) >= _GATHERED_BYTES:
            self.flush()
            return self._guard.write(data)
        self._short += data
        if len(self._short) >= _GATHERED_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Hand on what is left."""
        if self._short:
            self._guard.write(bytes(self._short))
            self._short.clear()
