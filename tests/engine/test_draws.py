"""Time, random numbers and UUIDs of durable cells: drawn once."""

from __future__ import annotations

import pytest

from tests.engine.notebooks import Notebook


@pytest.fixture
def notebook() -> Notebook:
    """A notebook that knows `nd`."""
    nb = Notebook()
    nb.plain("import nbdurable as nd")
    return nb


def again(nb: Notebook, source: str) -> None:
    """Run a cell of the same name in a fresh kernel."""
    nb.restart()
    nb.plain("import nbdurable as nd")
    nb.run(source, name="a")


def drawn(nb: Notebook, *names: str) -> list[object]:
    """What the names hold."""
    return [nb.namespace[name] for name in names]


CELL = """
when = nd.now()
for i in range(2):
    lucky = nd.random()
key = nd.uuid4("order")
"""


def test_a_draw_is_the_same_ever_after(notebook: Notebook) -> None:
    """In another kernel, and in a cell that was edited around it."""
    notebook.run(CELL, name="a")
    before = drawn(notebook, "when", "lucky", "key")
    again(notebook, CELL)
    assert drawn(notebook, "when", "lucky", "key") == before
    again(notebook, "more = 1  # edited\n" + CELL + "more += 1\n")
    assert drawn(notebook, "when", "lucky", "key") == before


def test_statements_that_move_keep_what_they_drew(notebook: Notebook) -> None:
    """A draw is told by the statement it stands in, not by its place."""
    first, second = "a = nd.random()", "b = nd.random()"
    notebook.run(f"{first}\n{second}", name="a")
    before = drawn(notebook, "a", "b")
    again(notebook, f"{second}\n{first}")
    assert drawn(notebook, "a", "b") == before
    again(notebook, f"{second}\nc = nd.random()")
    assert notebook.namespace["b"] == before[1]
    assert notebook.namespace["c"] not in before


def test_a_label_tells_a_draw(notebook: Notebook) -> None:
    """A labelled draw keeps its value whatever becomes of its statement."""
    notebook.run('key = nd.uuid4("order")', name="a")
    before = notebook.namespace["key"]
    again(notebook, 'other = [nd.uuid4("order"), 2]')
    assert notebook.namespace["other"] == [before, 2]


def test_a_draw_in_a_function_is_told_by_its_statement(notebook: Notebook) -> None:
    """Functions of plain cells draw for the durable cell that calls them."""
    function = "def make():\n    return nd.uuid4()\n"
    notebook.plain(function)
    notebook.run("keys = [make(), make()]", name="a")
    before = notebook.namespace["keys"]
    notebook.restart()
    notebook.plain("import nbdurable as nd")
    notebook.plain(function)
    notebook.run("keys = [make(), make()]; n = 2", name="a")
    assert notebook.namespace["keys"] == before
    assert len(set(before)) == 2
