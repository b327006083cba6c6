"""The picture of a run as one SVG file."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from nbdurable.engine.where.moments import Now
from nbdurable.timeline.model import run_view
from nbdurable.timeline.picture import picture
from tests.stories import Story, doubtful, gallery, research
from tests.timeline.test_html import HOSTILE, hostile

SVG = "{http://www.w3.org/2000/svg}"


def drawn(story: Story) -> str:
    """The story's picture at its end."""
    return picture(run_view(story.history(), Now(story.us), alive=story.alive))


@pytest.mark.parametrize("story", [Story, research, doubtful, gallery])
def test_a_picture_is_one_harmless_file(story: type[Story]) -> None:
    """It is well-formed, has no script and no link, and loads nothing."""
    text = drawn(story())
    tags = {e.tag.removeprefix(SVG) for e in ET.fromstring(text).iter()}
    assert not tags & {"script", "a", "image", "use", "foreignObject", "animate", "set"}
    assert not re.search(r"href|url\(|@import|on\w+=", text)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    """Whatever stands in names, the file stays well-formed and holds no more tags."""
    root = ET.fromstring(drawn(hostile(text)))
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        "svg", "style", "title", "desc", "g", "defs", "pattern", "path",
        "rect", "line", "circle", "text", "tspan",
    }  # fmt: skip


def test_it_says_at_first_glance_what_was_saved() -> None:
    """Who sees only the picture reads what was replayed and what it saved."""
    words = [
        " ".join(e.itertext())
        for e in ET.fromstring(drawn(research())).iter(f"{SVG}text")
    ]
    said = " | ".join(" ".join(w.split()) for w in words)
    assert "16 calls replayed, not paid again | saved 12,400 tokens and 55 s" in said
    assert "↺ 16 replayed | ▮ 14 ran" in said


def test_it_holds_no_value() -> None:
    """Arguments and results are not in the file; the calls' texts are, as hints."""
    assert "improve cycle life" not in drawn(research())
