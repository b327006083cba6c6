"""Bytes too large to travel in a record: chunks in content-addressed files.

Order of writes of one blob: 1 a private temporary file; 2 its new chunks, synced once;
3 the rename to the name that is the blob's id; 4 a sync of the folder. Only then is the
blob named anywhere. So a file that has its final name is whole, whenever the process
died. A blob whose chunks are all there writes nothing.

Files may be removed by a process that collects (`gc`). It leaves those alone whose time
of modification says that a living process may rely on them, so a file gets the present
as its time before the first chunk of it is reused.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self

from nbdurable_store import files
from nbdurable_store.chunks import chunkfiles, trees
from nbdurable_store.chunks.chunkfiles import RAW, ZSTD, ChunkFile, FileBroken, Spot
from nbdurable_store.chunks.sinks import BlobSink
from nbdurable_store.chunks.stored import StoredBlob
from nbdurable_store.errors import BlobDamaged, BlobMissing
from nbdurable_store.killpoints import reach
from nbdurable_store.protocol import Fill
from nbdurable_store.records import Buffer
from nbdurable_store.sharing.gates import BLOBS, Gate

INLINE_BYTES_MAX: Final = 1 << 16
"""Up to here bytes travel in the record: cheaper than a file, its sync and its folder's."""

ZSTD_LEVEL: Final = 1
"""Level 3 is half as fast and saves a few per cent."""

WORTH_IT: Final = 0.9
"""Compress what shrinks to less than this share; random doubles never do."""

TASTE_BYTES: Final = 1 << 13
"""How much of a chunk is compressed to see whether the rest is worth it, where what came
before it didn't shrink: a whole chunk of random doubles takes as long as to write four."""

OPEN_MAX: Final = 32
"""Files that one reader keeps open."""

Name = Callable[[Buffer], bytes]


class BlobFiles:
    """The files of chunks of one store.

    Args:
        root: The store's folder.
        owner: Id of this process as an owner; names its temporary files.
    """

    def __init__(self, root: Path, owner: str) -> None:
        self.root = root
        self.folder = root / "blobs"
        self._owner = owner
        self._count = itertools.count()
        self._lock = threading.Lock()
        self._spots: dict[bytes, Spot] = {}
        self._read: set[Path] = set()
        self._sound: set[bytes] = set()
        self._relied: set[Path] = set()
        self.gate = Gate(root / BLOBS)

    def put(self, fill: Fill) -> tuple[bytes, int]:
        """Keep what ``fill`` hands over; its id and size. Durable on return."""
        with files.telling(self.root):
            writing = _Writing(self)
        try:
            sink = BlobSink(writing)
            fill(sink)
            root = sink.finish()
            with files.telling(self.root):
                writing.publish(self.path(root))
        finally:
            writing.close()
        return root, sink.size

    def get(self, root: bytes, size: int) -> StoredBlob:
        """A blob, to be read.

        Raises:
            BlobMissing: No file has its root.
            BlobDamaged: Its root isn't whole.
        """
        return StoredBlob(root, size, Reading(self, root))

    def path(self, root: bytes) -> Path:
        """The file that a blob's new chunks are put into."""
        return self.folder / root.hex()

    def temp(self) -> Path:
        """A name for a file on its way."""
        return self.root / "tmp" / f"{self._owner}-{next(self._count)}"

    def spots(self, name: bytes, root: bytes | None = None) -> Iterator[Spot]:
        """Where a chunk may stand: as known; in its blob's file; in any file."""
        tried: set[Spot] = set()
        if name not in self._spots and root is not None:
            self._learn(self.path(root))
        if name not in self._spots:
            self.refresh()
        if name in self._spots:
            tried.add(self._spots[name])
            yield self._spots[name]
        # What is known is out of date or damaged: another file may have it.
        for path in self._paths():
            for found, spot in _directory(path).items():
                if found == name and spot not in tried:
                    self._spots[name] = spot
                    yield spot

    def has(self, name: bytes, hashed: Name) -> Path | None:
        """The file of a chunk that can be relied on; read once if others wrote it."""
        spot = self._spots.get(name)
        if spot is None or (name in self._sound and spot.path.exists()):
            return spot and spot.path
        data = bytearray(spot.size)
        with Reading(self, None) as reading:
            if not reading.filled(spot, memoryview(data)) or hashed(data) != name:
                self._spots.pop(name, None)
                return None
        self._sound.add(name)
        return spot.path

    def rely(self, path: Path) -> None:
        """Keep a file from being removed as long as this process lives."""
        if path not in self._relied:
            os.utime(path)
            self._relied.add(path)

    def known(self) -> dict[bytes, Spot]:
        """Every chunk that a directory names, with a place of it."""
        self.refresh()
        return dict(self._spots)

    def refresh(self) -> None:
        """Read the directories of files that this process doesn't know yet."""
        for path in self._paths():
            self._learn(path)

    def learn(
        self, written: dict[bytes, tuple[int, int, int, int]], path: Path
    ) -> None:
        """Take over what was just written."""
        with self._lock:
            self._read.add(path)
            self._relied.add(path)
            self._spots.update((n, Spot(path, *w)) for n, w in written.items())
            self._sound.update(written)

    def missing(self, root: bytes | None) -> BlobMissing:
        """The error for a chunk that no file has."""
        return BlobMissing(id=(root or b"").hex(), place=str(self.root))

    def damaged(self, root: bytes | None, why: str) -> BlobDamaged:
        """The error for a blob that isn't whole."""
        return BlobDamaged(id=(root or b"").hex(), place=str(self.root), why=why)

    def _paths(self) -> list[Path]:
        try:
            return [Path(entry.path) for entry in os.scandir(self.folder)]
        except FileNotFoundError:
            return []

    def _learn(self, path: Path) -> None:
        if path in self._read:
            return
        found = _directory(path)
        with self._lock:
            self._read.add(path)
            for name, spot in found.items():
                self._spots.setdefault(name, spot)


def _directory(path: Path) -> dict[bytes, Spot]:
    """What a file says it has; a chunk of a broken one is told where it is needed."""
    try:
        return dict(chunkfiles.directory(path))
    except (FileBroken, OSError):
        return {}


class _Writing:
    """One blob on its way into a file: the `Keeper` of its sink."""

    def __init__(self, blobs: BlobFiles) -> None:
        import zstandard

        self._blobs = blobs
        self._file: ChunkFile | None = None
        self._reused: set[Path] = set()
        self._packer = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
        self._shrank = True
        self._stack = contextlib.ExitStack()
        shared = blobs.gate.passed(shared=True)
        # Who can't pass at once waits for nobody: what is written anew is never wrong.
        self._reuses = self._stack.enter_context(shared)
        if self._reuses:
            blobs.refresh()

    def keep(self, data: Buffer, name: bytes, *, pack: bool) -> bool:
        """Keep a chunk of bytes; see `sinks.Keeper`."""
        if self._has(name, trees.id_of):
            return pack
        packed = self._packed(data) if pack and self._may_shrink(data) else None
        self._add(name, data, packed)
        self._shrank = packed is not None
        return self._shrank

    def keep_list(self, data: bytes) -> bytes:
        """Keep a list; see `sinks.Keeper`."""
        name = trees.list_id_of(data)
        if not self._has(name, lambda other: trees.list_id_of(bytes(other))):
            self._add(name, data, self._packed(data))
        return name

    def publish(self, path: Path) -> None:
        """Make everything durable, and the blob's file findable."""
        if self._file is not None:
            self._file.end()
            reach("blob.temp")
            self._file.sync()
            reach("blob.synced")
            if path.exists():
                # It lacks chunks that this one has: damaged, or cleared out.
                path = path.with_name(f"{path.name}-{self._file.temp.name}")
            self._file.temp.rename(path)
            reach("blob.renamed")
        if self._file is not None or self._reused:
            files.sync_folder(self._blobs.folder)
        if self._file is not None:
            self._blobs.learn(self._file.written, path)
            self._file.close()
            self._file = None
        reach("blob.durable")

    def close(self) -> None:
        """Remove what was not published, and let files be removed again."""
        self._stack.close()
        if self._file is not None:
            self._file.close()
            self._file.temp.unlink(missing_ok=True)

    def _has(self, name: bytes, hashed: Name) -> bool:
        if self._file is not None and name in self._file.written:
            return True
        path = self._blobs.has(name, hashed) if self._reuses else None
        if path is not None:
            self._blobs.rely(path)
            self._reused.add(path)
        return path is not None

    def _may_shrink(self, data: Buffer) -> bool:
        taste = memoryview(data).cast("B")[:TASTE_BYTES]
        return self._shrank or self._packed(taste) is not None

    def _packed(self, data: Buffer) -> bytes | None:
        """The bytes compressed, if that is worth it."""
        packed: bytes = self._packer.compress(data)
        return packed if len(packed) < WORTH_IT * memoryview(data).nbytes else None

    def _add(self, name: bytes, data: Buffer, packed: bytes | None) -> None:
        size = memoryview(data).nbytes
        stored, encoding = (data, RAW) if packed is None else (packed, ZSTD)
        try:
            if self._file is None:
                self._file = self._begun()
            self._file.add(name, stored, size, encoding)
        except OSError as error:
            # Told at once: what writes a value must not take it for an error of the value.
            raise files.told(self._blobs.root, error) from error

    def _begun(self) -> ChunkFile:
        files.make_folder(self._blobs.folder)
        temp = self._blobs.temp()
        files.make_folder(temp.parent)
        return ChunkFile(temp)


class Reading:
    """The `stored.Fetcher` of a blob in files.

    Args:
        blobs: The files.
        root: Id of the blob, whose own file is looked into first.
    """

    def __init__(self, blobs: BlobFiles, root: bytes | None) -> None:
        self._blobs = blobs
        self._root = root
        self._open: OrderedDict[Path, int] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fetch(self, name: bytes, into: memoryview) -> None:
        """Fill a buffer with a chunk; see `stored.Fetcher`."""
        seen = False
        for spot in self._blobs.spots(name, self._root):
            seen = seen or spot.path.exists()
            if self.filled(spot, into) and trees.id_of(into) == name:
                return
        raise self._unserved(seen=seen)

    def load(self, name: bytes) -> bytes:
        """The bytes of a list; see `stored.Fetcher`."""
        seen = False
        for spot in self._blobs.spots(name, self._root):
            seen = seen or spot.path.exists()
            data = bytearray(spot.size)
            if self.filled(spot, memoryview(data)):
                made = bytes(data)
                if trees.list_id_of(made) == name:
                    return made
        raise self._unserved(seen=seen)

    def filled(self, spot: Spot, into: memoryview) -> bool:
        """Whether a buffer could be filled with what stands at a place."""
        try:
            return chunkfiles.read_into(self._fd(spot.path), spot, into)
        except OSError:
            return False

    def broken(self, why: str) -> Exception:
        """The error for lists that make no sense; see `stored.Fetcher`."""
        return self._blobs.damaged(self._root, why)

    def close(self) -> None:
        """Let go of files. Idempotent."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _unserved(self, *, seen: bool) -> Exception:
        own = self._root is not None and self._blobs.path(self._root).exists()
        if seen or own:
            return self._blobs.damaged(self._root, "its file holds other bytes")
        return self._blobs.missing(self._root)

    def _fd(self, path: Path) -> int:
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path]
        if len(self._open) >= OPEN_MAX:
            os.close(self._open.popitem(last=False)[1])
        self._open[path] = files.open_to_read(path)
        return self._open[path]
