"""Calls of asyncio tasks: told apart by creation, and what a write of theirs changes."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from nbdurable_store.records import Entry, Kind, Record
from tests.engine.notebooks import Notebook

TOOLS = """
import asyncio
@tool
async def put(x):
    await asyncio.sleep(0)
    return world(f"put {x}")
@tool(effect="read")
async def look(x): return world(f"look {x}")
gates = None
async def passed(n):
    await gates[n].wait()
    return n
"""

AGENTS = """
async def agent(n):
    await passed(n)
    a = await put("draw")
    gates[1 - n].set()
    return await put((n, a))
async def main():
    global gates
    gates = [asyncio.Event(), asyncio.Event()]
    gates[FIRST].set()
    return await asyncio.gather(agent(0), agent(1))
r = asyncio.run(main())
"""


@pytest.fixture
def nb() -> Notebook:
    """A notebook with async tools."""
    notebook = Notebook()
    notebook.plain(TOOLS)
    return notebook


def test_agents_that_finish_in_another_order_keep_their_results(nb: Notebook) -> None:
    """Equal calls of two tasks are told apart by which task was made first."""
    nb.plain("FIRST = 1")
    nb.run(AGENTS, "s", "c1")
    first = nb.namespace["r"]
    nb.restart()
    nb.plain(TOOLS)
    nb.plain("FIRST = 0")
    nb.run(f"{AGENTS}edited = 1", "s", "c1")
    assert nb.namespace["r"] == first
    assert len(nb.world.effects) == 4


@pytest.mark.parametrize(
    "writes",
    [
        "await asyncio.gather(*(put(n) for n in range({})))",
        "await asyncio.wait_for(put({}), 60)",
        "await asyncio.create_task(put({}), name='named')",
        "await asyncio.gather(asyncio.gather(put({})))",
    ],
)
def test_a_read_after_the_writes_of_its_tasks_runs_again(
    nb: Notebook, writes: str
) -> None:
    """A new write in a task that was awaited precedes what is read after it."""
    cell = f"async def main():\n    {writes}\n    return await look('all')\nr = asyncio.run(main())"
    nb.run(cell.format(2), "s", "c1")
    nb.run(cell.format(3), "s", "c1")
    assert nb.world.effects.count("look all") == 2


def test_a_write_of_one_agent_does_not_ask_the_other_again(nb: Notebook) -> None:
    """Agents side by side have worlds of their own."""
    cell = (
        "async def agent(n): return [await put(n), await look('all')]\n"
        "async def main(): return await asyncio.gather(agent(0), agent({}))\n"
        "r = asyncio.run(main())"
    )
    nb.run(cell.format(1), "s", "c1")
    nb.run(cell.format(2), "s", "c1")
    assert nb.world.effects.count("look all") == 3


def test_a_write_inside_a_call_precedes_what_is_read_after_it(nb: Notebook) -> None:
    """A new write is one, however deep in calls it was made."""
    nb.plain("@tool(effect='read')\nasync def outer(x): return await put(x)")
    cell = (
        "async def main():\n    await outer({})\n    return await look('all')\n"
        "r = asyncio.run(main())"
    )
    nb.run(cell.format(1), "s", "c1")
    nb.run(cell.format(2), "s", "c1")
    assert nb.world.effects.count("look all") == 2


def test_a_write_cancelled_before_it_began_is_not_in_doubt(nb: Notebook) -> None:
    """Cancelled while its intent is written, it is recorded as not begun."""
    append, written = nb.store.append, threading.Event()

    def slow(records: Sequence[Record], *, sync: bool) -> Sequence[Entry]:
        if records[0].kind == Kind.CALL_STARTED:
            written.wait(60)
        return append(records, sync=sync)

    nb.store.append = slow  # type: ignore[method-assign]  # a slow disk
    nb.namespace["written"] = written
    cell = (
        "async def main():\n    call = asyncio.create_task(put(1))\n"
        "    await asyncio.sleep(0)\n    call.cancel()\n"
        "    asyncio.get_running_loop().call_later(0.05, written.set)\n"
        "    try: return await call\n    except asyncio.CancelledError: return 'gone'\n"
        "r = asyncio.run(main())"
    )
    nb.run(cell, "s", "c1")
    assert (nb.namespace["r"], nb.world.effects) == ("gone", [])
    nb.run("r = asyncio.run(put(1))", "s", "c1")
    assert nb.world.effects == ["put 1"]


def test_a_call_waits_for_itself_and_says_so(nb: Notebook) -> None:
    """While an earlier attempt is still executing it, it isn't made again."""
    nb.plain(
        "import contextvars, threading\nbegan, end = threading.Event(), threading.Event()\n"
        "@tool\ndef slow(x):\n    began.set(); world('slow'); end.wait(60)\n    return x"
    )
    nb.run(
        "run = contextvars.copy_context().run\n"
        "threading.Thread(target=run, args=(slow, 7)).start(); began.wait(60)",
        "s",
        "c1",
    )
    nb.plain("threading.Timer(0.1, end.set).start()")
    nb.run("a = slow(7)", "s", "c1")
    assert (nb.namespace["a"], nb.world.effects) == (7, ["slow"])
    assert sum("waiting for slow(7), which process" in told for told in nb.told) == 1
