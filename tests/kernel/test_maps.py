"""A map in real kernels: the line under its cell, and limits that several kernels share."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran

SETUP = """
import os, time
import nbdurable as nd

def note(what):
    file = os.open("noted", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, f"{what}\\n".encode())
    os.close(file)

@nd.tool(effect="read")
def look(n):
    while n == 9 and not os.path.exists("gate"):
        time.sleep(0.01)
    return n

@nd.tool(effect="write", limit=2)
def pay(n):
    note("+")
    time.sleep(0.002)
    note("-")
    return n
"""


def lines(ran: Ran, *types: str) -> list[dict[str, str]]:
    """What was shown of how far the map is."""
    shown = ran.of_type(*types)
    kinds = [c["metadata"].get("nbdurable", {}).get("kind") for c in shown]
    return [c["data"] for c, k in zip(shown, kinds, strict=True) if k == "progress"]


@pytest.mark.slow
def test_a_line_under_the_cell_tells_how_far_it_is(
    kernel: Kernel, tmp_path: Path
) -> None:
    """As text and as a bar, drawn again in place; a replay shows none of it."""
    assert kernel.run(SETUP).ok
    cell = "%%durable m\nseen = nd.map(look, range(10), limit=2)"
    ran = kernel.send(cell, metadata={"cellId": "c1"})
    kernel.wait_for(ran, lambda: bool(lines(ran, "display_data")))
    (tmp_path / "gate").touch()
    assert kernel.wait(ran).ok
    (first,) = lines(ran, "display_data")
    last = lines(ran, "update_display_data")[-1]
    assert first["text/plain"].startswith("9/10 · 1 running")
    assert 'aria-valuenow="90"' in first["text/html"]
    assert "width:90%" in first["text/html"]
    assert last["text/plain"] == "10/10"
    assert "width:100%" in last["text/html"]
    assert ">10/10</div>" in last["text/html"]
    kernel.restart()
    assert kernel.run(SETUP).ok
    again = kernel.run(cell, metadata={"cellId": "c1"})
    assert again.ok
    assert lines(again, "display_data", "update_display_data") == []


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_limit_holds_over_kernels(tmp_path: Path) -> None:
    """Two kernels on one store run two calls of the tool at a time, and not two each."""
    cell = "%%durable bills\npaid = nd.map(pay, range({}, {}), limit=5)"
    with (
        Kernel(tmp_path, env={"NBDURABLE_NOTEBOOK": "one.ipynb"}) as one,
        Kernel(tmp_path, env={"NBDURABLE_NOTEBOOK": "two.ipynb"}) as two,
    ):
        assert one.run(SETUP).ok
        assert two.run(SETUP).ok
        first = one.send(cell.format(0, 30), metadata={"cellId": "c1"})
        second = two.send(cell.format(30, 60), metadata={"cellId": "c2"})
        assert one.wait(first, timeout_s=60).ok
        assert two.wait(second, timeout_s=60).ok
    noted = (tmp_path / "noted").read_text().split()
    assert Counter(noted) == {"+": 60, "-": 60}
    running = 0
    for sign in noted:
        running += 1 if sign == "+" else -1
        assert running <= 2
