"""Which question is meant: by what was shown, and by its number where that is clear."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking import commands, which
from nbdurable.engine.asking.forking import fork
from nbdurable.engine.asking.which import QuestionUnclear
from nbdurable.engine.calls.pauses import OtherInDoubt
from nbdurable.engine.past.nothing import NothingToSettle
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.settle import Answer, Question, questions
from nbdurable.errors import CallInDoubt, HappenedBeforeRerun
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_money import opened, paid


def interrupted(nb: Notebook, cell: str, cell_id: str = "c1") -> None:
    """Run a cell of the name «s» that is interrupted in a payment."""
    nb.namespace["fails"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        nb.run(cell, "s", cell_id)
    nb.namespace["fails"] = None


def two() -> Notebook:
    """Two cells of one name have each a payment in doubt, and both are s.1."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    interrupted(nb, "b = pay(2)", "c2")
    return nb


def asked(nb: Notebook) -> dict[str, Question]:
    """The open questions, by the call."""
    return {q.call.text: q for q in questions(nb.session.history)}


def test_a_number_that_means_two_calls_settles_none() -> None:
    """The error shows both, each with commands that name it."""
    nb = two()
    with pytest.raises(QuestionUnclear, match=r"s\.1 may be 2 calls") as unclear:
        settle(nb, "s.1", Answer.DID_NOT)
    told = str(unclear.value)
    for text, question in asked(nb).items():
        assert f"? {question.asked}  {text}" in told
        assert f"%durable resolve {question.asked} --did-not" in told
    assert len(asked(nb)) == 2


@pytest.mark.parametrize("text", ["pay(1)", "pay(2)"])
def test_what_was_shown_is_settled(text: str) -> None:
    """The digest means this one, and the number alone means the one that is left."""
    nb = two()
    settle(nb, asked(nb)[text].asked, Answer.HAPPENED, "in_1")
    (left,) = asked(nb).values()
    assert left.call.text != text
    settle(nb, "s.1", Answer.DID_NOT)
    assert not asked(nb)
    assert paid(nb) == ["pay 1", "pay 2"]


def test_calls_that_an_edit_moved_are_told_apart() -> None:
    """The doubt of an earlier text of the cell has the number of one of now."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    nb.plain("@tool\ndef charge(x):\n    if fails: raise fails\n    return x")
    interrupted(nb, "b = charge(2)")
    assert sorted(q.reference for q in asked(nb).values()) == ["s.1", "s.1"]
    with pytest.raises(QuestionUnclear):
        settle(nb, "s.1", Answer.DID_NOT)
    settle(nb, asked(nb)["pay(1)"].asked, Answer.DID_NOT)
    assert [*asked(nb)] == ["charge(2)"]


@pytest.mark.slow
def test_what_is_asked_no_more_is_refused() -> None:
    """Its call was made again since, and may have happened again: that is another question."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    (old,) = asked(nb).values()
    settle(nb, old.asked, Answer.DID_NOT)
    interrupted(nb, "a = pay(1)")
    with pytest.raises(QuestionUnclear, match="isn't what is asked there now") as gone:
        settle(nb, old.asked, Answer.HAPPENED, "in_1")
    (new,) = asked(nb).values()
    assert new.reference == old.reference
    assert f"%durable resolve {new.asked} --did-not" in str(gone.value)
    assert asked(nb)


def test_where_nothing_is_open_the_error_says_how_it_stands() -> None:
    """With or without the digest of what was seen."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    (old,) = asked(nb).values()
    settle(nb, old.asked, Answer.HAPPENED, "in_1")
    for given in (old.asked, "s.1"):
        with pytest.raises(NothingToSettle, match="was settled: it happened"):
            settle(nb, given, Answer.DID_NOT)


def test_a_digest_that_fits_nothing_settles_nothing() -> None:
    """Neither a call whose answer may be taken back, nor one that another cell asks about."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    (question,) = asked(nb).values()
    settle(nb, question.asked, Answer.DID_NOT)
    with pytest.raises(QuestionUnclear, match="isn't what is asked there now") as gone:
        settle(nb, "s.1@000000", Answer.HAPPENED, "in_1")
    assert f"%durable resolve {question.asked} --happened VALUE" in str(gone.value)
    settle(nb, question.asked, Answer.HAPPENED, "in_1")
    interrupted(nb, "b = pay(2)", "c2")
    nb = opened(nb)
    with pytest.raises(OtherInDoubt):
        nb.run("b = pay(3)", "two", "c3")
    with pytest.raises(QuestionUnclear):
        settle(nb, "s.1@000000", Answer.DID_NOT)
    assert [c.resolved for c in nb.session.history.calls.values()] == ["happened", ""]


def test_what_was_seen_settles_no_other_call_that_has_its_number_by_now() -> None:
    """It was settled for good, and the other one may be taken back."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    (one,) = asked(nb).values()
    settle(nb, one.asked, Answer.HAPPENED, "in_1")
    nb.plain("@tool\ndef charge(x):\n    if fails: raise fails\n    return x")
    interrupted(nb, "b = charge(2)")
    (two,) = asked(nb).values()
    settle(nb, two.asked, Answer.DID_NOT)
    with pytest.raises(QuestionUnclear):
        settle(nb, one.asked, Answer.HAPPENED, "other")
    resolved = [c.resolved for c in nb.session.history.calls.values()]
    assert resolved == ["happened", "did-not"]


def test_an_answer_is_taken_back_by_the_command_that_gave_it() -> None:
    """As long as the call was not made again, it is the same question."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    (question,) = asked(nb).values()
    settle(nb, question.asked, Answer.DID_NOT)
    settle(nb, question.asked, Answer.HAPPENED, "in_1")
    nb.run("a = pay(1)", "s", "c1")
    assert (paid(nb), nb.namespace["a"]) == (["pay 1"], "in_1")


def test_the_errors_name_what_they_show() -> None:
    """What a cell asks, and what it offers about a call of another cell."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    with pytest.raises(CallInDoubt) as doubt:
        nb.run("a = pay(1)", "s", "c1")
    (here,) = asked(nb).values()
    assert doubt.value.reference == here.asked
    nb = opened(nb)
    with pytest.raises(OtherInDoubt) as other:
        nb.run("b = pay(2)", "two", "c2")
    there = next(q for q in asked(nb).values() if q.step == "two")
    assert other.value.reference == there.asked
    assert other.value.own == here.asked
    settle(nb, other.value.own, Answer.HAPPENED, "in_1")
    nb.run("b = pay(2)", "two", "c2")
    assert paid(nb) == ["pay 1", "pay 2"]


def test_a_fork_asks_anew() -> None:
    """Who settled a call in a run has not settled it in its fork."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    (before,) = asked(nb).values()
    fork(nb.session, "")
    (after,) = asked(nb).values()
    assert after.reference == before.reference
    with pytest.raises(QuestionUnclear):
        settle(nb, before.asked, Answer.DID_NOT)


# ---- rerun ---------------------------------------------------------------------------


def test_a_rerun_of_a_number_that_means_two_calls_names_both() -> None:
    """Two cells of one name: the digest says which call is meant."""
    nb = opened()
    nb.run("a = pay(1)", "s", "c1")
    nb.run("b = pay(2)", "s", "c2")
    with pytest.raises(QuestionUnclear, match=r"s\.1 may be 2 calls") as unclear:
        which.to_rerun(nb.session.history, "s.1")
    told = dict.fromkeys(command for _, command in unclear.value.commands)
    found = [which.to_rerun(nb.session.history, c.split()[-1]) for c in told]
    assert [c.text for c in found if isinstance(c, CallPast)] == ["pay(1)", "pay(2)"]


def test_a_call_that_was_made_since_is_not_made_afresh() -> None:
    """What was seen is gone; the error names what there is now."""
    nb = opened()
    nb.run("a = pay(1)", "s", "c1")
    (call,) = nb.session.history.calls.values()
    seen = f"s.1@{which.settle.rerun_shown(nb.session.history.run, call)}"
    assert which.to_rerun(nb.session.history, seen) is call
    commands.rerun_call(nb.session, seen, call)
    with pytest.raises(HappenedBeforeRerun):
        nb.run("a = pay(1)", "s", "c1")
    settle(nb, "s.1", Answer.AGAIN)
    nb.run("a = pay(1)", "s", "c1")
    with pytest.raises(QuestionUnclear, match="isn't what is asked there now"):
        which.to_rerun(nb.session.history, seen)


def test_a_rerun_by_a_digest_that_fits_nothing_is_refused() -> None:
    """Also of a call that the latest attempt didn't make."""
    nb = opened()
    nb.run("a = pay(1); b = pay(2)", "s", "c1")
    nb.run("a = pay(1)", "s", "c1")
    for given in ("s.1@ffffff", "s.2@ffffff"):
        with pytest.raises(QuestionUnclear, match="isn't what is asked there now"):
            which.to_rerun(nb.session.history, given)
    found = which.to_rerun(nb.session.history, "s.2")
    assert isinstance(found, CallPast)
    assert found.text == "pay(2)"


def test_what_may_have_happened_is_settled_and_not_made_afresh() -> None:
    """What the error offers instead settles it."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    found = which.to_rerun(nb.session.history, "s.1")
    assert isinstance(found, CallPast)
    with pytest.raises(NothingToSettle, match="settle that first") as refused:
        commands.rerun_call(nb.session, "s.1", found)
    (question,) = asked(nb).values()
    ways = [remedy.command for remedy in refused.value.remedies()]
    assert ways == [
        f"%durable resolve {question.asked} --happened VALUE",
        f"%durable resolve {question.asked} --did-not",
    ]


def test_what_runs_anyway_is_offered_no_rerun() -> None:
    """A command that would be refused is none to paste."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    settle(nb, "s.1", Answer.DID_NOT)
    found = which.to_rerun(nb.session.history, "s.1")
    assert isinstance(found, CallPast)
    with pytest.raises(NothingToSettle) as refused:
        commands.rerun_call(nb.session, "s.1", found)
    assert [r.command for r in refused.value.remedies()] == ["%durable why s.1"]
