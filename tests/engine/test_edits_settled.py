"""A doubt that was settled as happened, and a tool that was edited since."""

from __future__ import annotations

import pytest

from nbdurable.engine.calls.pauses import InsteadOrAlso, OtherInDoubt
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import AlreadyHappened
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_edits_signatures import DOUBT, in_doubt, renamed
from tests.engine.test_edits_signatures import opened as opened_there
from tests.engine.test_money import opened
from tests.engine.test_which import interrupted

REFUND = "@tool\ndef refund(x): return world(f'refund {x}')"
ADDED = "@tool\ndef pay(x, amount): return world(f'pay {x} {amount}')"


def happened(kernel: str = "same") -> Notebook:
    """A payment was interrupted, and somebody has said that it happened."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    settle(nb, "s.1", Answer.HAPPENED, "in_1")
    return opened(nb) if kernel == "next" else nb


@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize(
    ("said", "result"), [(Answer.KEEP, "in_1"), (Answer.AGAIN, "refund 1#1")]
)
def test_another_tool_with_equal_arguments_asks(
    kernel: str, said: Answer, result: str
) -> None:
    """What was paid is no refund: nobody said that it is."""
    nb = happened(kernel)
    nb.plain(REFUND)
    for _ in range(2):
        with pytest.raises(InsteadOrAlso) as asked:
            nb.run("a = refund(1)", "s", "c1")
    assert "refund(1) was not made: this cell has made pay(1)" in str(asked.value)
    settle(nb, "s.1", said)
    nb.run("a = refund(1)", "s", "c1")
    assert nb.namespace["a"] == result


def test_it_asks_after_the_cell_was_served_too() -> None:
    """The payment's result was the payment's."""
    nb = happened()
    nb.run("a = pay(1)", "s", "c1")
    assert nb.namespace["a"] == "in_1"
    nb.plain(REFUND)
    with pytest.raises(InsteadOrAlso):
        nb.run("a = refund(1)", "s", "c1")


@pytest.mark.parametrize(
    ("said", "result"), [(Answer.KEEP, "in_1"), (Answer.AGAIN, "pay 1 500#1")]
)
def test_a_parameter_that_was_added_and_given_asks(said: Answer, result: str) -> None:
    """It was said of pay(1), and this is pay(1, 500)."""
    nb = happened()
    nb.plain(ADDED)
    for _ in range(2):
        with pytest.raises(AlreadyHappened):
            nb.run("a = pay(1, 500)", "s", "c1")
    settle(nb, "s.1", said)
    nb.run("a = pay(1, 500)", "s", "c1")
    assert nb.namespace["a"] == result


@pytest.mark.parametrize(
    ("said", "result"), [(Answer.KEEP, "in_1"), (Answer.AGAIN, "pay 1#2")]
)
def test_a_tool_that_was_renamed_asks(said: Answer, result: str) -> None:
    """As it does where the call has completed by itself."""
    nb = in_doubt()
    settle(nb, "s.1", Answer.HAPPENED, "in_1")
    renamed(nb)
    with pytest.raises(AlreadyHappened):
        nb.run("r = charge(1)", "s", "c1")
    settle(nb, "s.1", said)
    nb.run("r = charge(1)", "s", "c1")
    assert nb.namespace["r"] == result


@pytest.mark.parametrize(
    ("edited", "cell"),
    [
        (ADDED.replace("amount)", "amount=5)"), "r = pay(1)"),
        (ADDED, "r = pay(1, 500)"),
        (DOUBT.format(options="", name="charge"), "r = charge(1)"),
    ],
    ids=["default", "given", "renamed"],
)
def test_an_edit_that_is_taken_back_pays_nothing_twice(edited: str, cell: str) -> None:
    """What did not happen then has happened since, by the tool as it was meanwhile."""
    nb = in_doubt()
    opened_there(edited, nb=nb)
    with pytest.raises(OtherInDoubt):
        nb.run(cell, "s", "c1")
    settle(nb, "s.1", Answer.DID_NOT)
    nb.run(cell, "s", "c1")
    made = nb.world.effects[1:]
    opened_there(DOUBT.format(options="", name="pay"), nb=nb)
    for _ in range(2):
        try:
            nb.run("r = pay(1)", "s", "c1")
        except AlreadyHappened as asked:
            settle(nb, asked.reference, Answer.KEEP)
    assert nb.world.effects[1:] == made
    assert len(made) == 1
    assert str(nb.namespace["r"]).startswith(made[0])


OTHER = DOUBT.format(options="", name="charge").replace("pay {", "charged {")
"""Renamed, and edited: nothing but its arguments says that it is the same tool."""


@pytest.mark.wide
@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 1), (Answer.AGAIN, 2)])
def test_an_edit_and_a_new_name_that_are_taken_back_ask(
    kernel: str, said: Answer, payments: int
) -> None:
    """What did not happen then may have happened since, by a tool that looks like another."""
    nb = in_doubt()
    opened_there(OTHER, nb=nb)
    with pytest.raises(OtherInDoubt):
        nb.run("r = charge(1)", "s", "c1")
    settle(nb, "s.1", Answer.DID_NOT)
    nb.run("r = charge(1)", "s", "c1")
    back = DOUBT.format(options="", name="pay")
    if kernel == "next":
        opened_there(back, nb=nb)
    nb.plain(back)
    for _ in range(2):
        with pytest.raises(InsteadOrAlso):
            nb.run("r = pay(1)", "s", "c1")
    settle(nb, "s.1", said)
    for cell in ("r = pay(1)", "r = pay(1)\nmore = 1"):
        nb.run(cell, "s", "c1")
    assert len(nb.world.effects[1:]) == payments


def test_a_kept_answer_holds_over_later_edits() -> None:
    """What was made by the new name is the old one's, and what did not happen is not made."""
    nb = in_doubt()
    opened_there(DOUBT.format(options="", name="charge"), nb=nb)
    with pytest.raises(OtherInDoubt):
        nb.run("r = charge(1)", "s", "c1")
    settle(nb, "s.1", Answer.DID_NOT)
    nb.run("r = charge(1)", "s", "c1")
    opened_there(DOUBT.format(options="", name="pay"), nb=nb)
    with pytest.raises(AlreadyHappened):
        nb.run("r = pay(1)", "s", "c1")
    settle(nb, "s.1", Answer.KEEP)
    for edit in range(3):
        nb.run(f"r = pay(1)\nmore = {edit}", "s", "c1")
        assert len(nb.world.effects) == 2
