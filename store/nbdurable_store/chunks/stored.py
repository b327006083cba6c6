"""Reading a blob in chunks: its head as a file, its leaves one by one.

Nothing is read before it is asked for, and each chunk is verified by whoever fetches
it. So a value needs the memory that it needs, and little more.
"""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterator
from typing import Any, Final, Protocol

from nbdurable_store.chunks import trees
from nbdurable_store.chunks.trees import BrokenList, Entry, How
from nbdurable_store.records import Buffer

READ_BYTES: Final = 1 << 18
"""How much of a head is read at a time."""

MAPPED_BYTES_MIN: Final = 1 << 20
"""From here on memory comes from the system; below, a page for each would cost more."""


class Fetcher(Protocol):
    """Where chunks come from. Raises an error of the store for one that isn't whole."""

    def fetch(self, name: bytes, into: memoryview) -> None:
        """Fill a buffer with the bytes of a chunk, verified."""
        ...

    def load(self, name: bytes) -> bytes:
        """The bytes of a list, verified."""
        ...

    def broken(self, why: str) -> Exception:
        """The error for a blob whose lists make no sense."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class StoredBlob:
    """The `nbdurable_store.protocol.Stored` of every backend.

    Args:
        root: Id of the blob.
        size: How many bytes it has, as its ref says.
        fetcher: Where chunks come from.
    """

    def __init__(self, root: bytes, size: int, fetcher: Fetcher) -> None:
        self.size = size
        self._fetcher = fetcher
        try:
            self._head, *self._leaves = self._decoded(root, size)
        except BrokenList as e:
            fetcher.close()
            raise fetcher.broken(str(e)) from e
        except BaseException:
            fetcher.close()
            raise

    def head(self) -> io.BufferedReader:
        """The head as a file."""
        return io.BufferedReader(_Head(self._pieces()), READ_BYTES)

    def leaves(self) -> Iterator[bytearray | memoryview]:
        """Each leaf in memory of its own, in the order in which they were put.

        One that is damaged raises its error, and the next ones can be had all the same.
        """
        # A generator would end with the first error.
        return map(self._made, self._entries())

    def whole(self) -> bytes:
        """The head and the leaves, joined."""
        with self.head() as head:
            return b"".join([head.read(), *self.leaves()])

    def verify(self, sound: set[bytes]) -> None:
        """Read every chunk that isn't known to be sound, and add it to those."""
        try:
            for part in (self._head, *self._leaves):
                for entry in self._stretches(part):
                    if entry.how is How.CHUNK and entry.name not in sound:
                        self._fill(entry, memoryview(bytearray(entry.size)))
                        sound.add(entry.name)
        except BrokenList as e:
            raise self._fetcher.broken(str(e)) from e

    def close(self) -> None:
        """Let go of files. Idempotent."""
        self._fetcher.close()

    def _decoded(self, root: bytes, size: int) -> list[Entry]:
        entries = trees.decode(self._fetcher.load(root))
        if not entries or sum(e.size for e in entries) != size:
            raise BrokenList("its sizes don't add up")
        return entries

    def _stretches(self, part: Entry) -> Iterator[Entry]:
        for entry in trees.expanded([part], self._fetcher.load):
            yield from trees.stretches(entry, self._fetcher.load)

    def _entries(self) -> Iterator[Entry]:
        try:
            yield from trees.expanded(self._leaves, self._fetcher.load)
        except BrokenList as e:
            raise self._fetcher.broken(str(e)) from e

    def _made(self, entry: Entry) -> bytearray | memoryview:
        made = _memory(entry.size)
        view, at = memoryview(made), 0
        try:
            for part in trees.stretches(entry, self._fetcher.load):
                if part.size > entry.size - at:
                    raise BrokenList("its sizes don't add up")
                self._fill(part, view[at : at + part.size])
                at += part.size
        except BrokenList as e:
            raise self._fetcher.broken(str(e)) from e
        return made

    def _pieces(self) -> Iterator[Buffer]:
        try:
            for part in self._stretches(self._head):
                piece = bytearray(part.size)
                self._fill(part, memoryview(piece))
                yield piece
        except BrokenList as e:
            raise self._fetcher.broken(str(e)) from e

    def _fill(self, part: Entry, into: memoryview) -> None:
        if part.how is How.LITERAL:
            into[:] = part.name
        else:
            self._fetcher.fetch(part.name, into)


def _memory(size: int) -> bytearray | memoryview:
    """Memory to be filled.

    A bytearray is filled with zeros first, which takes as long as reading does.
    """
    if size < MAPPED_BYTES_MIN:
        return bytearray(size)
    return memoryview(Memory(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


class Memory(mmap.mmap):
    """Memory that was asked of the system for a leaf: no map of anybody's file."""


class _Head(io.RawIOBase):
    """Pieces as a file."""

    def __init__(self, pieces: Iterator[Buffer]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        view = memoryview(into).cast("B")
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
