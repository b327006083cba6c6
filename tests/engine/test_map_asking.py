"""People and many calls: items of a map that ask, and doors that answer for each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nbdurable.engine.past.waits import waiting
from nbdurable.engine.waits.pauses import WaitingForAnswer
from tests.engine.notebooks import Notebook
from tests.engine.test_waits import Hand, answer, use, when_asked

REVIEW = """
@tool(effect="write")
def pay(n):
    return world(f"pay {n}")

@tool(effect="read")
def look(n):
    return world(f"look {n}")

def review(n):
    look(n)
    return pay(n) if nd.approve(f"Pay {n}?") else None
"""

CELL = "paid = nd.map(review, {}, limit={})"

SYNC = """
seen = [nd.ask("Name?"), nd.wait_for("paid"), nd.approve("Send?", show=[1])]
nd.sleep(5)
"""

AWAITED = """
async def doors():
    seen = [await nd.aio.ask("Name?"), await nd.aio.wait_for("paid")]
    seen.append(await nd.aio.approve("Send?", show=[1]))
    await nd.aio.sleep(5)
    return seen
seen = asyncio.run(doors())
"""


@pytest.fixture
def clock() -> Hand:
    """Time in the test's hands."""
    return Hand()


def headless(clock: Hand) -> Notebook:
    """A notebook without a person, with what it calls."""
    nb = Notebook(interactive=False)
    use(nb, clock)
    nb.plain(REVIEW)
    return nb


@pytest.mark.parametrize("limit", [1, 8])
def test_all_items_ask_at_once(clock: Hand, limit: int) -> None:
    """Without a person the cell stops once, and not at each item; then all go on."""
    nb = headless(clock)
    cell = CELL.format("range(5)", limit)
    with pytest.raises(WaitingForAnswer):
        nb.run(cell, name="bills")
    asked = waiting(nb.session.history)
    assert len(asked) == 5
    for number, wait in enumerate(asked):
        answer(nb, wait.wait.text != "Pay 3?", wait.reference, signal=f"s{number}")
    nb.restart()
    use(nb, clock)
    nb.plain(REVIEW)
    nb.run(cell, name="bills")
    paid = [f"pay {n}#1" for n in range(5)]
    assert nb.namespace["paid"] == [*paid[:3], None, paid[4]]
    assert sorted(nb.world.effects) == sorted(
        [f"look {n}" for n in range(5)] + [f"pay {n}" for n in (0, 1, 2, 4)]
    )


def test_an_endless_map_stops_at_its_first_question(clock: Hand) -> None:
    """Nobody knows how many there are: no more are asked about than were under way."""
    nb = headless(clock)

    def endless() -> Iterator[int]:
        n = 0
        while True:
            yield n
            n += 1

    nb.namespace["endless"] = endless
    with pytest.raises(WaitingForAnswer):
        nb.run(CELL.format("endless()", 2), name="bills")
    assert 1 <= len(waiting(nb.session.history)) <= 2


def test_the_first_question_stops_where_failures_stop(clock: Hand) -> None:
    """With on_error='stop' no other item is begun."""
    nb = headless(clock)
    cell = CELL.format("range(50)", '1, on_error="stop"')
    with pytest.raises(WaitingForAnswer):
        nb.run(cell, name="bills")
    assert len(waiting(nb.session.history)) == 1


def test_what_one_door_asked_is_answered_for_the_other(clock: Hand) -> None:
    """A cell that blocked and is rewritten to await asks nobody again, and waits no more."""
    nb = Notebook()
    use(nb, clock)
    nb.plain("import asyncio")
    answers = iter([("ann", "s1"), (True, "s2")])

    def person(_: object) -> None:
        value, signal = next(answers)
        answer(nb, value, signal=signal)

    when_asked(nb, person)
    nb.run('nd.send("paid", 17)', name="customer")
    nb.run(SYNC, name="doors")
    assert nb.namespace["seen"] == ["ann", 17, True]
    nb.restart()
    use(nb, clock)
    nb.plain("import asyncio")
    clock.pauses.clear()
    nb.session.parked.ask = lambda asked: pytest.fail(f"{asked} is asked again")
    nb.run(AWAITED, name="doors")
    assert nb.namespace["seen"] == ["ann", 17, True]
    assert clock.pauses == []
