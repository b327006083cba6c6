"""Payments of a tool whose signature or name was edited, in real kernels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = pytest.mark.slow

TOOLS = """
from pathlib import Path
import nbdurable as nd
from nbdurable.testing.effects import effect
from nbdurable_store.clock import SYSTEM_CLOCK as clock

@nd.tool{options}
def {name}(who{more}):
    effect("pay", who=who)
    print("paid")
    while Path("hang").exists():
        clock.sleep(0.05)
    return f"receipt of {{who}}"

class Bank:
    @nd.tool{options}
    async def send(self, who{more}):
        effect("pay", who=f"bank {{who}}")
        return f"slip of {{who}}"
"""
CELL = """%%durable bills
got = [{name}(who) for who in ("ann", "bob")]
got.append(await Bank().send("cid"))
print(got)"""
ALL = "['receipt of ann', 'receipt of bob', 'slip of cid']"


def tools(name: str = "pay", more: str = "", options: str = "") -> str:
    """The cell that defines them."""
    return TOOLS.format(name=name, more=more, options=options)


def cell(kernel: Kernel, name: str = "pay") -> str:
    """Run the payments; gives what the cell showed."""
    return kernel.run(CELL.format(name=name), metadata={"cellId": "c1"}).text


def paid(folder: Path) -> list[str]:
    """Who was paid, in order."""
    lines = (folder / "effects.jsonl").read_text().splitlines()
    return [json.loads(line)["args"]["who"] for line in lines if '"tool"' in line]


@pytest.mark.parametrize(
    ("edit", "restart"),
    [
        ({"more": ", note=''"}, True),
        ({"options": "(ignore='who')"}, False),
        ({"name": "charge"}, False),
    ],
)
def test_an_edited_signature_after_a_restart(
    tmp_path: Path, edit: dict[str, str], restart: bool
) -> None:
    """Each tool is asked about once; what is kept is served, also in the next kernel."""
    name = edit.get("name", "pay")
    with Kernel(tmp_path) as kernel:
        assert kernel.run(tools()).ok
        assert ALL in cell(kernel)
        if restart:
            kernel.restart()
        assert kernel.run(tools(**edit)).ok
        for call in ("bills.1", "bills.3"):
            asked = cell(kernel, name)
            if "already happened with an earlier version of" not in asked:
                assert (name, call) == ("charge", "bills.3")
                break
            assert kernel.run(f"%durable resolve {call} --keep").ok
        for _ in range(2):
            assert ALL in cell(kernel, name)
            assert len(paid(tmp_path)) == 3
            kernel.restart()
            assert kernel.run(tools(**edit)).ok


@pytest.mark.parametrize(
    ("said", "receipts"),
    [("--happened 'seen'", "seen"), ("--did-not", "receipt of ann")],
)
def test_a_payment_in_doubt_whose_tool_was_renamed(
    tmp_path: Path, said: str, receipts: str
) -> None:
    """It asks, the inbox names it until it is answered, and the answer settles it."""
    (tmp_path / "hang").touch()
    with Kernel(tmp_path) as kernel:
        assert kernel.run(tools()).ok
        paying = kernel.send(CELL.format(name="pay"), metadata={"cellId": "c1"})
        kernel.wait_for(paying, lambda: "paid" in paying.text)
        kernel.kill()
        kernel.restart()
        (tmp_path / "hang").unlink()
        assert kernel.run(tools(name="charge")).ok
        asked = cell(kernel, "charge")
        assert "charge('ann') was not made: pay('ann') may have happened" in asked
        assert paid(tmp_path) == ["ann"]
        assert "pay('ann')" in kernel.run("%durable inbox").text
        assert kernel.run(f"%durable resolve bills.1 {said}").ok
        assert receipts in cell(kernel, "charge")
        assert "pay('ann')" not in kernel.run("%durable inbox").text
        assert paid(tmp_path).count("ann") == (1 if "seen" in said else 2)
