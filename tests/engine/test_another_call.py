"""«This is another call» and «it is this one» hold for the call that they were said of."""

from __future__ import annotations

import pytest

from nbdurable.engine.calls.pauses import OtherInDoubt
from nbdurable.engine.past.present import Present
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.engine.telling import explain
from nbdurable.engine.where.moments import Now
from nbdurable.timeline.asks import doubts
from tests.engine.test_calls import settle
from tests.engine.test_fresh_arguments import Fresh, Order, asks

LOOP = "got = [pay(x, key=fresh()) for x in order()]\nstop('end')"
"""A set of customers is walked through, in another order by each kernel."""


def cut_off(cell: str, place: str, *orders: list[int]) -> Fresh:
    """A cell that was interrupted in a payment; each run pays in the next order."""
    nb = Fresh()
    nb.namespace["order"] = Order(iter(orders))
    nb.stop(place, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.again(cell)
    return nb


def test_the_doubt_itself_asks_after_another_call_was_let_through() -> None:
    """The payment of the one customer is another one; that of the other may be it."""
    nb = cut_off(LOOP, "pay 1", [1, 2], *[[2, 1]] * 4)
    assert "pay(2, key='b') was not made: pay(1, key='a')" in asks(
        nb, LOOP, OtherInDoubt
    )
    settle(nb, "s.1", Answer.AGAIN)
    told = asks(nb, LOOP, OtherInDoubt)
    assert "pay(1, key='d') was not made: pay(1, key='a')" in told
    assert nb.paid == ["pay 1", "pay 2"]
    settle(nb, "s.2", Answer.HAPPENED, "in_1")
    settle_kept(nb)
    assert nb.paid == ["pay 1", "pay 2"]
    assert nb.namespace["got"][1] == "in_1"  # type: ignore[index]


def settle_kept(nb: Fresh) -> None:
    """What the attempt before this one has paid is kept, and the cell ends."""
    told = asks(nb, LOOP)
    assert "made pay(2, key='c')" in told
    settle(nb, "s.1", Answer.KEEP)
    nb.again(LOOP)


def test_it_holds_in_another_order_for_the_call_it_was_said_of() -> None:
    """Whoever shares more with that call than with the doubt is asked about no more."""
    nb = cut_off(LOOP, "pay 1", [1, 2], [2, 1], [1, 2], [2, 1])
    asks(nb, LOOP, OtherInDoubt)
    settle(nb, "s.1", Answer.AGAIN)
    assert "pay(1, key='c') was not made" in asks(nb, LOOP, OtherInDoubt)
    settle(nb, "s.1", Answer.DID_NOT)
    nb.again(LOOP)
    assert nb.paid == ["pay 1", "pay 2", "pay 1"]


def test_each_of_several_equal_calls_is_asked_about_at_its_place() -> None:
    """Nothing but the place tells them apart, so an answer holds for one place."""
    cell = "got = [pay(1, key=fresh()) for _ in range(2)]"
    nb = cut_off(cell, "pay 1")
    asks(nb, cell, OtherInDoubt)
    settle(nb, "s.1", Answer.AGAIN)
    assert "pay(1, key='d') was not made" in asks(nb, cell, OtherInDoubt)
    assert nb.paid == ["pay 1", "pay 1"]
    assert [q.reference for q in questions(nb.session.history)] == ["s.2"]


def test_one_answer_is_enough_for_doubts_that_are_further_off() -> None:
    """It was asked about the nearest of them."""
    cell = LOOP.replace("pay(x", "go(x")
    nb = Fresh()
    nb.plain(
        "def go(x, key):\n    try: return pay(x, key=key)\n    except ValueError: pass"
    )
    nb.namespace["order"] = Order(iter([[1, 2]] * 3))
    nb.stop("pay 1", ValueError())
    nb.stop("pay 2", ValueError())
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(cell)
    assert "pay(1, key='a') may have" in asks(nb, cell, OtherInDoubt)
    settle(nb, "s.1", Answer.AGAIN)
    assert "pay(2, key='b') may have" in asks(nb, cell, OtherInDoubt)
    assert nb.paid == ["pay 1", "pay 2", "pay 1"]


def test_a_call_that_has_nothing_in_common_with_the_doubt_says_so() -> None:
    """The first thing offered is that the other one happened, where it stands."""
    nb = cut_off(LOOP, "pay 1", [1, 2], [2, 1], [2, 1])
    with pytest.raises(OtherInDoubt) as asked:
        nb.again(LOOP)
    told = str(asked.value)
    assert "They have no argument in common" in told
    first, second, *_ = asked.value.remedies()
    assert (first.when, second.when) == (
        "it happened there",
        "it happened, and is the call that is made now",
    )
    reference = first.command.split()[2]
    settle(nb, reference, Answer.HAPPENED, "in_1")
    assert "made pay(1, key='a')" in asks(nb, LOOP)
    assert nb.paid == ["pay 1", "pay 2"]


def test_a_doubt_that_the_cell_caught_is_settled_where_it_stands() -> None:
    """What the question offers can be typed."""
    cell = LOOP.replace("pay(x", "go(x")
    nb = Fresh()
    nb.plain(
        "def go(x, key):\n    try: return pay(x, key=key)\n    except ValueError: pass"
    )
    nb.namespace["order"] = Order(iter([[1, 2], [2, 1]]))
    nb.stop("pay 1", ValueError())
    nb.stop("pay 2", ValueError())
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(cell.replace("x in order()", "x in order()[:1]"))
    with pytest.raises(OtherInDoubt) as asked:
        nb.again(cell)
    settle(nb, asked.value.remedies()[0].command.split()[2], Answer.DID_NOT)
    assert questions(nb.session.history) == []


def test_what_is_shown_of_a_doubt_says_of_which_call_an_answer_is() -> None:
    """«It happened», said of the other call where it stands, lets this one be made."""
    nb = Fresh()
    nb.plain("@tool(effect='read')\ndef look(x): return x")
    nb.stop("pay 1", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.again("pay(1, key='x')\nlook(5)\npay(2, key='y')")
    cell = "look(5)\npay(2, key='y')"
    with pytest.raises(OtherInDoubt) as asked:
        nb.again(cell)
    there, here = doubts(nb.session.history, ())
    assert [means for means, _ in there.answers] == ["it happened", "it did not"]
    assert [means for means, _ in here.answers] == [
        "it happened, and is the call that is made now",
        "it did not",
        "this is another call: make it",
    ]
    offered = [remedy.command for remedy in asked.value.remedies()]
    shown = [*there.answers[:1], *here.answers]
    assert {command for _, command in shown} < {*offered}
    why = explain.why(nb.session.history, "s.2", Present(Now(0), frozenset()))
    assert "s.2 waits for your answer" in str(why)
    settle(nb, there.reference, Answer.HAPPENED, "in_1")
    nb.again(cell)
    assert nb.paid == ["pay 1", "pay 2"]


def test_a_call_that_shares_an_argument_is_offered_as_the_same_one() -> None:
    """A fresh key is what it was made for."""
    nb = cut_off(LOOP, "pay 1", [1, 2], [1, 2])
    with pytest.raises(OtherInDoubt) as asked:
        nb.again(LOOP)
    assert "in common" not in str(asked.value)
    assert (
        asked.value.remedies()[0].when
        == "it happened, and is the call that is made now"
    )


PAY_IN = """
@tool
def pay(x, key="", currency=""):
    got = world(f"pay {x}")
    stop(f"pay {x}")
    return f"{got} {key}"
"""


def test_what_happened_is_the_result_of_no_other_customer() -> None:
    """Each payment is in euros: that alone makes none of them the one that was asked about."""
    cell = LOOP.replace("fresh()", "fresh(), currency='EUR'")
    nb = Fresh()
    nb.plain(PAY_IN)
    nb.namespace["order"] = Order(iter([[1, 2], [1, 2], *[[2, 1]] * 3]))
    nb.stop("pay 1", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.again(cell)
    assert "pay(1, key='b'" in asks(nb, cell, OtherInDoubt)
    settle(nb, "s.1", Answer.HAPPENED, "in_1")
    assert "pay(2, key='c', currency='EUR') was not made" in asks(nb, cell)
    settle(nb, "s.1", Answer.AGAIN)
    nb.again(cell)
    assert nb.namespace["got"] == ["pay 2#1 d", "in_1"]
    assert nb.paid == ["pay 1", "pay 2"]
