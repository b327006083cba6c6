"""A cell that runs a loop in a loop; what makes that possible changes its whole process."""

from __future__ import annotations

import pytest

from nbdurable.testing.kernel import Kernel

SETUP = """
import asyncio, nest_asyncio2
import nbdurable as nd

@nd.tool(effect="write")
async def pay(x):
    with open("paid", "a") as paid: paid.write(f"pay {x};")
    return x
"""
CELL = """%%durable s
async def go():
    nest_asyncio2.apply()
    return asyncio.get_running_loop().run_until_complete(pay(1))
r = await go()
"""


@pytest.mark.slow
def test_a_loop_in_a_loop(kernel: Kernel) -> None:
    """Its call is the cell's, and is served to the edited cell."""
    assert kernel.run(SETUP).ok
    for edit in range(2):
        ran = kernel.run(f"{CELL}edit = {edit}", metadata={"cellId": "c1"})
        assert ran.ok
    assert "1 replayed" in ran.text
    assert kernel.run("print(r)").text.strip() == "1"
    assert (kernel.folder / "paid").read_text() == "pay 1;"
