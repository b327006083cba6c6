"""Every answer about records: DuckDB's part where there is one, then the segments' tails.

Who asks never waits for ingest, and sees everything that was written before the call,
whichever of the two holds it by now.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from operator import attrgetter

from nbdurable_store.backends.projection import Part
from nbdurable_store.protocol import Cursor
from nbdurable_store.records import Entry, Record
from nbdurable_store.segments import Mark
from nbdurable_store.tails import Tails

ORDER = attrgetter("tick", "owner", "seq")
"""Entries are handed out in this order, the same in every process."""
NOTHING = Part()


class Reader:
    """Answers questions of one process. Every method may be called from any thread.

    Args:
        tails: What is read from the segments.
        observe: Is told the greatest tick that was seen.
    """

    def __init__(self, tails: Tails, observe: Callable[[int], None]) -> None:
        self._tails = tails
        self._observe = observe
        self._lock = threading.Lock()
        self._begun = False
        self._marks: Mapping[str, Mark] = {}
        self._upto = Cursor()

    def answer(
        self,
        wanted: Callable[[Record], bool],
        ask: Callable[[Mapping[str, int]], Part],
        after: Cursor,
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """The entries that are wanted, in order, and the cursor behind them.

        Args:
            wanted: Which records of the tails belong to it.
            ask: DuckDB's part of it, per owner from a sequence number on.
            after: What the asker has already.
        """
        since = dict(after.next_seq)
        held = self._held(since)
        part = NOTHING if held else ask(since)
        with self._lock:
            self._refresh(since, None if held else part.upto)
            upto = self._tails.next_seqs()
            found = {
                (entry.owner, entry.seq): entry
                for entry in part.entries
                if since.get(entry.owner, 0) <= entry.seq < upto.get(entry.owner, 0)
            }
            for entry in self._tails.entries(since):
                if wanted(entry.record):
                    found[entry.owner, entry.seq] = entry
        entries = sorted(found.values(), key=ORDER)
        return tuple(entries), self._cursor(after, upto)

    def forget(self, ends: Mapping[str, int], keep: int) -> None:
        """Let go of what DuckDB has; see `Tails.forget`."""
        with self._lock:
            self._tails.forget(ends, keep)

    def forked(self) -> None:
        """In the child of a fork: another thread of the parent may have had the lock."""
        self._lock = threading.Lock()

    def _held(self, since: Mapping[str, int]) -> bool:
        with self._lock:
            return self._begun and self._tails.complete_since(since)

    def _refresh(
        self, since: Mapping[str, int], marks: Mapping[str, Mark] | None
    ) -> None:
        if marks is not None:
            self._marks = marks
            self._tails.begin_anew(since, marks)
        self._observe(self._tails.refresh(self._marks))
        self._begun = True

    def _cursor(self, after: Cursor, upto: Mapping[str, int]) -> Cursor:
        """The cursor behind all that is there; the asker's own where nothing is new."""
        now = Cursor(tuple(sorted(upto.items())))
        return after if now == after else now
