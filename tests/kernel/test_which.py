"""Two questions of one number, in real kernels: each command settles what it was shown for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = pytest.mark.slow

TOOLS = """
from pathlib import Path
import nbdurable as nd
from nbdurable.testing.effects import effect
from nbdurable_store.clock import SYSTEM_CLOCK as clock

@nd.tool(effect="write")
def pay(who):
    effect("pay", who=who)
    print("paid")
    while not Path("go").exists():
        clock.sleep(0.05)
    return "done"
"""
CELL = "%%durable bill\nr = pay({!r})"


def interrupted(kernel: Kernel, who: str) -> None:
    """Interrupt the cell that pays this one: the payment is in doubt."""
    paying = kernel.send(CELL.format(who), metadata={"cellId": who})
    kernel.wait_for(paying, lambda: "paid" in paying.text)
    kernel.interrupt()
    assert not kernel.wait(paying).ok


def commands(text: str, option: str) -> list[str]:
    """The commands that are offered with this option, as they stand there."""
    return re.findall(rf"%durable (?:resolve|rerun) \S+ ?{option}", text)


def paid(folder: Path, who: str) -> int:
    """How often somebody was paid."""
    return (folder / "effects.jsonl").read_text().count(who)


def test_two_cells_of_one_name(tmp_path: Path) -> None:
    """The number alone is refused; what is pasted from the error settles one of them."""
    with Kernel(tmp_path) as kernel:
        assert kernel.run(TOOLS).ok
        for who in ("ann", "bea"):
            interrupted(kernel, who)
        (tmp_path / "go").touch()
        refused = kernel.run("%durable resolve bill.1 --did-not")
        assert "bill.1 may be 2 calls" in refused.text
        told = kernel.run("%durable")
        assert set(commands(told.text, "--did-not")) == set(
            commands(refused.text, "--did-not")
        )
        (of_bea,) = (
            command
            for command in commands(refused.text, "--did-not")
            if f"{command.split()[2]}  pay('bea')" in refused.text
        )
        assert "pay('bea') runs when its cell runs again" in kernel.run(of_bea).text
        assert kernel.run(CELL.format("bea"), metadata={"cellId": "bea"}).ok
        assert not kernel.run(CELL.format("ann"), metadata={"cellId": "ann"}).ok
        assert (paid(tmp_path, "ann"), paid(tmp_path, "bea")) == (1, 2)


def test_what_a_rerun_of_a_doubt_offers_works(tmp_path: Path) -> None:
    """It is refused with the answers; one of them, pasted, settles the call."""
    with Kernel(tmp_path) as kernel:
        assert kernel.run(TOOLS).ok
        interrupted(kernel, "ann")
        (tmp_path / "go").touch()
        refused = kernel.run("%durable rerun bill.1")
        assert "settle that first" in refused.text
        assert "%durable rerun" not in refused.text
        (did_not,) = commands(refused.text, "--did-not")
        assert kernel.run(did_not).ok
        again = kernel.run(did_not)
        assert "was settled: it did not happen" in again.text
        assert kernel.run(CELL.format("ann"), metadata={"cellId": "ann"}).ok
        assert "made afresh" in kernel.run("%durable rerun bill.1").text
