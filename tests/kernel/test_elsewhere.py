"""A notebook that is renamed, was copied, or came with somebody else's outputs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nbdurable.engine.where.documents import document
from nbdurable.kernel.where import moved
from nbdurable.testing.kernel import Kernel
from tests.kernel.test_sidebar import FIRST, Panel

pytestmark = [pytest.mark.timeout(300)]

CELL = {"cellId": "c1"}


def write(path: Path, run: str = "", cell: str = "c1") -> None:
    """A notebook of one cell, with the output of a run."""
    about = {"metadata": {"nbdurable": {"kind": "status", "run": run}}} if run else {}
    cells = [{"id": cell, "cell_type": "code", "outputs": [about]}]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")


Start = Callable[[Path], Kernel]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Start]:
    """Starts a kernel for a notebook, in its folder, as jupyter-server does."""
    made: list[Kernel] = []

    def start(notebook: Path) -> Kernel:
        env = {"JPY_SESSION_NAME": str(notebook)}
        made.append(Kernel(notebook.parent, env=env).__enter__())
        return made[-1]

    yield start
    for kernel in made:
        kernel.__exit__()


@pytest.mark.slow
def test_a_run_follows_its_notebook(started: Start, tmp_path: Path) -> None:
    """Renamed while its kernel lives, and started again with the old path: the run goes on."""
    old, new = tmp_path / "a.ipynb", tmp_path / "b.ipynb"
    write(old)
    kernel = started(old)
    panel = Panel(kernel)
    kernel.run(FIRST, metadata=CELL)
    panel.shows(1, "first")
    old.rename(new)
    panel.say(type="open", version=1, notebook=f"{tmp_path.name}/b.ipynb")
    panel.shows(1, "first", title="b.ipynb")
    kernel.restart()
    ran = kernel.run(FIRST, metadata=CELL)
    assert ran.text.startswith("run 1, since")
    assert "replayed" in ran.text


@pytest.mark.slow
def test_a_copy_is_offered_a_fork(started: Start, tmp_path: Path) -> None:
    """Beside a copy the view says so, and one click goes on where nothing is paid again."""
    first = tmp_path / "a.ipynb"
    write(first)
    kernel = started(first)
    kernel.run(FIRST, metadata=CELL)
    kernel.shutdown()
    copy = tmp_path / "a copy.ipynb"
    shutil.copy(first, copy)
    other = started(copy)
    panel = Panel(other)
    while not (said := panel.hears("refused"))["actions"]:
        pass
    assert said["line"].startswith("This notebook is a copy of a.ipynb. In a fork of")
    (action,) = said["actions"]
    panel.say(type="act", what=action["what"], about=action["about"], ask="1")
    panel.shows(1, "first")
    ran = other.run(FIRST, metadata=CELL)
    assert "replayed" in ran.text


@pytest.mark.slow
def test_a_copy_that_begins_afresh_says_how_to_go_on(
    started: Start, tmp_path: Path
) -> None:
    """Its first line names the fork; typed, the calls of the first notebook are served."""
    first = tmp_path / "a.ipynb"
    write(first)
    kernel = started(first)
    kernel.run(FIRST, metadata=CELL)
    kernel.shutdown()
    copy = tmp_path / "b.ipynb"
    shutil.copy(first, copy)
    other = started(copy)
    ran = other.run(FIRST, metadata=CELL)
    assert "1 call ran" in ran.text
    assert "this is a copy of a.ipynb" in ran.text
    assert "%durable fork --of a.ipynb" in ran.text
    told = other.run("%durable fork --of a.ipynb").text
    assert "run 2 · forked from run 1" in told
    assert "replayed" in other.run(FIRST, metadata=CELL).text
    unknown = other.run("%durable fork --of c.ipynb").text
    assert "this run has no --of c.ipynb" in unknown


@pytest.mark.slow
def test_a_cell_of_another_notebook_makes_no_copy(
    started: Start, tmp_path: Path
) -> None:
    """A cell that was pasted with its id is told as that; its calls can be had by a fork."""
    first, other = tmp_path / "a.ipynb", tmp_path / "b.ipynb"
    write(first)
    write(other)
    kernel = started(first)
    kernel.run(FIRST, metadata=CELL)
    kernel.run(FIRST.replace("first", "second"), metadata={"cellId": "c2"})
    kernel.shutdown()
    kernel = started(other)
    panel = Panel(kernel)
    while not (said := panel.hears("refused"))["actions"]:
        pass
    assert said["line"].startswith("This notebook has cells of a.ipynb. In a fork of")
    ran = kernel.run(FIRST, metadata=CELL)
    assert "this has cells of a.ipynb" in ran.text
    assert "is a copy" not in ran.text
    kernel.run("%durable fork --of a.ipynb")
    assert "replayed" in kernel.run(FIRST, metadata=CELL).text


@pytest.mark.slow
def test_a_colleagues_notebook_warns_first(started: Start, tmp_path: Path) -> None:
    """Outputs of a run that the store doesn't have: the view says so, and the first line."""
    path = tmp_path / "a.ipynb"
    write(path, run="somebody")
    kernel = started(path)
    panel = Panel(kernel)
    while "outputs of a run" not in panel.hears("refused")["line"]:
        pass
    ran = kernel.run(f"{FIRST}print('ran')", metadata=CELL)
    warned, _, rest = ran.text.partition("would be made again")
    assert "a write that was made in it" in warned
    assert "ran" not in warned
    assert "ran" in rest
    again = kernel.run(FIRST, metadata=CELL)
    assert "outputs of a run" not in again.text


@pytest.mark.slow
def test_a_colleagues_notebook_warns_without_a_front_end(
    started: Start, tmp_path: Path
) -> None:
    """Executed headless, it says so before its first durable cell runs; one's own doesn't."""
    path = tmp_path / "a.ipynb"
    write(path, run="somebody")
    ran = started(path).run(f"{FIRST}print('ran')")
    warned, _, rest = ran.text.partition("would be made again")
    assert "a write that was made in it" in warned
    assert "ran" in rest
    about = (m["content"].get("metadata", {}) for m in ran.messages)
    [own] = {one["nbdurable"].get("run") for one in about if "nbdurable" in one} - {
        None
    }
    write(path, run=own)
    assert "outputs of a run" not in started(path).run(FIRST).text


@pytest.mark.slow
def test_a_cell_that_a_colleague_added_warns(started: Start, tmp_path: Path) -> None:
    """Where one's own run goes on, too: not of a cell that ran in it, but of any other."""
    path = tmp_path / "a.ipynb"
    write(path)
    kernel = started(path)
    kernel.run(FIRST, metadata=CELL)
    write(path, run="somebody")
    kernel.restart()
    assert "outputs of a run" not in kernel.run(FIRST, metadata=CELL).text
    write(path, run="somebody", cell="c2")
    kernel.restart()
    ran = kernel.run(f"{FIRST}print('ran')", metadata={"cellId": "c2"})
    warned, _, rest = ran.text.partition("would be made again")
    assert "run 1, since" in warned
    assert "a write that was made in it" in warned
    assert "ran" in rest


@pytest.mark.slow
def test_outputs_name_their_run(started: Start, tmp_path: Path) -> None:
    """What a cell says of itself holds the run's id, so another store sees that it isn't its."""
    path = tmp_path / "a.ipynb"
    write(path)
    kernel = started(path)
    ran = kernel.run(FIRST, metadata=CELL)
    about = [m["content"]["metadata"].get("nbdurable", {}) for m in ran.messages]
    runs = {one["run"] for one in about if one.get("kind") == "status"}
    assert runs == {Panel(kernel).hears("snapshot")["head"]["id"]}


def test_where_a_notebook_went(tmp_path: Path) -> None:
    """Only what is gone went elsewhere, and only to a file below a folder of its own."""
    old, new = tmp_path / "sub" / "a.ipynb", tmp_path / "sub" / "b.ipynb"
    old.parent.mkdir()
    old.touch()
    assert moved(str(old), "sub/b.ipynb") == str(old)
    old.rename(new)
    assert moved(str(old), "sub/b.ipynb") == str(new)
    assert moved(str(old), "/sub/b.ipynb") == str(new)
    for nowhere in ("", "sub/c.ipynb", "../sub/b.ipynb", "sub"):
        assert moved(str(old), nowhere) == str(old)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"cells": 1}', '{"cells": [1, {"id": 2, "outputs": [3, {}]}]}'],
)
def test_a_file_that_is_no_notebook_says_nothing(tmp_path: Path, text: str) -> None:
    """Whatever a file holds, it is read as a notebook without cells."""
    path = tmp_path / "a.ipynb"
    path.write_text(text, encoding="utf-8")
    assert document(str(path)) == document("")
