"""A cell that stopped behind a payment with a fresh uuid, in real kernels."""

from __future__ import annotations

import re
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

@nd.tool(effect="write")
def pay(who, key):
    effect("pay", who=who)
    return f"{who} {key}"

def wait():
    print("paid")
    while not Path("go").exists():
        clock.sleep(0.05)
"""
CELL = """%%durable bill
r = pay('ann', str(uuid.uuid4()))
wait()
"""
ID = {"cellId": "c1"}


def payments(folder: Path) -> int:
    """How often somebody was paid."""
    return (folder / "effects.jsonl").read_text().count('"tool"')


def offered(text: str, option: str) -> str:
    """The command that an error offers with this option, as it stands there."""
    return re.findall(rf"%durable resolve \S+ {option}", text)[0]


def killed(kernel: Kernel) -> None:
    """Kill the kernel behind the payment, and begin another one."""
    assert kernel.run(TOOLS).ok
    paying = kernel.send(CELL, metadata=ID)
    kernel.wait_for(paying, lambda: "paid" in paying.text)
    kernel.kill()
    kernel.restart()
    assert kernel.run(TOOLS).ok


def test_a_kernel_killed_behind_a_payment_asks(tmp_path: Path) -> None:
    """The payment is not made again; kept, the cell goes on with its result."""
    with Kernel(tmp_path) as kernel:
        killed(kernel)
        (tmp_path / "go").touch()
        asked = kernel.run(CELL, metadata=ID)
        assert "an earlier attempt of bill made pay('ann'" in asked.text
        assert kernel.run(offered(asked.text, "--keep")).ok
        assert kernel.run(CELL, metadata=ID).ok
        assert payments(tmp_path) == 1


def test_a_rerun_asks_as_it_says(tmp_path: Path) -> None:
    """It is announced, and comes; done again, it is made once more."""
    (tmp_path / "go").touch()
    with Kernel(tmp_path) as kernel:
        assert kernel.run(TOOLS).ok
        assert kernel.run(CELL, metadata=ID).ok
        assert "you are asked first" in kernel.run("%durable rerun bill").text
        asked = kernel.run(CELL, metadata=ID)
        assert "already happened before this rerun of bill" in asked.text
        assert payments(tmp_path) == 1
        assert kernel.run(offered(asked.text, "--again")).ok
        assert kernel.run(CELL, metadata=ID).ok
        assert payments(tmp_path) == 2


BANK = """
import nbdurable as nd
from nbdurable.testing.effects import effect

class Bank:
    def __init__(self): self.sent = []
    @nd.tool(effect="write")
    def send(self, who):
        done = effect("send", who=who)
        self.sent.append(who)
        return done
bank = Bank()
"""


def test_an_object_that_keeps_books_pays_once(tmp_path: Path) -> None:
    """The cell is edited in the same kernel: it asks, and the books are put back."""
    cell = "%%durable bill\nr = [bank.send(x) for x in {who!r}]\nprint(bank.sent)"
    with Kernel(tmp_path) as kernel:
        assert kernel.run(BANK).ok
        assert kernel.run(cell.format(who="ab"), metadata=ID).ok
        asked = kernel.run(cell.format(who="abc"), metadata=ID)
        assert payments(tmp_path) == 2
        assert kernel.run(offered(asked.text, "--keep")).ok
        paid = kernel.run(cell.format(who="abc"), metadata=ID)
    assert "['a', 'b', 'c']" in paid.text
    assert payments(tmp_path) == 3
