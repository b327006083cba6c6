"""A fork from before a cell whose payments have fresh arguments."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking import commands
from nbdurable.engine.asking.forking import fork
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import HappenedBeforeRerun
from nbdurable_store.backends.memory import MemoryStore, World
from tests.engine.test_calls import settle
from tests.engine.test_fresh_arguments import TWO, Fresh, asks


def forked(cell: str = TWO, *, stops: bool = False) -> Fresh:
    """A run that paid with fresh keys, and a fork of it from before that."""
    nb = Fresh()
    nb.again("begun = 1", "begin")
    if stops:
        nb.stop("end")
        with pytest.raises(ZeroDivisionError):
            nb.again(cell)
    else:
        nb.again(cell)
    fork(nb.session, "begin")
    nb.restart()
    return nb


@pytest.mark.parametrize("stops", [False, True])
def test_what_the_parent_paid_with_another_key_asks(stops: bool) -> None:
    """It is shown with the new one, and none is made, however often the cell runs."""
    nb = forked(stops=stops)
    for key in "cd":
        told = asks(nb)
        assert f"pay(1, key='{key}') was not made" in told
        assert "an earlier attempt of s, in run 1, made pay(1, key='a')" in told
        nb.restart()
    assert nb.paid == ["pay 1", "pay 2"]


def test_one_answer_takes_all() -> None:
    """«The same» holds for each payment of the cell, also after it stops here."""
    nb = forked()
    asks(nb)
    settle(nb, "s.1", Answer.KEEP)
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(TWO)
    for _ in range(2):
        nb.restart()
        nb.again(TWO)
        assert (nb.namespace["a"], nb.namespace["b"]) == ("pay 1#1 a", "pay 2#1 b")
    assert nb.paid == ["pay 1", "pay 2"]


def test_others_are_made_as_well() -> None:
    """«Another one» holds for all that the parent paid there."""
    nb = forked()
    asks(nb)
    settle(nb, "s.1", Answer.AGAIN)
    for _ in range(2):
        nb.again(TWO)
        nb.restart()
    assert nb.paid == ["pay 1", "pay 2", "pay 1", "pay 2"]


def test_what_is_paid_in_the_fork_since_asks_for_itself() -> None:
    """The fork's own attempt stopped: what that one paid is asked about."""
    nb = forked()
    asks(nb)
    settle(nb, "s.1", Answer.AGAIN)
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(TWO)
    assert "an earlier attempt of s made pay(1, key='d')" in asks(nb)


def test_what_the_parent_paid_last_is_taken_first() -> None:
    """It was told twice to pay anew: the latest payments are those that count."""
    nb = Fresh()
    nb.again("begun = 1", "begin")
    nb.again(TWO)
    step = nb.session.history.named("s")
    assert step is not None
    commands.rerun(nb.session, step)
    asks(nb, TWO, HappenedBeforeRerun)
    settle(nb, "s.1", Answer.AGAIN)
    nb.again(TWO)
    assert len(nb.paid) == 4
    fork(nb.session, "begin")
    assert "made pay(1, key='d')" in asks(nb)


def test_a_cell_that_was_edited_in_the_fork_pays_what_it_says() -> None:
    """Other source: it is another cell in this respect, as in the run itself."""
    nb = forked()
    nb.again(f"{TWO}\nmore = 1")
    assert len(nb.paid) == 4


def test_what_the_parent_pays_meanwhile_asks() -> None:
    """Another kernel goes on in it, while a cell of the fork runs."""
    world = World()
    first = Fresh(store=MemoryStore(world))
    second = Fresh(store=MemoryStore(world), world=first.world)
    second.stops.keys = iter("xyz")
    for nb in (first, second):
        nb.again("begun = 1", "begin")
    fork(first.session, "begin")
    cell = "meanwhile()\nr = pay(1, key=fresh())"
    second.namespace["meanwhile"] = lambda: None
    first.namespace["meanwhile"] = lambda: second.again(cell)
    assert "in run 1, made pay(1, key='x')" in asks(first, cell)
    assert first.paid == ["pay 1"]
