"""The order of writes of a map's calls, which are appended and synced many at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from nbdurable.engine.fanout.failures import MapFailed
from nbdurable.engine.past import settle
from nbdurable.engine.past.nothing import NothingToSettle
from nbdurable_store.backends.memory import MemoryStore
from nbdurable_store.errors import StoreFull
from nbdurable_store.records import Entry, Kind, Record
from tests.engine.notebooks import Notebook, World
from tests.engine.test_calls import settle as answered

ITEMS = 200

SETUP = """
import nbdurable as nd

@tool(effect="write")
def pay(n):
    return world(f"pay({n})")

@tool(effect="read")
def look(n):
    return world(f"look({n})")
"""


class Disk(MemoryStore):
    """A store that knows which of its records would outlive a power cut."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[Record] = []
        self.synced = 0
        self.refuses: Callable[[Record], bool] = lambda _: False
        self.before_sync: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def append(self, records: Sequence[Record], *, sync: bool) -> tuple[Entry, ...]:
        """As ever; whatever was appended before a sync is synced by it."""
        if sync:
            self.before_sync()
        with self._lock:
            if any(map(self.refuses, records)):
                raise StoreFull(place="here")
            entries = super().append(records, sync=sync)
            self.written += records
            self.synced = len(self.written) if sync else self.synced
        return entries

    def begun(self, text: str, *, synced: bool) -> list[str]:
        """The ids of the calls with this text that began, as the disk holds them."""
        held = self.written[: self.synced] if synced else self.written
        begun = [r for r in held if r.kind == Kind.CALL_STARTED]
        return [r.subject for r in begun if r.fields["text"] == text]

    def completed(self) -> int:
        """How many calls have their outcome on the disk."""
        held = self.written[: self.synced]
        return sum(r.kind == Kind.CALL_COMPLETED for r in held)


class Watching(World):
    """Sees for each effect what stood in the journal when it happened."""

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self.disk = disk
        self.too_early: list[str] = []

    def __call__(self, effect: str) -> str:
        """A `write` has to be on the disk by now, a `read` in its file."""
        synced = effect.startswith("pay")
        if not self.disk.begun(effect, synced=synced):
            self.too_early.append(effect)
        return super().__call__(effect)


@pytest.fixture
def disk() -> Disk:
    """An empty disk."""
    return Disk()


@pytest.fixture
def notebook(disk: Disk) -> Notebook:
    """A notebook on that disk."""
    nb = Notebook(store=disk, world=Watching(disk))
    nb.namespace["disk"] = disk
    nb.plain(SETUP)
    return nb


@pytest.mark.parametrize("tool", ["pay", "look"])
def test_an_intent_stands_before_its_effect(notebook: Notebook, tool: str) -> None:
    """Of a `write` synced, of a `read` written; however many are under way."""
    notebook.run(f"nd.map({tool}, range({ITEMS}), limit=16)", name="m")
    assert isinstance(notebook.world, Watching)
    assert len(notebook.world.effects) == ITEMS
    assert notebook.world.too_early == []


@pytest.mark.parametrize("tool", ["pay", "look"])
def test_outcomes_are_synced_before_the_map_returns(
    notebook: Notebook, tool: str
) -> None:
    """Whoever has its results never pays for them again."""
    cell = f"nd.map({tool}, range({ITEMS}), limit=16)\nheld = disk.completed()"
    notebook.run(cell, name="m")
    assert notebook.namespace["held"] == ITEMS


def test_a_beginning_that_cannot_be_recorded_is_one_items(
    notebook: Notebook, disk: Disk
) -> None:
    """The others of the same append are made; that one is simply called later."""
    disk.refuses = lambda r: r.fields.get("text") == "pay(5)"
    cell = "paid = nd.map(pay, range(40), limit=8)"
    with pytest.raises(MapFailed, match="1 of 40 items of pay failed"):
        notebook.run(cell, name="m")
    assert "pay(5)" not in notebook.world.effects
    assert settle.questions(notebook.session.history) == []
    disk.refuses = lambda _: False
    notebook.run(cell, name="m")
    assert sorted(notebook.world.effects) == sorted(f"pay({n})" for n in range(40))


def test_an_outcome_that_cannot_be_recorded_is_one_items(
    notebook: Notebook, disk: Disk
) -> None:
    """The kernel still holds it: run again, it is recorded, and paid no second time."""

    def refuses(record: Record) -> bool:
        ended = record.kind == Kind.CALL_COMPLETED
        return ended and record.subject in disk.begun("pay(5)", synced=True)

    disk.refuses = refuses
    cell = "paid = nd.map(pay, range(40), limit=8)"
    with pytest.raises(MapFailed, match="1 of 40 items of pay failed"):
        notebook.run(cell, name="m")
    disk.refuses = lambda _: False
    notebook.run(cell, name="m")
    assert notebook.namespace["paid"] == [f"pay({n})#1" for n in range(40)]
    assert len(notebook.world.effects) == 40


def test_what_is_beginning_cannot_be_settled(notebook: Notebook, disk: Disk) -> None:
    """Its start is in the journal and not on the disk: it may still happen."""
    said = list[str]()

    def answer() -> None:
        disk.before_sync = lambda: None
        for asked in settle.questions(notebook.session.history):
            try:
                answered(notebook, asked.reference, settle.Answer.DID_NOT)
            except NothingToSettle:
                said.append(asked.call.text)

    notebook.namespace["answer"] = lambda: setattr(disk, "before_sync", answer)
    notebook.run("answer()\nnd.map(pay, range(3), limit=3)", name="m")
    assert said
    notebook.restart()
    notebook.plain(SETUP)
    notebook.run("nd.map(pay, range(3), limit=3)\nx = 1", name="m")
    assert len(notebook.world.effects) == 3


def test_an_outcome_is_held_until_it_is_recorded(
    notebook: Notebook, disk: Disk
) -> None:
    """Also where the disk is still full when the cell is run again."""
    disk.refuses = lambda record: record.kind == Kind.CALL_COMPLETED
    for _ in range(3):
        with pytest.raises(StoreFull):
            notebook.run("paid = pay(5)", name="m")
    disk.refuses = lambda _: False
    notebook.run("paid = pay(5)", name="m")
    assert notebook.namespace["paid"] == "pay(5)#1"
    assert notebook.world.effects == ["pay(5)"]
