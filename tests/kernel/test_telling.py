"""What a person is told by `%durable` and its words, in a real kernel."""

from __future__ import annotations

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = pytest.mark.slow


def test_the_cell_that_made_a_change_is_named(kernel: Kernel) -> None:
    """Plain cells by their number, also for a change in place; durable ones by name."""
    kernel.run("rows, limit = [1], 2")
    count = "%%durable count\nn = len(rows) * limit"
    kernel.run(count)
    kernel.run("def more(rows):\n    rows = [1]")
    kernel.run("rows.append(2)")
    assert "count (rows changed in cell 4)" in kernel.run("%durable status").text
    kernel.run("rows.pop()")
    assert "stale" not in kernel.run("%durable status").text
    kernel.run("%%durable add\nrows.append(3)")
    assert "count (rows changed in add)" in kernel.run("%durable status").text
    assert "because rows changed (add)" in kernel.run(count).text
    assert "because rows changed (add)" in kernel.run("%durable why count").text


def test_one_remedy_for_a_value_that_cannot_be_loaded(kernel: Kernel) -> None:
    """`restore` and the NameError tell the same, and it is what brings the value back."""
    (kernel.folder / "shapes.py").write_text("class Shape:\n    side = 2\n")
    kernel.run("%%durable bad\nimport shapes\nd = shapes.Shape()")
    kernel.kill()
    (kernel.folder / "shapes.py").write_text("other = 1\n")
    kernel.restart()
    assert "not back: d → run the cell bad" in kernel.run("%durable restore d").text
    assert "could not be loaded (bad): run the cell bad" in kernel.run("d").text
    (kernel.folder / "shapes.py").write_text("class Shape:\n    side = 3\n")
    kernel.run("import importlib, shapes; importlib.reload(shapes)")
    assert kernel.run("%%durable bad\nimport shapes\nd = shapes.Shape()").ok
    assert kernel.run("d.side").text.strip() == "3"


def test_back_reaches_what_a_restore_left_to_be_loaded(kernel: Kernel) -> None:
    """A frame that waits to be loaded gets its value of before the step, not of after."""
    kernel.run("%%durable make\nimport pandas as pd\ndf = pd.DataFrame({'a': [1]})")
    kernel.run("%%durable widen\ndf['b'] = df.a + 1")
    kernel.kill()
    kernel.restart()
    assert "loaded when used: df" in kernel.run("%durable restore").text
    assert "back before widen · df as of make" in kernel.run("%durable back").text
    assert "['a']" in kernel.run("list(df.columns)").text
