"""What was appended, copied into ``store.duckdb`` for whoever asks questions.

Theory of operation. The copy holds nothing that the segments don't hold, so it may be
lost, late or locked, and nothing is lost with it. Two things are done with it, each in a
burst of a few milliseconds inside the `Turnstile`:

* `Projection.ingest` takes over the next batch of what was appended. A file that is
  missing, that does not open or that isn't ours is made anew instead.
* A question (`of_run`, `of_kinds`, `with_keys`) is answered by a `Part`: the entries
  found, each verified, and how far the file goes per owner. The asker reads on from
  there in the segments. Where the file can't be used the part is empty and goes nowhere,
  so the asker reads all of the segments; the answer is the same, only slower, and a
  sentence for the user waits in `Projection.notices`. A reader never makes the file
  anew: that takes longer than reading the segments.

How far the file goes is what the file says, and it may be older than the journal: a copy
that was put back, or one that a sync client brought. So nobody may conclude from a mark
that a segment ends there, sealed or not.

An agent's call waits for none of this. Measured with a million records in 250 MB: 10 ms
of CPU for a burst of 20 rows, 60 for the 4,000 entries of a run (50 of them to verify and
decode), 11 for a lookup; 110 for the first question of a process after its import.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

from nbdurable_store.backends.duckdb import Away, Unusable
from nbdurable_store.backends.ingest import (
    BULK,
    BURST,
    Backlog,
    Batch,
    Limit,
    Row,
    Watermark,
    key8,
    sayable,
)
from nbdurable_store.backends.migrations import Cursor
from nbdurable_store.backends.projection_file import (
    Missing,
    ProjectionFile,
    answer,
    append,
    watermarks,
)
from nbdurable_store.backends.questions import (
    INLINE,
    KEY_BEGINNINGS,
    KEYS_MAX,
    NAME_AS_TEXT,
    OF_KINDS,
    OF_RUN,
    OF_RUN_WITH,
    ROWS,
    ROWS_OF,
    WITH_KEYS,
)
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.folder.format import LOCK_NAME
from nbdurable_store.folder.format import VERSION as FORMAT_VERSION
from nbdurable_store.journal.frames import HEADER_BYTES, decode_entry
from nbdurable_store.journal.segments import Mark
from nbdurable_store.keys import Chain, Signer, same
from nbdurable_store.killpoints import reach
from nbdurable_store.records import Entry, Kind, Place, Record
from nbdurable_store.sharing.turnstile import Turnstile

READ_WAIT_S = 2.0
"""A burst takes some 10 ms, a full one 150; who waits longer waits for a stopped process
or a rebuild, and reads the segments instead."""
RENEW_WAIT_S = 30.0
"""Somebody asked for it, and a rebuild of a million records takes so long."""
REBUILD_PAUSE_S = 30.0
"""After a rebuild that didn't end (a full disk), the next try waits for so long."""


class Turn(Enum):
    """How a turn of ingest ended."""

    DONE = auto()
    """Everything there was is taken over."""
    MORE = auto()
    """There may be more, so another turn is worth it at once."""
    LATER = auto()
    """The file can't be used now; another turn is worth it after a while."""


@dataclass(frozen=True, slots=True)
class Part:
    """What DuckDB gives to an answer.

    Attributes:
        entries: What it found, verified, in no order.
        upto: Per owner, the place in its segment from which the asker reads on. An
            owner that isn't in it is read from the beginning.
    """

    entries: tuple[Entry, ...] = ()
    upto: Mapping[str, Mark] = field(default_factory=dict)


class Projection:
    """The copy of one store's journal. Every method may be called from any thread.

    Args:
        root: The store's folder.
        journal: Its folder of segments.
        signer: Checks what is read; the store's own.
        clock: The machine's clock, or a test's.
    """

    def __init__(
        self, root: Path, journal: Path, signer: Signer, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        facts = {
            "format": str(FORMAT_VERSION),
            "store": signer.store,
            "key": signer.key_id,
            "journal": journal.name,
        }
        self.known: Mapping[str, Mark] = {}
        """How far the file went when this process last had it open."""
        self._signer = signer
        self._clock = clock
        self._backlog = Backlog(journal, signer)
        self._turnstile = Turnstile(root / LOCK_NAME, clock)
        self._file = ProjectionFile(root, facts, signer, clock)
        self._stopping = threading.Event()
        self._suspicion = ""
        self._not_before_s = float("-inf")
        self._notices: list[str] = []
        self._away = ""

    def ingest(self, limit: Limit = BURST, wait_s: float = 0.0) -> Turn:
        """Take over the next batch of what was appended.

        For a thread in the background. Raises nothing that the disk or another program
        can cause: what isn't taken over now is taken over at a later turn.

        Args:
            limit: How much at most.
            wait_s: How long to wait for others who have the file open.
        """
        try:
            with self._turnstile.passage(wait_s) as inside:
                return self._turn(limit) if inside else Turn.LATER
        except (Away, Unusable, OSError):
            return Turn.LATER

    def of_run(self, run: str, after: Mapping[str, int], calls_with: str = "") -> Part:
        """Entries of a run, per owner from a sequence number on; see `Store.read`."""
        asked = [list(after), list(after.values()), sayable(run)]
        question = OF_RUN_WITH if calls_with else OF_RUN
        more = [sayable(run), NAME_AS_TEXT.format(calls_with)] if calls_with else []
        return self._ask(question, asked + more, lambda record: record.run == run)

    def of_kinds(self, kinds: Collection[str], after: Mapping[str, int]) -> Part:
        """Entries of these kinds, per owner from a sequence number on."""
        said = [sayable(kind) for kind in kinds]
        asked = [list(after), list(after.values()), said]
        return self._ask(OF_KINDS, asked, lambda record: record.kind in kinds)

    def with_keys(self, keys: Collection[bytes]) -> Part:
        """Entries with one of these keys."""
        asked = [[key8(key) for key in keys]]
        return self._ask(WITH_KEYS, asked, lambda record: record.key in keys)

    def key_beginnings(self) -> frozenset[int] | None:
        """What all keys begin with; ``None`` if they are too many, or can't be read."""
        try:
            with self._reading() as at:
                found = answer(at, KEY_BEGINNINGS, [KEYS_MAX + 1])
        except (Away, Unusable, OSError) as e:
            self._note(e)
            return None
        return None if len(found) > KEYS_MAX else frozenset(key for (key,) in found)

    def inline(self, place: Place, size: int) -> bytes | None:
        """Inline bytes that a segment has lost, unverified; ``None`` if not here."""
        try:
            with self._reading() as at:
                found = answer(at, INLINE, [place.owner, place.seq])
        except (Away, Unusable, OSError) as e:
            self._note(e)
            return None
        for before_body, body in found:
            first = place.offset - HEADER_BYTES - before_body
            return bytes(body[first : first + size])
        return None

    def ends(self, *, rowless: bool = True) -> dict[str, int]:
        """Per owner, the first sequence number that the file doesn't have yet.

        Args:
            rowless: Those too of whom it has no rows.

        Raises:
            Unusable: The file has to be made anew.
            Away: It can't be opened now.
        """
        with self._reading() as at:
            marks = watermarks(at).items()
        return {owner: w.mark.next_seq for owner, w in marks if rowless or w.rows}

    def rows(self, owner: str, first: int, last: int) -> list[Row]:
        """An owner's rows as they stand there, unverified; ``last`` isn't one of them.

        Raises:
            Unusable: The file has to be made anew.
            Away: It can't be opened now.
        """
        with self._reading() as at:
            return [Row(*row) for row in answer(at, ROWS, [owner, first, last])]

    def renew(self, without: Collection[str]) -> None:
        """Make the file anew from the segments, if it has rows of these runs.

        Raises:
            Away: It can't be opened or made now.
        """
        with self._turnstile.passage(RENEW_WAIT_S) as inside:
            if not inside:
                raise Away("is being written by another kernel")
            self._file.sweep()
            with contextlib.suppress(Unusable), self._opened(write=False) as at:
                asked = [[sayable(run) for run in without], Kind.RUN_REMOVED]
                [(count,)] = answer(at, ROWS_OF, asked)
                if not count:
                    return
            self._file.replace(self._all_batches())
            self._turnstile.remember(b"")

    def notices(self) -> list[str]:
        """Sentences for a person since the last call."""
        told, self._notices = self._notices, []
        return told

    @property
    def loaded(self) -> bool:
        """Whether this process has had DuckDB open, so that a burst is cheap."""
        return self._file.loaded

    def stop(self) -> None:
        """Drop a rebuild that is under way, and begin none."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of DuckDB, after the burst that is under way. Idempotent."""
        self.stop()
        with self._turnstile.alone(READ_WAIT_S) as alone:
            if alone:
                self._file.close()

    def forked(self) -> None:
        """In the child of a fork: keep nothing of the parent's."""
        self._turnstile.forked()
        self._file.close()

    def _turn(self, limit: Limit) -> Turn:
        try:
            if self._suspicion:
                raise Unusable(self._suspicion)
            return self._take_over(limit)
        except Unusable as e:
            return self._rebuild(e)

    def _take_over(self, limit: Limit) -> Turn:
        with self._opened(write=True) as at:
            taken = watermarks(at)
            with closing(self._backlog.batches(taken, limit)) as batches:
                batch = next(batches, None)
            if batch is not None:
                reach("ingest.attached")
                append(at, batch)
                taken |= batch.watermarks
        self._know(taken)
        return Turn.MORE if batch is not None and batch.full else Turn.DONE

    def _rebuild(self, reason: Unusable) -> Turn:
        """Make the file anew, and say so, unless there never was one."""
        began = self._clock.monotonic_s()
        if self._stopping.is_set() or began < self._not_before_s:
            return Turn.LATER
        self._not_before_s = began + REBUILD_PAUSE_S
        had_one = not isinstance(reason, Missing) or self._turnstile.remembers()
        count = self._file.replace(self._all_batches())
        self._turnstile.remember(b"")
        self._not_before_s, self._suspicion = float("-inf"), ""
        if had_one:
            self._notices.append(
                f"store.duckdb {reason.why} and was made anew from the journal: "
                f"{count:,} record{'s' * (count != 1)}."
            )
        return Turn.MORE

    def _know(self, taken: Mapping[str, Watermark]) -> dict[str, Mark]:
        self.known = {owner: w.mark for owner, w in taken.items()}
        return self.known

    def _all_batches(self) -> Iterator[Batch]:
        for batch in self._backlog.batches({}, BULK):
            if self._stopping.is_set():
                raise Away("the store is being closed")
            yield batch

    def _ask(
        self, question: str, asked: object, wanted: Callable[[Record], bool]
    ) -> Part:
        try:
            with self._reading() as at:
                taken = watermarks(at)
                found = answer(at, question, asked)
            entries = tuple(self._verified(found, wanted))
        except (Away, Unusable, OSError) as e:
            self._note(e)
            return Part()
        return Part(entries, self._know(taken))

    @contextmanager
    def _reading(self) -> Iterator[Cursor]:
        with self._turnstile.passage(READ_WAIT_S) as inside:
            if self._suspicion:
                raise Unusable(self._suspicion)
            if not inside:
                raise Away("is being written by another kernel")
            with self._opened(write=False) as at:
                yield at
        self._away = ""

    @contextmanager
    def _opened(self, *, write: bool) -> Iterator[Cursor]:
        """The file, for one burst; from inside the turnstile."""
        self._file.recall(self._turnstile.remembered())
        with self._file.open(write=write) as at:
            yield at
        self._turnstile.remember(self._file.note())

    def _note(self, error: Away | Unusable | OSError) -> None:
        """Why a question was left to the segments; said once, where it says anything."""
        match error:
            case Missing():
                return
            case Unusable():
                self._suspicion = error.why
                return
            case Away():
                why = error.why
            case OSError():
                why = f"can't be used ({(error.strerror or str(error)).lower()})"
        if why != self._away:
            self._away = why
            self._notices.append(
                f"store.duckdb {why}; the journal is read instead. Nothing is lost."
            )

    def _verified(
        self, found: list[tuple[Any, ...]], wanted: Callable[[Record], bool]
    ) -> Iterator[Entry]:
        """The entries that rows describe; one that isn't ours discredits the file."""
        chains: dict[str, Chain] = {}
        for owner, seq, byte, prev_mac, mac, head in found:
            if owner not in chains:
                chains[owner] = self._signer.chain(owner)
            if not same(chains[owner].mac(seq, prev_mac, head), mac):
                raise Unusable("held a record that isn't ours")
            entry = decode_entry(owner, seq, head, byte + HEADER_BYTES + len(head))
            if wanted(entry.record):
                yield entry
