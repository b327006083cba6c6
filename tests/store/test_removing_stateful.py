"""Random histories of runs, values, removals and crashes; the oracle is a dict.

Whatever happened before: what is kept is read back and verified, a removed run is gone
for every reader, and in the end the folder holds what the kept runs name and no more.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

import nbdurable_store
from nbdurable_store import killpoints
from nbdurable_store.backends.clearing import RunInUse
from nbdurable_store.backends.local import LocalStore
from nbdurable_store.chunks import trees
from nbdurable_store.chunks.blobs import BlobFiles, Reading
from nbdurable_store.chunks.chunkfiles import directory
from nbdurable_store.errors import StoreUnwritable
from nbdurable_store.killpoints import STORE_POINTS
from nbdurable_store.records import BlobRef, Kind, Record
from tests.store.cleared import aged, holds, runs_of_rows, value, values, write
from tests.store.harness import LocalHarness

SHARED = [f"shared {n}" for n in range(3)]
POINTS = sorted(
    p
    for p in STORE_POINTS
    if p.startswith(("remove.", "collect.", "seal.", "rebuild."))
)


class Removals(RuleBasedStateMachine):
    """Several processes on one store from which runs are removed."""

    @initialize()
    def make(self) -> None:
        """Make the store."""
        self.folder = Path(tempfile.mkdtemp(prefix="nbdurable-removals-"))
        self.patch = pytest.MonkeyPatch()
        self.patch.setenv("JUPYTER_DATA_DIR", str(self.folder / "data"))
        self.root = self.folder / "s"
        self.harness = LocalHarness(self.root)
        self.kept: dict[str, list[bytes]] = {}
        self.gone: dict[str, list[bytes]] = {}
        self.living: dict[str, LocalStore] = {}
        self.works: dict[str, set[str]] = {}
        self.put: dict[str, list[tuple[BlobRef, bytes]]] = {}
        self.count = 0

    def teardown(self) -> None:
        """Close everything; then the folder holds what is kept, and no more."""
        if not hasattr(self, "harness"):
            return
        try:
            for store in self.living.values():
                store.close()
            self._ends()
        finally:
            killpoints.arm("")
            self.harness.close()
            self.patch.undo()
            shutil.rmtree(self.folder)

    # ---- what happens ------------------------------------------------------------------

    @rule()
    def start(self) -> None:
        """One more kernel; if it is the only one, long after the others."""
        if not self.living:
            aged(self.root)
        store = self.harness.open()
        self.living[store.owner] = store
        self.works[store.owner], self.put[store.owner] = set(), []

    @precondition(lambda self: self.living)
    @rule(data=st.data(), run=st.integers(0, 3), large=st.booleans())
    def work(self, data, run, large) -> None:
        """A kernel appends to a run: a value of its own, or one that others have too."""
        store = self._any(data)
        name = f"run-{run}-{len([r for r in self.gone if r.startswith(f'run-{run}-')])}"
        shared = data.draw(st.sampled_from([*SHARED, ""]))
        self.count += 1
        text = shared or f"own {self.count} of {name}"
        found = value(text, 200_000 if large or shared else 60)
        if large and shared:
            found += value(f"own {self.count} of {name}", 200_000)
        write(store, name, [found])
        self.kept.setdefault(name, []).append(found)
        self.works[store.owner].add(name)

    @precondition(lambda self: self.living)
    @rule(data=st.data(), shared=st.sampled_from([*SHARED, ""]))
    def keep_for_later(self, data, shared) -> None:
        """A kernel puts a value and names it later, or never."""
        store = self._any(data)
        self.count += 1
        found = value(shared or f"late {self.count}", 200_000)
        self.put[store.owner].append((store.put("raw", found), found))

    @precondition(lambda self: any(self.put.values()))
    @rule()
    def name_it(self) -> None:
        """A kernel names what it has put before."""
        owner = next(o for o, found in self.put.items() if found)
        ref, found = self.put[owner].pop(0)
        run = f"late-{owner}"
        record = Record(kind=Kind.CALL_COMPLETED, run=run, at_us=1, blobs=(ref,))
        self.living[owner].append([record], sync=True)
        self.kept.setdefault(run, []).append(found)
        self.works[owner].add(run)

    @precondition(lambda self: self.living)
    @rule(data=st.data(), orderly=st.booleans())
    def end(self, data, orderly) -> None:
        """A kernel ends, or is killed; what it has put and never named is nobody's."""
        store = self._any(data)
        del self.living[store.owner], self.works[store.owner], self.put[store.owner]
        if orderly:
            store.close()
        else:
            self.harness.kill(store)

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), point=st.sampled_from(["", "", *POINTS]))
    def remove(self, data, point) -> None:
        """Runs are removed, or the attempt is cut off at some moment."""
        runs = data.draw(st.sets(st.sampled_from(sorted(self.kept)), max_size=2))
        busy = any(run in works for run in runs for works in self.works.values())
        remover = self.harness.open()
        killpoints.arm(f"{point}=error:EIO" if point else "")
        try:
            nbdurable_store.remove(remover, sorted(runs))
        except RunInUse:
            assert busy
            runs = set()
        except StoreUnwritable:
            assert point
            killpoints.arm("")
            fresh = self.harness.open()
            runs = {run for run in runs if values(fresh, run) is None}
            fresh.close()
        else:
            assert not busy
        finally:
            killpoints.arm("")
            self.harness.kill(remover)
        self.gone |= {run: self.kept.pop(run) for run in runs}

    # ---- what must hold ----------------------------------------------------------------

    @invariant()
    def whole(self) -> None:
        """A fresh process reads every kept run whole, no removed one, and finds no fault."""
        if not hasattr(self, "root") or not self.kept | self.gone:
            return
        fresh = self.harness.open()
        assert {run: values(fresh, run) for run in self.kept} == self.kept
        assert all(values(fresh, run) is None for run in self.gone)
        assert fresh.check().findings == ()
        fresh.close()
        for store in self.living.values():
            assert {run: values(store, run) for run in self.kept} == self.kept

    def _any(self, data) -> LocalStore:
        return self.living[data.draw(st.sampled_from(sorted(self.living)))]

    def _ends(self) -> None:
        self.living = {}
        last = self.harness.open()
        assert nbdurable_store.remove(last).left == 0
        last.close()
        self.whole()
        assert runs_of_rows(self.root) == set(self.kept)
        assert list(self.root.glob("tmp/*")) == []
        needed = set[bytes]()
        with Reading(BlobFiles(self.root, "check"), None) as reading:
            for root in self._roots():
                trees.reached(root, reading.load, needed)
        held = [n for f in self.root.glob("blobs/*") for n, _ in directory(f)]
        assert sorted(held) == sorted(needed)
        still = {found for part in self.kept.values() for found in part}
        for found in (f for part in self.gone.values() for f in part):
            assert found in still or holds(self.root, found[-50:]) == []

    def _roots(self) -> set[bytes]:
        store = self.harness.open()
        entries = [e for run in self.kept for e in store.read(run)[0]]
        store.close()
        refs = [ref for entry in entries for ref in entry.record.blobs]
        return {ref.id for ref in refs if ref.place is None}


Removals.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestRemovals = pytest.mark.slow(Removals.TestCase)
