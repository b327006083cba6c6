"""A variable that can't be kept is made again by its cell's code, with calls served."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.engine.rebuilding import RebuildStopped
from tests.engine.notebooks import Notebook
from tests.engine.test_steps import restart

TOOLS = """
@tool(effect="read")
def read(x):
    return world(f"read {x}")

@tool
def write(x):
    return world(f"write {x}")
"""
CELL = "a = [read(i) for i in (1, 2)]; write(3)\ng = iter(a * 2)\nstream = (x for x in a); next(stream)"


@pytest.fixture
def nb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """A notebook with two tools, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    notebook = Notebook(root=tmp_path)
    notebook.plain(TOOLS)
    return notebook


def again(nb: Notebook, cell: str) -> str:
    """Run a cell again in a kernel that knows nothing but the tools."""
    restart(nb)
    nb.plain(TOOLS)
    return nb.run(cell, "s", "c1")


def test_the_missing_name_is_made_and_every_call_is_served(nb: Notebook):
    """The code runs for the generator; the rest is what was kept."""
    assert "not kept: stream" in nb.run(CELL, "s", "c1")
    line = again(nb, CELL)
    assert "stream made again (its code ran, its 3 calls were served)" in line
    assert line.startswith("s · replayed from today ")
    assert nb.world.effects == ["read 1", "read 2", "write 3"]
    assert list(nb.namespace["stream"]) == ["read 2#1"]
    assert "i" not in nb.namespace
    assert again(nb, CELL) == line  # and so it goes on


def test_what_was_kept_is_kept(nb: Notebook):
    """A name that the code makes otherwise now has its kept value all the same."""
    cell = "import random\na = random.random()\nf = (i for i in 'ab'); next(f)"
    nb.run(cell, "s", "c1")
    first, drawn = nb.namespace["a"], __import__("random").getstate()
    again(nb, cell)
    assert nb.namespace["a"] == first
    assert __import__("random").getstate() == drawn


def test_names_that_were_not_there_are_not_left_behind(nb: Notebook):
    """What the code deletes is gone, and what it never made isn't made."""
    cell = "t = [1]; d = t; del t\nf = (i for i in d); next(f)"
    nb.run(cell, "s", "c1")
    again(nb, cell)
    assert "t" not in nb.namespace
    assert nb.namespace["d"] == [1]


def test_an_input_is_changed_once(nb: Notebook):
    """The code changes the live object, which is then filled with what was kept."""
    plain = "rows = [[1], [2]]; mine = rows; second = rows[1]"
    cell = "rows.pop(0); rows[0].append(3)\nf = (r for r in rows); next(f)"
    nb.plain(plain)
    nb.run(cell, "s", "c1")
    restart(nb)
    nb.plain(TOOLS)
    nb.plain(plain)
    assert "f made again" in nb.run(cell, "s", "c1")
    assert nb.namespace["rows"] == [[2, 3]]
    assert nb.namespace["mine"] is nb.namespace["rows"]
    assert nb.namespace["second"] is nb.namespace["rows"][0]  # type: ignore[index]  # a list


def test_a_function_that_writes_a_global_leaves_no_trace(nb: Notebook):
    """Functions write where they always write; afterwards names are as before."""
    plain = "hits = 0\ndef count():\n    global hits\n    hits += 1\n    return hits"
    cell = "b = count()\nf = (i for i in range(b)); next(f, 0)"
    nb.plain(plain)
    nb.run(cell, "s", "c1")
    restart(nb)
    nb.plain(plain)
    nb.run(cell, "s", "c1")
    assert (nb.namespace["hits"], nb.namespace["b"]) == (1, 1)


@pytest.mark.parametrize("effect", ["read", "write"])
def test_a_call_that_is_not_in_the_journal_stops_it(nb: Notebook, effect: str):
    """It isn't made; what was kept is back, and the names are as they were."""
    cell = f"import os\na = read(1)\nif os.environ.get('MORE'):\n    try:\n        {effect}(9)\n    except Exception:\n        pass\nf = (i for i in a); next(f)"  # fmt: skip
    nb.run(cell, "s", "c1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MORE", "1")
        with pytest.raises(RebuildStopped, match=rf"{effect}\(9\) is not in the"):
            again(nb, cell)
    assert nb.world.effects == ["read 1"]
    assert nb.namespace["a"] == "read 1#1"
    assert "f" not in nb.namespace
    assert "f made again" in again(nb, cell)


def test_a_stopped_rebuild_has_changed_its_inputs_once(nb: Notebook):
    """Code that stops half-way leaves what the whole of it has left."""
    plain = "rows = [1, 2, 3]"
    cell = "import os\nrows.pop(0)\nif os.environ.get('MORE'):\n    1 / 0\nrows.pop(0)\nf = iter(rows); h = (i for i in f); next(h)"  # fmt: skip
    nb.plain(plain)
    nb.run(cell, "s", "c1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MORE", "1")
        restart(nb)
        nb.plain(plain)
        with pytest.raises(RebuildStopped, match="its code raised ZeroDivisionError"):
            nb.run(cell, "s", "c1")
    assert nb.namespace["rows"] == [3]


def test_an_effect_that_it_did_not_have_is_prevented(nb: Notebook):
    """The file isn't written, the process isn't started, the code is stopped."""
    cell = "import os\nif os.environ.get('MORE'):\n    open('new.txt', 'w').close()\nf = (i for i in 'ab'); next(f)"  # fmt: skip
    nb.run(cell, "s", "c1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MORE", "1")
        with pytest.raises(RebuildStopped, match=r"\(wrote new.txt\)"):
            again(nb, cell)
    assert not Path("new.txt").exists()


def test_a_step_with_an_effect_does_not_run_by_itself(nb: Notebook):
    """The line says what is not back, the command, and what it would repeat."""
    cell = "with open('log.txt', 'a') as log:\n    log.write('x')\nf = (i for i in 'ab'); next(f); b = 1"  # fmt: skip
    nb.run(cell, "s", "c1")
    line = again(nb, cell)
    assert "nothing ran" in line
    assert "not back: f → %durable rebuild s (repeats: wrote log.txt)" in line
    assert Path("log.txt").read_text() == "x"
    assert nb.namespace["b"] == 1
    assert "f" not in nb.namespace


def test_a_step_of_which_nothing_was_kept_runs_against_its_journal(nb: Notebook):
    """Where the disk was full there is nothing to bring back."""
    nb.run("a = read(1)", "s", "c1")
    (step,) = nb.session.history.steps.values()
    step.fields = {**step.fields, "unsaved": {"": "the disk is full"}}
    nb.run("a = read(1)", "s", "c1")
    assert nb.world.effects == ["read 1"]
    assert len(nb.session.history.steps) == 2
