"""How calls and steps look from outside."""

from __future__ import annotations

import pytest

from nbdurable.engine.past import fates
from nbdurable.engine.past.fates import Fate
from nbdurable.engine.past.tally import Ledger
from tests.stories import Story, research


def fates_of(story: Story, step: str) -> list[Fate]:
    """The fates of an attempt's calls."""
    history = story.history()
    past = history.steps[step]
    calls = Ledger(history).calls(past)
    return [fates.call_fate(history, c, past, story.alive) for c in calls]


def test_a_killed_kernel_leaves_a_call_in_doubt() -> None:
    """What was under way when the kernel died is in doubt, what ended ran."""
    story = research()
    assert fates_of(story, "findings-1") == [Fate.RAN] * 16 + [Fate.IN_DOUBT]
    assert fates_of(story, "findings-2") == [Fate.REPLAYED] * 16 + [Fate.RAN] * 14


def test_a_call_of_a_living_kernel_is_running() -> None:
    """A call without an outcome runs as long as its step and its owner do."""
    story = Story()
    step = story.step("findings")
    story.begins(step, "search(1)")
    assert fates_of(story, step) == [Fate.RUNNING]
    story.fails(step, "interrupted")
    assert fates_of(story, step) == [Fate.IN_DOUBT]


@pytest.mark.parametrize(
    ("effect", "fields", "fate"),
    [
        ("write", {}, Fate.IN_DOUBT),
        ("write", {"not_done": True}, Fate.ERROR),
        ("read", {}, Fate.ERROR),
    ],
)
def test_an_error_that_ended_the_cell(
    effect: str, fields: dict[str, bool], fate: Fate
) -> None:
    """A write whose error ended the cell may have happened, unless it says it didn't."""
    story = Story()
    step = story.step("review")
    call = story.begins(step, "pay(1)", effect=effect)
    story.raises(step, call, "OSError", "gone", **fields)
    story.fails(step, "raised", call, type="OSError", message="gone")
    assert fates_of(story, step) == [fate]


@pytest.mark.parametrize(
    ("how", "fate"),
    [
        ("raised", Fate.ERROR),
        ("interrupted", Fate.STOPPED),
        ("paused", Fate.WAITING),
    ],
)
def test_how_a_step_failed(how: str, fate: Fate) -> None:
    """A step that ended without completing says how."""
    story = Story()
    step = story.step("review")
    story.fails(step, how)
    assert fates.step_fate(story.history().steps[step], story.alive) is fate


def test_a_kernel_that_stopped_between_steps_cut_nothing_off() -> None:
    """Only an attempt without an end whose owner is gone was cut off."""
    story = research()
    cut = fates.cut_off(story.history(), story.alive)
    assert [s.id for s in cut] == ["findings-1"]


def test_a_step_that_other_cells_followed_may_have_been_cut_off() -> None:
    """What a cell left running when the kernel died is told, also after more cells."""
    story = Story()
    first = story.step("agent")
    story.begins(first, "search(1)")
    story.completes(story.step("plot"))
    again = story.step("agent")
    story.dies()
    cut = fates.cut_off(story.history(), story.alive)
    assert [s.id for s in cut] == [again]


@pytest.mark.parametrize(
    ("how", "fate"),
    [
        ("", Fate.IN_DOUBT),
        ("happened", Fate.RAN),
        ("did-not", Fate.STOPPED),
        ("dropped", Fate.STOPPED),
    ],
)
def test_a_settled_call_is_in_doubt_no_more(how: str, fate: Fate) -> None:
    """It happened or it did not, as was said."""
    story = Story()
    step = story.step("review")
    call = story.begins(step, "pay(1)", effect="write")
    story.dies()
    if how:
        story.append("call.resolved", {"how": how}, subject=call)
    assert fates_of(story, step) == [fate]
