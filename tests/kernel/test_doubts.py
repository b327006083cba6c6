"""A payment that a killed kernel may have made, seen from real kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = pytest.mark.slow

TOOLS = """
import uuid
from pathlib import Path
import nbdurable as nd
from nbdurable.testing.effects import effect
from nbdurable_store.clock import SYSTEM_CLOCK as clock

@nd.tool
def pay(who, key):
    effect("pay", who=who)
    print("paid")
    while not Path("go").exists():
        clock.sleep(0.05)
    return "done"
"""
CELL = "%%durable {name}\nr = pay('ann', str(uuid.uuid4()))"


def payments(folder: Path) -> int:
    """How often somebody was paid."""
    return (folder / "effects.jsonl").read_text().count('"tool"')


def killed(kernel: Kernel, folder: Path) -> None:
    """Kill the kernel in a payment, and begin another one in which none would wait."""
    assert kernel.run(TOOLS).ok
    paying = kernel.send(CELL.format(name="bill"), metadata={"cellId": "c1"})
    kernel.wait_for(paying, lambda: "paid" in paying.text)
    kernel.kill()
    kernel.restart()
    (folder / "go").touch()
    assert kernel.run(TOOLS).ok


@pytest.mark.parametrize("leave", ["", "%durable fork"])
def test_a_payment_that_moved_to_another_cell_asks(tmp_path: Path, leave: str) -> None:
    """After a kill, also in a fork, the cell that makes it now pays nothing unasked."""
    env = {"NBDURABLE_NOTEBOOK": "/bills.ipynb"}
    moved = CELL.format(name="moved")
    with Kernel(tmp_path, env={**env, "NBDURABLE_RUN": ""}) as kernel:
        killed(kernel, tmp_path)
        if leave:
            assert kernel.run(leave, metadata={"cellId": "c9"}).ok
        asked = kernel.run(moved, metadata={"cellId": "c2"})
        assert "may have happened instead" in asked.text
        assert "The kernel stopped" in asked.text
        assert payments(tmp_path) == 1
        left = kernel.run("%durable new") if not leave else None
        assert left is None or "stays open in run 1" in left.text
        if leave:
            assert kernel.run("%durable resolve moved.1 --did-not").ok
            assert kernel.run(moved, metadata={"cellId": "c2"}).ok
            assert payments(tmp_path) == 2
