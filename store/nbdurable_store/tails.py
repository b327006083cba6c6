"""The part of the journal that this process has read straight from the segments."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path

from nbdurable_store.frames import Frame, about_segment, closing, decode_entry
from nbdurable_store.keys import Signer
from nbdurable_store.records import Entry
from nbdurable_store.segments import BEGINNING, Damage, Mark, Scan, listing
from nbdurable_store.sources import Sources

_seq = attrgetter("seq")


class Tail:
    """The entries of one segment from some sequence number on, verified once.

    Args:
        owner: Id of the segment's owner.
        scan: Stands where the tail begins.
    """

    def __init__(self, owner: str, scan: Scan) -> None:
        self.entries: list[Entry] = []
        self.floor = scan.mark.next_seq
        """Entries with a smaller sequence number are not held here."""
        self.damaged = 0
        """Of entries with a smaller sequence number, some could not be read."""
        self._owner = owner
        self._scan = scan
        self._walked = False
        self._ended = False

    @property
    def next_seq(self) -> int:
        """Sequence number of the entry that will come next."""
        return self._scan.mark.next_seq

    def poll(self) -> int:
        """Read what has been appended since; the greatest tick seen, 0 if nothing."""
        if self._ended or (self._walked and not self._scan.grown()):
            return 0
        tick = 0
        for item in self._scan.walk(deep=not self._walked):
            if isinstance(item, Damage):
                self.damaged = item.next_seq
            elif about_segment(item):
                self._ended = item.head == closing(item.seq)
            else:
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
        entry = decode_entry(self._owner, frame.seq, frame.head, frame.body_offset)
        self.entries.append(entry)
        return entry.tick


class Tails:
    """What is read of every segment of a journal.

    Theory of operation. DuckDB has a first part of each segment, up to a mark; from
    there on this process reads the segment itself. A sealed segment is in DuckDB wholly
    and isn't opened. Where DuckDB can't answer, segments are read from their beginning:
    the marks are then simply empty.

    Args:
        journal: The folder of segments.
        signer: Checks their frames.
        sources: Their bytes.
    """

    def __init__(self, journal: Path, signer: Signer, sources: Sources) -> None:
        self._journal = journal
        self._signer = signer
        self._sources = sources
        self._tails: dict[str, Tail] = {}
        self._covered: dict[str, int] = {}

    def refresh(self, marks: Mapping[str, Mark]) -> int:
        """Read what everybody has appended since; the greatest tick seen, 0 if nothing.

        Args:
            marks: How far DuckDB has each owner's segment.
        """
        plain, sealed = listing(self._journal)
        known = self._tails.keys() | self._covered.keys()
        for owner in plain.keys() - known:
            self._begin(owner, marks.get(owner, BEGINNING))
        for owner in (marks.keys() | sealed.keys()) - self._tails.keys() - known:
            if owner in marks:
                self._covered[owner] = marks[owner].next_seq
            else:
                self._begin(owner, BEGINNING)
        return max((tail.poll() for tail in self._tails.values()), default=0)

    def begin_anew(self, since: Mapping[str, int], marks: Mapping[str, Mark]) -> None:
        """Read again what neither the tails nor DuckDB have: it has less than before."""
        for owner, floor in self._floors().items():
            mark = marks.get(owner, BEGINNING)
            if max(since.get(owner, 0), mark.next_seq) < floor:
                self._covered.pop(owner, None)
                self._begin(owner, mark)

    def next_seqs(self) -> dict[str, int]:
        """Per owner, the sequence number of the entry that will come next."""
        return self._covered | {o: tail.next_seq for o, tail in self._tails.items()}

    def complete_since(self, since: Mapping[str, int]) -> bool:
        """Whether all entries from these sequence numbers on are held here.

        Of a damaged stretch, DuckDB may still have what the segment has lost.
        """
        return all(
            since.get(owner, 0) >= floor for owner, floor in self._floors().items()
        ) and all(
            since.get(owner, 0) >= tail.damaged for owner, tail in self._tails.items()
        )

    def entries(self, since: Mapping[str, int]) -> Iterator[Entry]:
        """The entries held here, per owner from a sequence number on."""
        for owner, tail in self._tails.items():
            yield from tail.since(since.get(owner, 0))

    def forget(self, ends: Mapping[str, int], keep: int) -> None:
        """Let go of entries that DuckDB has, of segments that hold more than ``keep``."""
        for owner, tail in self._tails.items():
            if owner in ends and len(tail.entries) > keep:
                tail.forget(ends[owner])

    def _floors(self) -> dict[str, int]:
        return self._covered | {o: tail.floor for o, tail in self._tails.items()}

    def _begin(self, owner: str, mark: Mark) -> None:
        source = self._sources.of(owner)
        if source is not None:
            scan = Scan(source, self._signer.chain(owner), mark)
            self._tails[owner] = Tail(owner, scan)
