"""Removing runs from a store in a folder, and what nobody needs any more.

Order of writes; ``docs/format.md`` §9 says what each step relies on:

1. DuckDB takes everything over, and the segments of dead owners are sealed.
2. `run.removed` of each run, synced. This is the commit: nobody tells them any more.
3. Sealed segments are written anew without their records.
4. ``store.duckdb`` is made anew, if it has rows of them.
5. Sealed segments without a record are removed.
6. Chunks that no record reaches are removed; see `gc`.

Dying before 2 leaves everything; dying later leaves runs that are gone for every reader,
and work that the next one finishes. Nothing is deleted before 2.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from nbdurable_store import files
from nbdurable_store.backends.duckdb import Away, Unusable
from nbdurable_store.backends.projection import Projection
from nbdurable_store.chunks.blobs import BlobFiles
from nbdurable_store.chunks.gc import Collector, StoreInUse
from nbdurable_store.clock import Clock
from nbdurable_store.errors import DurableError
from nbdurable_store.folder.survey import Survey, Usage, folder_bytes
from nbdurable_store.form import Remedy
from nbdurable_store.journal.erasing import Plan, erase
from nbdurable_store.journal.sealed import SealedFile
from nbdurable_store.journal.sealing import Sealer
from nbdurable_store.journal.segments import listing
from nbdurable_store.journal.sources import Sources
from nbdurable_store.keys import Signer
from nbdurable_store.killpoints import reach
from nbdurable_store.protocol import Lease, Removed
from nbdurable_store.records import Entry, Kind, Record
from nbdurable_store.sharing.gates import TIDY, Gate

TIDY_WAIT_S = 10.0
"""Sealing takes less than that; another removal may not."""


@dataclass(kw_only=True, eq=False)
class RunInUse(DurableError):
    """A run that can't be removed, because a living process has a part in it.

    Attributes:
        run: Id of the run.
        pid: The process.
    """

    slug: ClassVar[str] = "run-in-use"
    run: str
    pid: int

    def fact(self) -> str:
        """Say who is in the way."""
        return f"process {self.pid} works in run {self.run}, or did since it started."

    def detail(self) -> str:
        """Say what was not done."""
        return "The journal of a living process is never changed. Nothing was removed."

    def remedies(self) -> tuple[Remedy, ...]:
        """Stop it first."""
        again = f"!nbdurable rm {self.run}"
        return (Remedy("stop that kernel, then", again),)


@dataclass(kw_only=True)
class Clearing:
    """One look at what a store holds, or one removal.

    Attributes:
        root: The store's folder.
        journal: Its folder of segments.
        signer: Checks and signs.
        sources: Says who lives.
        projection: The copy in DuckDB.
        sealer: Seals what dead owners left.
        claim: Takes the right to execute in a run.
        append: Appends to the journal of this process, synced.
        settle: Has DuckDB take over what there is.
        clock: The machine's clock, or a test's.
    """

    root: Path
    journal: Path
    signer: Signer
    sources: Sources
    projection: Projection
    sealer: Sealer
    claim: Callable[[str], Lease]
    append: Callable[[Sequence[Record]], object]
    settle: Callable[[], None]
    clock: Clock
    _blobs: BlobFiles = field(init=False)

    def __post_init__(self) -> None:
        # Its own view of the files: what this process remembers is not asked.
        self._blobs = BlobFiles(self.root, self.sealer.owner)

    def usage(self, giving_up: Collection[str] = ()) -> Usage:
        """What takes how much room, now; not while somebody removes."""
        try:
            with self._gate().passed(TIDY_WAIT_S, shared=True) as passed:
                if not passed:
                    raise self._in_use("removes or seals something")
                return self._look(giving_up)
        except OSError as e:
            raise files.told(self.root, e) from e

    def _look(self, giving_up: Collection[str]) -> Usage:
        where = self.root, self.journal
        survey = Survey(*where, self.signer, self._blobs, self._held)
        return survey.look(tuple(giving_up))

    def _held(self) -> Sequence[Entry]:
        """What DuckDB holds: a record that a damaged segment lost is served from there."""
        try:
            self.projection.ends()
        except Away as e:
            raise self._in_use(f"has store.duckdb open, which {e.why}") from e
        except Unusable:  # it is made anew from the segments, by whoever reads next
            return ()
        return self.projection.of_kinds(frozenset(Kind), {}).entries

    def _gate(self) -> Gate:
        return Gate(self.root / TIDY, self.clock)

    def remove(self, runs: Collection[str]) -> Removed:
        """Remove runs, and what nobody needs."""
        try:
            with self._gate().passed(TIDY_WAIT_S) as alone:
                if not alone:
                    raise self._in_use("removes or seals something")
                return self._remove(tuple(dict.fromkeys(runs)))
        except OSError as e:
            raise files.told(self.root, e) from e

    def _remove(self, runs: tuple[str, ...]) -> Removed:
        self.settle()
        self._seal()
        before = self._bytes()
        owner = self.sealer.owner
        collector = Collector(self.root, self._blobs, self.sources, owner, self.clock)
        collector.begin()
        with contextlib.ExitStack() as stack:
            for run in runs:
                stack.callback(self.claim(run).release)
            usage = self._look(runs)
            self._must_be_free(usage, runs)
            self._say(usage, runs)
        gone = {run: usage.runs[run] for run in runs if run in usage.runs}
        gone |= usage.removed
        owners = {owner for part in gone.values() for owner in part.owners}
        self._erase(owners - usage.damaged.keys(), gone)
        if gone and not usage.damaged:  # made anew, it would lose what it alone holds
            self._renew(gone)
        self._unlink(usage.damaged)
        kept = (part for run, part in usage.runs.items() if run not in gone)
        collector.collect(set[bytes]().union(*(part.chunks for part in kept)))
        self.sealer.sweep(self.clock)
        freed = before - self._bytes()
        begun = (run for run, part in usage.removed.items() if part.records)
        return Removed(runs=(*runs, *begun), freed=freed, left=collector.left)

    def _bytes(self) -> int:
        """What the folder takes; of its own segment, whose room is reserved, nothing."""
        own = listing(self.journal).plain.get(self.sealer.owner)
        return folder_bytes(self.root) - (own.stat().st_size if own else 0)

    def _seal(self) -> None:
        with contextlib.suppress(Away, Unusable):
            self.sealer.seal(self.projection.ends())

    def _must_be_free(self, usage: Usage, runs: Collection[str]) -> None:
        living = {o.id: o.pid for o in self.sources.owners() if o.alive}
        for run in runs:
            for owner in usage.runs[run].owners if run in usage.runs else ():
                if owner in living:
                    raise RunInUse(run=run, pid=living[owner])

    def _say(self, usage: Usage, runs: Collection[str]) -> None:
        said = [
            Record(
                kind=Kind.RUN_REMOVED,
                run=run,
                subject=run,
                at_us=self.clock.now_us(),
                fields={"records": usage.runs[run].records, "by": "person"},
            )
            for run in runs
            if run in usage.runs
        ]
        if said:
            self.append(said)
        reach("remove.said")

    def _erase(self, owners: Collection[str], runs: Collection[str]) -> None:
        plain, sealed = listing(self.journal)
        for owner in sorted(owners):
            if owner in plain:
                # Of a process that lives and met the run before it was removed, or of
                # one that died just now: for the next time.
                continue
            temp = self._blobs.temp()
            erase(sealed[owner], owner, runs, temp, self.signer)
        reach("remove.erased")

    def _renew(self, runs: Collection[str]) -> None:
        try:
            self.projection.renew(runs)
        except Away as e:
            raise self._in_use(f"has store.duckdb open, which {e.why}") from e
        reach("remove.renewed")

    def _unlink(self, damaged: Container[str]) -> None:
        """Remove sealed segments in which nothing is left, and nothing is damaged."""
        removed = False
        for owner, path in self._without_records(damaged):
            path.unlink()
            removed = removed or bool(owner)
        if removed:
            files.sync_folder(self.journal)
        reach("remove.unlinked")

    def _without_records(self, damaged: Container[str]) -> Iterator[tuple[str, Path]]:
        plain, sealed = listing(self.journal)
        for owner, path in sorted(sealed.items()):
            if owner in plain or owner in damaged:
                continue
            source = SealedFile(path, owner, self.signer)
            try:
                plan = Plan(source, self.signer.chain(owner), ())
            finally:
                source.close()
            if not plan.keeps:
                yield owner, path

    def _in_use(self, doing: str) -> StoreInUse:
        return StoreInUse(place=str(self.root), doing=doing)
