"""The part of the journal that this process has read straight from the segments."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path

from nbdurable_store.frames import Frame, about_segment, decode_entry
from nbdurable_store.keys import Signer
from nbdurable_store.protocol import Owner
from nbdurable_store.records import Entry
from nbdurable_store.sealed import SealBroken, SealedFile, salvage, sealed_segments
from nbdurable_store.segments import (
    BEGINNING,
    Damage,
    Mark,
    PlainFile,
    Scan,
    Source,
    alive,
    opening_of,
    plain_segments,
)

_seq = attrgetter("seq")


class Tail:
    """The entries of one segment from some sequence number on, verified once.

    Args:
        owner: Id of the segment's owner.
        source: The segment's bytes.
        scan: Stands where the tail begins.
    """

    def __init__(self, owner: str, source: Source, scan: Scan) -> None:
        self.owner = owner
        self.source = source
        self.entries: list[Entry] = []
        self.damages: list[Damage] = []
        self.floor = scan.mark.next_seq
        """Of entries before this sequence number, not all are held here."""
        self._scan = scan
        self._walked = False

    @property
    def next_seq(self) -> int:
        """Sequence number of the entry that will come next."""
        return self._scan.mark.next_seq

    @property
    def offset(self) -> int:
        """Where the next frame will begin, in bytes."""
        return self._scan.mark.offset

    def poll(self) -> int:
        """Read what has been appended since; the greatest tick seen, 0 if nothing."""
        if self._walked and not self._scan.grown():
            return 0
        tick = 0
        for item in self._scan.walk(deep=not self._walked):
            if isinstance(item, Damage):
                self.damages.append(item)
                self.floor = item.next_seq
            elif not about_segment(item):
                tick = max(tick, self._take(item))
        self._walked = True
        return tick

    def since(self, seq: int) -> Iterator[Entry]:
        """The entries held here, from a sequence number on."""
        first = bisect_left(self.entries, seq, key=_seq)
        return iter(self.entries[first:])

    def forget(self, seq: int) -> None:
        """Let go of entries with a smaller sequence number: DuckDB has them."""
        del self.entries[: bisect_left(self.entries, seq, key=_seq)]
        self.floor = max(self.floor, seq)

    def _take(self, frame: Frame) -> int:
        entry = decode_entry(self.owner, frame.seq, frame.head, frame.body_offset)
        self.entries.append(entry)
        return entry.tick


class Tails:
    """Every segment of a journal that this process reads, each opened once.

    Args:
        journal: The folder of segments.
        signer: Checks their frames.
    """

    def __init__(self, journal: Path, signer: Signer) -> None:
        self._journal = journal
        self._signer = signer
        self._tails: dict[str, Tail] = {}
        self._sources: dict[str, Source] = {}
        self._covered: dict[str, int] = {}

    def refresh(self, marks: Mapping[str, Mark]) -> int:
        """Read what everybody has appended since; the greatest tick seen, 0 if nothing.

        Args:
            marks: How far DuckDB has each owner's segment. A sealed one is in it wholly.
        """
        for owner in plain_segments(self._journal):
            if owner not in self._tails and owner not in self._covered:
                self._begin(owner, marks.get(owner, BEGINNING))
        for owner in sealed_segments(self._journal):
            if owner in self._tails or owner in self._covered:
                continue
            if owner in marks:
                self._covered[owner] = marks[owner].next_seq
            else:
                self._begin(owner, BEGINNING)
        return max((tail.poll() for tail in self._tails.values()), default=0)

    def next_seqs(self) -> dict[str, int]:
        """Per owner, the sequence number of the entry that will come next."""
        return self._covered | {o: tail.next_seq for o, tail in self._tails.items()}

    def complete_since(self, since: Mapping[str, int]) -> bool:
        """Whether all entries from these sequence numbers on are held here."""
        floors = self._covered | {o: tail.floor for o, tail in self._tails.items()}
        return all(since.get(owner, 0) >= floor for owner, floor in floors.items())

    def entries(self, since: Mapping[str, int]) -> Iterator[Entry]:
        """The entries held here, per owner from a sequence number on."""
        for owner, tail in self._tails.items():
            yield from tail.since(since.get(owner, 0))

    def forget(self, marks: Mapping[str, Mark], keep: int) -> None:
        """Let go of entries that DuckDB has, of segments that hold more than ``keep``."""
        for owner, tail in self._tails.items():
            if owner in marks and len(tail.entries) > keep:
                tail.forget(marks[owner].next_seq)

    def source(self, owner: str) -> Source | None:
        """The bytes of an owner's segment, or ``None`` if there is none."""
        source = self._sources.get(owner)
        if source is None:
            source = self._open(owner)
            if source is not None:
                self._sources[owner] = source
        return source

    def close(self) -> None:
        """Give all descriptors back."""
        for source in self._sources.values():
            source.close()
        self._sources.clear()
        self._tails.clear()

    def _begin(self, owner: str, mark: Mark) -> None:
        source = self.source(owner)
        if source is not None:
            scan = Scan(source, self._signer.chain(owner), mark)
            self._tails[owner] = Tail(owner, source, scan)

    def _open(self, owner: str) -> Source | None:
        return open_segment(self._journal, owner, self._signer)


def open_segment(journal: Path, owner: str, signer: Signer) -> Source | None:
    """The bytes of an owner's segment, plain or sealed; ``None`` if there is none."""
    plain = plain_segments(journal).get(owner)
    if plain is not None:
        try:
            return PlainFile(plain)
        except FileNotFoundError:
            pass  # sealed since
    sealed = sealed_segments(journal).get(owner)
    if sealed is None:
        return None
    try:
        return SealedFile(sealed, owner, signer)
    except SealBroken:
        return salvage(sealed)


def owners(journal: Path, signer: Signer) -> tuple[Owner, ...]:
    """Everyone who ever appended, and who of them is alive now."""
    plain = plain_segments(journal)
    found = []
    for owner in sorted(plain.keys() | sealed_segments(journal).keys()):
        source = open_segment(journal, owner, signer)
        if source is None:
            continue
        opening = opening_of(source, signer.chain(owner))
        source.close()
        if opening is not None:
            lives = owner in plain and alive(plain[owner])
            found.append(
                Owner(
                    id=owner,
                    pid=opening.pid,
                    since_us=opening.since_us,
                    alive=lives,
                )
            )
    return tuple(found)
