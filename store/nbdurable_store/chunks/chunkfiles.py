"""Files of chunks: how one is written, what its directory says, how a chunk is read.

    magic, the chunks as stored one after the other, directory, foot

The directory stands at the end, because what is new is known only when everything was
handed over. A file is written once, under a temporary name.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from nbdurable_store import files
from nbdurable_store.records import Buffer

MAGIC: Final = b"\xabNBC\x01\0\0\0"
FOOT_MAGIC: Final = b"\xabNBD"
ENTRY: Final = struct.Struct("<32sIIB")
FOOT: Final = struct.Struct("<II4s")
RAW, ZSTD = 0, 1

BATCH_BYTES: Final = 4 << 20
"""What is written in one system call."""

BATCH_CHUNKS: Final = 64
"""Packed chunks are small, but each was packed into a buffer of the size of the chunk:
the gaps that these leave in the heap are as large as what was packed."""


class Spot(NamedTuple):
    """Where a chunk stands.

    Attributes:
        path: Its file.
        offset: Where it begins in it.
        stored: How many bytes it takes there.
        size: How many bytes it makes.
        encoding: `RAW` or `ZSTD`.
    """

    path: Path
    offset: int
    stored: int
    size: int
    encoding: int


class FileBroken(ValueError):
    """A file that isn't one of ours, or not whole."""


def directory(path: Path) -> Iterator[tuple[bytes, Spot]]:
    """Each chunk of a file, with its place.

    Raises:
        FileBroken: It has no directory that fits.
        FileNotFoundError: It isn't there.
    """
    fd = files.open_to_read(path)
    try:
        said, end = _directory(fd)
    finally:
        os.close(fd)
    offset = len(MAGIC)
    for name, stored, size, encoding in ENTRY.iter_unpack(said):
        yield name, Spot(path, offset, stored, size, encoding)
        offset += stored
    if offset != end:
        raise FileBroken("its directory doesn't fit")


def _directory(fd: int) -> tuple[bytes, int]:
    length = os.fstat(fd).st_size
    begin = length - FOOT.size
    if begin < len(MAGIC) or files.read_all(fd, len(MAGIC), 0) != MAGIC:
        raise FileBroken("its file holds other bytes")
    count, crc, magic = FOOT.unpack(files.read_all(fd, FOOT.size, begin))
    begin -= count * ENTRY.size
    if magic != FOOT_MAGIC or begin < len(MAGIC):
        raise FileBroken("its file is cut off")
    said = files.read_all(fd, count * ENTRY.size, begin)
    if zlib.crc32(said) != crc:
        raise FileBroken("its directory is damaged")
    return said, begin


def read_into(fd: int, spot: Spot, into: memoryview) -> bool:
    """Fill a buffer with a chunk, unverified; false if it can't be that chunk."""
    if spot.size != len(into):
        return False
    if spot.encoding == RAW:
        done = 0
        while done < len(into):
            got = os.preadv(fd, [into[done:]], spot.offset + done)
            if not got:
                return False
            done += got
        return True
    import zstandard

    packed = files.read_all(fd, spot.stored, spot.offset)
    try:
        data = zstandard.ZstdDecompressor().decompress(
            packed, max_output_size=spot.size
        )
    except zstandard.ZstdError:
        return False
    if len(data) != len(into):
        return False
    into[:] = data
    return True


class ChunkFile:
    """A file of chunks that is being written.

    The disk begins with each batch at once, so that it works while the next chunks are
    cut and named. A thread would do that too, and be late on a busy machine.

    Args:
        temp: Its temporary name.
    """

    def __init__(self, temp: Path) -> None:
        self.written: dict[bytes, tuple[int, int, int, int]] = {}
        """By id: offset, stored, size, encoding."""
        self.temp = temp
        self._entries: list[bytes] = []
        self._batch: list[Buffer] = [MAGIC]
        self._batch_bytes = len(MAGIC)
        self._end = len(MAGIC)
        self._fd = files.create(temp)

    def add(self, name: bytes, stored: Buffer, size: int, encoding: int) -> None:
        """Add a chunk as it is to be stored; the buffer must not change until `end`."""
        length = memoryview(stored).nbytes
        self._entries.append(ENTRY.pack(name, length, size, encoding))
        self.written[name] = self._end, length, size, encoding
        self._end += length
        self._batch.append(stored)
        self._batch_bytes += length
        if self._batch_bytes >= BATCH_BYTES or len(self._batch) >= BATCH_CHUNKS:
            self._write()
            files.begin_writing(self._fd)

    def end(self) -> None:
        """Write the directory."""
        said = b"".join(self._entries)
        foot = FOOT.pack(len(self._entries), zlib.crc32(said), FOOT_MAGIC)
        self._batch.append(said + foot)
        self._write()

    def sync(self) -> None:
        """Make it durable."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Let go of it. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self) -> None:
        """Write the batch; the system may take several turns."""
        views = [memoryview(b).cast("B") for b in self._batch]
        self._batch, self._batch_bytes = [], 0
        while views:
            done = os.writev(self._fd, views)
            while views and done >= len(views[0]):
                done -= len(views.pop(0))
            if done:
                views[0] = views[0][done:]
