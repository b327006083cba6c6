"""A map that is killed again and again: every item's effect exactly once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ITEMS = 300

SETUP = """
import os, nbdurable as nd

def account():
    return open("paid.txt").read().split() if os.path.exists("paid.txt") else []

def happened(n):
    if str(n) in account():
        return f"paid {n}"
    raise nd.NotDone

@nd.tool(effect="write", on_doubt=happened)
def pay(n):
    file = os.open("paid.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, f"{n}\\n".encode())
    os.close(file)
    return f"paid {n}"
"""

CELL = f"%%durable bills\npaid = nd.map(pay, range({ITEMS}), limit=20)"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel in a folder of its own."""
    with Kernel(tmp_path) as started:
        yield started


def begun(kernel: Kernel) -> Ran:
    """The map, under way."""
    assert kernel.run(SETUP).ok
    return kernel.send(CELL, metadata={"cellId": "c1"})


def paid(folder: Path) -> list[str]:
    """What happened outside, as it stands in a file."""
    account = folder / "paid.txt"
    return account.read_text().split() if account.exists() else []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_item_happens_once(kernel: Kernel, tmp_path: Path, seed: int) -> None:
    """Killed at three moments drawn from a seed; what was in flight is looked up."""
    moments = sorted(random.Random(seed).sample(range(1, ITEMS), 3))
    for moment in moments:
        ran = begun(kernel)

        def reached(ran: Ran = ran, moment: int = moment) -> bool:
            return len(paid(tmp_path)) >= moment or ran.done

        kernel.wait_for(ran, reached)
        kernel.kill()
        kernel.restart()
    ran = kernel.wait(begun(kernel), timeout_s=120)
    assert ran.ok, ran.text
    assert Counter(paid(tmp_path)) == Counter(map(str, range(ITEMS)))
    told = kernel.run(f"print(paid == [f'paid {{n}}' for n in range({ITEMS})])").text
    assert told.strip() == "True"
