"""The code of what a tool is given, in real kernels with a restart between them."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = pytest.mark.slow

MODULE = """
class Address:
    def lines(self): return 2
"""
CLASSES = """
import dataclasses
from shop_parts import Address

class Price:
    amount = 5

@dataclasses.dataclass
class Order:
    price: Price
    address: Address
    # what it costs
    def total(self): return self.price.amount

class Desk:
    def __init__(self): self.sold = []
"""
TOOLS = """
import nbdurable as nd
from nbdurable.testing.effects import effect

@nd.tool
def buy(order):
    return effect("buy", total=str(order.total()))

@nd.tool(effect="read")
def look(order):
    return effect("look", total=str(order.total()))

@nd.tool
def post(address):
    return effect("post", lines=str(address.lines()))

class Shop(Desk):
    @nd.tool
    async def sell(self, what):
        self.sold.append(what)
        return effect("sell", what=what)
"""
CELL = """%%durable out
order = Order(Price(), Address())
shop = Shop()
r = [look(order), buy(order), post(order.address), await shop.sell('tea')]
print(len(shop.sold))"""


def happened(folder: Path) -> Counter[str]:
    """How often each tool took effect."""
    lines = (folder / "effects.jsonl").read_text().splitlines()
    return Counter(json.loads(line)["tool"] for line in lines if '"tool"' in line)


@contextlib.contextmanager
def opened(folder: Path, classes: str, module: str = MODULE) -> Iterator[Kernel]:
    """A kernel in which everything is defined; killed at the end."""
    (folder / "shop_parts.py").write_text(module)
    with Kernel(folder) as kernel:
        for cell in (classes, TOOLS):
            assert kernel.run(cell).ok
        yield kernel
        kernel.kill()


def test_an_edited_class_after_a_restart(tmp_path: Path) -> None:
    """Comments cost nothing; an edit runs the read again, and each write asks."""
    with opened(tmp_path, CLASSES) as kernel:
        assert kernel.run(CELL).ok
    with opened(tmp_path, CLASSES.replace("# what it", "# in euros\n    #")) as kernel:
        assert "nothing ran" in kernel.run(CELL).text
        assert "4 replayed" in kernel.run(f"{CELL}\nmore = 1").text
    assert set(happened(tmp_path).values()) == {1}

    with opened(tmp_path, CLASSES.replace("amount = 5", "amount = 500")) as kernel:
        asked = kernel.run(CELL).text
        assert "with an earlier version of Order and Price" in asked
        kernel.run("%durable resolve out.2 --keep")
        assert kernel.run(CELL).ok
    assert happened(tmp_path) == {"look": 2, "buy": 1, "post": 1, "sell": 1}


def test_an_edited_module_and_an_edited_base(tmp_path: Path) -> None:
    """The class of a local module, and the base of the class of `self`, ask as well."""
    with opened(tmp_path, CLASSES) as kernel:
        assert kernel.run(CELL).ok

    edited = CLASSES.replace("self.sold = []", "self.sold = list()")
    with opened(tmp_path, edited, MODULE.replace("return 2", "return 3")) as kernel:
        asked = kernel.run(CELL).text
        assert "with an earlier version of Order and shop_parts.Address" in asked
        kernel.run("%durable resolve out.2 --keep")
        assert "post(<Address>) already happened" in kernel.run(CELL).text
        kernel.run("%durable resolve out.3 --again")
        assert "with an earlier version of Shop" in kernel.run(CELL).text
        kernel.run("%durable resolve out.4 --keep")
        assert kernel.run(CELL).ok
    assert happened(tmp_path) == {"look": 2, "buy": 1, "post": 2, "sell": 1}
