"""Building a blob in chunks from what a writer hands over, piece by piece.

Nothing is collected: what a writer hands over is cut, named and kept before the call
returns, except for less than `PENDING_BYTES` of the head.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from nbdurable_store.chunks import trees
from nbdurable_store.chunks.ahead import AHEAD_BYTES_MIN, Named, named_ahead
from nbdurable_store.chunks.cutting import CHUNK_BYTES_MAX, cut
from nbdurable_store.chunks.trees import Entry, How
from nbdurable_store.protocol import Fill
from nbdurable_store.records import Buffer

PENDING_BYTES: Final = 1 << 20
"""How much of a head is gathered before it is cut; four of the longest chunks."""

SAMPLE_EVERY: Final = 32
"""Of so many chunks the first is compressed to see whether it pays."""


def filling(data: bytes | Fill) -> Fill:
    """What hands over bytes, which may be a function that does."""
    if isinstance(data, bytes):
        return lambda sink: sink.piece(data)
    return data


class Keeper(Protocol):
    """Where chunks go."""

    def keep(self, data: Buffer, name: bytes, *, pack: bool) -> bool:
        """Keep a chunk of bytes with its id; whether it was or would be packed."""
        ...

    def keep_list(self, data: bytes) -> bytes:
        """Keep a list; its id."""
        ...


class BlobSink:
    """The `nbdurable_store.protocol.Sink` of every backend.

    Args:
        keeper: Where chunks go.
    """

    def __init__(self, keeper: Keeper) -> None:
        self.size = 0
        self._keeper = keeper
        self._pending = bytearray()
        self._head: list[Entry] = []
        self._leaves: list[Entry] = []
        self._closed = False
        self._drained = False

    def write(self, data: Buffer) -> None:
        """Add bytes to the head."""
        self._pending += data
        if len(self._pending) >= PENDING_BYTES:
            self._drain()

    def piece(self, data: Buffer) -> None:
        """Add bytes to the head that are chunks of their own."""
        self._flush()
        self._add(self._cut(data))

    def leaf(self, data: Buffer) -> None:
        """Add a buffer beside the head."""
        entries = list(self._cut(data)) or [trees.literal(b"")]
        self._leaves.append(trees.joined(entries, self._keeper.keep_list))
        self.size += self._leaves[-1].size

    def finish(self) -> bytes:
        """The id of the blob; nothing can be added afterwards."""
        assert not self._closed
        self._closed = True
        self._flush()
        keep = self._keeper.keep_list
        head = trees.joined(self._head or [trees.literal(b"")], keep)
        return keep(trees.encode([head, *trees.sectioned(self._leaves, keep)]))

    def _cut(self, data: Buffer, *, few: bool = True) -> Iterator[Entry]:
        pack, view = True, memoryview(data)
        if not view.nbytes:  # memory without bytes can't be cast
            return
        for number, (chunk, name) in enumerate(_named(view.cast("B"), few=few)):
            attempt = pack or number % SAMPLE_EVERY == 0
            pack = self._keeper.keep(chunk, name, pack=attempt)
            yield Entry(How.CHUNK, name, len(chunk))

    def _add(self, entries: Iterator[Entry]) -> None:
        for entry in entries:
            self._head.append(entry)
            self.size += entry.size

    def _drain(self) -> None:
        """Keep all of what is pending but its last chunk, which may yet grow."""
        data = bytes(self._pending)
        *whole, last = cut(memoryview(data), few=False)
        for chunk in whole:
            self._add(self._cut(chunk))
        self._pending, self._drained = bytearray(last), True

    def _flush(self) -> None:
        if self._drained and self._pending:
            self._drain()  # then the last chunk is alone, as if all had come at once
        data, self._pending = bytes(self._pending), bytearray()
        drained, self._drained = self._drained, False
        if not data:
            return
        if len(data) <= trees.LITERAL_BYTES_MAX:
            self._add(iter([trees.literal(data)]))
            return
        assert CHUNK_BYTES_MAX < PENDING_BYTES
        self._add(self._cut(data, few=not drained))


def _named(data: memoryview, *, few: bool) -> Iterator[Named]:
    chunks = cut(data, few=few)
    if len(data) >= AHEAD_BYTES_MIN:
        return named_ahead(chunks)
    return ((chunk, trees.id_of(chunk)) for chunk in chunks)
