"""`nd.map`: one journaled call per item, in order, each exactly once."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from nbdurable.engine.fanout.failures import MapFailed
from nbdurable.errors import ToolRefused
from tests.engine.notebooks import Notebook

SETUP = """
import nbdurable as nd

@tool(effect="write")
def pay(n):
    return world(f"pay {n}")

@tool(effect="read")
def look(n):
    return world(f"look {n}")
"""


@pytest.fixture
def notebook() -> Notebook:
    """A notebook with a tool that writes and one that reads."""
    nb = Notebook()
    nb.plain(SETUP)
    return nb


def restarted(nb: Notebook) -> None:
    """A fresh kernel with the same tools."""
    nb.restart()
    nb.plain(SETUP)


def counted(nb: Notebook) -> list[str]:
    """What happened outside, in no order."""
    return sorted(nb.world.effects)


def test_results_are_in_order(notebook: Notebook) -> None:
    """Whatever runs first, each result stands where its item stood."""
    notebook.run("paid = nd.map(pay, range(40), limit=8)", name="m")
    assert notebook.namespace["paid"] == [f"pay {n}#1" for n in range(40)]


def test_no_worker_is_left(notebook: Notebook) -> None:
    """A map that is over leaves nothing that the cell's line would call running."""
    for n in range(5):
        notebook.run(f"paid = nd.map(look, range({n}, 40), limit=8)", name="m")
        left = [t for t in threading.enumerate() if t.name.startswith("nd.map")]
        assert left == []


@pytest.mark.parametrize(
    "items", ["range(5, 25)", "[9, *range(20)]", "reversed(range(20))", "range(10)"]
)
def test_no_item_is_called_twice(notebook: Notebook, items: str) -> None:
    """Items that are inserted, moved or left out change nothing for the others."""
    notebook.run("paid = nd.map(pay, range(20), limit=4)", name="m")
    restarted(notebook)
    notebook.run(f"paid = nd.map(pay, {items}, limit=4)", name="m")
    wanted = list(eval(items))  # the test's own text
    results = [text.partition("#")[0] for text in notebook.namespace["paid"]]
    assert results == [f"pay {n}" for n in wanted]
    twice = 1 if items.startswith("[9") else 0
    new = len(set(wanted) - set(range(20))) + twice
    assert len(notebook.world.effects) == 20 + new


def test_every_item_is_tried_and_failures_are_named(notebook: Notebook) -> None:
    """Run again, only what failed is tried."""
    notebook.world.refused = {3, 7}
    notebook.plain(
        "@tool(effect='write', not_done=ValueError)\n"
        "def ship(n):\n"
        "    if n in world.refused: raise ValueError(f'no stock of {n}')\n"
        "    return world(f'ship {n}')\n"
    )
    with pytest.raises(MapFailed) as failed:
        notebook.run("shipped = nd.map(ship, range(10), limit=3)", name="m")
    assert [f.index for f in failed.value.failed] == [3, 7]
    assert "2 of 10 items of ship failed." in str(failed.value)
    assert "3: 3: ValueError: no stock of 3" in str(failed.value)
    notebook.world.refused.clear()
    notebook.run("shipped = nd.map(ship, range(10), limit=3)", name="m")
    assert counted(notebook) == sorted(f"ship {n}" for n in range(10))


def test_stop_begins_no_other_item(notebook: Notebook) -> None:
    """With on_error='stop' the first failure is the last that is begun."""
    notebook.plain(
        "@tool(effect='read')\n"
        "def odd(n):\n"
        "    world(f'odd {n}')\n"
        "    raise ValueError(n)\n"
    )
    with pytest.raises(MapFailed):
        notebook.run('nd.map(odd, range(1000), limit=1, on_error="stop")', name="m")
    assert len(notebook.world.effects) <= 3


def test_one_at_a_time_is_one_after_the_other(notebook: Notebook) -> None:
    """What an item changes of what all are given is what the next one is given."""
    tool = (
        "import functools\n"
        "@tool(effect='read')\n"
        "def add(seen, n):\n"
        "    seen.append(world(f'add {n}'))\n"
        "    return len(seen)\n"
    )
    cell = "seen = []\nn = nd.map(functools.partial(add, seen), range(12), limit=1)"
    notebook.plain(tool)
    notebook.run(cell, name="m")
    restarted(notebook)
    notebook.plain(tool)
    notebook.run(f"{cell}\nx = 1", name="m")
    assert notebook.namespace["n"] == list(range(1, 13))
    assert notebook.namespace["seen"] == [f"add {n}#1" for n in range(12)]
    assert len(notebook.world.effects) == 12


def test_a_plain_function_holds_its_calls(notebook: Notebook) -> None:
    """It is recorded like an `nd.step`, and a lambda will do."""
    notebook.run("seen = nd.map(lambda n: look(n) + '!', range(6))", name="m")
    restarted(notebook)
    notebook.run("seen = nd.map(lambda n: look(n) + '!', range(8)); x = 1", name="m")
    assert notebook.namespace["seen"] == [f"look {n}#1!" for n in range(8)]


def test_equal_items_are_equal_calls(notebook: Notebook) -> None:
    """Five samples are five calls, before and after a restart."""
    notebook.run("seen = nd.map(look, [1] * 5)", name="m")
    before = sorted(notebook.namespace["seen"])
    restarted(notebook)
    notebook.run("seen = nd.map(look, [1] * 5); x = 1", name="m")
    assert sorted(notebook.namespace["seen"]) == before
    assert len(notebook.world.effects) == 5


def test_a_failing_iterator_loses_nothing(notebook: Notebook) -> None:
    """What it gave before is done and kept; its error is the user's."""
    notebook.plain(
        "def some():\n    yield from range(4)\n    raise OSError('line lost')\n"
    )
    for _ in range(2):
        with pytest.raises(OSError, match="line lost"):
            notebook.run("nd.map(pay, some(), limit=2)", name="m")
    assert counted(notebook) == [f"pay {n}" for n in range(4)]


class Fewer(list[int]):
    """It holds less than it says."""

    def __len__(self) -> int:
        """Said to be twice as many."""
        return 2 * super().__len__()


@pytest.mark.parametrize("items", [range(4), Fewer(range(4)), iter(range(4))])
def test_items_run_side_by_side(notebook: Notebook, items: object) -> None:
    """As many as may, however many there are said to be."""
    together = threading.Barrier(4)
    notebook.namespace |= {"items": items, "meet": lambda _: together.wait(60)}
    notebook.plain("@tool(effect='read')\ndef met(n):\n    return meet(n)\n")
    notebook.run("found = nd.map(met, items, limit=4)", name="m", files=False)
    assert sorted(notebook.namespace["found"]) == [0, 1, 2, 3]  # type: ignore[call-overload]


def test_an_endless_iterator_is_taken_as_needed(notebook: Notebook) -> None:
    """No more than what is under way is taken ahead."""
    taken: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            taken.append(len(taken))
            if len(taken) > 30:
                raise KeyboardInterrupt
            yield len(taken)

    notebook.namespace["endless"] = endless
    with pytest.raises(KeyboardInterrupt):
        notebook.run("nd.map(look, endless(), limit=2)", name="m")
    assert len(notebook.world.effects) >= 30 - 4 * 2


@pytest.mark.parametrize(
    "limit", ["limit=0", 'on_error="maybe"', "executor=3", "executor=print"]
)
def test_a_map_that_is_none_is_refused(notebook: Notebook, limit: str) -> None:
    """Nothing is called."""
    with pytest.raises(ToolRefused):
        notebook.run(f"nd.map(pay, [1], {limit})", name="m")
    assert notebook.world.effects == []
    assert notebook.session.history.calls == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_an_executor_runs_the_function(notebook: Notebook, kind: type) -> None:
    """The journal is kept here; what ran there isn't run again."""
    notebook.plain("@tool(effect='read')\ndef twice(n):\n    return 2 * n\n")
    with kind(2) as pool:
        notebook.namespace["pool"] = pool
        notebook.run("made = nd.map(twice, range(9), executor=pool)", name="m")
        assert notebook.namespace["made"] == [2 * n for n in range(9)]
    history = notebook.session.history
    assert len(history.calls) == 9


def test_the_line_of_progress(notebook: Notebook) -> None:
    """It counts what was served and what ran."""
    told: list[tuple[object, ...]] = []
    notebook.session.parked.progress = lambda _, *far: told.append(far)
    notebook.run("nd.map(look, range(10), limit=2)", name="m")
    assert told[-1] == ("10/10", True, 1.0)
    restarted(notebook)
    notebook.session.parked.progress = lambda _, *far: told.append(far)
    notebook.run("nd.map(look, range(12), limit=2)", name="m")
    assert told[-1] == ("12/12 · 10 replayed", True, 1.0)
    notebook.run("nd.map(look, iter(range(12)), limit=2)", name="n")
    assert told[-1] == ("12", True, None), "nobody knew how many there are"


def test_outside_durable_cells_it_is_a_plain_map(notebook: Notebook) -> None:
    """Nothing is journaled."""
    notebook.plain("made = nd.map(lambda n: n + 1, [1, 2])")
    assert notebook.namespace["made"] == [2, 3]
    assert threading.active_count() < 50


def test_a_limit_holds_over_all_that_calls(notebook: Notebook) -> None:
    """Never more than so many at a time, whatever map they come from."""
    notebook.plain(
        "import threading\n"
        "lock, now, most = threading.Lock(), [0], [0]\n"
        "both = threading.Barrier(2)\n"
        "@tool(effect='read', limit=2, ignore='state')\n"
        "def narrow(n, state=(lock, now, most, both)):\n"
        "    with lock:\n"
        "        now[0] += 1; most[0] = max(most[0], now[0])\n"
        "    both.wait(30)\n"
        "    world(f'narrow {n}')\n"
        "    with lock: now[0] -= 1\n"
    )
    notebook.run("nd.map(narrow, range(12), limit=6)", name="m")
    assert notebook.namespace["most"] == [2]
    assert len(notebook.world.effects) == 12


@pytest.mark.parametrize("bad", ["limit=0", "rate='often'", "rate='0/s'"])
def test_a_limit_that_is_none_is_refused(notebook: Notebook, bad: str) -> None:
    """Where the tool is made."""
    with pytest.raises(ToolRefused):
        notebook.plain(f"@tool({bad})\ndef f(): ...")


ASYNC = """
import asyncio

@tool(effect="read", not_done=ValueError)
async def ask(n):
    await asyncio.sleep(0)
    if n in world.refused: raise ValueError(n)
    return world(f"ask {n}")

def run(items, **options):
    return asyncio.run(nd.aio.map(ask, items, **options))
"""


def test_a_map_of_coroutines(notebook: Notebook) -> None:
    """The same, awaited: in order, failures named, only those called again."""
    notebook.world.refused = {2}
    notebook.plain(ASYNC)
    with pytest.raises(MapFailed) as failed:
        notebook.run("seen = run(range(9), limit=3)", name="m")
    assert "1 of 9 items of ask failed." in str(failed.value)
    notebook.world.refused.clear()
    notebook.run("seen = run(range(9), limit=3)", name="m")
    assert notebook.namespace["seen"] == [f"ask {n}#1" for n in range(9)]
    assert len(notebook.world.effects) == 9


def test_each_map_says_which_one_is_meant(notebook: Notebook) -> None:
    """A coroutine function in nd.map, and the other way round."""
    notebook.world.refused = {2}
    notebook.plain(ASYNC)
    with pytest.raises(ToolRefused, match=r"ask is async: await nd\.aio\.map"):
        notebook.run("nd.map(ask, [1])", name="m")
    with pytest.raises(ToolRefused, match=r"look isn't async: nd\.map"):
        notebook.run("asyncio.run(nd.aio.map(look, [1]))", name="m")


@pytest.mark.slow
def test_the_line_tells_who_waits(notebook: Notebook) -> None:
    """Calls that are tried again later are counted, with what the other side said."""
    lines: list[str] = []
    notebook.session.parked.progress = lambda _, line, *__: lines.append(line)
    notebook.plain(
        "class Busy(Exception):\n"
        "    class response:\n"
        "        status_code, headers = 429, {'retry-after': '1'}\n"
        "tried = set()\n"
        "@tool(effect='read', retry=nd.Retry(wait=1, jitter=0))\n"
        "def search(n):\n"
        "    if n not in tried: tried.add(n); raise Busy\n"
        "    return n\n"
    )
    notebook.run("found = nd.map(search, range(3), limit=3)", name="m")
    assert notebook.namespace["found"] == [0, 1, 2]
    assert any(re.search(r"3 waiting \(429, next in [\d.]+ m?s\)", x) for x in lines)
    assert not any("attempt 2 of 3" in line for line in notebook.told)
