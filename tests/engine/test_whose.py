"""Arguments that change while a call awaits or yields: by the call, or by other code.

The oracle is the variable itself: after a replay it is what it was after the first run,
and what is made with it afterwards is not made again.
"""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Final

import pytest

from nbdurable.engine.calls.nested import step
from nbdurable.engine.calls.parked import Asked
from nbdurable.engine.calls.whose import LOOKS_S_MIN, Whose
from nbdurable.engine.fanout.awaited import map_awaited
from nbdurable.errors import ResultGone
from tests.engine.notebooks import Notebook
from tests.engine.test_waits import REVIEW, Hand, answer, use, when_asked

TOOLS: Final = """
import asyncio
from asyncio import gather, sleep
@tool
async def pay(cart):
    await turns()
    return world('pay')
@tool(effect='read')
async def look(cart):
    await turns()
    return world('look')
@tool
async def fill(cart):
    cart.append('own')
    await turns()
    cart.append('own too')
    return world('fill')
@tool
async def fails(cart):
    cart.append('own')
    await turns()
    world('fails')
    raise ValueError('no')
async def put(cart, what):
    await sleep(0)
    cart.append(what)
@tool
async def crawl(cart):
    await gather(put(cart, 'a'), put(cart, 'b'))
    await asyncio.wait_for(put(cart, 'c'), 60)
    return world('crawl')
@tool
async def cancels(cart):
    never, late = asyncio.create_task(put(cart, 'a')), asyncio.create_task(put(cart, 'b'))
    assert 'put' in repr(late)
    never.cancel()
    await late
    return world('cancels')
@tool
async def outer(cart):
    await fill(cart)
    return world('outer')
@tool
def within(cart): cart.append(world('within'))
@tool
def around(cart):
    within(cart)
    world('around')
@tool
def stream(cart):
    yield world('one')
    yield world('two')
@tool
def filling(cart):
    cart.append('own')
    yield world('one')
    cart.append('own too')
    yield world('two')
@tool
async def astream(cart):
    yield world('one')
    await turns()
    yield world('two')
@tool
async def afilling(cart):
    yield world('one')
    await turns()
    cart.append('own')
@effects.step
async def part(cart):
    await turns()
    return await pay([1])
class Agent:
    def __init__(self): self.cart = [1]
    @tool
    async def ask(self, question):
        self.cart.append(question)
        await turns()
        self.cart.append(world(f'ask {question}'))
@tool
def total(cart): return world(f'total {cart}')
async def turns():
    for _ in range(3): await sleep(0)
async def other(cart, after=2):
    for _ in range(after): await sleep(0)
    cart.append('other')
"""

OTHERS: Final = {
    "a task": "cart = [1]; asyncio.run(both(pay(cart), other(cart, AFTER)))",
    "a read": "cart = [1]; asyncio.run(both(look(cart), other(cart, AFTER)))",
    "a step": "cart = [1]; asyncio.run(both(part(cart), other(cart, AFTER)))",
    "before it begins": "cart = [1]; asyncio.run(both(pay(cart), other(cart, 0)))",
    "a consumer": "cart = [1]\nfor x in stream(cart): cart.append(x)",
    "an awaiting consumer": """cart = [1]
async def main():
    async for x in astream(cart): cart.append(x)
asyncio.run(main())""",
    "a task beside a map": """cart = [1]
asyncio.run(both(effects.amap(pay, [cart, cart]), other(cart, AFTER)))""",
}
OWN: Final = {
    "in its sections": "cart = [1]; asyncio.run(fill(cart))",
    "beside another": "cart, b = [1], [2]; asyncio.run(both(fill(cart), fill(b)))",
    "in its tasks": "cart = [1]; asyncio.run(crawl(cart))",
    "in its tasks, beside": "cart, b = [1], []; asyncio.run(both(crawl(cart), crawl(b)))",
    "in tasks of which one never begins": """cart, b = [1], []
asyncio.run(both(cancels(cart), other(b)))""",
    "in a call inside": "cart, b = [1], []; asyncio.run(both(outer(cart), other(b)))",
    "in a sync call inside": "cart = [1]; around(cart)",
    "of self": """a, b = Agent(), Agent()
asyncio.run(both(a.ask('x'), b.ask('y'))); cart = a.cart""",
    "and raises": "cart, b = [1], []; asyncio.run(settled(fails(cart), other(b)))",
    "while it yields": "cart = [1]; list(filling(cart))",
    "while it yields and awaits": "cart = [1]; asyncio.run(all_of(afilling(cart)))",
}
BOTH: Final = """
async def both(one, two): return await gather(one, two)
async def settled(one, two): return await gather(one, two, return_exceptions=True)
async def all_of(stream): return [x async for x in stream]
"""


def opened(nb: Notebook) -> Notebook:
    """Define the tools, in a new kernel if there was one."""
    if nb.count:
        nb.restart()
    nb.namespace["effects"] = SimpleNamespace(step=step, amap=map_awaited)
    nb.plain(TOOLS + BOTH)
    return nb


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 1, 2, 3])
@pytest.mark.parametrize("form", OTHERS)
def test_what_others_change_is_not_put_back(form: str, after: int) -> None:
    """Their code runs again, and does it once."""
    cell = OTHERS[form].replace("AFTER", str(after))
    nb = opened(Notebook())
    nb.run(f"{cell}\nr = total(cart)", "s", "c1")
    cart, happened = nb.namespace["cart"], list(nb.world.effects)
    opened(nb).run(f"{cell}\nr = total(cart); more = 1", "s", "c1")
    assert (nb.namespace["cart"], nb.world.effects) == (cart, happened)


@pytest.mark.wide
@pytest.mark.parametrize("form", OWN)
def test_what_a_call_changes_is_put_back(form: str) -> None:
    """Also what its tasks and the calls inside it change, whatever runs beside it."""
    nb = opened(Notebook())
    nb.run(f"{OWN[form]}\nr = total(cart)", "s", "c1")
    cart, happened = nb.namespace["cart"], list(nb.world.effects)
    assert isinstance(cart, list)
    assert len(cart) > 1
    opened(nb).run(f"{OWN[form]}\nr = total(cart); more = 1", "s", "c1")
    assert (nb.namespace["cart"], nb.world.effects) == (cart, happened)


MIXED: Final = {
    "both": "asyncio.run(both(fill(cart), other(cart)))",
    "consumer": "for x in filling(cart): cart.append(x)",
    "thread": "asyncio.run(both(threaded(cart), opens()))",
}
THREADED: Final = """
import threading
gate, begun = threading.Event(), []
@tool
async def threaded(cart):
    begun.append(1)
    await asyncio.to_thread(late, cart)
    return world('it')
def late(cart):
    gate.wait(60)
    cart.append('own')
async def opens():
    while not begun: await sleep(0)
    gate.set()
"""


@pytest.mark.parametrize("form", MIXED)
def test_what_both_change_is_not_kept(form: str) -> None:
    """Nobody can put back one half: the line says so, and a write asks."""
    nb = opened(Notebook())
    nb.plain(THREADED)
    cell = f"cart = [1]\n{MIXED[form]}"
    told = nb.run(cell, "s", "c1")
    assert "other code changed what it was given meanwhile" in told
    happened = list(nb.world.effects)
    opened(nb).plain(THREADED)
    with pytest.raises(ResultGone):
        nb.run(f"{cell}\nmore = 1", "s", "c1")
    assert nb.world.effects == happened


def test_a_change_before_the_function_begins_is_told() -> None:
    """The record is of what was given; the line says that the function found more."""
    nb = opened(Notebook())
    told = nb.run(OTHERS["before it begins"], "s", "c1")
    assert "pay began when other code had changed what it was given" in told
    (call,) = nb.session.history.calls.values()
    assert (call.text, call.arguments) == ("pay([1])", '{"cart":[1]}')


def test_a_call_that_waits_for_its_turn_is_recorded_as_it_was_given() -> None:
    """What other code changes while it waits is in no preview and in no argument."""
    nb = opened(Notebook())
    nb.plain(
        "@tool(limit=1)\nasync def charge(cart):\n    for _ in range(9): await sleep(0)\n"
        "    return world('charge')"
    )
    nb.run(
        "one, two = [1], [2]\n"
        "asyncio.run(both(both(charge(one), charge(two)), other(two, 5)))",
        "s",
        "c1",
    )
    calls = nb.session.history.calls.values()
    assert {c.text for c in calls} == {"charge([1])", "charge([2])"}
    assert {c.arguments for c in calls} == {'{"cart":[1]}', '{"cart":[2]}'}


def test_nobody_looks_for_long() -> None:
    """Looks that take too much of a call's time end, and the line says it."""

    def look() -> bytes:
        end_s = time.thread_time() + LOOKS_S_MIN
        while time.thread_time() < end_s:
            looks.append(1)
        return b""

    looks: list[int] = []
    whose = Whose(look, now_s=lambda: 1.0)
    whose.begins()
    for _ in range(3):
        whose.goes_on()
        whose.gives_way()
    looks.clear()
    whose.goes_on()
    assert looks == []
    assert whose.told("f") == ""
    whose.put_back = True
    assert "f was given too much to tell its changes" in whose.told("f")


def test_looks_that_are_held_up_cost_nothing() -> None:
    """What others change is told apart also where the processor has much else to do."""

    def look() -> bytes:
        threading.Event().wait(2 * LOOKS_S_MIN)
        return bytes(cart)

    cart = [1]
    whose = Whose(look)
    whose.begins()
    for _ in range(2):
        whose.goes_on()
        whose.gives_way()
    cart.append(2)
    whose.goes_on()
    assert whose.only_others


def test_what_was_shown_is_not_put_back() -> None:
    """A question changes nothing: who changed the report meanwhile does it again."""
    cell = f"report = [1]\n{REVIEW}"
    nb, clock = Notebook(), Hand()
    use(nb, clock)

    def changed(_: Asked) -> None:
        report = nb.namespace["report"]
        assert isinstance(report, list)
        report.append(2)
        answer(nb, True)

    when_asked(nb, changed)
    nb.run(cell, "review", "c1")
    assert nb.namespace["report"] == [1, 2]
    nb.restart()
    use(nb, clock)
    nb.run(f"{cell}\nmore = 1", "review", "c1")
    assert (nb.namespace["report"], nb.namespace["sent"]) == ([1], True)
