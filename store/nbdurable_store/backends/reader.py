"""Every answer about records: DuckDB's part where there is one, then the segments' tails.

Who asks never waits for ingest, and sees everything that was written before the call,
whichever of the two holds it by now.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter

from nbdurable_store.backends.ingest import key8
from nbdurable_store.backends.projection import Part
from nbdurable_store.journal.segments import BEGINNING, Mark
from nbdurable_store.journal.tails import Tails
from nbdurable_store.protocol import START, Cursor
from nbdurable_store.records import Entry

ORDER = attrgetter("tick", "owner", "seq")
"""Entries are handed out in this order, the same in every process."""
NOTHING = Part()

Ask = Callable[[Mapping[str, int]], Part]
"""DuckDB's part of an answer, per owner from a sequence number on."""
Known = frozenset[int] | None
"""What the keys begin with that DuckDB has; ``None`` if they are too many to hold."""


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
        self._fed: deque[Entry] = deque()
        self._fed_until = BEGINNING
        self.begun = False
        """Whether anybody has read: until then nothing is fed."""
        self._marks: Mapping[str, Mark] = {}
        self._known: Known = None
        self._known_at = -1

    def answer(
        self,
        wanted: Callable[[Tails, Mapping[str, int]], Iterable[Entry]],
        ask: Ask,
        after: Cursor = START,
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """The entries that are wanted, in order, and the cursor behind them.

        Args:
            wanted: The tails' part of the answer, per owner from a sequence number on.
            ask: DuckDB's part of it, likewise.
            after: What the asker has already.
        """
        since = dict(after.next_seq)
        held = self._held(since)
        part = NOTHING if held else ask(since)
        self._observe(max((entry.tick for entry in part.entries), default=0))
        with self._lock:
            self._refresh(since, None if held else part.upto)
            upto = self._tails.next_seqs()
            found = {
                (entry.owner, entry.seq): entry
                for entry in part.entries
                if since.get(entry.owner, 0) <= entry.seq < upto.get(entry.owner, 0)
            }
            for entry in wanted(self._tails, since):
                found[entry.owner, entry.seq] = entry
        entries = sorted(found.values(), key=ORDER)
        return tuple(entries), self._cursor(after, upto)

    def lookup(
        self, keys: frozenset[bytes], ask: Ask, known: Callable[[], Known]
    ) -> tuple[Entry, ...]:
        """Entries with one of these keys; no burst where DuckDB has none of them.

        A `pure` call looks its key up before it executes, and mostly finds nothing.

        Args:
            keys: What they are looked up by.
            ask: DuckDB's part of the answer.
            known: What DuckDB's keys begin with; it is asked once, and again when the
                tails have let go of something.
        """
        for _ in range(2):
            with self._lock:
                if self.begun:
                    self._refresh({}, None)
                generation = self._tails.generation
                if self.begun and self._held_here(keys):
                    found = self._tails.with_keys(keys)
                    return tuple(sorted(found, key=ORDER)) if found else ()
            if self._known_at == generation:
                break
            names = known()
            with self._lock:
                self._known, self._known_at = names, generation
        return self.answer(lambda tails, _: tails.with_keys(keys), ask)[0]

    def feed(self, entries: tuple[Entry, ...], end: Mark) -> None:
        """Take over what this process has just appended, so that it isn't read again.

        Whoever reads next puts it in its place: appending waits for nobody. Before
        anybody has read there is nothing to be kept up to date.
        """
        self._fed.extend(entries)
        self._fed_until = end

    def forget(self, ends: Mapping[str, int], keep: int) -> None:
        """Let go of what DuckDB has; see `Tails.forget`."""
        with self._lock:
            self._take_over()
            self._tails.forget(ends, keep)

    def forked(self) -> None:
        """In the child of a fork: another thread of the parent may have had the lock."""
        self._lock = threading.Lock()

    def _held_here(self, keys: frozenset[bytes]) -> bool:
        """Whether the tails have every entry with one of these keys."""
        if self._tails.complete_since({}):
            return True
        if self._known is None or self._known_at != self._tails.generation:
            return False
        return self._known.isdisjoint(map(key8, keys))

    def _held(self, since: Mapping[str, int]) -> bool:
        with self._lock:
            return self.begun and self._tails.complete_since(since)

    def _refresh(
        self, since: Mapping[str, int], marks: Mapping[str, Mark] | None
    ) -> None:
        if marks is not None:
            self._marks = marks
            self._tails.begin_anew(since, marks)
        self._take_over()
        self._observe(self._tails.refresh(self._marks))
        self.begun = True

    def _take_over(self) -> None:
        """Put in its place what was fed, as far as threads fed it without a gap.

        The rest is read from the segment.
        """
        found = [self._fed.popleft() for _ in range(len(self._fed))]
        until = self._fed_until
        fed = sorted(found, key=ORDER)
        if fed and fed[0].seq + len(fed) == fed[-1].seq + 1 == until.next_seq:
            self._tails.feed(fed[0].owner, fed, until)

    def _cursor(self, after: Cursor, upto: Mapping[str, int]) -> Cursor:
        """The cursor behind all that is there; the asker's own where nothing is new."""
        now = Cursor(tuple(sorted(upto.items())))
        return after if now == after else now
