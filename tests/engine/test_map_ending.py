"""A map that ends before its items do: what is under way is recorded, no more begins."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable

import pytest

from nbdurable.engine.fanout.failures import MapFailed
from nbdurable.engine.past import settle
from nbdurable.engine.past.history import CallState
from nbdurable_store.records import Kind
from tests.engine.clocks import HandClock
from tests.engine.notebooks import Notebook, World

LIMIT = 8
AHEAD = 8
"""What is begun before there is a thread for it, of a map with that limit."""

QUICK = 4 * LIMIT
"""Items that take no time, so that it is known that items are quick."""

SETUP = """
import asyncio
import nbdurable as nd

@tool(effect="write", not_done=Stopped)
def pay(n):
    world.act(n)
    return world(f"pay {n}")

@tool(effect="write", not_done=Stopped)
async def send(n):
    await world.act(n)
    return world(f"send {n}")
"""


class Stopped(BaseException):
    """Somebody has to decide first."""


class Acting(World):
    """Things happen there as a test says; it stays what it is."""

    act: Callable[[int], object]

    def __reduce__(self) -> tuple[object, ...]:
        """Its identity is that of a service."""
        return Acting, ()


class Scene(Notebook):
    """A notebook in that world."""

    world: Acting


@pytest.fixture
def notebook() -> Scene:
    """A notebook with tools whose functions do what a test says."""
    nb = Scene(world=Acting())
    nb.namespace["Stopped"] = Stopped
    nb.plain(SETUP)
    return nb


def pay(nb: Scene, act: Callable[[int], object], items: int) -> None:
    """A map of payments that do this before they pay."""
    nb.world.act = act
    nb.run(f"paid = nd.map(pay, range({items}), limit={LIMIT})", name="m")


def states(nb: Scene) -> dict[str, CallState]:
    """What the journal holds of each call."""
    return {c.text: c.state for c in nb.session.history.calls.values()}


def told_of(nb: Scene, item: str) -> threading.Event:
    """Set when a map goes on looking after it was recorded what an item raised."""
    told = threading.Event()

    def progress(_: str, __: str, last: bool, ___: float | None) -> None:
        if not last and states(nb).get(item) is CallState.RAISED:
            told.set()

    nb.session.parked.progress = progress
    return told


def most_open(nb: Scene) -> int:
    """How many calls had begun and not ended, where the journal has most of them."""
    entries, _ = nb.session.store.read(nb.session.run_id)
    kinds = [entry.record.kind for entry in entries]
    change = {Kind.CALL_STARTED: 1, Kind.CALL_COMPLETED: -1}
    return max(itertools.accumulate(change.get(kind, 0) for kind in kinds))


def begun(nb: Scene, number: int) -> bool:
    """Whether so many calls are in the journal, within some seconds."""
    never = threading.Event()
    looks = (len(states(nb)) >= number or never.wait(0.005) for _ in range(2000))
    return any(looks)


def test_a_pause_leaves_when_the_others_are_recorded(notebook: Scene) -> None:
    """Somebody has to decide about one item; what the others did is in the journal then."""
    told, together = told_of(notebook, "pay(3)"), threading.Barrier(LIMIT)

    def act(n: int) -> None:
        together.wait(60)
        if n == 3:
            raise Stopped
        assert told.wait(10)

    with pytest.raises(Stopped):
        pay(notebook, act, LIMIT)
    found = states(notebook)
    assert found.pop("pay(3)") is CallState.RAISED
    assert len(found) == LIMIT - 1
    assert set(found.values()) == {CallState.COMPLETED}


def test_a_pause_leaves_no_thread(notebook: Scene) -> None:
    """Nothing goes on behind the cell."""

    def act(n: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        pay(notebook, act, 40)
    left = [t.name for t in threading.enumerate() if t.name.startswith("nd.map")]
    assert left == []


def test_quick_items_are_begun_ahead(notebook: Scene) -> None:
    """After a kill those are asked about, too: no more than so many as run."""
    release = threading.Event()

    def act(n: int) -> None:
        if n == QUICK:
            assert begun(notebook, QUICK + LIMIT + AHEAD)
            release.set()
        assert n < QUICK or release.wait(60)

    pay(notebook, act, 80)
    assert most_open(notebook) == LIMIT + AHEAD


def test_slow_items_are_not_begun_ahead(notebook: Scene) -> None:
    """After a kill nobody is asked about an item that had no thread."""
    clock = HandClock()
    notebook.session.clock = clock
    begun, over = threading.Barrier(LIMIT), threading.Barrier(LIMIT)
    seen = []

    def act(_: int) -> None:
        if begun.wait(60) == 0:
            seen.append(len(states(notebook)))
            clock.passes(1)
        over.wait(60)

    pay(notebook, act, 4 * LIMIT)
    assert seen == [LIMIT, 2 * LIMIT, 3 * LIMIT, 4 * LIMIT]


def test_what_never_began_is_simply_called_later(notebook: Scene) -> None:
    """It was recorded as begun, and then that it was not: nobody is asked."""
    told = told_of(notebook, f"pay({QUICK + 3})")

    def act(n: int) -> None:
        if n == QUICK + 3:
            assert begun(notebook, QUICK + LIMIT + AHEAD)
            raise Stopped
        assert n < QUICK or told.wait(60)

    with pytest.raises(Stopped):
        pay(notebook, act, 80)
    assert len(states(notebook)) == QUICK + LIMIT + AHEAD
    assert settle.questions(notebook.session.history) == []
    pay(notebook, lambda _: None, 80)
    assert sorted(notebook.world.effects) == sorted(f"pay {n}" for n in range(80))


def test_an_interrupt_leaves_nothing_in_doubt(notebook: Scene) -> None:
    """What has begun ends behind the cell; what was only begun ahead never begins."""
    release = threading.Event()

    def items() -> object:
        yield from range(QUICK + LIMIT + AHEAD)
        assert begun(notebook, QUICK + LIMIT + AHEAD)
        raise KeyboardInterrupt

    notebook.world.act = lambda n: n < QUICK or release.wait(60)
    notebook.namespace["items"] = items
    with pytest.raises(KeyboardInterrupt):
        notebook.run(f"nd.map(pay, items(), limit={LIMIT})", name="m")
    release.set()
    for thread in threading.enumerate():
        if thread.name.startswith("nd.map"):
            thread.join(60)
    assert settle.questions(notebook.session.history) == []
    pay(notebook, lambda _: None, 80)
    assert sorted(notebook.world.effects) == sorted(f"pay {n}" for n in range(80))


@pytest.mark.timeout(60)
def test_what_is_tried_again_stops_nothing(notebook: Scene) -> None:
    """A failure after which the call is made once more is none of the map's."""
    notebook.plain(
        "tried = set()\n"
        "@tool(effect='read', retry=nd.Retry(wait=0.001, jitter=0))\n"
        "def search(n):\n"
        "    if n == 5 and n not in tried: tried.add(n); raise ValueError(n)\n"
        "    return n\n"
    )
    cell = "found = nd.map(search, range(40), limit=4, on_error='stop')"
    notebook.run(cell, name="m")
    assert notebook.namespace["found"] == list(range(40))


@pytest.mark.timeout(60)
def test_finding_that_nothing_happened_stops_nothing(notebook: Scene) -> None:
    """The call is made then, and the map goes on."""
    notebook.plain(
        "def ask(n): raise nd.NotDone\n"
        "@tool(effect='write', on_doubt=ask)\n"
        "def ship(n):\n"
        "    world.act(n)\n"
        "    return world(f'ship {n}')\n"
    )
    cell = "sent = nd.map(ship, range(40), limit=4, on_error='stop')"

    def act(n: int) -> None:
        if n == 5:
            raise OSError

    notebook.world.act = act
    with pytest.raises(MapFailed):
        notebook.run(cell, name="m")
    notebook.world.act = lambda _: None
    notebook.run(cell, name="m")
    assert sorted(notebook.world.effects) == sorted(f"ship {n}" for n in range(40))
    assert len(notebook.namespace["sent"]) == 40  # type: ignore[arg-type]


def test_a_pause_of_a_coroutine_leaves_when_the_others_are_recorded(
    notebook: Scene,
) -> None:
    """The same, awaited: those beside it are not cancelled."""
    count = itertools.count()
    told: asyncio.Event

    def progress(*_: object) -> None:
        if next(count) > 1:
            told.set()

    async def wait(n: int) -> None:
        """The first one stops; the others wait until the map has been told."""
        if n == 0:
            raise Stopped
        await told.wait()

    async def sent() -> None:
        """The map, with an event of its own loop."""
        nonlocal told
        told = asyncio.Event()
        await notebook.namespace["nd"].aio.map(  # type: ignore[attr-defined]
            notebook.namespace["send"], range(20), limit=4
        )

    notebook.session.parked.progress = progress
    notebook.world.act = wait
    notebook.namespace["sent"] = sent
    with pytest.raises(Stopped):
        notebook.run("asyncio.run(sent())", name="m")
    assert sorted(notebook.world.effects) == ["send 1", "send 2", "send 3"]
    assert settle.questions(notebook.session.history) == []
    assert list(states(notebook).values()).count(CallState.COMPLETED) == 3
