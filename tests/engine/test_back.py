"""Going back behind the last step: its variables, not its effects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.engine.asking.back import back
from nbdurable.errors import ReferenceUnknown
from tests.engine.notebooks import Notebook

TOOLS = "@tool\ndef pay(who): return world(f'pay {who}')"


@pytest.fixture
def nb() -> Iterator[Notebook]:
    """A notebook whose session is closed at the end."""
    notebook = Notebook()
    with contextlib.closing(notebook.session):
        notebook.plain(TOOLS)
        yield notebook


def gone_back(nb: Notebook) -> str:
    """Go back once; what it tells."""
    return str(back(nb.session, nb.namespace))


def test_names_are_removed_or_have_their_value_of_before(nb: Notebook) -> None:
    """What the step made first is gone, what it made anew is as the step before left it."""
    nb.run("a = 1\nb = [1]", "first")
    nb.run("b = [2]\nc = 3", "second")
    assert gone_back(nb) == "back before second · removed: c · b as of first"
    assert (nb.namespace["a"], nb.namespace["b"]) == (1, [1])
    assert "c" not in nb.namespace


def test_its_effects_are_named_and_stay(nb: Notebook, tmp_path: Path) -> None:
    """A write and a file are not taken back; running the cell again replays it."""
    nb.root = tmp_path
    cell = f"from pathlib import Path\nbill = pay('ann')\nPath({str(tmp_path / 'out.txt')!r}).write_text('x')"
    nb.run(cell, "bill")
    assert "not taken back: pay('ann'), file out.txt" in gone_back(nb)
    assert "bill" not in nb.namespace
    assert "nothing ran" in nb.run(cell, "bill")
    assert nb.namespace["bill"] == "pay ann#1"
    assert nb.world.effects == ["pay ann"]


def test_again_goes_back_behind_the_step_before(nb: Notebook) -> None:
    """Each time one step further, until none is left; a cell that runs begins anew."""
    nb.run("a = 1", "first")
    nb.run("a = 2", "second")
    assert gone_back(nb) == "back before second · a as of first"
    assert gone_back(nb) == "back before first · removed: a"
    with pytest.raises(ReferenceUnknown):
        gone_back(nb)
    nb.run("a = 2", "second")
    assert nb.namespace["a"] == 2
    assert gone_back(nb) == "back before second · removed: a"


def test_a_changed_input_comes_back_from_its_maker(nb: Notebook) -> None:
    """An input that the step changed in place has its kept value of before."""
    nb.run("queue = [1, 2, 3]", "fill")
    nb.run("item = queue.pop(0)", "take")
    assert gone_back(nb) == "back before take · removed: item · queue as of fill"
    assert nb.namespace["queue"] == [1, 2, 3]
    nb.run("item = queue.pop(0)", "take")
    assert nb.namespace["item"] == 1


def test_an_input_of_a_plain_cell_comes_back(nb: Notebook) -> None:
    """What a plain cell made is kept when a step reads it, so the change is undone."""
    nb.plain("queue = [1, 2, 3]")
    nb.run("item = queue.pop(0)", "take")
    told = gone_back(nb)
    assert told == "back before take · removed: item · queue as of the cell before"
    assert nb.namespace["queue"] == [1, 2, 3]


def test_an_input_that_was_not_kept_is_named(nb: Notebook) -> None:
    """Where no value of before is kept, the name is left as it is and told."""
    nb.plain("box = {'begun': (i for i in 'abc'), 'n': 1}\nnext(box['begun'])")
    nb.run("box['n'] = 2\nbox = dict(box)", "take")
    assert "not back: box → run the cell that makes it" in gone_back(nb)
    assert nb.namespace["box"]["n"] == 2  # type: ignore[index]  # a dict


def test_what_was_assigned_since_is_left_alone(nb: Notebook) -> None:
    """A name that a plain cell gave another value is the user's."""
    nb.run("a = 1\nb = 2", "first")
    nb.plain("a = 100")
    assert gone_back(nb) == "back before first · removed: b · kept yours: a"
    assert nb.namespace["a"] == 100


def test_deleted_names_come_back(nb: Notebook) -> None:
    """A name that the step deleted has its kept value of before."""
    nb.run("a = 1", "first")
    nb.run("del a", "second")
    assert gone_back(nb) == "back before second · a as of first"
    assert nb.namespace["a"] == 1


def test_nothing_is_recorded(nb: Notebook) -> None:
    """Going back is a matter of this kernel: the run is as it was."""
    nb.run("a = 1", "first")
    before = nb.session.history.last
    gone_back(nb)
    nb.session.refresh()
    assert nb.session.history.last == before


def test_without_a_step_nothing_is_done(nb: Notebook) -> None:
    """A step that failed made no variable that is known."""
    with pytest.raises(ZeroDivisionError):
        nb.run("a = 1 / 0", "first")
    with pytest.raises(ReferenceUnknown, match="completed step"):
        gone_back(nb)
