"""The part of the journal that this process has read straight from the segments."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from operator import attrgetter

from nbdurable_store.frames import Frame, decode_entry
from nbdurable_store.records import Entry
from nbdurable_store.segments import Damage, Scan, Source

SEGMENT_RECORD = b'{"kind":"segment.'
"""How the head of a record begins that speaks of the segment itself."""

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
        """Entries with a smaller sequence number are not held here."""
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
            elif not item.head.startswith(SEGMENT_RECORD):
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
