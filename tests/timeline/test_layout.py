"""Where everything stands in the picture."""

from __future__ import annotations

import itertools

from nbdurable.engine.past.fates import Fate
from nbdurable.engine.where.moments import Now
from nbdurable.timeline.layout import BARS_MAX, GUTTER, WIDTH, layout
from nbdurable.timeline.model import run_view
from nbdurable.timeline.views import RunView
from tests.stories import Story, gallery, research


def view(story: Story) -> RunView:
    """The story as it is shown at its end."""
    return run_view(story.history(), Now(story.us), alive=story.alive)


def test_bars_of_a_lane_do_not_overlap() -> None:
    """Calls side by side stand in different lanes; a lane holds one at a time."""
    for row in layout(view(gallery())).rows:
        for group in row.groups:
            for lane in range(group.lanes):
                bars = sorted(
                    (b for b in group.bars if b.lane == lane and not b.inner),
                    key=lambda b: b.x,
                )
                for left, right in itertools.pairwise(bars):
                    assert left.x + left.width <= right.x + 0.01


def test_calls_inside_a_call_share_its_lane() -> None:
    """A call within another one is a strip in that one's bar."""
    findings = layout(view(gallery())).rows[1].groups[0]
    lanes = {b.calls[0].id: b.lane for b in findings.bars}
    inner = [b for b in findings.bars if b.inner]
    assert len(inner) == 18
    assert all(b.lane == lanes[b.calls[0].parent] for b in inner)
    assert findings.lanes == 4


def test_everything_is_in_the_picture() -> None:
    """No bar, group or mark leaves the picture, and groups hold their bars."""
    plan = layout(view(gallery()))
    for row in plan.rows:
        for group in row.groups:
            assert group.x >= GUTTER
            assert group.x + group.width <= WIDTH
            for bar in group.bars:
                assert group.x - 0.01 <= bar.x
                assert bar.x + bar.width <= group.x + group.width + 0.01
    assert all(0 <= x <= WIDTH for kernel in plan.kernels for x in kernel)


def test_served_calls_stand_before_the_call_that_ran_next() -> None:
    """The sixteen served calls are left of the fourteen that ran."""
    again = layout(view(research())).rows[0].groups[1]
    served = [b.x for b in again.bars if b.fate is Fate.REPLAYED]
    ran = [b.x for b in again.bars if b.fate is Fate.RAN]
    assert (len(served), len(ran)) == (16, 14)
    assert max(served) < min(ran)


def test_a_large_attempt_is_drawn_in_few_bars() -> None:
    """Thousands of calls are drawn together, and the worst of them shows."""
    story = Story()
    step = story.step("many")
    for n in range(2_000):
        call = story.begins(step, f"get({n})")
        story.wait(0.01)
        if n == 1_234:
            story.raises(step, call, "OSError", "gone")
        else:
            story.ends(step, call)
    story.completes(step)
    bars = layout(view(story)).rows[0].groups[0].bars
    assert len(bars) <= BARS_MAX
    assert sum(len(b.calls) for b in bars) == 2_000
    assert [b.fate for b in bars].count(Fate.ERROR) == 1
