"""Wherever a cell's code runs, its calls are found to be the cell's."""

from __future__ import annotations

import threading
from multiprocessing.pool import ThreadPool
from typing import Final

import pytest

from tests.engine.notebooks import Notebook

WAYS: Final = {
    "gather": "(r,) = asyncio.run(of(asyncio.gather, apay(1)))",
    "task group": """
async def go():
    async with asyncio.TaskGroup() as group: task = group.create_task(apay(1))
    return task.result()
r = asyncio.run(go())""",
    "call soon": """
async def go():
    loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    loop.call_soon(lambda: done.set_result(pay(1)))
    return await done
r = asyncio.run(go())""",
    "to_thread": "r = asyncio.run(asyncio.to_thread(pay, 1))",
    "run_in_executor": """
async def go(): return await asyncio.get_running_loop().run_in_executor(None, pay, 1)
r = asyncio.run(go())""",
    "run_coroutine_threadsafe": """
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever); thread.start()
r = asyncio.run_coroutine_threadsafe(apay(1), loop).result()
loop.call_soon_threadsafe(loop.stop); thread.join(); loop.close(); del loop, thread""",
    "pool": "with ThreadPoolExecutor(1) as pool: r = pool.submit(pay, 1).result()",
    "pool of a plain cell": "r = there.submit(pay, 1).result()",
    "thread": """
got = []
thread = threading.Thread(target=lambda: got.append(pay(1)))
thread.start(); thread.join(); r = got[0]; del thread""",
    "timer": """
got = []
timer = threading.Timer(0, lambda: got.append(pay(1)))
timer.start(); timer.join(); r = got[0]; del timer""",
    "pool of multiprocessing": """
with multiprocessing.pool.ThreadPool(1) as pool: r = pool.apply(pay, (1,))""",
    "joblib's threads": """
(r,) = joblib.Parallel(n_jobs=2, backend="threading")([joblib.delayed(pay)(1)])""",
    "anyio's threads": "r = anyio.run(anyio.to_thread.run_sync, pay, 1)",
    "anyio's portal": """
with anyio.from_thread.start_blocking_portal() as portal: r = portal.call(apay, 1)""",
    "LangChain's batch": "(r,) = RunnableLambda(pay).batch([1])",
}

SETUP: Final = """
import asyncio, multiprocessing.pool, threading
import anyio, anyio.from_thread, anyio.to_thread, joblib
from concurrent.futures import ThreadPoolExecutor
from langchain_core.runnables import RunnableLambda
@tool
def pay(x): return world(f"pay {x}")
@tool
async def apay(x): return world(f"pay {x}")
async def of(made, *awaited): return await made(*awaited)
there = ThreadPoolExecutor(1)
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_call_is_the_cells(way: str) -> None:
    """Served to an edited cell in the next kernel, and to one that goes another way."""
    nb = Notebook()
    for edit in range(2):
        nb.plain(SETUP)
        nb.run(f"{WAYS[way].strip()}\nedit = {edit}", "s", "c1")
        assert nb.namespace["r"] == "pay 1#1"
        nb.plain("there.shutdown()")
        (call,) = nb.session.history.calls.values()
        assert (call.state, call.parent) == ("completed", "")
        nb.restart()
    assert nb.world.effects == ["pay 1"]


def test_a_thread_that_may_belong_to_two_cells_is_told() -> None:
    """Two subshells run a cell each: a thread of neither is recorded in neither."""
    nb = Notebook()
    nb.plain(
        "@tool\ndef pay(x): return world(f'pay {x}')\n@tool\ndef wait(): world.wait()"
    )
    with ThreadPool(1) as pool:
        nb.namespace["apply"] = pool.apply
        first = threading.Thread(target=nb.run, args=("wait(); a = pay(1)", "s", "c1"))
        first.start()
        try:
            assert nb.world.inside.wait(60)
            nb.run("b = pay(2); c = apply(pay, (3,))", "t", "c2")
        finally:
            nb.world.gate.set()
            first.join()
    assert sorted(nb.world.effects) == ["pay 1", "pay 2", "pay 3"]
    made = {c.text: c.slot for c in nb.session.history.calls.values()}
    assert made.keys() == {"wait()", "pay(1)", "pay(2)"}
    assert made["pay(1)"] != made["pay(2)"]
    assert (
        sum("pay is not recorded: its thread belongs to none" in t for t in nb.told)
        == 1
    )
