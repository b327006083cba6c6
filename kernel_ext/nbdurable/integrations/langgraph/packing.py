"""A value in a record: its structure, and each long text or buffer as a blob of its own.

A text stands in the store once, though a task writes it, a checkpoint has it and the
next one has it, too: the structure around it differs each time, and is small.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, Final, NamedTuple

from nbdurable.engine.codec import decode, keep
from nbdurable.engine.values.redact import Secrets
from nbdurable_store.protocol import Fill, Sink, Store
from nbdurable_store.records import BlobRef, Buffer, Plain

JOINED_MAX: Final = 4096
"""Up to here, in bytes, a value is one stretch; no text in it is long."""

Get = Callable[[BlobRef], bytes]

APART: Final = "bytes"
"""The codec of what stands apart: a part of what the structure's codec wrote."""


class Packed(NamedTuple):
    """A value in a record.

    Attributes:
        blobs: The structure, then what stands apart from it, in order.
        cuts: Where in the structure each text belongs, in bytes; None for one stretch.
    """

    blobs: tuple[BlobRef, ...]
    cuts: tuple[int, ...] | None = None

    def field(self) -> dict[str, Plain]:
        """What a record says of it."""
        return {} if self.cuts is None else {"cuts": list(self.cuts)}

    @classmethod
    def read(cls, blobs: tuple[BlobRef, ...], cuts: Sequence[int] | None) -> Packed:
        """From a record."""
        return cls(blobs, None if cuts is None else tuple(cuts))


def pack(value: object, store: Store, secrets: Secrets) -> Packed:
    """Hand a value to the store.

    Raises:
        Unstorable: It can't be kept, or it holds a secret.
        StoreFull: No room for it.
    """

    def put(codec: str, data: bytes | Fill) -> Packed:
        if isinstance(data, bytes):
            return Packed((store.put(codec, data),))
        apart = _Apart(store)
        data(apart)
        structure = store.put(codec, bytes(apart.structure))
        return Packed((structure, *apart.texts, *apart.leaves), tuple(apart.cuts))

    return keep(value, put, secrets=secrets, joined=JOINED_MAX)


def unpack(packed: Packed, get: Get, secrets: Secrets) -> Any:
    """A value from the store, a new one each time.

    Args:
        packed: What a record says of it.
        get: `Store.get`.
        secrets: What masked texts are put back from.

    Raises:
        Unreadable: It makes no object here.
        BlobUnserved: Its bytes are damaged or gone.
    """
    codec = packed.blobs[0].codec
    structure, *apart = (get(ref) for ref in packed.blobs)
    if packed.cuts is None:
        return decode(codec, structure, secrets=secrets)
    return decode(codec, _Whole(structure, packed.cuts, apart), secrets=secrets)


class _Apart(Sink):
    """Puts what is long into the store at once, and gathers the rest."""

    def __init__(self, store: Store) -> None:
        self.structure = bytearray()
        self.cuts: list[int] = []
        self.texts: list[BlobRef] = []
        self.leaves: list[BlobRef] = []
        self._store = store

    def write(self, data: Buffer) -> None:
        """Add to the structure."""
        self.structure += data

    def piece(self, data: Buffer) -> None:
        """Put a text, and note where it belongs."""
        self.cuts.append(len(self.structure))
        self.texts.append(self._store.put(APART, lambda sink: sink.piece(data)))

    def leaf(self, data: Buffer) -> None:
        """Put a buffer."""
        self.leaves.append(self._store.put(APART, lambda sink: sink.piece(data)))


class _Whole:
    """The parts of a value, as they were handed over."""

    def __init__(
        self, structure: bytes, cuts: Sequence[int], apart: Sequence[bytes]
    ) -> None:
        texts, self._leaves = apart[: len(cuts)], apart[len(cuts) :]
        ends = [0, *cuts, len(structure)]
        rests = [structure[a:b] for a, b in itertools.pairwise(ends)]
        joined = [rests[0]]
        for text, rest in zip(texts, rests[1:], strict=True):
            joined += [text, rest]
        self._head = b"".join(joined)

    def head(self) -> BinaryIO:
        """See `nbdurable_store.protocol.Stored`."""
        return io.BytesIO(self._head)

    def leaves(self) -> Iterator[bytearray | memoryview]:
        """See `nbdurable_store.protocol.Stored`."""
        return map(bytearray, self._leaves)
