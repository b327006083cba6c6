"""The part of the journal that this process has read straight from the segments."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import (
    Callable,
    Collection,
    Container,
    Iterator,
    Mapping,
    Sequence,
)
from operator import attrgetter
from pathlib import Path

from nbdurable_store.clock import Clock
from nbdurable_store.journal.frames import Frame, about_segment, closing, decode_entry
from nbdurable_store.journal.segments import BEGINNING, Damage, Mark, Scan, listing
from nbdurable_store.journal.sources import Sources
from nbdurable_store.keys import Signer
from nbdurable_store.records import Entry

SETTLED_NS = 100_000_000
"""After a tenth of a second a folder's time has moved on for sure."""

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
        self._by_key: dict[bytes, list[Entry]] = {}
        self._indexed = 0
        self._owner = owner
        self._scan = scan
        self._walked = False
        self._ended = False

    @property
    def next_seq(self) -> int:
        """Sequence number of the entry that will come next."""
        return self._scan.mark.next_seq

    @property
    def end(self) -> int:
        """Where reading goes on, in bytes."""
        return self._scan.mark.offset

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

    def feed(self, entries: Sequence[Entry], end: Mark) -> None:
        """Take entries from who appended them, if they are the next ones.

        Args:
            entries: What was appended.
            end: The place after them.
        """
        scan = self._scan
        if self._walked and entries and entries[0].seq == scan.mark.next_seq:
            self.entries += entries
            scan.mark = end

    def since(self, seq: int) -> Iterator[Entry]:
        """The entries held here, from a sequence number on."""
        first = bisect_left(self.entries, seq, key=_seq)
        return iter(self.entries[first:])

    def with_key(self, key: bytes) -> Sequence[Entry]:
        """The entries held here with a key; they are indexed when somebody asks."""
        for entry in self.entries[self._indexed :]:
            if entry.record.key:
                self._by_key.setdefault(entry.record.key, []).append(entry)
        self._indexed = len(self.entries)
        return self._by_key.get(key, ())

    def forget(self, seq: int) -> None:
        """Let go of entries with a smaller sequence number: DuckDB has them."""
        del self.entries[: bisect_left(self.entries, seq, key=_seq)]
        self.floor = max(self.floor, seq)
        self._by_key.clear()
        self._indexed = 0

    def _take(self, frame: Frame) -> int:
        entry = decode_entry(self._owner, frame.seq, frame.head, frame.body_offset)
        self.entries.append(entry)
        return entry.tick


class Tails:
    """What is read of every segment of a journal.

    Theory of operation. DuckDB has a first part of each segment, up to a mark; from
    there on this process reads the segment itself. A sealed segment is in DuckDB wholly,
    unless somebody put an older copy of the file back: its index says how far it goes.
    Where DuckDB can't answer, segments are read from their beginning: the marks are then
    simply empty.

    Args:
        journal: The folder of segments.
        signer: Checks their frames.
        sources: Their bytes.
        clock: The machine's clock, or a test's.
        owner: Id of this process as an owner.
        written: How many bytes it has written into its segment. Where that is where its
            tail ends, the segment isn't asked.
    """

    def __init__(
        self,
        journal: Path,
        signer: Signer,
        sources: Sources,
        clock: Clock,
        *,
        owner: str = "",
        written: Callable[[], int] = lambda: -1,
    ) -> None:
        self._clock = clock
        self._owner = owner
        self._written = written
        self._modified_ns = -1
        self._journal = journal
        self._place = str(journal)
        self._signer = signer
        self._sources = sources
        self.generation = 0
        """Grows whenever DuckDB is needed for something that it wasn't before."""
        self._tails: dict[str, Tail] = {}
        self._covered: dict[str, int] = {}

    def refresh(self, marks: Mapping[str, Mark]) -> int:
        """Read what everybody has appended since; the greatest tick seen, 0 if nothing.

        Args:
            marks: How far DuckDB has each owner's segment.
        """
        if self._listing_changed():
            self._look_around(marks)
        tick = 0
        for owner, tail in self._tails.items():
            if owner != self._owner or tail.end != self._written():
                tick = max(tick, tail.poll())
        return tick

    def _listing_changed(self) -> bool:
        """Whether segments may have come or gone since the last look.

        The time of a folder moves in steps of some milliseconds, so it says nothing
        about a change right after the look.
        """
        try:
            modified_ns = os.stat(self._place).st_mtime_ns  # noqa: PTH116  # a third of the time
        except FileNotFoundError:
            return True
        if modified_ns == self._modified_ns:
            return False
        settled = self._clock.now_us() * 1000 - modified_ns > SETTLED_NS
        self._modified_ns = modified_ns if settled else -1
        return True

    def _look_around(self, marks: Mapping[str, Mark]) -> None:
        plain, sealed = listing(self._journal)
        known = self._tails.keys() | self._covered.keys()
        for owner in plain.keys() - known:
            self._begin(owner, marks.get(owner, BEGINNING))
        for owner in (marks.keys() | sealed.keys()) - self._tails.keys() - known:
            mark = marks.get(owner, BEGINNING)
            if owner in marks and self._sources.sealed_until(owner) <= mark.next_seq:
                self._covered[owner] = mark.next_seq
                self.generation += 1
            else:
                self._begin(owner, mark)

    def begin_anew(self, since: Mapping[str, int], marks: Mapping[str, Mark]) -> None:
        """Read again what neither the tails nor DuckDB have: it has less than before."""
        for owner, floor in self._floors().items():
            mark = marks.get(owner, BEGINNING)
            if max(since.get(owner, 0), mark.next_seq) < floor:
                self._covered.pop(owner, None)
                self._begin(owner, mark)

    def feed(self, owner: str, entries: Sequence[Entry], end: Mark) -> None:
        """Take what this process has appended itself; see `Tail.feed`."""
        tail = self._tails.get(owner)
        if tail is not None:
            tail.feed(entries, end)

    def next_seqs(self) -> dict[str, int]:
        """Per owner, the sequence number of the entry that will come next."""
        return self._covered | {o: tail.next_seq for o, tail in self._tails.items()}

    def complete_since(self, since: Mapping[str, int]) -> bool:
        """Whether all entries from these sequence numbers on are held here.

        Of a damaged stretch, DuckDB may still have what the segment has lost.
        """
        # Loops, since each `pure` call asks: two generators take three times as long.
        for owner, floor in self._covered.items():
            if since.get(owner, 0) < floor:
                return False
        for owner, tail in self._tails.items():
            if since.get(owner, 0) < max(tail.floor, tail.damaged):
                return False
        return True

    def of_run(self, run: str, since: Mapping[str, int]) -> Iterator[Entry]:
        """Entries of a run, per owner from a sequence number on."""
        return (entry for entry in self._since(since) if entry.record.run == run)

    def of_kinds(
        self, kinds: Container[str], since: Mapping[str, int]
    ) -> Iterator[Entry]:
        """Entries of these kinds, per owner from a sequence number on."""
        return (entry for entry in self._since(since) if entry.record.kind in kinds)

    def with_keys(self, keys: Collection[bytes]) -> list[Entry]:
        """Entries with one of these keys."""
        found: list[Entry] = []
        for tail in self._tails.values():
            for key in keys:
                found += tail.with_key(key)
        return found

    def forget(self, ends: Mapping[str, int], keep: int) -> None:
        """Let go of entries that DuckDB has, of segments that hold more than ``keep``."""
        for owner, tail in self._tails.items():
            if owner in ends and len(tail.entries) > keep:
                tail.forget(ends[owner])
                self.generation += 1

    def _since(self, since: Mapping[str, int]) -> Iterator[Entry]:
        for owner, tail in self._tails.items():
            yield from tail.since(since.get(owner, 0))

    def _floors(self) -> dict[str, int]:
        return self._covered | {o: tail.floor for o, tail in self._tails.items()}

    def _begin(self, owner: str, mark: Mark) -> None:
        source = self._sources.of(owner)
        if source is not None:
            scan = Scan(source, self._signer.chain(owner), mark)
            self._tails[owner] = Tail(owner, scan)
            self.generation += mark != BEGINNING
