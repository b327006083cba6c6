"""The run as `%durable` prints it."""

from __future__ import annotations

from nbdurable.engine.where.moments import Now
from nbdurable.timeline.model import run_view
from nbdurable.timeline.text import EMPTY, STRIP_MAX, text
from tests.stories import Story, doubtful, gallery, research


def told(story: Story) -> str:
    """The story as text at its end."""
    return text(run_view(story.history(), Now(story.us), alive=story.alive))


def test_the_main_job() -> None:
    """At first glance: what was saved, what happened, each call as a sign."""
    assert told(research()) == (
        "research.ipynb · run 3, since Mon 09:14 · spent 22,520 tokens\n"
        "16 calls replayed, not paid again · saved 55 s and 12,400 tokens\n"
        "✂ Kernel stopped today 09:14 in findings during call 17,"
        " summarise (read: asked again)\n"
        "\n"
        "  ▮ findings  16 replayed, 14 ran  41 s  today 09:16"
        "  saved 55 s and 12,400 tokens\n"
        "    ▮▮▮▮▮▮▮▮▮▮▮▮▮▮▮▮? ✂ ↺↺↺↺↺↺↺↺↺↺↺↺↺↺↺↺▮▮▮▮▮▮▮▮▮▮▮▮▮▮\n"
        "\n"
        "kept: hits, notes · after a restart: %durable restore\n"
        "▮ ran  ↺ replayed  ? may have happened"
    )


def test_questions_come_first() -> None:
    """What needs an answer stands above the cells, with the commands."""
    lines = told(doubtful()).splitlines()
    start = lines.index("needs you (1)")
    assert lines[start + 1 : start + 4] == [
        "  ? send_invoice('anna', 1200) may have happened. It was not repeated.",
        "      it happened  %durable resolve review.2@ab38f9 --happened VALUE",
        "      it did not   %durable resolve review.2@ab38f9 --did-not",
    ]


def test_columns_are_aligned() -> None:
    """Durations end in one column, whatever the names."""
    rows = [line for line in told(gallery()).splitlines() if " today " in line]
    cells = [row for row in rows if not row.startswith("✂")]
    assert len({row.index("today") for row in cells}) == 1


def test_a_long_history_is_counted() -> None:
    """Hundreds of calls fit a line."""
    story = Story()
    step = story.step("many")
    for n in range(412):
        story.calls(step, f"get({n})", 0.1)
    story.completes(step)
    strip = told(story).splitlines()[3]
    assert strip.strip() == "▮×412"
    assert len(strip) <= STRIP_MAX


def test_without_a_run_it_says_how_to_begin() -> None:
    """Before the first durable cell there is nothing but how to start."""
    assert told(Story()) == EMPTY
    assert len(EMPTY.splitlines()) == 5


def test_a_cell_without_calls_shows_no_signs() -> None:
    """Where nothing was called, replays have nothing to count."""
    story = Story()
    step = story.step("load")
    story.completes(step)
    story.replays(step)
    shown = told(story)
    assert "↺ load  replayed whole, no calls" in shown
    assert "×" not in shown
