"""Calls inside calls, and calls that belong to everybody: whose they are after edits."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking import commands
from nbdurable.errors import CallInDoubt
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import TOOLS, restarted

OUTER = "@tool(effect='read')\ndef outer(x): return [write(x), write(x + 1)]"


@pytest.fixture
def nb() -> Notebook:
    """A notebook with a tool of each effect, and one that calls them."""
    notebook = Notebook()
    notebook.plain(TOOLS)
    notebook.plain(OUTER)
    return notebook


def test_what_a_served_call_made_inside_is_nobody_elses(nb: Notebook) -> None:
    """Another cell that makes an inner call itself pays for it."""
    nb.run("a = outer(1)", "", "c1")
    nb.run("a = outer(1)\nb = 1", "", "c1")
    nb.run("z = write(1)", "", "c2")
    assert nb.world.effects == ["write 1", "write 2", "write 1"]


@pytest.mark.parametrize(
    "edited", ["a = outer(1)\nb = write(1)", "b = write(1)\na = outer(1)"]
)
def test_a_call_beside_the_one_that_makes_it_too_is_another_call(
    nb: Notebook, edited: str
) -> None:
    """A call inserted beside an outer one happens beside its inner one."""
    nb.run("a = outer(1)", "s", "c1")
    nb.run(edited, "s", "c1")
    assert sorted(nb.world.effects) == ["write 1", "write 1", "write 2"]


def test_a_call_that_moved_inside_another_one_stays_there(nb: Notebook) -> None:
    """Once an outer call was served a call of the cell, a second outer one pays."""
    nb.run("a = write(1)", "s", "c1")
    nb.run("a = outer(1)", "s", "c1")
    nb.run("a = outer(1)\nb = outer(1)", "s", "c1")
    assert sorted(nb.world.effects) == ["write 1", "write 1", "write 2", "write 2"]


def test_a_call_that_moved_out_of_another_one_is_still_served_with_it(
    nb: Notebook,
) -> None:
    """An outer call that is served whole takes along what it once made inside."""
    nb.run("a = outer(1)", "s", "c1")
    nb.run("a = write(1)", "s", "c1")
    nb.run("a = outer(1)\nb = outer(1)", "s", "c1")
    assert sorted(nb.world.effects) == ["write 1", "write 1", "write 2", "write 2"]


def test_an_outer_call_may_be_replaced_by_its_inner_ones(nb: Notebook) -> None:
    """Who takes a tool apart pays nothing, and from then on the parts are the cell's."""
    nb.run("a = outer(1)", "", "c1")
    nb.run("a = [write(1), write(2)]", "", "c1")
    assert nb.world.effects == ["write 1", "write 2"]
    nb.run("z = write(1)", "", "c2")
    assert nb.world.effects == ["write 1", "write 2", "write 1"]


def test_cells_with_one_pure_call_both_replay(nb: Notebook) -> None:
    """A pure call belongs to everybody: a copy of its cell takes nothing away."""
    nb.run("world('one'); a = pure(1)", "one", "c1")
    nb.run("world('two'); a = pure(1)", "two", "c2")
    nb.run("world('one'); a = pure(1)", "one", "c1")
    nb.run("world('two'); a = pure(1)", "two", "c2")
    assert nb.world.effects == ["one", "pure 1", "two"]


def test_a_step_with_a_pure_call_of_another_run_replays(nb: Notebook) -> None:
    """It was served from elsewhere once, and is this step's from then on."""
    nb.run("a = pure(1)", "s", "c1")
    commands.new(nb.session)
    restarted(nb)
    assert "1 call replayed" in nb.run("world('body'); a = pure(1)", "s", "c1")
    assert "nothing ran" in nb.run("world('body'); a = pure(1)", "s", "c1")
    assert nb.world.effects == ["pure 1", "body"]


FAILING = "@tool{}\ndef pay(x):\n    world('pay')\n    raise ValueError('no')"


def test_a_served_exception_that_ends_the_cell_is_asked_again(nb: Notebook) -> None:
    """Without its `except` the cell fails once from the journal, not for ever."""
    nb.plain(FAILING.format("(effect='read')"))
    nb.run("try: pay(1)\nexcept ValueError: pass", "s", "c1")
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            nb.run("pay(1)", "s", "c1")
    assert nb.world.effects == ["pay", "pay"]


def test_a_served_exception_of_a_write_that_ends_the_cell_asks(nb: Notebook) -> None:
    """It was no outcome that the code went on from, after all."""
    nb.plain(FAILING.format(""))
    nb.run("try: pay(1)\nexcept ValueError: pass", "s", "c1")
    with pytest.raises(ValueError, match="no"):
        nb.run("pay(1)", "s", "c1")
    with pytest.raises(CallInDoubt, match="It raised ValueError"):
        nb.run("pay(1)", "s", "c1")
    assert nb.world.effects == ["pay"]
