"""Which cells would run again now, told without running anything."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping

import pytest

from nbdurable.engine.asking import commands
from nbdurable.engine.asking.stale import Here, look, stale
from nbdurable.engine.steps.cells import Places
from nbdurable.engine.telling.reference import find_step
from tests.engine.notebooks import HIDDEN, Notebook


@pytest.fixture
def nb() -> Iterator[Notebook]:
    """A notebook whose session is closed at the end."""
    notebook = Notebook()
    with contextlib.closing(notebook.session):
        yield notebook


def in_cell_4(names: Collection[str]) -> Mapping[str, int]:
    """A shell in which cell 4 assigned everything."""
    return dict.fromkeys(names, 4)


def in_cell_1(names: Collection[str]) -> Mapping[str, int]:
    """A shell in which cell 1 assigned everything."""
    return dict.fromkeys(names, 1)


def told(nb: Notebook, places: Places = in_cell_4) -> dict[str, str]:
    """By name of the step, why it would run again."""
    here = Here(nb.namespace, HIDDEN | {"world"}, places)
    found = stale(nb.session, here)
    steps = {slot: nb.session.history.latest(slot) for slot in found}
    return {step.name: found[slot] for slot, step in steps.items() if step}


def test_a_changed_input_is_named_with_its_cell(nb: Notebook) -> None:
    """A cell is stale from the moment its input is another value, and no longer."""
    nb.plain("df = [1, 2]\nother = 3")
    nb.run("n = len(df)", "chart")
    nb.run("m = other + 1", "side")
    assert told(nb) == {}
    nb.plain("df = [1, 2, 3]")
    assert told(nb) == {"chart": "df changed in cell 4"}
    nb.plain("df = [1, 2]")
    assert told(nb) == {}


def test_looks_that_have_no_time_go_on_with_the_next_step(nb: Notebook) -> None:
    """However little time a look has it reaches one step, and all looks reach all."""
    nb.plain("a = b = 1")
    for name in ("first", "second", "third"):
        nb.run("x = a + b", name)
    nb.plain("a = 2")
    here, left = (
        Here(nb.namespace, HIDDEN | {"world"}, in_cell_4),
        nb.session.history.slots,
    )
    whole, found, looks = stale(nb.session, here), dict[str, str](), 0
    while left:
        some, left = look(nb.session, here, left, seconds=0)
        found.update(some)
        looks += 1
    assert (found, looks) == (whole, 3)
    assert len(whole) == 3


def test_a_cell_that_an_earlier_attempt_fits_is_not_stale(nb: Notebook) -> None:
    """Where the inputs are again those of an attempt before the last, it would replay."""
    nb.plain("PROMPT = 'one'\nwidth = 3")
    nb.run("n = len(PROMPT) * width", "ask")
    nb.plain("PROMPT = 'two words'")
    nb.run("n = len(PROMPT) * width", "ask")
    nb.plain("PROMPT = 'one'")
    assert told(nb) == {}
    nb.plain("width = 4")
    assert told(nb) == {"ask": "PROMPT and width changed in cell 4"}
    nb.plain("width = 3")
    assert "replayed" in nb.run("n = len(PROMPT) * width", "ask")


def test_an_earlier_attempt_fits_with_the_code_that_it_had(nb: Notebook) -> None:
    """An earlier attempt whose input was of a class that is there again fits too."""
    nb.plain("class A:\n    def n(self): return 1\nx = A()")
    nb.run("n = str(type(x))", "ask")
    nb.plain("x = 5")
    nb.run("n = str(type(x))", "ask")
    nb.plain("x = A()")
    assert told(nb) == {}
    nb.plain("class A:\n    def n(self): return 2\nx = A()")
    assert told(nb) == {"ask": "x changed in cell 4"}


def test_a_rerun_leaves_no_earlier_attempt_to_fit(nb: Notebook) -> None:
    """What was before a rerun that was asked for is not served any more."""
    nb.plain("PROMPT = 'one'")
    nb.run("n = len(PROMPT)", "ask")
    commands.rerun(nb.session, find_step(nb.session.history, "ask", "%durable rerun"))
    nb.plain("PROMPT = 'two words'")
    nb.run("n = len(PROMPT)", "ask")
    nb.plain("PROMPT = 'one'")
    assert told(nb) == {"ask": "PROMPT changed in cell 4"}


def test_a_durable_cell_that_made_the_change_is_named(nb: Notebook) -> None:
    """A change that a durable cell made, in place too, is told by its name."""
    nb.plain("rows = [1]")
    nb.run("n = len(rows)", "count")
    nb.run("rows.append(2)", "add")
    assert told(nb, in_cell_1)["count"] == "rows changed in add"
    line = nb.run("n = len(rows)", "count")
    assert "ran again because rows changed (add)" in line


def test_each_changed_name_has_its_own_place(nb: Notebook) -> None:
    """One name that the cell changed itself and another one are told one by one."""
    nb.plain("queue, limit = [1, 2, 3], 1")
    nb.run("item = queue.pop(0) * limit", "take")
    nb.plain("limit = 2")
    assert told(nb) == {
        "take": "limit changed in cell 4, queue changed by this cell itself"
    }
    line = nb.run("item = queue.pop(0) * limit", "take")
    assert "because limit and queue (by this cell itself) changed" in line


def test_code_behind_an_input_counts(nb: Notebook) -> None:
    """A function and the class of an instance make a cell stale when they are edited."""
    nb.plain("def low(x): return x\ndef top(x): return low(x)")
    nb.run("n = top(1)", "chart")
    nb.plain("def low(x): return x + 1")
    assert told(nb) == {"chart": "top changed in cell 4"}


def test_its_own_change_is_told_as_such(nb: Notebook) -> None:
    """A cell that changed its own input would run again because of itself."""
    nb.plain("queue = [1, 2, 3]")
    nb.run("item = queue.pop(0)", "take")
    assert told(nb) == {"take": "queue changed by this cell itself"}
    nb.plain("queue = [9]")
    assert told(nb) == {"take": "queue changed in cell 4"}


def test_a_name_that_is_not_there_is_not_compared(nb: Notebook) -> None:
    """After a restart nothing is bound, and nothing is stale for that."""
    nb.plain("df = [1, 2]")
    nb.run("n = len(df)", "chart")
    nb.restart()
    with contextlib.closing(nb.session):
        nb.session.attend(nb.facts, "%durable")
        assert told(nb) == {}


def test_a_rerun_that_was_asked_for_is_told(nb: Notebook) -> None:
    """Until its cell runs again, a step that is to begin afresh says so."""
    nb.run("a = 1", "chart")
    commands.rerun(nb.session, find_step(nb.session.history, "chart", "%durable rerun"))
    assert told(nb) == {"chart": "you asked for a rerun"}
    nb.run("a = 1", "chart")
    assert told(nb) == {}


def test_a_cell_that_reads_all_variables_is_stale_by_a_new_one(nb: Notebook) -> None:
    """Where any name may be read, a name that is new counts."""
    nb.plain("name = 'name'")
    nb.run("y = len(eval(name + ''))", "chart")
    nb.plain("z = 2")
    assert told(nb) == {"chart": "z changed in cell 4"}


def test_what_never_replays_says_why(nb: Notebook) -> None:
    """An input without a digest; what can't be kept is made again by a replay."""
    nb.run("g = (n for n in range(3))\nnext(g)", "begun")
    nb.plain("g2 = (n for n in range(3))\nnext(g2)")
    nb.run("n = 1 if g2 else 2", "given")
    assert told(nb) == {"given": "g2 has no digest"}


def test_nothing_runs_and_nothing_is_recorded(nb: Notebook) -> None:
    """Looking appends no record and makes no call."""
    nb.plain("df = [1, 2]\n@tool\ndef pay(x): return world('pay')")
    nb.run("n = pay(df)", "chart")
    nb.plain("df = [3]")
    before = nb.session.history.last_at_us, len(nb.world.effects)
    assert told(nb)
    nb.session.refresh()
    assert (nb.session.history.last_at_us, len(nb.world.effects)) == before


def test_a_cell_that_changes_its_input_says_what_to_do(nb: Notebook) -> None:
    """The line under the cell names the cause, and once how to have it replayed."""
    nb.plain("queue = [1, 2, 3]")
    nb.run("item = queue.pop(0)", "take")
    line = nb.run("item = queue.pop(0)", "take")
    assert "ran again because queue changed (by this cell itself)" in line
    assert "to have it replayed: make queue in this cell, or bind" in line
    assert "to have it replayed" not in nb.run("item = queue.pop(0)", "take")
