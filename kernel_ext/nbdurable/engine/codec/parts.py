"""A value's bytes in parts: a head, and leaves beside it that are never copied.

The head is what a layer writes one after the other; leaves are buffers, such as the
memory of arrays. A store takes and returns both piece by piece
(`nbdurable_store.protocol.Sink` and `Stored`). Where a value is small they are joined:

    b"nbpj", number of leaves (u32), length of the head and of each leaf (u64 each),
    the head, the leaves
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, Protocol

from nbdurable_store.protocol import Stored
from nbdurable_store.records import Buffer

MAGIC: Final = b"nbpj"
_BEGIN: Final = struct.Struct("<4sI")


class Parts(Protocol):
    """Where a head and leaves are read from; `Stored` of a store is one."""

    def head(self) -> BinaryIO:
        """The head, as a file that is read once from its beginning."""
        ...

    def leaves(self) -> Iterator[bytearray | memoryview]:
        """Each leaf in memory of its own, which may be written to."""
        ...


@contextlib.contextmanager
def closing(data: bytes | Stored) -> Iterator[bytes | Stored]:
    """What a store gave: closed afterwards, if it is read piece by piece."""
    try:
        yield data
    finally:
        if not isinstance(data, bytes):
            data.close()


class Gathered:
    """A sink in memory, for values that are small."""

    def __init__(self) -> None:
        self._head: list[bytes] = []
        self._leaves: list[bytes] = []

    def write(self, data: Buffer) -> None:
        """Add bytes to the head."""
        self._head.append(bytes(data))

    piece = write

    def leaf(self, data: Buffer) -> None:
        """Add a buffer beside the head."""
        self._leaves.append(bytes(data))

    def joined(self) -> bytes:
        """All of it as one."""
        head = b"".join(self._head)
        sizes = [len(part) for part in (head, *self._leaves)]
        begin = _BEGIN.pack(MAGIC, len(self._leaves))
        lengths = struct.pack(f"<{len(sizes)}Q", *sizes)
        return b"".join([begin, lengths, head, *self._leaves])


class Joined:
    """Parts that `Gathered` joined.

    Raises:
        ValueError: They aren't such.
    """

    def __init__(self, data: bytes) -> None:
        try:
            magic, count = _BEGIN.unpack_from(data)
            sizes = struct.unpack_from(f"<{count + 1}Q", data, _BEGIN.size)
        except struct.error:
            raise ValueError("it is cut off") from None
        if magic != MAGIC:
            raise ValueError("it is no value in parts")
        begin = _BEGIN.size + 8 * len(sizes)
        if begin + sum(sizes) != len(data):
            raise ValueError("its length doesn't fit")
        self._sizes = sizes
        self._view = memoryview(data)[begin:]

    def head(self) -> BinaryIO:
        """The head as a file."""
        return io.BytesIO(self._view[: self._sizes[0]])

    def leaves(self) -> Iterator[bytearray]:
        """Each leaf in a buffer of its own."""
        at = self._sizes[0]
        for size in self._sizes[1:]:
            # bytearray: an array over bytes could not be written to.
            yield bytearray(self._view[at : at + size])
            at += size


def parts_of(data: bytes | Parts) -> Parts:
    """Parts of a value, however it was stored.

    Raises:
        ValueError: The bytes aren't any.
    """
    return Joined(data) if isinstance(data, bytes) else data
