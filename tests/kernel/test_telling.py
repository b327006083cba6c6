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
