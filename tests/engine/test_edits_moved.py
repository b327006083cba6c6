"""A tool that was edited, and its calls were moved to another cell: they are asked about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbdurable.engine.calls.pauses import InsteadOrAlso, OtherInDoubt
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.errors import AlreadyHappened, CallPause, HappenedElsewhere
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_edits_property import NAMES, SIGNATURES, keep
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


@pytest.mark.wide
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
    """One cell defines both, whether or not the other one's calls have run yet."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    opened(pays() + pays(name="charge"), nb=nb)
    nb.run(CELL.replace("pay", "charge"), "t", "c2")
    assert len(nb.world.effects) == 4


CHARGE = "@tool\ndef charge(amount, note='-'): return world(f'charge {amount}')"
"""Renamed, edited and with other parameters: nothing says that it is the same tool."""


@pytest.mark.parametrize("how", ["same", "emptied"])
@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 2), (Answer.AGAIN, 4)])
def test_a_tool_that_was_edited_and_renamed_asks_where_its_calls_moved(
    how: str, said: Answer, payments: int
) -> None:
    """Their cell does without them, and no cell calls the old tool any more."""
    nb = opened(pays())
    nb.run(CELL, "s", "c1")
    if how == "emptied":
        opened(nb=nb)
    nb.plain(CHARGE)
    nb.run("x = 1", "s", "c1")
    cell = CELL.replace("pay", "charge")
    for _ in range(2):
        with pytest.raises(InsteadOrAlso) as asked:
            nb.run(cell, "t", "c2")
    assert asked.value.fact() == (
        "charge(1) was not made: the cell s has made pay(1) before."
    )
    assert len(nb.world.effects) == 2
    settle(nb, "t.1", said)
    for more in ("", "\nmore = 1"):
        nb.run(cell + more, "t", "c2")
        opened(CHARGE, nb=nb)
    assert len(nb.world.effects) == payments


OTHERS = {
    "its cell has them still": ("", "r = charge(1)"),
    "another cell calls the old tool": ("pay(9)", "r = charge(1)"),
    "other arguments": ("x = 1", "r = charge(3)"),
}


@pytest.mark.parametrize("why", OTHERS)
def test_another_tool_in_another_cell_is_just_called(why: str) -> None:
    """Equal arguments alone say nothing there: a receipt goes to who has paid."""
    rest, cell = OTHERS[why]
    nb = opened(pays(), CHARGE)
    nb.run(CELL, "s", "c1")
    if rest:
        nb.run(rest, "s", "c1")
    before = len(nb.world.effects)
    nb.run(cell, "t", "c2")
    assert len(nb.world.effects) == before + 1


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


@pytest.mark.parametrize("edit", ["body", "added"])
def test_a_call_that_was_taken_over_asks_after_a_later_edit(edit: str) -> None:
    """The question can be answered: that it was taken over is no answer to it."""
    edited = {**EDITS, "body": pays().replace("pay {", "PAY {")}[edit]
    nb, cell = opened(pays()), f"{CELL}\nmore = 1"
    nb.run(CELL, "s", "c1")
    opened(pays(), nb=nb)
    with pytest.raises(HappenedElsewhere):
        nb.run(cell, "t", "c2")
    settle(nb, "t.1", Answer.KEEP)
    nb.run(cell, "t", "c2")
    nb.plain(edited)
    with pytest.raises(AlreadyHappened):
        nb.run(cell, "t", "c2")
    assert [asked.reference for asked in questions(nb.session.history)] == ["t.1"]
    settle(nb, "t.1", Answer.KEEP)
    nb.run(cell, "t", "c2")
    assert len(nb.world.effects) == 2


@dataclass(frozen=True)
class Run:
    """A cell that is run once, and what was edited before.

    Attributes:
        cell: Its id.
        body: The arguments of the writes that it makes.
        signature: That of the tool.
        name: The tool's.
        fails: Whether it ends with an exception of its own.
        killed: Whether it runs in a new kernel.
    """

    cell: str
    body: tuple[int, ...]
    signature: str = "plain"
    name: str = "write"
    fails: bool = False
    killed: bool = False

    def source(self) -> str:
        """Its code."""
        made = [f"r.append({self.name}({x}))" for x in self.body]
        return "\n".join(["r = []", *made, *["1 / 0"] * self.fails])


@st.composite
def edited(draw: st.DrawFn) -> list[Run]:
    """Three cells that are edited and run in any order, as is one thing of the tool."""
    what = draw(st.sampled_from(["nothing", "signature", "name"]))
    choices = {"signature": [*SIGNATURES], "name": NAMES}.get(what, [])
    found: list[Run] = []
    kind: dict[str, str] = {}
    for _ in range(draw(st.integers(2, 6))):
        if choices and draw(st.booleans()):
            kind = {what: draw(st.sampled_from(choices))}
        found.append(
            Run(
                cell=draw(st.sampled_from(["c1", "c2", "c3"])),
                body=tuple(draw(st.lists(st.integers(0, 1), max_size=3))),
                fails=draw(st.sampled_from([False, False, True])),
                killed=draw(st.booleans()),
                **kind,
            )
        )
    return found


def ran(nb: Notebook, run: Run) -> list[str]:
    """Run a cell until it ends, each question answered with «keep»; gives its results."""
    if run.killed:
        nb.restart()
    nb.plain(SIGNATURES[run.signature].format(name=run.name))
    for _ in range(10):
        try:
            nb.run(run.source(), "", run.cell)
        except CallPause:
            keep(nb)
        except ZeroDivisionError:
            break
        else:
            break
    else:
        raise AssertionError(run)
    results = nb.namespace["r"]
    assert isinstance(results, list)
    return results


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(max_examples=200)
@given(runs=edited())
def test_calls_of_an_edited_tool_that_move_between_cells(runs: list[Run]) -> None:
    """Nothing happens again while nobody has its result, and no two cells have one."""
    nb, held = Notebook(), dict[str, list[str]]()
    for run in runs:
        before = Counter(nb.world.effects)
        results = ran(nb, run)
        assert [r.partition("#")[0] for r in results] == [
            f"write {x}" for x in run.body
        ]
        assert len(set(results)) == len(results)
        others = {r for c, rs in held.items() if c != run.cell for r in rs}
        new = Counter(nb.world.effects) - before
        for effect in new:
            made = {f"{effect}#{n}" for n in range(1, before[effect] + 1)}
            assert made <= others | {*results}, effect
        held = {c: [r for r in rs if r not in results] for c, rs in held.items()}
        held[run.cell] = [] if run.fails else results
