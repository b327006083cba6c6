"""One record, one call; and a payment that may have happened, wherever that was."""

from __future__ import annotations

import pytest

from nbdurable.engine.calls.pauses import InsteadOrAlso, StoodIn
from nbdurable.engine.past.settle import Answer
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_money import opened, paid

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
    """Then it is asked about the other one anew, which may be made as well."""
    nb = kept()
    with pytest.raises(StoodIn):
        nb.run(BOTH, "s", "c1")
    settle(nb, "s.3", Answer.KEEP)
    with pytest.raises(InsteadOrAlso):
        nb.run(BOTH, "s", "c1")
    settle(nb, "s.2", Answer.AGAIN)
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
