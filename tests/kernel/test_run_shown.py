"""`%durable` in a real kernel: the run, and the explanation of a step."""

from __future__ import annotations

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran

pytestmark = pytest.mark.slow

ONE = {"cellId": "one"}
SETUP = """
import nbdurable as nd

@nd.tool(effect="read")
def search(query):
    return [query] * 3
"""


def shown(ran: Ran) -> dict[str, str]:
    """What the cell's last expression showed, by kind."""
    (result,) = ran.of_type("execute_result")
    return dict(result["data"])


def test_the_run_is_shown(kernel: Kernel) -> None:
    """Before a run it says how to begin, then it shows cells and calls."""
    kernel.run("import nbdurable")
    assert "To begin:" in shown(kernel.run("%durable"))["text/plain"]
    kernel.run(SETUP)
    kernel.run("%%durable findings\nhits = [search(q) for q in 'abc']", metadata=ONE)
    kernel.run("%%durable findings\nhits = [search(q) for q in 'abcd']", metadata=ONE)
    run = shown(kernel.run("%durable"))
    assert "findings  3 replayed, 1 ran" in run["text/plain"]
    assert "▮▮▮ ↺↺↺▮" in run["text/plain"]
    assert "<svg" in run["text/html"]
    why = shown(kernel.run("%durable why findings"))["text/plain"]
    assert "because its code changed" in why


def test_stale_cells_are_marked(kernel: Kernel) -> None:
    """The run and the status say which cell would run again, and where its input changed."""
    kernel.run("df = [1, 2]")
    kernel.run("%%durable chart\nn = len(df)", metadata=ONE)
    kernel.run("%%durable other\nm = 1", metadata={"cellId": "two"})
    assert "stale" not in shown(kernel.run("%durable"))["text/plain"]
    kernel.run("df = [1, 2, 3]")
    run = shown(kernel.run("%durable"))
    assert "    stale: df changed in cell 5" in run["text/plain"]
    assert "stale: df changed in cell 5" in run["text/html"]
    status = shown(kernel.run("%durable status"))["text/plain"]
    assert "stale, would run again: chart (df changed in cell 5)" in status


def test_two_attempts_are_compared(kernel: Kernel) -> None:
    """`%durable diff` loads the variables that differ, and shows their cells."""
    kernel.run("LIMIT = 3")
    cell = "%%durable chart\nimport pandas as pd\ndf = pd.DataFrame({'a': [1, LIMIT]})\nn = LIMIT"
    kernel.run(cell, metadata=ONE)
    kernel.run("LIMIT = 4")
    kernel.run(cell, metadata=ONE)
    told = shown(kernel.run("%durable diff chart"))
    assert "df.loc[1, 'a'] was 3, is 4" in told["text/plain"]
    assert "<dd>n was 3, is 4</dd>" in told["text/html"]


def test_one_can_go_back(kernel: Kernel) -> None:
    """`%durable back` changes the notebook's own variables."""
    kernel.run("%%durable chart\na = 1", metadata=ONE)
    kernel.run("%%durable chart\na = 2", metadata=ONE)
    assert "back before chart · a as of chart@1" in kernel.run("%durable back").text
    assert kernel.run("print(a)").text.strip() == "1"
