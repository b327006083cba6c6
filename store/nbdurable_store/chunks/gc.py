"""Removing chunks that nobody needs any more, while others go on putting blobs.

Theory of operation. `Collector.begin` writes down which files there are and who lives,
before anybody reads a record. Whatever a record names that was read after that is needed.
What a record will name that isn't written yet was put by a living owner (or by one that
began later), and each file that its put wrote or relied on has a time of modification
after that owner's beginning, or one that has changed since `begin`. So only older,
unchanged files are touched. ``blobs.lock``, held alone for the last look and the
removal, makes both one moment for whoever puts.

Order of writes: 1 what stays of files that are to shrink, in new files under ``tmp/``,
synced; 2 their renames, to names that were never used; 3 a sync of the folder; 4 the old
files are removed. A process that dies before 4 leaves chunks that are there twice.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from nbdurable_store import files
from nbdurable_store.chunks import trees
from nbdurable_store.chunks.blobs import BlobFiles, Reading
from nbdurable_store.chunks.chunkfiles import (
    ENTRY,
    ChunkFile,
    FileBroken,
    Spot,
    directory,
)
from nbdurable_store.clock import Clock
from nbdurable_store.errors import DurableError
from nbdurable_store.form import Remedy
from nbdurable_store.journal.sources import Sources
from nbdurable_store.killpoints import reach
from nbdurable_store.sharing.gates import BLOBS, Gate

MARGIN_NS = 2_000_000_000
"""A file's time moves in steps of some milliseconds, on some systems of two seconds."""

WAIT_S = 10.0
"""Putting a value of a gigabyte takes some seconds."""

NAME_CHARS = 64
"""How a file of chunks is named: a blob's id in hex, and what sets it apart from others."""


@dataclass(kw_only=True, eq=False)
class StoreInUse(DurableError):
    """A store that another process is busy with, so that nothing can be removed now.

    Attributes:
        place: The store's folder.
        doing: What the other process does.
    """

    slug: ClassVar[str] = "store-in-use"
    place: str
    doing: str = "is storing a value"

    def fact(self) -> str:
        """Say what is in the way."""
        return f"another process {self.doing} in {self.place}."

    def detail(self) -> str:
        """Say what follows."""
        return "What was begun is finished by the next `nbdurable gc`; nothing is lost."

    def remedies(self) -> tuple[Remedy, ...]:
        """Try again."""
        return (Remedy("in a moment", "!nbdurable gc"),)


class Seen(NamedTuple):
    """A file of chunks when its directory was looked at.

    Attributes:
        inode: Its inode.
        size: Its size.
        modified_ns: Its time of modification.
    """

    inode: int
    size: int
    modified_ns: int


@dataclass(slots=True)
class Change:
    """What is to be done with one file.

    Attributes:
        path: The file.
        keeps: Its chunks that stay.
        frees: Bytes that go.
        new: Where those that stay have been written.
    """

    path: Path
    keeps: dict[bytes, Spot]
    frees: int
    new: Path | None = None


class Collector:
    """One collection of chunks in one store.

    Args:
        root: The store's folder.
        blobs: Its files of chunks.
        sources: Says who lives.
        owner: Id of this process, which relies on nothing.
        clock: For the wait.
    """

    def __init__(
        self, root: Path, blobs: BlobFiles, sources: Sources, owner: str, clock: Clock
    ) -> None:
        self.left = 0
        """Bytes that could go, of files that a living process may rely on."""
        self._root = root
        self._blobs = blobs
        self._sources = sources
        self._owner = owner
        self._gate = Gate(root / BLOBS, clock)
        self._seen: dict[Path, Seen] = {}

    def begin(self) -> None:
        """Look which files there are; to be called before the records are read."""
        self._seen = {path: seen for path in self._paths() if (seen := _seen(path))}

    def collect(self, needed: Collection[bytes]) -> None:
        """Remove every chunk that isn't needed and may go.

        Args:
            needed: Ids of the chunks that records reach, read after `begin`.

        Raises:
            StoreInUse: Somebody goes on putting blobs.
        """
        changes = list(self._changes(needed))
        for change in changes:
            if change.keeps:
                self._write(change)
        reach("collect.written")
        if changes:
            with self._gate.passed(WAIT_S) as alone:
                if not alone:
                    raise StoreInUse(place=str(self._root))
                self._carry_out(changes)
        reach("collect.removed")

    # ---- what is to be done --------------------------------------------------------------

    def _changes(self, needed: Collection[bytes]) -> Iterator[Change]:
        before_ns = self._before_ns()
        # Files that stay as they are come first: what they have nobody else has to keep.
        order = sorted(self._seen, key=lambda p: self._seen[p].modified_ns < before_ns)
        kept: dict[bytes, list[Spot]] = {}
        broken: list[Path] = []
        for path in order:
            try:
                spots = dict(directory(path))
            except FileBroken:
                broken.append(path)
                continue
            except FileNotFoundError:
                continue
            young = self._seen[path].modified_ns >= before_ns
            keeps = {
                name: spot
                for name, spot in spots.items()
                if name in needed and not self._spare(name, kept)
            }
            for name, spot in (spots if young else keeps).items():
                kept.setdefault(name, []).append(spot)
            frees = sum(
                s.stored + ENTRY.size for n, s in spots.items() if n not in keeps
            )
            if young:
                self.left += sum(
                    s.stored + ENTRY.size for n, s in spots.items() if n not in needed
                )
            elif frees:
                yield Change(path, keeps, frees)
        if kept.keys() >= set(needed):
            yield from self._unreadable(broken, before_ns)

    def _unreadable(self, broken: list[Path], before_ns: int) -> Iterator[Change]:
        """Files of which nothing can be read, and of which nobody needs anything."""
        for path in broken:
            if self._seen[path].modified_ns < before_ns:
                yield Change(path, {}, self._seen[path].size)

    def _spare(self, name: bytes, kept: dict[bytes, list[Spot]]) -> bool:
        """Whether another copy of a chunk stays, and is whole."""
        return any(self._sound(name, other) for other in kept.get(name, ()))

    def _sound(self, name: bytes, spot: Spot) -> bool:
        data = bytearray(spot.size)
        with Reading(self._blobs, None) as reading:
            whole = reading.filled(spot, memoryview(data))
        made = bytes(data)
        return whole and name in (trees.id_of(made), trees.list_id_of(made))

    def _before_ns(self) -> int:
        """A time before anything that a living process may rely on."""
        others = (o for o in self._sources.owners() if o.alive and o.id != self._owner)
        since_ns = min((o.since_us * 1000 for o in others), default=1 << 62)
        return since_ns - MARGIN_NS

    # ---- doing it ------------------------------------------------------------------------

    def _write(self, change: Change) -> None:
        temp = self._blobs.temp()
        files.make_folder(temp.parent)
        made, fd = ChunkFile(temp), files.open_to_read(change.path)
        try:
            for name, spot in change.keeps.items():
                stored = files.read_all(fd, spot.stored, spot.offset)
                made.add(name, stored, spot.size, spot.encoding)
            made.end()
            made.sync()
        finally:
            os.close(fd)
            made.close()
        change.new = temp

    def _carry_out(self, changes: list[Change]) -> None:
        before_ns, done = self._before_ns(), []
        for change in changes:
            seen = self._seen[change.path]
            if _seen(change.path) != seen or seen.modified_ns >= before_ns:
                self.left += change.frees
                if change.new is not None:
                    change.new.unlink()
                continue
            if change.new is not None:
                name = f"{change.path.name[:NAME_CHARS]}-{change.new.name}"
                change.new.rename(change.path.with_name(name))
            done.append(change.path)
        files.sync_folder(self._blobs.folder)
        reach("collect.renamed")
        for path in done:
            path.unlink()
        files.sync_folder(self._blobs.folder)

    def _paths(self) -> list[Path]:
        try:
            return sorted(self._blobs.folder.iterdir())
        except FileNotFoundError:
            return []


def _seen(path: Path) -> Seen | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return Seen(found.st_ino, found.st_size, found.st_mtime_ns)
