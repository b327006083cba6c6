"""A tool that was renamed, or that another one took the place of, after its writes."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking.forking import fork
from nbdurable.engine.calls.pauses import InsteadOrAlso, OtherInDoubt
from nbdurable.engine.past.forks import HappenedInParent
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.policy import Policy
from nbdurable.engine.past.renamings import Renamings
from nbdurable.engine.past.settle import Answer
from nbdurable.engine.past.wanted import Under, Wanted
from nbdurable.errors import AlreadyHappened
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_edits_signatures import opened, pays
from tests.engine.test_forks_edits import paid, tool_of

CELL = "r = [pay(x) for x in (1, 2)]"
RENAMED = CELL.replace("pay", "charge")

BOTH = pays() + pays(name="charge")

# ---- two tools of one code -----------------------------------------------------------


def test_two_tools_that_are_both_in_use_are_two() -> None:
    """Both are in use: a cell that calls the other one now just calls it."""
    nb = opened(BOTH)
    nb.run(CELL, "s", "c1")
    nb.run("pay(8)", "t", "c2")
    nb.run("charge(9)", "u", "c3")
    nb.run(RENAMED, "s", "c1")
    opened(BOTH, nb=nb)
    nb.run("r = charge(3)", "s", "c1")
    assert len(nb.world.effects) == 7


def test_a_copy_that_no_other_cell_calls_yet_asks() -> None:
    """The new name stands beside the old one while the cells go over to it."""
    nb = opened(pays())
    for name, cell in (("s", CELL), ("t", "pay(8)"), ("u", "pay(9)")):
        nb.run(cell, name, f"c-{name}")
    nb.plain(BOTH)
    for name, cell in (("s", RENAMED), ("u", "charge(9)")):
        with pytest.raises(AlreadyHappened):
            nb.run(cell, name, f"c-{name}")
        settle(nb, f"{name}.1", Answer.KEEP)
        nb.run(cell, name, f"c-{name}")
    assert len(nb.world.effects) == 4


def test_another_tool_of_the_same_cell_takes_no_ones_place() -> None:
    """Both stand there, with code of their own."""
    nb = opened(pays() + EDITS["body"])
    nb.run(CELL, "s", "c1")
    nb.run(RENAMED, "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 2", "charge 1", "charge 2"]


def test_what_stays_in_the_kernel_of_an_edited_cell_is_no_second_tool() -> None:
    """The cell that defined the old name defines the new one by now."""
    nb = opened(pays() + "\nother = 1")
    nb.run(CELL, "s", "c1")
    nb.plain(pays(name="charge") + "\nother = 1")
    with pytest.raises(AlreadyHappened):
        nb.run(RENAMED, "s", "c1")
    assert len(nb.world.effects) == 2


@pytest.mark.parametrize(
    "cells",
    [
        ("del pay", pays(name="charge")),
        ("charge = pay; del pay", pays(name="charge")),
        (pays(name="charge"), "del pay"),
    ],
    ids=["deleted first", "held meanwhile", "deleted last"],
)
def test_a_tool_that_was_deleted_is_gone(cells: tuple[str, str]) -> None:
    """Also where the kernel holds the old function still."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    old = nb.namespace["pay"]
    for cell in cells:
        nb.plain(cell)
    with pytest.raises(AlreadyHappened):
        nb.run(RENAMED, "s", "c1")
    assert callable(old)
    assert len(nb.world.effects) == 2


def test_a_deleted_tool_that_an_object_holds_is_no_old_name() -> None:
    """Nobody can look into it, and the cell may call it."""
    desk = (
        "import threading\nclass Desk:\n    def __init__(self):\n"
        "        self.lock = threading.Lock(); self.tools = [pay, charge]\ndesk = Desk()"
    )
    nb = opened(pays(), pays(name="charge"), desk, "del pay, charge")
    nb.run("r = desk.tools[0](1)", "s", "c1")
    nb.run("r = desk.tools[1](1)", "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 1"]


def test_the_code_of_an_old_name_is_known_of_no_call() -> None:
    """What the kernel knows of code doesn't grow with the calls, nor with the attempts."""
    nb = opened(pays())
    nb.run("r = [pay(x) for x in range(30)]", "s", "c1")
    nb.plain(pays(name="charge"))
    known = []
    for attempt in range(3):
        with pytest.raises(AlreadyHappened):
            nb.run(f"r = [charge(x) for x in range({30 + attempt})]", "s", "c1")
        known.append(len(nb.session.sources._facts))
    assert known[0] < 30
    assert known[2] == known[0]


# ---- renamed, and edited before it ran again -----------------------------------------

EDITS = {
    "body": pays(name="charge").replace('"pay', '"charge'),
    "parameters": pays("x, note='-', more=0", name="charge").replace('"pay', '"charge'),
    "renamed parameters": pays("amount, text='-'", name="charge").replace(
        '"pay', '"charge'
    ),
}


@pytest.mark.wide
@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 2), (Answer.AGAIN, 4)])
def test_a_tool_that_was_renamed_and_edited_asks(
    edit: str, kernel: str, said: Answer, payments: int
) -> None:
    """It may be the old one, or take its place: both are shown, and one answer is enough."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    if kernel == "next":
        opened(nb=nb)
    nb.plain(EDITS[edit])
    for _ in range(2):
        with pytest.raises(InsteadOrAlso) as asked:
            nb.run(RENAMED, "s", "c1")
    assert asked.value.fact() == (
        "charge(1) was not made: this cell has made pay(1) before."
    )
    assert len(nb.world.effects) == 2
    settle(nb, "s.1", said)
    name = "pay" if said is Answer.KEEP else "charge"
    for cell in (RENAMED, f"{RENAMED}\nmore = 1"):
        nb.run(cell, "s", "c1")
        assert nb.namespace["r"] == [f"{name} {x}#1" for x in (1, 2)]
        opened(EDITS[edit], nb=nb)
    assert len(nb.world.effects) == payments


def test_another_tool_with_other_arguments_is_just_called() -> None:
    """Nothing says that it stands for the one that is gone."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    opened(EDITS["body"], nb=nb)
    nb.run("r = charge(3)", "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 2", "charge 3"]


ORDERS = {
    "other names": ("c, d", "charge(2, 1)"),
    "one name is as it was": ("b, who", "charge(2, 1)"),
    "by name": ("b, who", "charge(who=1, b=2)"),
    "a default more": ("d, c, note='-'", "charge(2, 1)"),
}


@pytest.mark.wide
@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 1), (Answer.AGAIN, 2)])
def test_values_in_another_order_ask(
    said: Answer, payments: int, order: str, kernel: str
) -> None:
    """A renamed and edited tool may take its parameters in another order, too."""
    nb = opened("@tool\ndef pay(a, b): return world(f'pay {a} {b}')")
    nb.run("r = pay(1, 2)", "s", "c1")
    parameters, call = ORDERS[order]
    tool = f"@tool\ndef charge({parameters}): return world('charge')"
    if kernel == "next":
        opened(nb=nb)
    nb.plain(tool)
    for _ in range(2):
        with pytest.raises(InsteadOrAlso):
            nb.run(f"r = {call}", "s", "c1")
    assert nb.world.effects == ["pay 1 2"]
    settle(nb, "s.1", said)
    for cell in (f"r = {call}", f"r = {call}\nmore = 1"):
        nb.run(cell, "s", "c1")
    assert len(nb.world.effects) == payments


@pytest.mark.parametrize("call", ["charge(1, 3)", "charge(2, 2)", "charge(2)"])
def test_other_values_are_another_call(call: str) -> None:
    """One of them is another one, or there are more or less of them."""
    nb = opened("@tool\ndef pay(a, b): return world(f'pay {a} {b}')")
    nb.run("r = pay(1, 2)", "s", "c1")
    opened("@tool\ndef charge(c, d=0): return world('charge')", nb=nb)
    nb.run(f"r = {call}", "s", "c1")
    assert nb.world.effects == ["pay 1 2", "charge"]


def test_another_tool_beside_it_is_just_called() -> None:
    """The cell calls the first one still."""
    nb = opened(pays(), EDITS["body"])
    nb.run(CELL, "s", "c1")
    nb.run(f"q = charge(1)\n{CELL}", "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 2", "charge 1"]


SWEEP = "@tool\ndef sweep(): return world('sweep')\n"
CLOSE = "@tool\ndef close(note='-'): return world('close')\n"


@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize(("said", "made"), [(Answer.KEEP, 1), (Answer.AGAIN, 2)])
def test_what_was_done_without_arguments_asks(
    said: Answer, made: int, kernel: str
) -> None:
    """Its tool is gone, and another one stands in its place that is given nothing either."""
    nb = opened(SWEEP)
    nb.run("sweep()", "s", "c1")
    if kernel == "next":
        opened(nb=nb)
    nb.plain(CLOSE)
    for _ in range(2):
        with pytest.raises(InsteadOrAlso):
            nb.run("close()", "s", "c1")
    settle(nb, "s.1", said)
    for cell in ("close()", "close()\nmore = 1"):
        nb.run(cell, "s", "c1")
    assert len(nb.world.effects) == made


def test_what_is_done_without_arguments_beside_it_asks_nothing() -> None:
    """One cell defines both, or the cell calls the first one still."""
    nb = opened(SWEEP + CLOSE)
    nb.run("sweep()", "s", "c1")
    nb.run("close()", "s", "c1")
    nb.run("sweep()\nclose('of may')", "s", "c1")
    assert nb.world.effects == ["sweep", "close", "close"]


def test_what_is_given_something_is_not_what_was_given_nothing() -> None:
    """Nothing says that it stands for it."""
    nb = opened(SWEEP)
    nb.run("sweep()", "s", "c1")
    opened(CLOSE, nb=nb)
    nb.run("close('of may')", "s", "c1")
    assert nb.world.effects == ["sweep", "close"]


def test_the_code_of_a_tool_that_is_gone_is_looked_at_once() -> None:
    """A cell of thousands of calls may go over to another tool."""
    nb = opened(pays())
    nb.run("r = [pay(x) for x in range(50)]", "s", "c1")
    made = [*nb.session.history.calls.values()]
    asked: list[CallPast] = []

    def under(call: CallPast) -> Under:
        asked.append(call)
        return Under(b"", (made[0].code,))

    known = Renamings()
    for key in range(50):
        wanted = Wanted(bytes([key]), "charge", Policy(), "ff", under=under)
        assert [*known.of("pay", made, wanted)] == made
    assert len(asked) == 1


AGENT = """
@tool(effect="read")
def agent(x): return {name}(x)
"""


@pytest.mark.parametrize("edit", ["name", "body"])
def test_what_came_with_a_call_that_was_moved_asks_where_that_stands(edit: str) -> None:
    """A payment inside an agent's call goes where that goes, and is known there."""
    nb = opened(pays() + AGENT.format(name="pay"))
    nb.run("r = agent(1)\nq = agent(2)", "s", "c1")
    nb.run("q = agent(2)", "s", "c1")
    nb.run("r = agent(1)", "t", "c2")
    other = pays(name="charge")
    if edit == "body":
        other = other.replace("return", "x = x\n    return")
    nb.plain(other + AGENT.format(name="charge"))
    with pytest.raises((AlreadyHappened, InsteadOrAlso)):
        nb.run("r = agent(1)", "t", "c2")
    assert nb.world.effects == ["pay 1", "pay 2"]


# ---- in another cell of a fork -------------------------------------------------------


@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 2), (Answer.AGAIN, 3)])
def test_what_the_parent_paid_asks_in_another_cell_of_the_fork(
    kernel: str, said: Answer, payments: int
) -> None:
    """A cell may have another id there, and no name."""
    nb = paid()
    fork(nb.session, "t0")
    if kernel == "next":
        nb.restart()
    nb.plain(tool_of("charge"))
    kinds: list[type[BaseException]] = []
    for _ in range(3):
        try:
            nb.run("r = charge('bob')", "", "c9")
        except (HappenedInParent, AlreadyHappened) as told:
            kinds.append(type(told))
            settle(nb, told.reference, said)
    assert kinds[0] is HappenedInParent
    assert len(nb.world.effects) == payments


def test_a_doubt_of_the_parent_asks_in_another_cell_of_the_fork() -> None:
    """Under its new name, as it does under its own."""
    nb = paid(stops=True)
    fork(nb.session, "t0")
    nb.restart()
    nb.plain(tool_of("charge"))
    with pytest.raises(OtherInDoubt):
        nb.run("r = charge('bob')", "", "c9")
    assert nb.world.effects == ["pay ann", "pay bob"]


def test_a_tool_beside_the_one_that_the_parent_called_is_another_one() -> None:
    """One cell defines both."""
    nb = paid()
    fork(nb.session, "t0")
    nb.plain(tool_of() + tool_of("charge"))
    nb.run("r = charge('ann')", "", "c9")
    assert isinstance(nb, Notebook)
    assert nb.world.effects == ["pay ann", "pay bob", "pay ann"]
