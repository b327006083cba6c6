"""Code that catches «nothing happened» and tries again by itself, with equal arguments."""

from __future__ import annotations

import pytest

from nbdurable.engine.past.settle import Answer
from nbdurable.errors import AlreadyHappened, CallInDoubt, HappenedBeforeRerun, NotDone
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_policy_forms import _rerun

TOOL = """
@tool
def pay(x):
    world.turn += 1
    told = world.does.get(world.turn)
    if told is NotDone: raise NotDone("busy")
    done = world(f"pay {x}")
    if told: raise told
    return done
"""
LOOP = """
for _ in range(3):
    try:
        r = pay(1)
        break
    except NotDone: pass
"""
TWICE = "try: pay(1)\nexcept NotDone: pass\nr = pay(1)"


def opened(
    does: dict[int, type[BaseException]], nb: Notebook | None = None
) -> Notebook:
    """A kernel with a tool that at its n-th call raises what is told."""
    if nb is None:
        nb = Notebook()
    else:
        nb.restart()
    nb.world.turn, nb.world.does = 0, does  # type: ignore[attr-defined]  # outside: counts nowhere
    nb.namespace["NotDone"] = NotDone
    nb.plain(TOOL)
    return nb


@pytest.mark.parametrize("cell", [LOOP, TWICE], ids=["loop", "twice"])
def test_an_edited_cell_pays_nothing(cell: str) -> None:
    """The code sees again what it saw: that nothing happened, then the payment."""
    nb = opened({1: NotDone})
    nb.run(cell, "s", "c1")
    for edit in range(2):
        opened({}, nb)
        nb.run(f"{cell}\nmore = {edit}", "s", "c1")
        assert nb.world.effects == ["pay 1"]
        assert nb.namespace["r"] == "pay 1#1"


@pytest.mark.parametrize("more", ["", "\nmore = 1"], ids=["as it was", "edited"])
@pytest.mark.parametrize(
    ("said", "payments"), [(Answer.HAPPENED, 1), (Answer.DID_NOT, 2)]
)
def test_a_second_try_that_may_have_happened_asks(
    said: Answer, payments: int, more: str
) -> None:
    """What is made first in the next attempt is equal to it, and is not made unasked."""
    nb = opened({1: NotDone, 2: KeyboardInterrupt})
    with pytest.raises(KeyboardInterrupt):
        nb.run(LOOP, "s", "c1")
    opened({}, nb)
    with pytest.raises(CallInDoubt) as asked:
        nb.run(LOOP + more, "s", "c1")
    assert nb.world.effects == ["pay 1"]
    settle(nb, asked.value.reference, said, "in_1")
    nb.run(LOOP + more, "s", "c1")
    assert len(nb.world.effects) == payments
    assert nb.namespace["r"] == ("in_1" if said is Answer.HAPPENED else "pay 1#2")


@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 1), (Answer.AGAIN, 2)])
def test_a_rerun_asks_before_it_pays(said: Answer, payments: int) -> None:
    """About the payment; what did not happen is no question."""
    nb = opened({1: NotDone})
    nb.run(LOOP, "s", "c1")
    _rerun(nb)
    opened({}, nb)
    with pytest.raises(HappenedBeforeRerun) as asked:
        nb.run(LOOP, "s", "c1")
    assert nb.world.effects == ["pay 1"]
    settle(nb, asked.value.reference, said)
    nb.run(LOOP, "s", "c1")
    assert len(nb.world.effects) == payments


def test_what_ended_the_cell_is_tried_again() -> None:
    """Nothing happened, and no code went on from that."""
    nb = opened({1: NotDone})
    with pytest.raises(NotDone):
        nb.run("r = pay(1)", "s", "c1")
    opened({}, nb)
    nb.run("r = pay(1)", "s", "c1")
    assert nb.world.effects == ["pay 1"]


def test_an_edited_tool_is_tried_where_nothing_happened() -> None:
    """What was repaired may be why: there is nothing to be kept, so nothing is asked."""
    nb = opened({1: NotDone})
    nb.run("try: r = pay(1)\nexcept NotDone: r = 0", "s", "c1")
    opened({}, nb)
    nb.plain(TOOL.replace("return done", "return done.upper()"))
    nb.run("try: r = pay(1)\nexcept NotDone: r = 0", "s", "c1")
    assert nb.namespace["r"] == "PAY 1#1"


def test_an_edited_tool_asks_before_it_pays() -> None:
    """About the payment that followed, though what failed is equal to it."""
    nb = opened({1: NotDone})
    nb.run(LOOP, "s", "c1")
    opened({}, nb)
    nb.plain(TOOL.replace("return done", "return done.upper()"))
    with pytest.raises(AlreadyHappened):
        nb.run(LOOP, "s", "c1")
    assert nb.world.effects == ["pay 1"]


def test_a_rerun_tries_again_what_did_not_happen() -> None:
    """Without a question: there is nothing to be kept."""
    nb = opened({1: NotDone})
    nb.run("try: r = pay(1)\nexcept NotDone: r = 0", "s", "c1")
    _rerun(nb)
    opened({}, nb)
    nb.run("try: r = pay(1)\nexcept NotDone: r = 0", "s", "c1")
    assert nb.world.effects == ["pay 1"]
