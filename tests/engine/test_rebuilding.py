"""A variable that can't be kept is made again by its cell's code, with calls served."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.engine.asking.commands import present
from nbdurable.engine.asking.rebuilt import Shell
from nbdurable.engine.asking.rebuilt import rebuild as made_again
from nbdurable.engine.steps.rebuilding import RebuildStopped
from nbdurable.engine.telling.explain import why
from nbdurable.engine.telling.reference import find_step
from nbdurable.errors import ReferenceUnknown
from tests.engine.notebooks import HIDDEN, Notebook
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


def rebuild(nb: Notebook, name: str = "s") -> str:
    """What `%durable rebuild` does, and tells."""
    history = nb.session.attend(nb.facts, "%durable rebuild")
    shell = Shell(
        namespace=nb.namespace,
        hidden=HIDDEN | {"world"},
        facts=nb.facts,
        execute=nb.execute,
    )
    return str(made_again(nb.session, find_step(history, name), shell))


def test_the_command_makes_it_and_repeats_what_the_code_does(nb: Notebook):
    """Whoever asks has the file written again; calls are served all the same."""
    cell = "a = read(1)\nwith open('log.txt', 'a') as log:\n    log.write('x')\nf = (i for i in 'abc'); next(f)"  # fmt: skip
    nb.run(cell, "s", "c1")
    restart(nb)
    nb.plain(TOOLS)
    line = rebuild(nb)
    assert line == "s · f made again (its code ran, its call was served) · repeated: wrote log.txt"  # fmt: skip
    assert list(nb.namespace["f"]) == ["b", "c"]
    assert "a" not in nb.namespace
    assert Path("log.txt").read_text() == "xx"
    assert nb.world.effects == ["read 1"]


def test_the_command_gives_the_code_what_it_was_given_then(nb: Notebook):
    """Inputs that were changed since are loaded anew; those that are there stay."""
    nb.plain("rows = [1, 2, 3]\ndef double(x):\n    return x * scale\nscale = 2")
    nb.run("rows.pop(0); f = (double(r) for r in [*rows]); n = next(f)", "s", "c1")
    nb.plain("scale = 10; rows.append(9); mine = rows")
    assert "f made again" in rebuild(nb)
    assert (nb.namespace["scale"], nb.namespace["rows"]) == (10, [2, 3, 9])
    assert nb.namespace["mine"] is nb.namespace["rows"]
    assert list(nb.namespace["f"]) == [
        30
    ]  # its function sees what is there when it runs


def test_the_command_in_a_kernel_that_knows_nothing(nb: Notebook):
    """Inputs come from the journal while the code runs, as they were then."""
    nb.plain("rows = [1, 2, 3]")
    nb.run("rows.pop(0); f = (r * 2 for r in rows); n = next(f)", "s", "c1")
    nb.run("g = (i for i in rows); next(g); total = n + len(rows)", "t", "c2")
    restart(nb)
    assert "f made again" in rebuild(nb, "s")
    assert "g made again" in rebuild(nb, "t")
    assert {*nb.namespace} & {"rows", "n", "total", "f", "g"} == {"f", "g"}
    assert list(nb.namespace["f"]) == [6]


def test_the_command_refuses_what_is_not_as_it_was(nb: Notebook):
    """A file that changed, and an input that has no digest, are named."""
    Path("in.txt").write_text("1")
    nb.run("from pathlib import Path\nf = iter(Path('in.txt').read_text()); g = (i for i in f); next(g)", "s", "c1")  # fmt: skip
    Path("in.txt").write_text("23")
    with pytest.raises(RebuildStopped, match=r"in\.txt, which it read, changed"):
        rebuild(nb)
    nb.run("h = (i for i in g); next(h, 0)", "t", "c2")
    with pytest.raises(RebuildStopped, match="g, which its cell reads, has no digest"):
        rebuild(nb, "t")


def test_the_command_says_where_there_is_nothing_to_do(nb: Notebook):
    """A step that was kept whole, and one that awaits."""
    nb.run("a = 1", "s", "c1")
    assert rebuild(nb) == "s · nothing to make again: all its variables are kept"
    with pytest.raises(ZeroDivisionError):
        nb.run("1 / 0", "t", "c2")
    with pytest.raises(ReferenceUnknown):
        rebuild(nb, "t")


def test_a_step_that_was_allowed_runs_once(nb: Notebook):
    """An awaiting cell runs with its effects when it is run next, and not for ever."""
    cell = "open('log.txt', 'a').close()\nf = (i for i in 'ab'); next(f)"
    nb.run(cell, "s", "c1")
    (step,) = nb.session.history.steps.values()
    nb.session.allowed.add(step.id)
    assert "f made again" in nb.run(cell, "s", "c1")
    assert "not back: f" in nb.run(cell, "s", "c1")


def test_why_names_what_is_not_kept(nb: Notebook):
    """The variable, the reason, and what makes it again."""
    nb.run("g = (i for i in 'ab'); next(g)", "s", "c1")
    nb.run("open('o.txt', 'w').close(); h = (i for i in 'ab'); next(h)", "t", "c2")
    told = {n: str(why(nb.session.history, n, present(nb.session))) for n in "st"}
    assert "g is not kept (a generator that has begun" in told["s"]
    assert "its code makes it again" in told["s"]
    assert "%durable rebuild t, which repeats: wrote o.txt" in told["t"]


def test_an_input_has_what_was_kept_of_it(nb: Notebook):
    """Code that changes it otherwise now doesn't change what the step has left."""
    plain, cell = "rows = [[1], [2]]; second = rows[1]", "import os\nrows.pop(0); rows[0].append(os.environ.get('MORE'))\nf = iter('ab'); h = (i for i in f); next(h)"  # fmt: skip
    nb.plain(plain)
    nb.run(cell, "s", "c1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MORE", "other")
        restart(nb)
        nb.plain(plain)
        assert "h made again" in nb.run(cell, "s", "c1")
    assert nb.namespace["rows"] == [[2, None]]
    assert nb.namespace["second"] is nb.namespace["rows"][0]  # type: ignore[index]  # a list
