"""Undo: a step's writes are taken back, latest first, each once."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking.commands import new, rerun
from nbdurable.engine.asking.undoing import NotUndoable, Undone, meant, undo
from nbdurable.errors import CallInDoubt, ToolRefused
from nbdurable.timeline import history_of
from nbdurable_store.backends.memory import MemoryStore
from nbdurable_store.backends.memory import World as MemoryWorld
from nbdurable_store.clock import SystemClock
from nbdurable_store.errors import RunBusy
from tests.engine.notebooks import HIDDEN, Notebook

SETUP = """
@tool(effect="read")
def price(n):
    return 10 * n

def cancel(result, who):
    stop(who)
    return world(f"cancel {result} of {who}")

@tool(undo=cancel)
def book(who, nights):
    return world(f"book {who} {nights}")

@tool
def mail(who):
    return world(f"mail {who}")
"""

CELL = 'a = book("ann", price(1))\nb = book("bob", nights=2)\nm = mail("ann")'


@pytest.fixture
def notebook() -> Notebook:
    """A notebook in which two rooms were booked and a mail was sent."""
    nb = Notebook()
    begun(nb)
    nb.run(CELL, name="trip")
    nb.world.effects.clear()
    return nb


def begun(nb: Notebook) -> None:
    """The tools, in a kernel where nothing stops an undo."""
    nb.namespace["stop"] = lambda _: None
    nb.plain(SETUP)


def undone(nb: Notebook, name: str = "trip") -> Undone:
    """What `%durable undo` does."""
    step = meant(nb.session.attend(nb.facts, "undo"), name)
    return undo(nb.session, step, nb.namespace, nb.facts, HIDDEN)


def test_writes_are_undone_latest_first(notebook: Notebook) -> None:
    """Each with its result and the arguments that its undo names."""
    told = str(undone(notebook))
    assert notebook.world.effects == [
        "cancel book bob 2#1 of bob",
        "cancel book ann 10#1 of ann",
    ]
    assert told == (
        "trip · undone: book('bob', nights=2), book('ann', 10)"
        " · not undone: mail('ann') (its tool has no undo=)"
        " · its cell does them anew when it runs again"
    )


def test_nothing_is_undone_twice(notebook: Notebook) -> None:
    """In this kernel and in the next one."""
    undone(notebook)
    notebook.restart()
    begun(notebook)
    told = str(undone(notebook))
    assert len(notebook.world.effects) == 2
    assert told.startswith("trip · nothing to undo")


def test_what_was_undone_is_done_anew(notebook: Notebook) -> None:
    """The cell runs again, and does what was undone, and nothing else."""
    undone(notebook)
    notebook.world.effects.clear()
    notebook.run(CELL, name="trip")
    assert notebook.world.effects == ["book ann 10", "book bob 2"]
    notebook.world.effects.clear()
    notebook.run(CELL, name="trip")
    assert notebook.world.effects == []
    undone(notebook)
    assert len(notebook.world.effects) == 2


def test_the_cell_says_that_it_was_undone(notebook: Notebook) -> None:
    """That is why it runs again."""
    undone(notebook)
    assert "ran again because you undid book" in notebook.run(CELL, name="trip")


def test_the_last_step_is_never_an_undo(notebook: Notebook) -> None:
    """Undoing twice finds the same step, of which nothing is left to undo."""
    undone(notebook)
    assert meant(notebook.session.history, "").name == "trip"
    assert undone(notebook, "").undone == ()


def test_writes_before_a_stop_are_undone(notebook: Notebook) -> None:
    """An attempt that stopped early has not come to what the one before it did."""
    with pytest.raises(ZeroDivisionError):
        notebook.run(f"1 / 0\n{CELL}", name="trip")
    assert undone(notebook).undone == ("book('bob', nights=2)", "book('ann', 10)")
    assert undone(notebook).undone == ()


@pytest.mark.slow
def test_an_interrupted_undo_goes_on(notebook: Notebook) -> None:
    """What was undone stays so; what may have been is asked about."""

    def stop(who: str) -> None:
        if who == "ann":
            raise KeyboardInterrupt

    notebook.namespace["stop"] = stop
    with pytest.raises(KeyboardInterrupt):
        undone(notebook)
    notebook.restart()
    begun(notebook)
    with pytest.raises(CallInDoubt, match="ann"):
        undone(notebook)
    assert notebook.world.effects == ["cancel book bob 2#1 of bob"]


def test_what_may_have_happened_is_left(notebook: Notebook) -> None:
    """A write in doubt is settled first; it is named."""
    notebook.plain("@tool(undo=cancel)\ndef ship(who):\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        notebook.run('ship("ann")', name="goods")
    assert "ship('ann') (it may have happened: settle it first)" in str(
        undone(notebook, "goods")
    )


def test_an_undo_that_asks_for_too_much(notebook: Notebook) -> None:
    """An argument that the call didn't have is named; nothing is undone."""
    notebook.plain(
        "@tool(undo=lambda result, hotel: world('no'))\n"
        "def rent(who):\n    return world(f'rent {who}')\n"
    )
    notebook.run('rent("ann")', name="car")
    notebook.world.effects.clear()
    with pytest.raises(NotUndoable, match="it had no hotel="):
        undone(notebook, "car")
    assert notebook.world.effects == []


@pytest.mark.parametrize("given", ["'cancel'", "later"])
def test_an_undo_is_a_plain_function(notebook: Notebook, given: str) -> None:
    """Anything else is refused where the tool is made."""
    notebook.plain("async def later(result): ...")
    with pytest.raises(ToolRefused, match="undo= takes a function"):
        notebook.plain(f"@tool(undo={given})\ndef f(): ...")


@pytest.mark.parametrize("closed", [False, True])
def test_an_undo_stands_in_the_run_that_it_undid(*, closed: bool) -> None:
    """Without cell ids too, where a new kernel begins a run of its own else."""
    world = MemoryWorld()
    nb = Notebook(store=MemoryStore(world), interactive=False)
    begun(nb)
    nb.run(CELL, name="trip")
    run = nb.session.history.run
    if closed:
        nb.session.close()
    nb.store = MemoryStore(world)
    nb.restart()
    begun(nb)
    assert len(undone(nb).undone) == 2
    calls = history_of(nb.store, run).calls.values()
    assert sorted(c.name for c in calls if c.resolved == "undone") == ["book", "book"]
    assert undone(nb).undone == ()
    nb.run(CELL, name="trip")
    assert (nb.session.history.run == run) is not closed


def test_a_new_run_counts_what_was_not_undone(notebook: Notebook) -> None:
    """Neither what was taken back nor its undo is a write that can happen again."""
    undone(notebook)
    assert str(rerun(notebook.session, meant(notebook.session.history, ""))) == (
        "trip · begins afresh when you run its cell again"
        " · 1 write that already happened: you are asked first"
    )
    assert "1 write of the old run can happen again" in str(new(notebook.session))


class Hasty(SystemClock):
    """A clock by which nobody waits."""

    def sleep(self, _: float) -> None:
        """It is over."""


def test_an_undo_that_cannot_begin_leaves_the_closed_run() -> None:
    """Another kernel is in the closed run: the next cell begins a run of its own."""
    world = MemoryWorld()
    nb = Notebook(store=MemoryStore(world))
    begun(nb)
    nb.run('b = book("bob", 1)', name="trip")
    new(nb.session)
    nb.restart()
    begun(nb)
    nb.session.clock = Hasty()
    closed = nb.session.attend(nb.facts, "%durable undo")
    lease = MemoryStore(world).claim(closed.run)
    with pytest.raises(RunBusy):
        undo(nb.session, meant(closed, "trip"), nb.namespace, nb.facts, HIDDEN)
    lease.release()
    nb.run('b = book("bob", 1)', name="trip")
    assert nb.session.history.run != closed.run
    assert nb.world.effects == ["book bob 1", "book bob 1"]
