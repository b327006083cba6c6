"""Who changed an argument while a call awaited, with top-level await in real kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from tests.kernel.test_upgrades import effects

pytestmark = pytest.mark.slow

TOOLS = """
import asyncio
import nbdurable as nd
from nbdurable.testing.effects import effect

@nd.tool
async def pay(cart):
    for _ in range(3): await asyncio.sleep(0)
    return effect("pay")

class Crawler:
    def __init__(self): self.pages = []
    async def fetch(self, page):
        await asyncio.sleep(0)
        self.pages.append(page)
    @nd.tool
    async def crawl(self, n):
        await asyncio.gather(*map(self.fetch, range(n)))
        await asyncio.to_thread(self.pages.sort)
        return effect("crawl")

@nd.tool
def total(*things):
    return effect("total")

async def other(cart):
    for _ in range(2): await asyncio.sleep(0)
    cart.append("other")
"""
CELL = """%%durable out
cart, one, two = [1], Crawler(), Crawler()
await asyncio.gather(pay(cart), other(cart), one.crawl(3), two.crawl(4))
total(cart, one.pages, two.pages)
print(cart, one.pages, two.pages)"""
SHOWN = "[1, 'other'] [0, 1, 2] [0, 1, 2, 3]"


def test_what_others_changed_is_changed_once(tmp_path: Path) -> None:
    """Another task's change isn't put back, those of a call's own tasks are."""
    with Kernel(tmp_path) as kernel:
        kernel.run(TOOLS)
        assert SHOWN in kernel.run(CELL).text
        kernel.kill()
    with Kernel(tmp_path) as kernel:
        kernel.run(TOOLS)
        told = kernel.run(f"{CELL}\nmore = 1").text
    assert SHOWN in told
    assert "4 replayed" in told
    assert [effects(tmp_path, name) for name in ("pay", "crawl", "total")] == [1, 2, 1]
