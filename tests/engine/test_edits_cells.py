"""Edits that people make all day: what was paid is paid once, and results stay apart."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from nbdurable.engine.past.settle import Answer
from nbdurable.errors import HappenedElsewhere
from nbdurable_store.backends.memory import MemoryStore
from tests.engine.notebooks import Notebook, World
from tests.engine.test_calls import TOOLS, settle

Cells = list[tuple[str, str]]
"""Id and source of each cell, in the order of their execution."""

EDITS: dict[str, tuple[list[Cells], list[str]]] = {
    "an argument changed, and changed back": (
        [
            [("c1", "a = [write(1), write(2)]")],
            [("c1", "a = [write(9), write(2)]")],
            [("c1", "a = [write(1), write(2)]; back = 1")],
        ],
        ["write 1", "write 2", "write 9"],
    ),
    "the same call inserted before": (
        [[("c1", "a = [write(1)]")], [("c1", "a = [write(1), write(1)]")]],
        ["write 1", "write 1"],
    ),
    "another function inserted before": (
        [[("c1", "a = [write(1)]")], [("c1", "a = [pure(5), write(1)]")]],
        ["write 1", "pure 5"],
    ),
    "two calls swapped": (
        [[("c1", "a = [write(1), write(2)]")], [("c1", "a = [write(2), write(1)]")]],
        ["write 1", "write 2"],
    ),
    "a cell split": (
        [
            [("c1", "a = [write(1)]; b = write(2)")],
            [("c1", "a = [write(1)]"), ("c2", "b = write(2)")],
        ],
        ["write 1", "write 2"],
    ),
    "a part moved to a cell above": (
        [
            [("c1", "a = [write(1)]"), ("c2", "b = write(2); c = write(3)")],
            [("c2", "b = write(2)"), ("c1", "a = [write(1)]; c = write(3)")],
        ],
        ["write 1", "write 2", "write 3"],
    ),
    "extracted into a function": (
        [
            [("c1", "a = [write(1), write(2)]")],
            [("c1", "def both(): return [write(1), write(2)]\na = both()")],
        ],
        ["write 1", "write 2"],
    ),
    "turned into a loop": (
        [
            [("c1", "a = [write(0), write(1), write(2)]")],
            [("c1", "a = []\nfor i in range(3): a.append(write(i))")],
        ],
        ["write 0", "write 1", "write 2"],
    ),
    "a copy above and below": (
        [
            [("c2", "a = [write(1)]")],
            [("c1", "a = [write(1)]"), ("c3", "a = [write(1)]")],
        ],
        ["write 1", "write 1", "write 1"],
    ),
    "a loop shortened and lengthened": (
        [[("c1", f"a = [write(i) for i in range({n})]")] for n in (3, 1, 5)],
        [f"write {i}" for i in range(5)],
    ),
    "a read before and after a write, one deleted": (
        [
            [("c1", "a = [read(1), write(1), read(1)]")],
            [("c1", "a = [write(1), read(1)]")],
        ],
        ["read 1", "write 1", "read 1"],
    ),
}


def opened(nb: Notebook | None = None) -> Notebook:
    """A notebook with a tool of each effect, in a fresh kernel."""
    nb = nb or Notebook()
    if nb.count:
        nb.restart()
    nb.plain(TOOLS)
    return nb


@pytest.mark.wide
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit(edit: str) -> None:
    """Each call gets its own result, and the effects are those that somebody wrote."""
    versions, effects = EDITS[edit]
    nb = opened()
    for cells in versions:
        for cell_id, source in cells:
            nb.run(source, "", cell_id)
    assert nb.world.effects == effects
    results = nb.namespace["a"]
    assert isinstance(results, list)
    assert len(set(results)) == len(results)


def test_of_two_reads_the_one_after_the_write_stays() -> None:
    """Told apart by the write before them: the deleted one takes nothing along."""
    nb = opened()
    nb.run("a = [read(1), write(1), read(1)]", "", "c1")
    nb.run("a = [write(1), read(1)]", "", "c1")
    assert nb.namespace["a"] == ["write 1#1", "read 1#2"]
    nb.run("a = [read(1), write(1)]", "", "c1")
    assert nb.namespace["a"] == ["read 1#1", "write 1#1"]


@pytest.mark.parametrize("name", ["two", ""])
def test_cells_merged_after_a_restart_ask_once(name: str) -> None:
    """Nobody knows whether the other cell is gone: one answer for all of its calls."""
    nb = opened()
    nb.run("a = write(1)", "", "c1")
    nb.run("b = write(2); c = write(3)", name, "c2")
    opened(nb)
    merged = "a = write(1)\nb = write(2); c = write(3)"
    with pytest.raises(HappenedElsewhere):
        nb.run(merged, "", "c1")
    settle(nb, "cell1.2", Answer.KEEP)
    nb.run(merged, "", "c1")
    assert nb.world.effects == ["write 1", "write 2", "write 3"]


CELLS = ["a = write(1)", "b = [write(2), pure(2)]", "c = read(3)"]


@pytest.mark.wide
@pytest.mark.parametrize("kind", ["ids", "names", "neither"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_cells_out_of_order(order: tuple[int, ...], kind: str) -> None:
    """Three times in one kernel, then in a new one: nothing happens twice.

    Where a cell has neither id nor name, each execution in one kernel is another cell.
    """
    nb = opened()
    again = [] if kind == "neither" else [*order, *reversed(order)]
    for number in [*range(3), *again]:
        place(nb, number, kind)
    before = dict(nb.namespace)
    opened(nb)
    for number in order:
        place(nb, number, kind)
    assert sorted(nb.world.effects) == ["pure 2", "read 3", "write 1", "write 2"]
    assert all(nb.namespace[n] == before[n] for n in "abc")


def place(nb: Notebook, number: int, kind: str) -> None:
    """Run a cell that the front end or the user has a name for, or nobody has."""
    nb.run(
        CELLS[number],
        f"n{number}" if kind == "names" else "",
        f"c{number}" if kind == "ids" else "",
    )


def test_two_kernels_on_one_store_serve_each_other_nothing_but_pure_calls(
    tmp_path: Path,
) -> None:
    """Two notebooks, the same cell: each reads and writes for itself, also afterwards."""
    store, world, kernels = MemoryStore(), World(), []
    for name in ("one.ipynb", "two.ipynb"):
        path = tmp_path / name
        path.touch()
        kernels.append(Notebook(store=store, world=world, path=str(path)))
    for more in ("", "; more = 1"):
        for nb in kernels:
            nb.plain(TOOLS)
            nb.run(f"r = [read(1), write(1), pure(1)]{more}", "s", "c1")
    one, two = (nb.namespace["r"] for nb in kernels)
    assert one == ["read 1#1", "write 1#1", "pure 1#1"]
    assert two == ["read 1#2", "write 1#2", "pure 1#1"]
    assert sorted(world.effects) == sorted([*["read 1", "write 1"] * 2, "pure 1"])


AGENTS = """
from concurrent.futures import ThreadPoolExecutor
def agent(n):
    passed(n)
    a = write(n)
    done(n)
    return [a, write((n, a))]
with ThreadPoolExecutor(2) as pool:
    r = list(pool.map(agent, range(2)))
"""


def test_agents_in_threads_that_finish_in_another_order_keep_their_results() -> None:
    """Their calls are matched by what they are, whoever comes first."""
    nb = opened()
    gates(nb, first=0)
    nb.run(AGENTS, "s", "c1")
    results = nb.namespace["r"]
    opened(nb)
    gates(nb, first=1)
    nb.run(f"{AGENTS}edited = 1", "s", "c1")
    assert nb.namespace["r"] == results
    assert len(nb.world.effects) == 4


def gates(nb: Notebook, first: int) -> None:
    """One agent waits until the other one has made its first call."""
    nb.plain(
        "import threading\nopen_now = [threading.Event(), threading.Event()]\n"
        f"open_now[{first}].set()\n"
        "def passed(n): assert open_now[n].wait(60)\n"
        "def done(n): open_now[1 - n].set()"
    )


def test_what_another_cell_had_made_is_told() -> None:
    """Once, in the line of the cell that was served it: from where, and which payments."""
    nb = Notebook()
    nb.plain(TOOLS)
    nb.run("a = write(1); b = [write(2), write(3)]", "one", "c1")
    nb.run("a = write(1)", "one", "c1")
    told = nb.run("b = [write(2), write(3)]", "two", "c2")
    assert "· from one: write(2) and 1 more" in told
    assert "from one" not in nb.run("b = [write(2), write(3)]; more = 1", "two", "c2")
