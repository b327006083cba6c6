"""A payment with a fresh key, in a cell that was edited since it was made."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from nbdurable.engine.calls.pauses import MadeInEarlierTry
from nbdurable.engine.past.settle import Answer
from nbdurable.engine.values.drawn import looks_drawn
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle

TOOLS = "import datetime, secrets, time, uuid\n@tool\ndef pay(who, key): return world(f'pay {who}')"
FRESH = {
    "a hex": "uuid.uuid4().hex",
    "a text": "str(uuid.uuid4())",
    "an object": "uuid.uuid4()",
    "a token": "secrets.token_urlsafe(21) + '1aZ'",  # one in 200 has no digit
    "a time": "time.time()",
    "a moment": "datetime.datetime.now()",
    "a moment's text": "datetime.datetime.now().isoformat()",
}
TWO = "a = [pay(who, {fresh}) for who in ('ann', 'bob')]"


def opened(nb: Notebook | None = None) -> Notebook:
    """A notebook with the tool, in a fresh kernel."""
    nb = nb or Notebook()
    if nb.count:
        nb.restart()
    nb.plain(TOOLS)
    return nb


@pytest.mark.wide
@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize("before", ["\n1 / 0", ""])
@pytest.mark.parametrize("fresh", FRESH)
@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 2), (Answer.AGAIN, 4)])
def test_a_repaired_cell_asks_once(
    said: Answer, payments: int, fresh: str, before: str, kernel: str
) -> None:
    """Whether it had stopped behind its payments or not: one answer holds for all."""
    nb, cell = opened(), TWO.format(fresh=FRESH[fresh])
    try:
        nb.run(cell + before, "s", "c1")
    except ZeroDivisionError:
        assert before
    if kernel == "next":
        opened(nb)
    repaired = f"{cell}\nmore = 1"
    for _ in range(2):
        with pytest.raises(MadeInEarlierTry):
            nb.run(repaired, "s", "c1")
    assert len(nb.world.effects) == 2
    settle(nb, "s.1", said)
    nb.run(repaired, "s", "c1")
    assert nb.namespace["a"] == [f"pay {w}#{payments // 2}" for w in ("ann", "bob")]
    assert len(nb.world.effects) == payments


STOPPED = {
    "in a pool": "with ThreadPoolExecutor(2) as pool:\n"
    "    a = list(pool.map(lambda who: pay(who, uuid.uuid4().hex), ('ann', 'bob')))",
    "data that it takes": "a = [pay(queue.pop(0), uuid.uuid4().hex) for _ in range(2)]",
    "in a function": "def each(): return [pay(w, str(uuid.uuid4())) for w in queue]\n"
    "a = each()",
}


@pytest.mark.parametrize("cell", STOPPED.values(), ids=STOPPED)
def test_a_cell_that_stopped_asks(cell: str) -> None:
    """In whatever way it pays, and whatever else it reads by now."""
    nb = opened()
    nb.plain("from concurrent.futures import ThreadPoolExecutor")
    for stop in ("\n1 / 0", ""):
        nb.namespace["queue"] = ["ann", "bob"]
        with pytest.raises(ZeroDivisionError if stop else MadeInEarlierTry):
            nb.run(f"{cell}{stop}", "s", "c1")
    assert sorted(nb.world.effects) == ["pay ann", "pay bob"]
    settle(nb, "s.1", Answer.KEEP)
    nb.namespace["queue"] = ["ann", "bob"]
    nb.run(cell, "s", "c1")
    assert nb.namespace["a"] == ["pay ann#1", "pay bob#1"]


OTHERS = {
    "somebody else": "a = pay('cid', uuid.uuid4().hex)",
    "one more": "a = [pay('ann', KEY), pay('ann', uuid.uuid4().hex)]",
    "no key": "a = pay('ann', 'of may')",
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_payment_is_just_made(other: str) -> None:
    """It differs in more than a key, or the one that was made is served beside it."""
    nb = opened()
    nb.namespace["KEY"] = str(uuid.UUID(int=7))
    nb.run("a = pay('ann', KEY)", "s", "c1")
    nb.run(OTHERS[other], "s", "c1")
    assert len(nb.world.effects) == 2


def test_a_cell_that_is_run_with_other_data_pays() -> None:
    """As it was, and completed: nobody repairs anything."""
    nb = opened()
    for day in (1, 2):
        nb.namespace["day"] = day
        nb.run("day; a = pay('rent', uuid.uuid4().hex)", "s", "c1")
    assert len(nb.world.effects) == 2


def test_what_was_paid_before_the_last_completed_attempt_is_done_with() -> None:
    """The cell went on without it since."""
    nb = opened()
    nb.run("a = pay('ann', uuid.uuid4().hex)", "s", "c1")
    nb.run("a = 1", "s", "c1")
    nb.run("a = pay('ann', uuid.uuid4().hex); more = 1", "s", "c1")
    assert len(nb.world.effects) == 2


@pytest.mark.parametrize(
    ("value", "drawn"),
    [
        ("order-9b2f0c3e-6c1e-4c55-9c58-0a4b1f7f2f10", True),
        ("order_9f1c2e7ab04d4c55", True),
        ("inv-20261129-002512", True),
        ("20261129002512", True),
        ("2026-11-29 00:25:12.125+01:00", True),
        ("key-1796000000.25", True),
        (dt.datetime(2026, 11, 29, 0, 25, 12, tzinfo=dt.UTC), True),
        (dt.datetime(2026, 11, 29, 0, 25, tzinfo=dt.UTC), False),
        (dt.date(2026, 11, 29), False),
        ("2026-11-29", False),
        ("2026-11-29T10:00:00Z", False),
        ("1234567890123", False),
        ("order-17", False),
        ("a-rather-long-name-of-a-file", False),
        (1796000000, False),
        (1796000000.0, False),
        (19.99, False),
        (float("nan"), False),
        (float("inf"), False),
    ],
    ids=repr,
)
def test_what_looks_drawn(value: object, drawn: bool) -> None:
    """What a machine makes anew does; a date, an appointment, a price and a name don't."""
    assert looks_drawn(value) is drawn
