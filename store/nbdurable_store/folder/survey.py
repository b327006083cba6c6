"""What takes how much room: every record and every blob, by the run that it belongs to.

A chunk can belong to several runs. It counts for each of them where we ask what a run
holds, and for none where we ask what goes with one of them.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from nbdurable_store.chunks import trees
from nbdurable_store.chunks.blobs import BlobFiles, Reading
from nbdurable_store.errors import BlobUnserved, DurableError
from nbdurable_store.form import Remedy
from nbdurable_store.journal.frames import Frame, about_segment, decode_entry
from nbdurable_store.journal.sealed import SealBroken, SealedFile
from nbdurable_store.journal.segments import PlainFile, Scan, Source, listing
from nbdurable_store.keys import Signer
from nbdurable_store.records import Entry, Kind

PROJECTION = "store.duckdb"
PROJECTION_BYTES_MIN = 94_208
"""What that file takes with few rows, as DuckDB 1.5 makes it: no run's removal frees it."""


@dataclass(kw_only=True, eq=False)
class StoreDamaged(DurableError):
    """A store from which nothing is removed, because part of it can't be read.

    Attributes:
        damage: What is damaged, relative to the store.
        why: What is wrong with it.
        run: The run that is concerned, or "" if that isn't known.
    """

    slug: ClassVar[str] = "store-damaged"
    damage: str
    why: str
    run: str = ""

    def fact(self) -> str:
        """Say what can't be read."""
        return f"{self.damage} is damaged: {self.why}."

    def detail(self) -> str:
        """Say what follows."""
        return (
            "Which chunks it consists of isn't known, so nothing could be told from what\n"
            "nobody needs. Nothing was removed."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Look at it, or give up what is damaged."""
        see = Remedy("see what is damaged", "!nbdurable fsck")
        if not self.run:
            return (see,)
        return (see, Remedy("give its run up", f"!nbdurable rm {self.run}"))


@dataclass(slots=True)
class RunUsage:
    """What one run holds.

    Attributes:
        records: How many records it has.
        journal: About how many bytes they take, in the journal and in ``store.duckdb``.
        owners: Who appended them, and how many bytes of frames.
        roots: Its blobs in chunks.
        chunks: What those reach.
    """

    records: int = 0
    journal: int = 0
    owners: dict[str, int] = field(default_factory=dict)
    roots: set[bytes] = field(default_factory=set)
    chunks: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class Usage:
    """What a store holds.

    Attributes:
        total: How many bytes its folder takes.
        runs: By id; those that aren't removed.
        removed: By id: runs of which a record says that they are removed.
        chunks: Bytes that each chunk takes on disk.
        damaged: By owner of a segment, what can't be read from it: it is left as it is,
            and what its lost records named counts as needed by nobody, unless DuckDB
            holds them.
    """

    total: int = 0
    runs: dict[str, RunUsage] = field(default_factory=dict)
    removed: dict[str, RunUsage] = field(default_factory=dict)
    chunks: dict[bytes, int] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)

    @property
    def loose(self) -> int:
        """Bytes that no run needs."""
        needed = set[bytes]().union(*(run.chunks for run in self.runs.values()))
        chunks = sum(size for name, size in self.chunks.items() if name not in needed)
        return chunks + sum(run.journal for run in self.removed.values())


class Freeing:
    """How many bytes go with one run after the other.

    Args:
        usage: What the store holds.
    """

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        runs = usage.runs.values()
        self._needed = Counter(name for run in runs for name in run.chunks)

    def add(self, run: str) -> int:
        """About how many bytes go with this run, once those before it are gone."""
        found = self._usage.runs.get(run, RunUsage())
        self._needed.subtract(found.chunks)
        gone = (name for name in found.chunks if not self._needed[name])
        return found.journal + sum(self._usage.chunks.get(name, 0) for name in gone)


class Survey:
    """Reads every record, and the lists of every blob that one names.

    Args:
        root: The store's folder.
        journal: Its folder of segments.
        signer: Checks frames.
        blobs: The files of chunks, as nobody has looked at them yet.
        held: Gives what DuckDB holds, for segments that are damaged.
    """

    def __init__(
        self,
        root: Path,
        journal: Path,
        signer: Signer,
        blobs: BlobFiles,
        held: Callable[[], Iterable[Entry]] = tuple,
    ) -> None:
        self._root = root
        self._journal = journal
        self._signer = signer
        self._blobs = blobs
        self._found: dict[str, RunUsage] = {}
        self._removed: set[str] = set()
        self._held = held
        self._damaged: dict[str, str] = {}

    def look(self, giving_up: Sequence[str] = ()) -> Usage:
        """Read all of it.

        Args:
            giving_up: Runs that go, so that their values may be damaged.

        Raises:
            StoreDamaged: The list of a blob can't be read.
        """
        sizes = {owner: self._segment(owner) for owner in self._owners()}
        for entry in self._held() if self._damaged else ():
            if entry.owner in self._damaged:
                usage = self._found.setdefault(entry.record.run, RunUsage())
                usage.roots.update(_roots(entry))
        self._weigh(sizes)
        runs = {r: u for r, u in self._found.items() if r not in self._removed}
        for run, usage in runs.items():
            self._reach(run, usage, forgiving=run in giving_up)
        return Usage(
            total=folder_bytes(self._root),
            runs=runs,
            removed={r: self._found.get(r, RunUsage()) for r in self._removed},
            chunks={name: s.stored for name, s in self._blobs.known().items()},
            damaged=self._damaged,
        )

    def _owners(self) -> list[str]:
        plain, sealed = listing(self._journal)
        return sorted(plain.keys() | sealed.keys())

    def _segment(self, owner: str) -> float:
        """Read a segment; how many bytes on disk one of its bytes takes."""
        try:
            source, size = self._open(owner)
        except SealBroken as e:
            self._damaged[owner] = str(e)
            return 1.0
        lost = 0
        try:
            scan = Scan(source, self._signer.chain(owner))
            for found in scan.walk():
                if not isinstance(found, Frame):
                    lost += found.next_seq - found.first_seq
                elif not about_segment(found):
                    self._record(owner, found)
        finally:
            source.close()
        if isinstance(source, SealedFile):
            # A seal has no torn tail: damage up to its end is damage too.
            lost += source.index.next_seq - scan.mark.next_seq
        if lost:
            self._damaged[owner] = f"{lost} record{'s' * (lost != 1)} can't be read"
        return size / max(scan.mark.offset, 1)

    def _open(self, owner: str) -> tuple[Source, int]:
        plain, sealed = listing(self._journal)
        with contextlib.suppress(FileNotFoundError):
            if owner in plain:
                return PlainFile(plain[owner]), plain[owner].stat().st_size
            sealed = listing(self._journal).sealed
        path = sealed[owner]
        return SealedFile(path, owner, self._signer), path.stat().st_size

    def _record(self, owner: str, frame: Frame) -> None:
        entry = decode_entry(owner, frame.seq, frame.head, frame.body_offset)
        run = entry.record.run
        if entry.record.kind == Kind.RUN_REMOVED:
            self._removed.add(run)
            return
        usage = self._found.setdefault(run, RunUsage())
        usage.records += 1
        size = frame.end - frame.offset
        usage.owners[owner] = usage.owners.get(owner, 0) + size
        usage.roots.update(_roots(entry))

    def _weigh(self, sizes: Mapping[str, float]) -> None:
        """From bytes of frames to bytes on disk."""
        frames = sum(sum(usage.owners.values()) for usage in self._found.values())
        rows = max(_size(self._root / PROJECTION) - PROJECTION_BYTES_MIN, 0)
        projection = rows / max(frames, 1)
        for usage in self._found.values():
            parts = usage.owners.items()
            # What stands in a damaged segment stays there.
            usage.journal = round(
                sum(
                    size * (sizes[owner] + projection)
                    for owner, size in parts
                    if owner not in self._damaged
                )
            )

    def _reach(self, run: str, usage: RunUsage, *, forgiving: bool) -> None:
        with Reading(self._blobs, None) as reading:
            for root in usage.roots:
                try:
                    trees.reached(root, reading.load, usage.chunks)
                except (BlobUnserved, trees.BrokenList) as e:
                    if not forgiving:
                        place = f"blobs/{root.hex()}"
                        why = "it can't be read whole"
                        raise StoreDamaged(damage=place, why=why, run=run) from e


def _roots(entry: Entry) -> Iterator[bytes]:
    return (ref.id for ref in entry.record.blobs if ref.place is None)


def _size(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def folder_bytes(folder: str | os.PathLike[str]) -> int:
    """How many bytes the files in a folder have; 0 where there is none.

    Example:
        >>> folder_bytes("/no/such/folder")
        0
    """
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(Path(place) / name).st_size
    return total
