"""Segments of dead owners: compressed in pieces, never changed again.

The file is what ``zstd -d`` turns back into the segment: one zstd frame per piece, then
a skippable frame with the index, its MAC and its length. Pieces are independent, so one
value costs one piece. Offsets are those of the plain segment.
"""

from __future__ import annotations

import json
import os
import struct
import threading
from collections import OrderedDict
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from nbdurable_store import files
from nbdurable_store.journal.frames import encode_json
from nbdurable_store.journal.segments import (
    SEALED_SUFFIX,
    Mark,
    MemoryFile,
    Source,
    listing,
)
from nbdurable_store.keys import MAC_BYTES, Signer, same
from nbdurable_store.killpoints import reach

PIECE_BYTES = 1 << 18
"""A piece is unpacked in 0.3 ms and holds about two hundred calls."""
PIECES_KEPT = 4
"""Unpacked pieces that a reader keeps: a replay reads them one after the other."""
SKIPPABLE = struct.Struct("<II")
SKIPPABLE_MAGIC = 0x184D2A50
LEVEL = 3
"""Sealing happens in the background, once: three times the time of level 1, a fifth smaller."""


class SealBroken(ValueError):
    """A sealed segment that isn't as it was sealed; a reason for a person follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What stands at the end of a sealed segment.

    Attributes:
        owner: Id of the segment's owner.
        size: Bytes of the plain segment.
        next_seq: Sequence number after its last frame.
        mac: MAC of its last frame.
        pieces: Compressed length of each piece.
    """

    owner: str
    size: int
    next_seq: int
    mac: bytes
    pieces: tuple[int, ...]

    @property
    def end(self) -> Mark:
        """The place after its last frame."""
        return Mark(offset=self.size, next_seq=self.next_seq, prev_mac=self.mac)

    def encode(self, signer: Signer) -> bytes:
        """The skippable frame."""
        said = encode_json(
            {
                "owner": self.owner,
                "size": self.size,
                "next_seq": self.next_seq,
                "mac": self.mac.hex(),
                "piece": PIECE_BYTES,
                "pieces": self.pieces,
            }
        )
        content = said + signer.seal(self.owner, said) + struct.pack("<I", len(said))
        return SKIPPABLE.pack(SKIPPABLE_MAGIC, len(content)) + content


class SealedFile:
    """A sealed segment, read as if it were plain.

    Args:
        path: Its file.
        owner: Id of the owner whose segment it must be.
        signer: Checks the index.

    Raises:
        SealBroken: The index isn't whole and ours.
    """

    def __init__(self, path: Path, owner: str, signer: Signer) -> None:
        self._fd = files.open_to_read(path)
        try:
            self.index = _index(self._fd, owner, signer)
        except (ValueError, KeyError, TypeError, struct.error) as e:
            self.close()
            raise SealBroken(str(e)) from e
        self._starts = list(accumulate(self.index.pieces, initial=0))
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, offset: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; fewer only at the end."""
        end = min(offset + size, self.index.size)
        data = b""
        while offset < end:
            number, begin = divmod(offset, PIECE_BYTES)
            with self._lock:
                piece = self._piece(number)
            piece = piece[begin : begin + end - offset]
            if not piece:
                break
            data += piece
            offset += len(piece)
        return data

    def close(self) -> None:
        """Give the descriptor back. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _piece(self, number: int) -> bytes:
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        import zstandard

        packed = files.read_all(
            self._fd, self.index.pieces[number], self._starts[number]
        )
        try:
            piece = zstandard.ZstdDecompressor().decompress(
                packed, max_output_size=PIECE_BYTES
            )
        except zstandard.ZstdError:
            # Zeros are no frame: what stood in this piece is damage, the rest is not.
            piece = bytes(min(PIECE_BYTES, self.index.size - number * PIECE_BYTES))
        self._kept[number] = piece
        if len(self._kept) > PIECES_KEPT:
            self._kept.popitem(last=False)
        return piece


def _index(fd: int, owner: str, signer: Signer) -> Index:
    size = os.fstat(fd).st_size
    (length,) = struct.unpack("<I", files.read_all(fd, 4, size - 4))
    tail = length + MAC_BYTES + 4
    if tail > size:
        raise ValueError("its index is cut off")
    content = files.read_all(fd, tail, size - tail)
    said, mac = content[:length], content[length : length + MAC_BYTES]
    if not same(signer.seal(owner, said), mac):
        raise ValueError("the signature of its index doesn't fit")
    index = json.loads(said)
    return Index(
        owner=index["owner"],
        size=index["size"],
        next_seq=index["next_seq"],
        mac=bytes.fromhex(index["mac"]),
        pieces=tuple(index["pieces"]),
    )


def sealed_segments(journal: Path) -> dict[str, Path]:
    """The sealed segments of a journal, by owner."""
    return listing(journal).sealed


def salvage(path: Path) -> MemoryFile:
    """What can be unpacked of a sealed segment whose index is broken."""
    import zstandard

    raw, pieces = path.read_bytes(), []
    while raw:
        unpacker = zstandard.ZstdDecompressor().decompressobj()
        try:
            pieces.append(unpacker.decompress(raw))
        except zstandard.ZstdError:
            break
        raw = unpacker.unused_data
    return MemoryFile(b"".join(pieces))


def seal(source: Source, end: Mark, final: Path, temp: Path, signer: Signer) -> None:
    """Write a sealed copy of a dead owner's segment; the caller then removes the plain one.

    Args:
        source: The plain segment.
        end: The place after its last whole frame; what follows is cut.
        final: The sealed segment's file, named by the owner.
        temp: Where it is written first.
        signer: Signs the index.
    """
    import zstandard

    packer = zstandard.ZstdCompressor(level=LEVEL)
    pieces, offset, at = [], 0, 0
    files.make_folder(temp.parent)
    temp.unlink(missing_ok=True)
    fd = files.create(temp)
    try:
        while offset < end.offset:
            piece = source.read(offset, min(PIECE_BYTES, end.offset - offset))
            packed = packer.compress(piece)
            files.write_all(fd, packed, at)
            pieces.append(len(packed))
            offset, at = offset + len(piece), at + len(packed)
        index = Index(
            owner=final.name.removesuffix(SEALED_SUFFIX),
            size=end.offset,
            next_seq=end.next_seq,
            mac=end.prev_mac,
            pieces=tuple(pieces),
        )
        files.write_all(fd, index.encode(signer), at)
        os.fsync(fd)
    finally:
        os.close(fd)
    reach("seal.written")
    temp.rename(final)
    files.sync_folder(final.parent)
    reach("seal.renamed")
