"""A tool that was renamed and edited at once, and what a cell puts somewhere, in kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from tests.kernel.test_edits_signatures import paid

pytestmark = pytest.mark.slow

TOOL = """
import nbdurable as nd
from nbdurable.testing.effects import effect
RUNID = {run!r}
results = {{}}

@nd.tool(effect="write")
def {name}(who):
    effect("pay", who=who)
    {body}
    return f"receipt of {{who}}, {{RUNID}}"
"""
CELL = """%%durable bills
for who in ("ann", "bob"):
    results[who] = {name}(who)
print(results)"""
SERVED = "{'ann': 'receipt of ann, r1', 'bob': 'receipt of bob, r1'}"


def tool(name: str = "pay", run: str = "r1", body: str = "pass") -> str:
    """The cell that defines it."""
    return TOOL.format(name=name, run=run, body=body)


def cell(kernel: Kernel, name: str = "pay") -> str:
    """Run the payments; gives what the cell showed."""
    return kernel.run(CELL.format(name=name), metadata={"cellId": "c1"}).text


@pytest.mark.parametrize("restart", [True, False])
def test_a_tool_that_was_renamed_and_edited_asks(tmp_path: Path, restart: bool) -> None:
    """Both calls are shown; what is kept is served, also in the next kernel."""
    edited = tool("charge", body="who = who.strip()")
    with Kernel(tmp_path) as kernel:
        assert kernel.run(tool()).ok
        assert SERVED in cell(kernel)
        if restart:
            kernel.restart()
        assert kernel.run(edited).ok
        asked = cell(kernel, "charge")
        assert "charge('ann') was not made: this cell has made pay('ann')" in asked
        assert kernel.run("%durable resolve bills.1 --keep").ok
        for _ in range(2):
            assert SERVED in cell(kernel, "charge")
            kernel.restart()
            assert kernel.run(edited).ok
        assert paid(tmp_path) == ["ann", "bob"]


def test_a_cell_that_runs_again_in_one_kernel_asks_nothing(tmp_path: Path) -> None:
    """What it put into a dict is its own; a constant of its tool is named, if edited."""
    with Kernel(tmp_path) as kernel:
        assert kernel.run(tool()).ok
        for _ in range(3):
            assert SERVED in cell(kernel)
        assert kernel.run("RUNID = 'r2'").ok
        asked = cell(kernel)
        assert "pay('ann') already happened with another RUNID." in asked
        assert "RUNID was 'r1', is 'r2'." in asked
        assert paid(tmp_path) == ["ann", "bob"]


def test_two_tools_of_one_cell_that_are_both_in_use_are_two(tmp_path: Path) -> None:
    """They have one code; a cell that goes over to the other one is asked nothing."""
    two = tool() + TOOL.format(name="charge", run="r1", body="pass")
    with Kernel(tmp_path) as kernel:
        assert kernel.run(two).ok
        assert SERVED in cell(kernel)
        for name in ("pay", "charge"):
            other = f"%%durable {name}s\n{name}('cid')"
            assert kernel.run(other, metadata={"cellId": f"c-{name}"}).ok
        assert SERVED in cell(kernel, "charge")
        assert paid(tmp_path) == ["ann", "bob", "cid", "cid", "ann", "bob"]
