"""What a person means by `review`, `review.2` or `review.2.1`."""

from __future__ import annotations

import doctest

import pytest

from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.telling import reference
from nbdurable.engine.where.whereabouts import RunRow
from nbdurable.errors import ReferenceUnknown
from tests.stories import Story, doubtful, research


def nested() -> Story:
    """A step whose second call made two calls inside."""
    story = Story()
    step = story.step("review")
    story.calls(step, "draft()", 1)
    outer = story.begins(step, "report()")
    story.calls(step, "fetch(1)", 1, parent=outer)
    story.calls(step, "fetch(2)", 1, parent=outer)
    story.ends(step, outer)
    story.calls(step, "send()", 1)
    story.completes(step)
    return story


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("review.1", "draft()"),
        ("review.2", "report()"),
        ("review.2.1", "fetch(1)"),
        ("review.2.2", "fetch(2)"),
        (" review.3 ", "send()"),
    ],
)
def test_a_call_is_found_by_its_number(typed: str, text: str) -> None:
    """STEP.CALL names a call, one more number a call inside it."""
    history = nested().history()
    found = reference.find(history, typed)
    assert isinstance(found, CallPast)
    assert found.text == text
    assert reference.name_of(history, found) == typed.strip()


def test_a_step_is_found_by_its_name() -> None:
    """A name means the step's latest attempt, nothing means the last step."""
    history = research().history()
    for typed in ("findings", ""):
        found = reference.find(history, typed)
        assert isinstance(found, StepPast)
        assert found.attempt == 2


def test_the_last_step_may_be_a_replayed_one() -> None:
    """Without a name, and of its name, the attempt is meant that was active last."""
    story = Story()
    first, second = story.step("plan"), story.step("plan", source="edited")
    other = story.step("chart")
    for step in (first, second, other):
        story.completes(step)
    assert reference.find_step(story.history(), "").id == other
    story.wait(60)
    story.replays(first)
    assert reference.find_step(story.history(), "").id == first
    assert reference.find_step(story.history(), "plan").id == first


def test_a_name_with_a_number_in_it_is_found_whole() -> None:
    """A step called ``v1.2`` is not taken for call 2 of ``v1``."""
    story = Story()
    story.completes(story.step("v1.2"))
    found = reference.find(story.history(), "v1.2")
    assert isinstance(found, StepPast)


def test_a_call_of_an_earlier_attempt_is_found() -> None:
    """A call that the latest attempt did not reach keeps its number."""
    story = doubtful()
    story.fails(story.step("review"), "paused")
    found = reference.find_call(story.history(), "review.2")
    assert found.text == "send_invoice('anna', 1200)"


def test_what_is_looked_for_narrows_the_choice() -> None:
    """A number that two attempts used means the call that fits the command."""
    story = doubtful()
    step = story.step("review", source="edited")
    story.calls(step, "other()", 1)
    story.calls(step, "more()", 1)
    history = story.history()
    assert reference.find_call(history, "review.2").text == "more()"
    doubt = reference.find_call(history, "review.2", wanted=lambda c: not c.finished)
    assert doubt.text == "send_invoice('anna', 1200)"


@pytest.mark.parametrize(
    ("typed", "given", "nearest"),
    [
        ("revew", "step called 'revew'", "%durable why review"),
        ("revew.2", "step called 'revew'", "%durable why review"),
        ("review.9", "call review.9", "%durable why review.3"),
        ("review.2.7", "call review.2.7", "%durable why review.3"),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest(
    typed: str, given: str, nearest: str
) -> None:
    """The error names what was typed and offers what was probably meant."""
    with pytest.raises(ReferenceUnknown) as raised:
        reference.find(nested().history(), typed)
    assert raised.value.given == given
    assert raised.value.nearest == nearest


def test_a_run_without_steps_says_so() -> None:
    """In an empty run no reference means anything."""
    with pytest.raises(ReferenceUnknown) as raised:
        reference.find(Story().history(), "")
    assert raised.value.known == ()


def rows() -> list[RunRow]:
    """Three runs of two notebooks."""
    return [
        RunRow(id="aa11", number=1, notebook="a.ipynb", headless=False, opened_us=1, active_us=9),
        RunRow(id="ab22", number=2, notebook="a.ipynb", headless=False, opened_us=2, active_us=3),
        RunRow(id="7c33", number=1, notebook="b/b.ipynb", headless=True, opened_us=3, active_us=4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "run"),
    [
        ("", "aa11"),
        ("ab22", "ab22"),
        ("ab", "ab22"),
        ("2", "ab22"),
        ("run 2", "ab22"),
        ("1", "aa11"),
        ("a.ipynb", "aa11"),
        ("b.ipynb", "7c33"),
        ("b.ipynb:1", "7c33"),
        ("b/b.ipynb:1", "7c33"),
    ],
)
def test_a_run_is_found_by_number_or_id(typed: str, run: str) -> None:
    """A number, a notebook, an id or its beginning names a run; nothing the latest active."""
    assert reference.find_run(rows(), typed).id == run


@pytest.mark.parametrize("typed", ["7", "zz", "c.ipynb:1", "a"])
def test_an_unknown_run_is_answered_with_those_there_are(typed: str) -> None:
    """The error lists the latest runs; a number is no beginning of an id."""
    with pytest.raises(reference.RunUnknown) as raised:
        reference.find_run(rows(), typed)
    assert "run 1 of a.ipynb" in str(raised.value)


def test_a_number_that_one_has_to_be_sure_of() -> None:
    """Where a run is changed, a number that two notebooks have is answered with both ids."""
    with pytest.raises(reference.RunUnclear) as raised:
        reference.find_run(rows(), "1", "nbdurable rm")
    told = str(raised.value)
    assert "2 notebooks have a run 1" in told
    assert "of a.ipynb  nbdurable rm aa11" in told
    assert "of b.ipynb  nbdurable rm 7c33" in told
    assert reference.find_run(rows(), "2", "nbdurable rm").id == "ab22"


def test_examples_in_docstrings_hold() -> None:
    """What a docstring shows is what the function says."""
    assert doctest.testmod(reference).failed == 0


def test_a_long_list_is_counted() -> None:
    """An error lists the steps nearest to what was typed, and says how many it doesn't."""
    story = Story()
    for number in range(20):
        story.completes(story.step(f"step{number}"))
    with pytest.raises(ReferenceUnknown) as raised:
        reference.find(story.history(), "stepp7")
    told = raised.value.detail()
    assert told.startswith("Nothing was done. It has: step7, ")
    assert told.endswith(" and 12 more.")
