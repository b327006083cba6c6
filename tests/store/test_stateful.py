"""Random histories of several processes on one store, with the memory store as oracle.

Both stores get the same operations; after each, both must give the same answers. On
disk, processes are also killed in the middle of an append, and sealed away.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from nbdurable_store.protocol import START, Cursor
from nbdurable_store.records import Entry, Record
from tests.store.harness import LocalHarness, MemoryHarness

RUNS = st.sampled_from(["run", "another", "a/b", "\ud800"])
KEYS = st.sampled_from([b"", *(bytes([n]) * 32 for n in range(3))])
TEXT = st.text(st.characters(exclude_categories=[]), max_size=8)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=6,
)
VALUES = st.binary(max_size=40) | st.sampled_from([70_000, 65_536]).map(
    lambda n: b"L" * n
)


class Histories(RuleBasedStateMachine):
    """Several processes, each with a view of both stores."""

    processes = Bundle("processes")

    @initialize()
    def make(self) -> None:
        """Make both stores."""
        self.folder = Path(tempfile.mkdtemp(prefix="nbdurable-stateful-"))
        self.patch = pytest.MonkeyPatch()
        self.patch.setenv("JUPYTER_DATA_DIR", str(self.folder / "data"))
        self.memory = MemoryHarness()
        self.local = LocalHarness(self.folder / "s")
        self.names: dict[str, str] = {}
        self.living: list[tuple[object, object]] = []
        self.count = 0
        self.cursors: dict[int, tuple[Cursor, Cursor]] = {}

    def teardown(self) -> None:
        """Close what is open and remove the folder."""
        if hasattr(self, "local"):
            self.local.close()
            self.patch.undo()
            shutil.rmtree(self.folder)

    @rule(target=processes)
    def start(self):
        """One more process."""
        pair = (self.memory.open(), self.local.open())
        self.names[pair[1].owner] = pair[0].owner
        self.living.append(pair)
        return pair

    @rule(
        pair=processes,
        facts=st.fixed_dictionaries(
            {
                "run": RUNS,
                "key": KEYS,
                "fields": st.dictionaries(TEXT, PLAIN, max_size=3),
            }
        ),
        values=st.lists(VALUES, max_size=2),
        times=st.integers(1, 3),
        sync=st.booleans(),
    )
    def append(self, pair, *, facts, values, times, sync) -> None:
        """Append a few records; what comes back is alike."""
        if pair not in self.living:
            return
        made = []
        for store in pair:
            store.read(facts["run"])
            refs = tuple(store.put("raw", value) for value in values)
            records = [
                Record(
                    kind="call.completed" if values else "call.started",
                    subject=f"c{self.count + n}",
                    at_us=self.count,
                    blobs=refs,
                    **facts,
                )
                for n in range(times)
            ]
            made.append(store.append(records, sync=sync))
        self.count += times
        assert self._facts(made[1]) == _facts(made[0])

    @rule(pair=processes, run=RUNS)
    def read_on(self, pair, run) -> None:
        """What is new since the last look is alike, and isn't handed out again."""
        if pair not in self.living:
            return
        cursors = self.cursors.get((id(pair), run), (START, START))
        news = [s.read(run, c) for s, c in zip(pair, cursors, strict=True)]
        assert self._facts(news[1][0]) == _facts(news[0][0])
        self.cursors[id(pair), run] = (news[0][1], news[1][1])

    @rule(pair=processes, keys=st.lists(KEYS.filter(bool), max_size=2))
    def look_up(self, pair, keys) -> None:
        """Entries found by key are alike."""
        if pair in self.living:
            memory, local = (store.lookup(keys) for store in pair)
            assert self._facts(local) == _facts(memory)

    @rule(pair=processes)
    def scan(self, pair) -> None:
        """Entries found by kind are alike, and their values come back."""
        if pair in self.living:
            memory, local = (store.scan({"call.completed"})[0] for store in pair)
            assert self._facts(local) == _facts(memory)
            values = [
                [store.get(r) for e in entries for r in e.record.blobs]
                for store, entries in zip(pair, (memory, local), strict=True)
            ]
            assert values[0] == values[1]

    @rule(pair=processes, run=RUNS)
    def claim(self, pair, run) -> None:
        """A run is free or busy alike."""
        if pair in self.living:
            memory, local = (_claimed(store, run) for store in pair)
            assert memory == local

    @rule(pair=processes)
    def flush(self, pair) -> None:
        """Whatever a flush moves, nothing changes."""
        if pair in self.living:
            for store in pair:
                store.flush()

    @rule(pair=processes, torn=st.binary(max_size=200), orderly=st.booleans())
    def end(self, pair, torn, orderly) -> None:
        """A process ends: in order, or in the middle of an append."""
        if pair not in self.living:
            return
        self.living.remove(pair)
        memory, local = pair
        if orderly:
            memory.close()
            local.close()
            return
        self.memory.kill(memory)
        self.local.kill(local)
        self._tear(local, torn)

    def _tear(self, store, torn: bytes) -> None:
        """Leave bytes where the dead process would have appended next."""
        path = self.folder / "s" / "journal" / f"{store.owner}.seg"
        if path.exists():
            raw = path.read_bytes()[: store._writer._written.offset]
            path.write_bytes(raw + torn + bytes(1000))

    @invariant()
    def alike(self) -> None:
        """A fresh process reads the same from both, and finds nothing wrong."""
        if not self.living:
            return
        memory, local = self.living[-1]
        for run in ("run", "another"):
            facts = self._facts(local.read(run)[0])
            assert facts == _facts(memory.read(run)[0])
        assert {self.names[o.id]: o.alive for o in local.owners()} == {
            o.id: o.alive for o in memory.owners()
        }

    def _facts(self, entries: tuple[Entry, ...]) -> list[tuple[object, ...]]:
        return [(self.names[o], *rest) for o, *rest in _facts(entries)]


def _facts(entries: tuple[Entry, ...]) -> list[tuple[object, ...]]:
    return [
        (e.owner, e.seq, e.record.run, e.record.subject, e.record.key, e.record.fields)
        for e in entries
    ]


def _claimed(store, run: str) -> bool:
    from nbdurable_store.errors import RunBusy

    try:
        store.claim(run).release()
    except RunBusy:
        return False
    return True


Histories.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestHistories = pytest.mark.slow(Histories.TestCase)
