"""A view that is kept up to date is the view that is made afresh."""

from __future__ import annotations

import pytest

from nbdurable.engine.past.history import History
from nbdurable.engine.where.moments import Now
from nbdurable.timeline.frames import rows_of
from nbdurable.timeline.known import Known
from nbdurable.timeline.model import attempt_view, live_view
from nbdurable.timeline.views import RunView
from tests.stories import Story, doubtful, gallery, research


def rerun() -> Story:
    """A run whose cell is begun afresh, with a call that is served elsewhere."""
    story = research()
    story.append("step.reset", {"slot": "cell-findings"}, subject="findings-2")
    step = story.step("other", source="other")
    story.serves(step, "findings-1#1")
    story.append(
        "call.adopted", {"slot": "cell-other"}, step=step, subject="findings-1#1"
    )
    call = story.begins(step, "pay('ann')", effect="write")
    story.raises(step, call, "builtins.ValueError", "no")
    story.calls(step, "search('more')", 1.0)
    story.completes(step)
    return story


def seen(story: Story, history: History, known: Known) -> RunView:
    """The run as somebody who looks again and again sees it."""
    now = Now(story.us)
    return live_view(history, now, known, alive=story.alive, get=story.get, stale={})


@pytest.mark.parametrize("made", [research, doubtful, gallery, rerun])
def test_every_state_is_as_if_made_afresh(made: object) -> None:
    """After each record, what was kept and what is new give the whole, whatever came."""
    assert callable(made)
    story = made()
    history, known = History(story.run), Known()
    for entry in story.entries:
        history.apply((entry,))
        known.forget(history, (entry,))
        assert seen(story, history, known) == seen(story, history, Known())


def test_what_is_done_is_not_made_again() -> None:
    """A new cell leaves the attempts of the other ones the same objects."""
    story = gallery()
    history, known = story.history(), Known()
    before = {step.id: step for step in seen(story, history, known).attempts}
    told = len(story.entries)
    story.calls(story.step("mail"), "send('ann')", 1.0)
    history.apply(story.entries[told:])
    known.forget(history, story.entries[told:])
    after = seen(story, history, known).attempts
    same = [step.id for step in after if before.get(step.id) is step]
    assert {"plan-1", "findings-2", "chart-1", "chart-2"} <= set(same)


def test_a_call_of_a_running_cell_is_not_made_again() -> None:
    """While a cell goes on, the calls that it has done stay the same objects."""
    story = Story()
    story.opens()
    step = story.step("long")
    for n in range(5):
        story.calls(step, f"search({n})", 1.0)
    history, known = story.history(), Known()
    (before,) = seen(story, history, known).attempts
    told = len(story.entries)
    story.calls(step, "search('new')", 1.0)
    history.apply(story.entries[told:])
    known.forget(history, story.entries[told:])
    (after,) = seen(story, history, known).attempts
    assert len(after.calls) == 6
    assert all(old is new for old, new in zip(before.calls, after.calls, strict=False))


def test_the_details_of_one_call_make_no_other_one() -> None:
    """Whoever looks at one call is told the others as they were made before."""
    story = research()
    history, known = story.history(), Known()
    before = {c.id: c for s in seen(story, history, known).attempts for c in s.calls}
    at = ("findings-2", "findings-2#30")
    step = attempt_view(
        history, Now(story.us), at,
        alive=story.alive, reads=(story.get, rows_of), known=known,
    )  # fmt: skip
    assert step is not None
    made = [call.id for call in step.calls if before[call.id] is not call]
    assert made == [at[1]]
