"""One record, one call; and a payment that may have happened, wherever that was."""

from __future__ import annotations

import re

import pytest
from blake3 import blake3

from nbdurable.engine.asking import commands, which
from nbdurable.engine.asking.forking import fork
from nbdurable.engine.calls.draws import uuid4
from nbdurable.engine.calls.pauses import (
    InsteadOrAlso,
    MadeInEarlierTry,
    OtherInDoubt,
    StoodIn,
)
from nbdurable.engine.past.history import CallPast
from nbdurable.engine.past.nothing import NothingToSettle
from nbdurable.engine.past.removal import reason
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.errors import HappenedBeforeRerun
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_money import (
    FRESH,
    TOOLS,
    again,
    interrupted,
    opened,
    opened_with,
    paid,
)
from tests.engine.test_retries import Failing

# ---- a result that was kept for another call -----------------------------------------

BOTH = "r = pay(model('bob'))\nalso = pay('ann')"


def kept() -> Notebook:
    """Somebody said that the payment of bob is the one of ann; then ann's comes too."""
    nb = opened()
    nb.run("r = pay(model('ann'))", "s", "c1")
    with pytest.raises(InsteadOrAlso):
        nb.run(BOTH, "s", "c1")
    settle(nb, "s.2", Answer.KEEP)
    return nb


def test_a_result_that_was_kept_for_another_call_serves_that_one_alone() -> None:
    """The call that it was recorded for asks, and isn't made."""
    nb = kept()
    for _ in range(2):
        with pytest.raises(StoodIn) as asked:
            nb.run(BOTH, "s", "c1")
        assert nb.namespace["r"] == "pay ann#1"
    assert "pay('ann') happened once, and stands for pay('bob')" in str(asked.value)
    assert paid(nb) == ["pay ann"]


def test_its_own_call_takes_it_back() -> None:
    """Then the other one is made as well, and is asked about no more."""
    nb = kept()
    with pytest.raises(StoodIn):
        nb.run(BOTH, "s", "c1")
    settle(nb, "s.3", Answer.KEEP)
    nb.run(BOTH, "s", "c1")
    assert paid(nb) == ["pay ann", "pay bob"]
    assert (nb.namespace["r"], nb.namespace["also"]) == ("pay bob#1", "pay ann#1")


def test_it_happens_a_second_time_if_told_so() -> None:
    """Each of the two calls has a result of its own then, also in the next kernel."""
    nb = kept()
    with pytest.raises(StoodIn):
        nb.run(BOTH, "s", "c1")
    settle(nb, "s.3", Answer.AGAIN)
    for cell in (BOTH, BOTH):
        nb.run(cell, "s", "c1")
        assert (nb.namespace["r"], nb.namespace["also"]) == ("pay ann#1", "pay ann#2")
        opened(nb)
    assert paid(nb) == ["pay ann", "pay ann"]


def test_an_equal_record_is_taken_before_one_that_stands_for_another_call() -> None:
    """Of two payments of ann one stands for bob: the other one is still ann's."""
    nb = opened()
    nb.run("model('ann'); pay('ann'); pay('ann')", "s", "c1")
    with pytest.raises(InsteadOrAlso):
        nb.run(BOTH, "s", "c1")
    settle(nb, "s.2", Answer.KEEP)
    nb.run(BOTH, "s", "c1")
    assert (nb.namespace["r"], nb.namespace["also"]) == ("pay ann#1", "pay ann#2")
    assert paid(nb) == ["pay ann", "pay ann"]


# ---- a doubt in another cell ---------------------------------------------------------


def slot_of(nb: Notebook, name: str) -> str:
    """The slot of a step."""
    step = nb.session.history.named(name)
    assert step is not None
    return step.slot


def moved(nb: Notebook) -> None:
    """Run the payment in another cell, which isn't the one that was killed in it."""
    nb.run(FRESH, "two", "c2")


def test_a_doubt_whose_cell_may_be_gone_asks() -> None:
    """The call stands in another cell now, with a fresh key: it may be the same one."""
    nb = interrupted()
    for key in "bc":
        with pytest.raises(OtherInDoubt) as asked:
            moved(nb)
        told = str(asked.value)
        assert f"pay(1, key='{key}') was not made" in told
        assert "pay(1, key='a') may have happened instead" in told
        assert "(s, call 1, attempt 1)" in told
        assert "pay has no effect=, so it is treated as a write." in told
        assert "it only reads" in told
    assert paid(nb) == ["pay 1"]
    assert [q.reference for q in questions(nb.session.history)] == ["two.1"]


def test_a_doubt_of_an_edited_cell_asks() -> None:
    """The cell was split in the kernel that interrupted it."""
    nb = interrupted(restart=False)
    nb.run("before = 1", "s", "c1")
    with pytest.raises(OtherInDoubt):
        moved(nb)
    assert paid(nb) == ["pay 1"]


def test_a_doubt_whose_cell_is_as_it_was_stays_there() -> None:
    """Its own cell asks about it; another cell pays somebody else."""
    nb = interrupted(restart=False)
    moved(nb)
    assert paid(nb) == ["pay 1", "pay 1"]
    nb.namespace["fails"] = None
    with pytest.raises(OtherInDoubt):
        nb.run(FRESH, "s", "c1")
    assert paid(nb) == ["pay 1", "pay 1"]


@pytest.mark.parametrize(
    ("said", "value", "payments", "result"),
    [
        (Answer.HAPPENED, "in_1", 1, "in_1"),
        (Answer.DID_NOT, None, 2, "pay 1#2"),
        (Answer.AGAIN, None, 2, "pay 1#2"),
    ],
)
def test_a_doubt_of_another_cell_is_settled(
    said: Answer, value: object, payments: int, result: str
) -> None:
    """What is taken over is this cell's, and is served in the next kernel too."""
    nb = interrupted()
    with pytest.raises(OtherInDoubt):
        moved(nb)
    settle(nb, "two.1", said, value)
    moved(nb)
    assert (len(paid(nb)), nb.namespace["r"]) == (payments, result)
    (first, *_) = nb.session.history.calls.values()
    taken = said is Answer.HAPPENED
    assert first.slot == slot_of(nb, "two" if taken else "s")
    if taken:
        moved(again(nb))
        assert (len(paid(nb)), nb.namespace["r"]) == (payments, result)


def test_a_doubt_is_settled_where_it_stands() -> None:
    """It happened, and the other cell's payment is another one."""
    nb = interrupted()
    with pytest.raises(OtherInDoubt, match=r"resolve s\.1@\w{6} --happened VALUE"):
        moved(nb)
    settle(nb, "s.1", Answer.HAPPENED, "in_1")
    moved(nb)
    assert (len(paid(nb)), nb.namespace["r"]) == (2, "pay 1#2")
    assert questions(nb.session.history) == []


def test_both_cells_may_ask_about_one_doubt() -> None:
    """Each question has its own reference, and one answer ends the doubt."""
    nb = interrupted()
    for name, cell_id in (("two", "c2"), ("s", "c1")):
        with pytest.raises(OtherInDoubt):
            nb.run(FRESH, name, cell_id)
    asked = [q.reference for q in questions(nb.session.history)]
    assert sorted(asked) == ["s.1", "two.1"]
    settle(nb, "two.1", Answer.DID_NOT)
    assert questions(nb.session.history) == []


def test_retry_lets_a_doubt_of_another_cell_go() -> None:
    """`on_doubt="retry"` holds wherever the call was made."""
    nb = interrupted('(on_doubt="retry")')
    moved(nb)
    assert nb.namespace["r"] == "pay 1#2"
    assert questions(nb.session.history) == []


def test_a_doubt_that_is_found_to_have_happened_elsewhere_asks() -> None:
    """Nobody knows whether this call is that one: instead, or as well?"""
    nb, keys = Notebook(), iter("abcdefg")

    def found(x: object, key: str = "") -> str:
        return f"found {x} {key}"

    opened_with(nb, found, keys)
    with pytest.raises(KeyboardInterrupt):
        nb.run(FRESH, "s", "c1")
    for _ in range(2):
        nb.restart()
        opened_with(nb, found, keys)
        nb.namespace["fails"] = None
        with pytest.raises(InsteadOrAlso):
            moved(nb)
    settle(nb, "two.1", Answer.KEEP)
    moved(nb)
    assert nb.namespace["r"] == "found 1 a"
    assert paid(nb) == ["pay 1"]


def test_a_call_that_is_executed_now_is_no_doubt() -> None:
    """A cell that pays in a thread of its own stops no other cell."""
    nb = opened()
    nb.plain("@tool\ndef slow(x):\n    world.wait()\n    return world(f'slow {x}')")
    nb.plain("from threading import Thread")
    nb.run("t = Thread(target=slow, args=(1,)); t.start()", "s", "c1")
    assert nb.world.inside.wait(60)
    nb.plain("def slow2(x): return world(f'slow {x}')")
    nb.plain("slow_now = tool(name='slow')(slow2)")
    nb.session.slots.sources.clear()
    nb.run("slow_now(2)", "two", "c2")
    nb.world.gate.set()
    nb.namespace["t"].join()  # type: ignore[attr-defined]
    assert sorted(nb.world.effects) == ["slow 1", "slow 2"]


@pytest.mark.parametrize("later", [False, True])
def test_a_doubt_of_the_parent_run_asks_in_the_fork(later: bool) -> None:
    """Also where the run was forked from before the call."""
    nb = opened()
    keys = iter("abcdefg")
    nb.world.fresh = lambda: next(keys)  # type: ignore[attr-defined]
    again(nb)
    nb.run("begun = 1", "begin", "c0")
    nb.namespace["fails"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        nb.run(FRESH, "s", "c1")
    fork(nb.session, "begin" if later else "")
    for cell in (("s", "c1"), ("two", "c2")):
        again(nb)
        with pytest.raises(OtherInDoubt) as asked:
            nb.run(FRESH, *cell)
        where = "(run 1, attempt 1)" if later else "(s, call 1, attempt 1)"
        assert where in str(asked.value)
    settle(nb, "two.1", Answer.DID_NOT)
    moved(nb)
    assert paid(nb) == ["pay 1", "pay 1"]


# ---- inside a call that is tried again -----------------------------------------------

BOOK = """
@tool(effect={effect!r}{more})
def book(x):
    paid = pay(x, key=fresh())
    raise_next()
    return paid
"""


def tried(effect: str, more: str = ", retry=Retry(attempts=3, jitter=0)") -> Failing:
    """A tool that pays with a fresh key, fails behind that, and is tried again."""
    nb, keys = Failing(), iter("abcdefg")
    nb.world.fresh = lambda: next(keys)  # type: ignore[attr-defined]
    nb.tools("fails, fresh = None, world.fresh")
    nb.tools(TOOLS.format(options=""))
    nb.tools(BOOK.format(effect=effect, more=more))
    return nb


@pytest.mark.parametrize(
    ("said", "payments", "result"),
    [(Answer.KEEP, 1, "pay 1#1"), (Answer.AGAIN, 2, "pay 1#2")],
)
def test_a_payment_of_an_earlier_try_asks(
    said: Answer, payments: int, result: str
) -> None:
    """With a fresh key it is another call, and may be meant instead or as well."""
    nb = tried("read")
    nb.fails(OSError("behind the payment"))
    with pytest.raises(MadeInEarlierTry) as asked:
        nb.run("r = book(1)", "s", "c1")
    told = str(asked.value)
    assert "pay(1, key='b') was not made" in told
    assert "an earlier try of book(1) made pay(1, key='a')" in told
    assert paid(nb) == ["pay 1"]
    settle(nb, asked.value.reference, said)
    for _ in range(2):
        nb.run("r = book(1)", "s", "c1")
        assert (len(paid(nb)), nb.namespace["r"]) == (payments, result)
        nb.restart()


@pytest.mark.parametrize("on_doubt", ["", ', on_doubt="retry"'])
def test_a_payment_of_a_try_that_was_cut_off_asks(on_doubt: str) -> None:
    """The tool around it runs again, because somebody said so, or its author."""
    nb = tried("write", on_doubt)
    nb.fails(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.run("r = book(1)", "s", "c1")
    for _ in range(2):
        if not on_doubt:
            settle(nb, "s.1", Answer.DID_NOT)
        nb.restart()
        with pytest.raises(MadeInEarlierTry) as asked:
            nb.run("r = book(1)", "s", "c1")
    settle(nb, asked.value.reference, Answer.KEEP)
    if not on_doubt:
        settle(nb, "s.1", Answer.DID_NOT)
    nb.run("r = book(1)", "s", "c1")
    assert (paid(nb), nb.namespace["r"]) == (["pay 1"], "pay 1#1")


def test_a_payment_that_may_have_happened_in_an_earlier_try_asks() -> None:
    """The tool swallowed what it raised, and failed with something else."""
    nb = tried("read")
    nb.tools(TOOLS.format(options="").replace("if fails: raise fails", "raise_next()"))
    nb.tools(
        BOOK.format(effect="read", more=", retry=Retry(attempts=3, jitter=0)").replace(
            "    paid = pay(x, key=fresh())",
            "    try: paid = pay(x, key=fresh())\n    except ValueError: raise OSError",
        )
    )
    nb.fails(ValueError("perhaps paid"))
    with pytest.raises(OtherInDoubt, match=r"pay\(1, key='a'\) may have happened"):
        nb.run("r = book(1)", "s", "c1")
    assert paid(nb) == ["pay 1"]


def test_what_an_earlier_try_did_not_reach_is_just_made() -> None:
    """Equal payments are served, and the next customer's asks nothing."""
    nb = tried("read")
    nb.tools(
        "@tool(effect='read', retry=Retry(attempts=3, jitter=0))\n"
        "def each():\n    got = []\n    for x in 'abc':\n        raise_next()\n"
        "        got.append(pay(x))\n    return got"
    )
    nb.fails(None, None, OSError("behind two of them"))
    nb.run("r = each()", "s", "c1")
    assert paid(nb) == ["pay a", "pay b", "pay c"]


def test_an_edited_tool_that_paid_inside_asks() -> None:
    """A `read` runs again after an edit; what it paid with a fresh key is not lost."""
    nb = tried("read", "")
    nb.run("r = book(1)", "s", "c1")
    nb.restart()
    nb.plain(BOOK.format(effect="read", more="").replace("return", "x = 2; return"))
    with pytest.raises(MadeInEarlierTry):
        nb.run("r = book(1)", "s", "c1")
    assert paid(nb) == ["pay 1"]


def test_a_tool_that_is_asked_again_may_pay_again() -> None:
    """The world has changed, so a `read` that completed begins anew."""
    nb = tried("read", "")
    nb.run("r = book(1)", "s", "c1")
    nb.run("mail('new'); r = book(1)", "s", "c1")
    assert paid(nb) == ["pay 1", "pay 1"]


def test_a_drawn_id_stays_in_each_try() -> None:
    """`nd.uuid4()` makes it one call: nothing is asked."""
    nb = tried("read")
    nb.namespace["fresh"] = uuid4
    nb.fails(OSError("behind the payment"), OSError("once more"))
    nb.run("r = book(1)", "s", "c1")
    assert paid(nb) == ["pay 1"]


# ---- what a question shows of secrets ------------------------------------------------


def test_masked_arguments_can_be_told_apart() -> None:
    """Equal ones have equal marks in each kernel; no mark is made of the value alone."""
    one, other = "2f8a41c7d03b4e55", "91bcf0aa77124c08"
    nb = opened()
    nb.namespace |= {"k": one, "fails": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        nb.run("r = pay(1, key=k)", "s", "c1")
    told = set()
    for _ in range(2):
        opened(nb)
        nb.namespace["k"] = other
        with pytest.raises(OtherInDoubt) as asked:
            nb.run("r = pay(1, key=k)", "s", "c1")
        told.add(str(asked.value))
    (text,) = told
    marks = set(re.findall(r"‹secret:key ([0-9a-f]{4})›", text))
    assert len(marks) == 2
    assert not marks & {blake3(k.encode()).hexdigest()[:4] for k in (one, other)}
    assert not any(k in text for k in (one, other))


# ---- a run that is left --------------------------------------------------------------


def test_a_new_run_names_the_doubt_that_is_left() -> None:
    """What may have happened stays open in the old run, with the commands that settle."""
    nb = interrupted()
    with pytest.raises(OtherInDoubt):
        nb.run(FRESH, "s", "c1")
    told = commands.new(nb.session).line
    assert "pay(1, key='a') may have happened, and stays open in run 1:" in told
    assert re.search(r"nbdurable resolve s\.1@\w{6} --did-not --run 1", told)
    nb.run(FRESH, "s", "c1")
    assert "may have happened" not in commands.new(nb.session).line


def test_a_run_that_asks_of_another_call_is_kept_with_an_answer_that_fits() -> None:
    """What may have happened instead has no result to keep."""
    nb = interrupted()
    with pytest.raises(OtherInDoubt):
        nb.run(FRESH, "s", "c1")
    kept = reason(nb.session.history, {})
    assert kept is not None
    assert kept.why == "s.1 may have happened"
    assert re.search(r"resolve s\.1@\w{6} --did-not", kept.command)


# ---- an answer that was wrong --------------------------------------------------------


def test_what_did_not_happen_may_have_happened_after_all() -> None:
    """The answer is taken back before the call is made again."""
    nb = opened()
    nb.namespace["fails"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        nb.run("r = pay(1)", "s", "c1")
    settle(nb, "s.1", Answer.DID_NOT)
    with pytest.raises(NothingToSettle, match="was settled: it did not happen"):
        settle(nb, "s.1", Answer.DID_NOT)
    settle(nb, "s.1", Answer.HAPPENED, "in_1")
    nb.run("r = pay(1)", "s", "c1")
    assert (paid(nb), nb.namespace["r"]) == (["pay 1"], "in_1")


def test_what_happened_is_not_told_away() -> None:
    """The error says how it was settled, and how it is asked about anew."""
    nb = opened()
    nb.namespace["fails"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        nb.run("r = pay(1)", "s", "c1")
    with pytest.raises(NothingToSettle, match="another answer is asked for") as misfit:
        settle(nb, "s.1", Answer.KEEP)
    assert re.search(r"%durable resolve s\.1@\w{6} --did-not", str(misfit.value))
    settle(nb, "s.1", Answer.HAPPENED, "in_1")
    with pytest.raises(NothingToSettle, match="was settled: it happened") as told:
        settle(nb, "s.1", Answer.DID_NOT)
    assert "%durable rerun s.1@" in str(told.value)
    found = which.to_rerun(nb.session.history, "s.1")
    assert isinstance(found, CallPast)
    commands.rerun_call(nb.session, "s.1", found)
    with pytest.raises(HappenedBeforeRerun):
        nb.run("r = pay(1)", "s", "c1")
