"""A tool that was edited, and its calls were moved to another cell: they are asked about."""

from __future__ import annotations

import pytest

from nbdurable.engine.calls.pauses import OtherInDoubt
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import AlreadyHappened, HappenedElsewhere
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_edits_signatures import DOUBT, EDITS, in_doubt, opened, pays

CELL = "r = [pay(x) for x in (1, 2)]"
ALL = {**EDITS, "function": pays(name="charge")}


def moved(nb: Notebook, edit: str, *, how: str) -> str:
    """Move the calls of a cell to another one, and edit the tool; gives the new cell."""
    nb.run(CELL, "s", "c1")
    if how != "same":
        opened(nb=nb)
    nb.plain(ALL[edit])
    if how in {"same", "emptied"}:
        nb.run("x = 1", "s", "c1")
    return CELL.replace("pay", "charge" if edit == "function" else "pay")


@pytest.mark.parametrize("how", ["same", "emptied", "unknown"])
@pytest.mark.parametrize("edit", ALL)
@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 2), (Answer.AGAIN, 4)])
def test_calls_that_moved_ask_once(
    edit: str, how: str, said: Answer, payments: int
) -> None:
    """The cell that they stand in by now asks, and one answer holds for all of them."""
    nb = opened(pays())
    cell = moved(nb, edit, how=how)
    for _ in range(2):
        with pytest.raises((AlreadyHappened, HappenedElsewhere)) as asked:
            nb.run(cell, "t", "c2")
    assert "pay(1)" in str(asked.value)
    assert len(nb.world.effects) == 2
    settle(nb, "t.1", said)
    for more in ("", "\nmore = 1"):
        nb.run(cell + more, "t", "c2")
        assert nb.namespace["r"] == [f"pay {x}#{payments // 2}" for x in (1, 2)]
        opened(ALL[edit], nb=nb)
    assert len(nb.world.effects) == payments


def test_a_cell_that_keeps_its_calls_keeps_them_to_itself() -> None:
    """Another one with the same calls makes its own, as it does with an unedited tool."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    nb.plain(EDITS["added"])
    nb.run(CELL, "t", "c2")
    assert len(nb.world.effects) == 4


def test_a_second_tool_of_the_same_code_asks_nothing_in_another_cell() -> None:
    """The next kernel has both, whether or not the first one's cell has run yet."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    opened(pays(), pays(name="charge"), nb=nb)
    nb.run(CELL.replace("pay", "charge"), "t", "c2")
    assert len(nb.world.effects) == 4


@pytest.mark.parametrize("edit", ["added", "function"])
def test_one_result_is_one_calls(edit: str) -> None:
    """Kept in the new cell, it isn't served to a third one."""
    nb = opened(pays())
    cell = moved(nb, edit, how="same")
    with pytest.raises(AlreadyHappened):
        nb.run(cell, "t", "c2")
    settle(nb, "t.1", Answer.KEEP)
    nb.run(cell, "t", "c2")
    nb.run(cell, "u", "c3")
    assert len(nb.world.effects) == 4


@pytest.mark.parametrize("edit", ["body", "added"])
def test_again_in_a_new_cell_leaves_what_the_old_one_kept(edit: str) -> None:
    """A cell is split: each half asks, and each answer is about its own calls."""
    edited = {**EDITS, "body": pays().replace("pay {", "PAY {")}[edit]
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    nb.plain(edited)
    for cell, name, said in (
        ("r = pay(1)", "s", Answer.KEEP),
        ("q = pay(2)", "t", Answer.AGAIN),
    ):
        with pytest.raises(AlreadyHappened):
            nb.run(cell, name, f"c-{name}" if name == "t" else "c1")
        settle(nb, f"{name}.1", said)
        nb.run(cell, name, f"c-{name}" if name == "t" else "c1")
    nb.run("r = pay(1)\nmore = 1", "s", "c1")
    assert nb.namespace["r"] == "pay 1#1"
    assert len(nb.world.effects) == 3


@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize("edit", ["added", "function"])
def test_a_doubt_that_moved_asks(edit: str, kernel: str) -> None:
    """Nobody knows whether that payment happened, whatever its tool is called by now."""
    nb = in_doubt()
    if kernel == "next":
        opened(nb=nb)
    name = "charge" if edit == "function" else "pay"
    made = DOUBT.format(options="", name=name)
    nb.plain(made.replace('=""', '="", note=""') if edit == "added" else made)
    if kernel == "same":
        nb.run("x = 1", "s", "c1")
    with pytest.raises(OtherInDoubt):
        nb.run(f"r = {name}(1)", "t", "c2")
    assert nb.world.effects == ["pay 1"]
