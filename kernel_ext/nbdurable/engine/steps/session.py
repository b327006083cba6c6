"""One per process: the store, the run this kernel is in, and what it knows of it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

from nbdurable.engine.calls.ancestors import Ancestors
from nbdurable.engine.calls.claiming import claim
from nbdurable.engine.calls.leftovers import Lingering
from nbdurable.engine.calls.parked import Parked
from nbdurable.engine.calls.requests import CallRequest, Outcome
from nbdurable.engine.files.stamps import Contents
from nbdurable.engine.identity.notebook import Transform
from nbdurable.engine.identity.sources import Sources
from nbdurable.engine.past import runs
from nbdurable.engine.past.history import CallPast, History
from nbdurable.engine.past.slots import Slots
from nbdurable.engine.steps import elsewhere, goingon, starting
from nbdurable.engine.steps.deferred import Deferred
from nbdurable.engine.steps.kept_now import Keeping
from nbdurable.engine.steps.pending import Pending
from nbdurable.engine.telling import lines
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where.chance import SYSTEM_CHANCE, Chance
from nbdurable.engine.where.disk import SizeLine
from nbdurable.engine.where.folders import is_store, place_of
from nbdurable.engine.where.ids import RANDOM_IDS, Ids
from nbdurable.engine.where.localcode import cells_met, module_file, source_of
from nbdurable.engine.where.versions import version_of
from nbdurable.engine.where.whereabouts import (
    DEFAULT_NOTEBOOK,
    Choice,
    Facts,
    RunRow,
    RunUnknownError,
    Step,
    choose,
    shown,
)
from nbdurable.errors import NothingDurable, ReferenceUnknown
from nbdurable_store import may_stand
from nbdurable_store import open as open_store
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.protocol import START, Cursor, Lease, Store
from nbdurable_store.records import NO_KEY, Entry, Kind, Plain, Record


class Session:
    """What a kernel knows. Nothing is opened or created before the first `enter`.

    Attributes:
        sources: The cells' sources by the file name they were compiled under.
        lingering: Steps that go on after their cell, by slot.
        keeping: What the run keeps of what plain cells made.
        deferred: Names that are loaded when a cell uses them.
        undone: Executions whose variables were taken back: step, and when it was active.
        allowed: Steps whose code may do again what it does beside its calls.
        notify: Shows one line to the user at once.
    """

    def __init__(
        self,
        *,
        notify: Callable[[str], None] = lambda _: None,
        clock: Clock = SYSTEM_CLOCK,
        ids: Ids = RANDOM_IDS,
        environ: Mapping[str, str] | None = None,
        store: Store | None = None,
        transform: Transform | None = None,
    ) -> None:
        self.notify = notify
        self.clock, self.ids = clock, ids
        self.chance: Chance = SYSTEM_CHANCE
        self.environ = os.environ if environ is None else environ
        self.lock = threading.RLock()
        self.sources = Sources(source_of, version_of, transform, module_file, cells_met)
        self.contents = Contents(clock)
        self.size = SizeLine(clock)
        self.slots = Slots()
        self.executing: set[str] = set()
        self.kept_results: dict[str, Outcome] = {}
        self.parked = Parked()
        self.ancestors = Ancestors()
        self.lingering: dict[str, Lingering] = {}
        self.keeping = Keeping()
        self.deferred = Deferred()
        self.undone: set[tuple[str, int]] = set()
        self.allowed = set[str]()
        self._history = History("")
        self._pending = Pending()
        self.secrets = Secrets(self.environ)
        self._store = store
        self._cursor: Cursor = START
        self._found: set[int] = set()
        self._latest: Entry | None = None
        self._losses = 0
        self._told: set[str] = set()
        self._chosen = False

    @property
    def history(self) -> History:
        """The fold of the run, as of now."""
        self._fold()
        return self._history

    def _fold(self) -> None:
        if self._pending:
            with self.lock:
                self._losses += 1  # until all are folded: an interrupt may be anywhere
                self._history.apply(self._pending.take())
                self._losses -= 1

    def catch_up(self, step: str) -> None:
        """Fold what other attempts than this one have appended."""
        if self._pending.steps and self._pending.steps != {step}:
            self._fold()

    @functools.cached_property
    def appenders(self) -> Executor:
        """Threads that append for awaiting calls; the default ones are the user's."""
        return starting.Appenders()

    @property
    def store(self) -> Store:
        """The open store."""
        assert self._store is not None, "enter() opens the store"
        return self._store

    @property
    def run_id(self) -> str:
        """Id of the run that this process is in, or ""; any thread may ask."""
        return self._history.run if self._store is not None else ""

    def open(self, facts: Facts) -> Store:
        """The store, opened or made if it isn't yet."""
        if self._store is None:
            named = bool(facts.store)
            self._store = open_store(place_of(facts), named=named, clock=self.clock)
            self.pass_on_notices()
            atexit.register(self.close)
        return self._store

    def pass_on_notices(self) -> None:
        """Show what the store has to say, each sentence once."""
        for notice in self.store.notices():
            self.tell_once(notice)

    def tell_once(self, line: str) -> None:
        """Show a line to the user unless it was shown before."""
        if line and self.first_time(line):
            self.notify(line)

    def first_time(self, line: str) -> bool:
        """Whether this line wasn't told in this kernel yet; now it counts as told."""
        first = line not in self._told
        self._told.add(line)
        return first

    def enter(self, facts: Facts, step: Step) -> Lease:
        """Be in the run that the facts say, up to date, with the right to execute.

        Raises:
            RunBusy: Another kernel executes in the run, and didn't end in 30 s.
            ReferenceUnknown: ``NBDURABLE_RUN`` names a run that isn't there.
        """
        self.open(facts)
        self.secrets = Secrets(self.environ)
        while True:
            if not self._chosen:
                self._choose(facts, step)
                self._chosen = True
            lease = claim(self.store, self.history.run, self.clock, self.notify)
            self.refresh()
            if self.history.removed is None:
                return lease
            lease.release()
            self._leave()

    def _leave(self) -> None:
        """The run is gone from the store: this kernel chooses again."""
        self.notify(lines.removed(self.history))
        self._load("")
        self._chosen = False

    def attend(self, facts: Facts, command: str) -> History:
        """The history of the run this kernel is in, or would go on with.

        Raises:
            NothingDurable: The notebook has no run.
            NotAStore: Something else stands at the store's place, as `may_stand` says.
        """
        if not self.history.run:
            exists = self._store is not None or is_store(place_of(facts))
            run = shown(self._rows(facts)) if exists else None
            if not exists:
                may_stand(place_of(facts), named=bool(facts.store))
            if run is None:
                raise NothingDurable(command=command)
            self._load(run.id)
        self.refresh()
        if self.history.removed is not None:
            self._leave()
            return self.attend(facts, command)
        return self.history

    def stay(self, *, closed: bool = False) -> None:
        """Go on in the attended run, as its variables are here; also in a `closed` one."""
        self._chosen = self._chosen or closed or self.history.closed is None

    def _rows(self, facts: Facts) -> list[RunRow]:
        self.open(facts)
        notebook = facts.notebook or DEFAULT_NOTEBOOK
        return [r for r in self.rows() if r.notebook == notebook]

    def rows(self) -> list[RunRow]:
        """All runs of the store."""
        alive = {o.id for o in self.store.owners() if o.alive} - {self.store.owner}
        return runs.rows(self.store.scan(runs.INDEX_KINDS)[0], alive)

    def _choose(self, facts: Facts, step: Step) -> None:
        rows = self.rows()
        gone, now_us = elsewhere.gone(facts, rows), self.clock.now_us()
        try:
            choice = choose(facts, rows, step, now_us=now_us, gone=gone)
        except RunUnknownError:
            known = tuple(r.id for r in rows)
            raise ReferenceUnknown(given=f"run {facts.run}", known=known) from None
        self._follow(choice, facts)
        self.tell_once(elsewhere.first_line(choice, facts, rows, now_us))

    def _follow(self, choice: Choice, facts: Facts) -> None:
        if choice.run is not None:
            self._load(choice.run.id)
            if choice.reason == "renamed":
                self.journal(Kind.RUN_RENAMED, {"notebook": facts.notebook})
            return
        self._load(self.ids.new())
        self.journal(
            Kind.RUN_OPENED,
            {
                "notebook": facts.notebook or DEFAULT_NOTEBOOK,
                "number": choice.number,
                "headless": not facts.interactive,
                "reason": choice.reason,
            },
        )

    def _load(self, run: str) -> None:
        self._history, self._cursor = History(run), START
        self._latest, self._losses = None, 0
        self.keeping = Keeping()
        self.ancestors = Ancestors()
        self._pending.clear()
        self.slots = Slots()

    def refresh(self) -> None:
        """Fold what was appended to the run since the last look."""
        with self.lock:
            losses = self._losses
            if losses:  # what is appended unseen may stand before what was seen
                self._history, self._cursor = History(self._history.run), START
                self._pending.clear()
            elif self._latest is not None:
                self._cursor = self._cursor.past((self._latest,))
            run = self.history.run
            self._losses += 1
            entries, self._cursor = self.store.read(run, self._cursor)
            if self._history.opened is None:
                self.ancestors.begin(self._history, entries, self.store)
            owner = self.store.owner
            seen = self._pending.seen
            own = {e.seq for e in entries if e.owner == owner and e.seq not in seen}
            self.history.apply(e for e in entries if e.owner != owner or e.seq in own)
            self._found |= own
            seen.clear()
            self.ancestors.follow(self._history, self.store)
            self._losses -= losses + 1

    def append(self, records: Sequence[Record], *, sync: bool) -> None:
        """Append records of the run; they are folded when somebody looks, or are many.

        An attempt matches its calls with what was there before it, so a call waits
        for no fold. If it is interrupted they may be in the journal all the same; the next
        `refresh` sees them.
        """
        try:
            assert self._store is not None, "enter() opens the store"
            entries = self._store.append(records, sync=sync)
            with self.lock:
                run = self._history.run  # a call of the run before may end in this one
                for entry in entries:
                    if entry.seq in self._found:  # a `refresh` was quicker
                        continue
                    self._pending.add(entry, run)
                    if self._latest is None or entry.seq > self._latest.seq:
                        self._latest = entry
                if self._pending.enough:
                    self._fold()
        except BaseException:
            self._losses += 1
            raise

    def journal(
        self,
        kind: str,
        fields: Mapping[str, Plain],
        *,
        subject: str = "",
        key: bytes = NO_KEY,
        sync: bool = True,
    ) -> None:
        """Append one fact about the run and fold it."""
        record = Record(
            kind=kind,
            run=self.history.run,
            subject=subject or self.history.run,
            key=key,
            at_us=self.clock.now_us(),
            fields=fields,
        )
        self.append((record,), sync=sync)

    def known(self) -> Mapping[str, str]:
        """Slots known to exist, with the digest of their present source."""
        return self.slots.sources

    def pure(self, request: CallRequest) -> CallPast | None:
        """A completed `pure` call of another run of the store with this key."""
        if not request.code or request.undigestible:
            return None
        entries = self.store.lookup((request.key,))
        return runs.pure_call(entries, request.code) if entries else None

    def overtake(self, slot: str, name: str) -> None:
        """A cell runs again: what its last execution left running makes no more calls.

        So no call can be made by both, and the new execution is served what the other
        one has finished, and waits for the call that it is in.
        """
        left = self.lingering.get(slot)
        if left is not None:
            running = left.overtake(f"{name} was run again")
            self.notify(goingon.overtaken(name, running))

    def end_lingering(self, why: str) -> None:
        """End the steps that go on after their cells: they make no more calls."""
        for left in list(self.lingering.values()):
            left.overtake(why)

    def branch(self, fields: Mapping[str, Plain]) -> int:
        """Go on in a new run that begins with another one's history; gives its number.

        Args:
            fields: Of its ``run.opened``: its notebook and its parent above all.
        """
        rows = (r for r in self.rows() if r.notebook == fields["notebook"])
        number = max((r.number for r in rows), default=0) + 1
        self._load(self.ids.new())
        self.journal(Kind.RUN_OPENED, {**fields, "number": number})
        self._losses += 1  # what it begins with stands before
        self._chosen = True
        self.refresh()
        return number

    def new_run(self, reason: str = "asked for") -> None:
        """Close the run; the next durable cell begins another one."""
        self.end_lingering("a new run was begun")
        if self.history.run and self.history.closed is None:
            self.journal(Kind.RUN_CLOSED, {"reason": reason})
        self._load("")
        self._chosen = False

    def close(self) -> None:
        """Close a headless run that has nothing unfinished, and the store."""
        if self._store is None:
            return
        starting.unwatch()
        with contextlib.suppress(Exception):
            for left in list(self.lingering.values()):
                left.close()
            self._close_finished()
        self._store.close()
        self._store = None
        atexit.unregister(self.close)

    def _close_finished(self) -> None:
        opened = self.history.opened
        headless = opened is not None and bool(opened.fields.get("headless"))
        if headless and self.history.closed is None:
            self.refresh()
            if runs.unfinished_step(self.history) is None:
                self.journal(Kind.RUN_CLOSED, {"reason": "finished"})
