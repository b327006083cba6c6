"""Bytes too large to travel in a record: content-addressed files under ``blobs/``.

Order of writes of one blob: 1 a private temporary file; 2 its bytes, synced; 3 the
rename to the name that is its digest; 4 a sync of the folder. Only then is the blob
named anywhere. So a file that has its final name is whole, whenever the process died.
"""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from blake3 import blake3

from nbdurable_store import files
from nbdurable_store.errors import BlobDamaged, BlobMissing
from nbdurable_store.killpoints import reach

INLINE_BYTES_MAX = 1 << 16
"""Up to here bytes travel in the record: cheaper than a file, its sync and its folder's."""
MAGIC = b"\xabNBB"
HEADER = struct.Struct("<4sB3xQ")
RAW, ZSTD = 0, 1
ZSTD_LEVEL = 1
"""Level 3 is half as fast and saves a few per cent."""
SAMPLE_BYTES = 1 << 16
WORTH_IT = 0.9
"""Compress if a sample shrinks to less than this share; random doubles never do."""


class BlobFiles:
    """The side files of one store.

    Args:
        root: The store's folder.
        owner: Id of this process as an owner; names its temporary files.
    """

    def __init__(self, root: Path, owner: str) -> None:
        self._root = root
        self._owner = owner
        self._count = itertools.count()
        self._durable: set[bytes] = set()

    def path(self, digest: bytes) -> Path:
        """Where the bytes with this digest are kept."""
        name = digest.hex()
        return self._root / "blobs" / name[:2] / name[2:]

    def put(self, digest: bytes, data: bytes) -> None:
        """Keep bytes under their digest; durable on return."""
        if digest in self._durable and self.path(digest).exists():
            return
        try:
            self._put(digest, data)
        except OSError as e:
            raise files.told(self._root, e) from e
        self._durable.add(digest)

    def get(self, digest: bytes, size: int) -> bytes:
        """The bytes with this digest, checked.

        Raises:
            BlobMissing: There is no such file.
            BlobDamaged: The file holds other bytes.
        """
        name = digest.hex()
        try:
            raw = self.path(digest).read_bytes()
        except FileNotFoundError:
            raise BlobMissing(id=name, place=str(self._root)) from None
        data = decode(raw, size)
        if data is None or blake3(data).digest() != digest:
            why = "its file holds other bytes"
            raise BlobDamaged(id=name, place=str(self._root), why=why)
        return data

    def ids(self) -> Iterator[bytes]:
        """The digest of every file there is."""
        for folder in sorted((self._root / "blobs").glob("??")):
            for file in sorted(folder.iterdir()):
                yield bytes.fromhex(folder.name + file.name)

    def _put(self, digest: bytes, data: bytes) -> None:
        final = self.path(digest)
        for folder in (final.parent.parent, final.parent):
            files.make_folder(folder)
        if self._kept(final, digest, len(data)):
            files.sync_folder(final.parent)
            return
        temp = self._root / "tmp" / f"{self._owner}-{next(self._count)}"
        files.make_folder(temp.parent)
        fd = files.create(temp)
        try:
            try:
                files.write_all(fd, encode(data), 0)
                reach("blob.temp")
                os.fsync(fd)
            finally:
                os.close(fd)
            reach("blob.synced")
            temp.rename(final)
        except OSError:
            temp.unlink(missing_ok=True)
            raise
        reach("blob.renamed")
        files.sync_folder(final.parent)
        reach("blob.durable")

    def _kept(self, final: Path, digest: bytes, size: int) -> bool:
        """Whether the file is there and sound; once per process, it is read for that.

        A damaged file is then written anew: its bytes are in hand just now.
        """
        if not final.exists():
            return False
        data = decode(final.read_bytes(), size)
        return data is not None and blake3(data).digest() == digest


def encode(data: bytes) -> bytes:
    """The bytes of a blob's file: compressed where that is worth it."""
    import zstandard

    sample = data[:SAMPLE_BYTES]
    if len(zstandard.compress(sample, ZSTD_LEVEL)) < WORTH_IT * len(sample):
        packed = zstandard.compress(data, ZSTD_LEVEL)
        if len(packed) < len(data):
            return HEADER.pack(MAGIC, ZSTD, len(data)) + packed
    return HEADER.pack(MAGIC, RAW, len(data)) + data


def decode(raw: bytes, size: int) -> bytes | None:
    """The bytes that a blob's file holds, or ``None`` if it is no such file.

    Never makes more than ``size`` bytes, whatever the file claims.
    """
    if len(raw) < HEADER.size:
        return None
    magic, how, claimed = HEADER.unpack_from(raw)
    if magic != MAGIC or claimed != size:
        return None
    payload = raw[HEADER.size :]
    if how == RAW:
        return payload
    import zstandard

    try:
        return zstandard.ZstdDecompressor().decompress(payload, max_output_size=size)
    except zstandard.ZstdError:
        return None
