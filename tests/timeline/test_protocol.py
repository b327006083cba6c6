"""The messages between a view and its source."""

from __future__ import annotations

import dataclasses
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from labextension import generate

from nbdurable.engine.where.moments import Now
from nbdurable.timeline import displays, protocol, requests, wholes
from nbdurable.timeline.details import details, every_detail
from nbdurable.timeline.model import run_view
from nbdurable.timeline.requests import Misread, understood
from nbdurable.timeline.snapshots import changed, page, snapshot
from nbdurable.timeline.views import RunView
from tests.stories import Story, doubtful, gallery, research

DOCS = Path(__file__).parents[2] / "docs" / "protocol.md"


def view(story: Story) -> RunView:
    """The story as it is shown at its end, with previews."""
    now = Now(story.us)
    return run_view(story.history(), now, alive=story.alive, get=story.get)


def test_the_types_are_fresh() -> None:
    """The TypeScript types are those that the Python messages make."""
    assert generate.TYPES.read_text() == generate.types(), "make ui"


def test_every_message_is_documented() -> None:
    """The page of the protocol has a row for each message, and its limits are true."""
    text = DOCS.read_text()
    rows = set(re.findall(r"^\| `([a-z]+)` \|", text, re.MULTILINE))
    assert rows == {m.type for m in (*protocol.MESSAGES, *requests.REQUESTS)}
    assert f"version {protocol.VERSION}\n" in text
    for limit in (
        protocol.CALLS_MAX,
        protocol.TEXT_CHARS_MAX,
        requests.NAME_CHARS_MAX,
        requests.VALUE_CHARS_MAX,
        wholes.PIECE_CHARS_MAX,
        displays.IMAGE_CHARS_MAX,
    ):
        assert f"{limit:,}" in text


@pytest.mark.parametrize("story", [research, doubtful, gallery, Story])
def test_a_snapshot_is_plain_json(story: object) -> None:
    """What is sent is JSON, and comes back as it was."""
    assert callable(story)
    sent = protocol.plain(snapshot(view(story())))
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent


def test_a_snapshot_tells_all_calls() -> None:
    """All columns are as long as there are calls, and places lead to words."""
    calls = snapshot(view(gallery())).calls
    columns = [f.name for f in dataclasses.fields(calls) if f.name != "names"]
    assert {len(getattr(calls, c)) for c in columns} == {len(calls.id)}
    told = {calls.names[place] for place in calls.fate}
    assert {"ran", "replayed", "in doubt", "error"} <= told


def test_what_needs_somebody_has_buttons() -> None:
    """A call that may have happened is settled by what each button says."""
    (need,) = snapshot(view(doubtful())).needs
    assert need.message == "resolve"
    assert [(r.said, r.typed) for r in need.replies] == [
        ("happened", True),
        ("did-not", False),
    ]
    assert need.reference == "review.2@ab38f9"


@pytest.mark.parametrize(
    ("story", "asked", "told"),
    [
        (doubtful, True, ["asks you first"]),
        (research, True, ["replays, free"]),
        (research, False, ["replays if nothing changed"]),
    ],
)
def test_what_a_cell_would_do(story: object, asked: bool, told: list[str]) -> None:
    """Each cell says what it would do now, and a file doesn't claim to know."""
    assert callable(story)
    cells = snapshot(view(story()), asked=asked).cells
    assert [cell.would for cell in cells] == told


def test_a_stale_cell_says_what_it_costs() -> None:
    """A cell that would run again says so, and how long it took."""
    story = research()
    now = Now(story.us)
    stale = {"cell-findings": "PROMPT changed"}
    run = run_view(story.history(), now, alive=story.alive, stale=stale)
    (cell,) = snapshot(run, asked=True).cells
    assert cell.stale == "PROMPT changed"
    assert cell.would.startswith("runs again, ~")
    assert cell.cost_ms > 0


def test_the_head_says_what_was_spent() -> None:
    """Money where prices are known, of what may be spent, and the tokens of the others."""
    story = Story()
    story.opens()
    assert "spent" not in snapshot(view(story)).head.told
    step = story.step("plan")
    story.calls(step, "ask(1)", 2, tokens_in=900, model="m", usd="0.12")
    story.calls(step, "ask(2)", 2, tokens_in=70, model="n")
    story.completes(step)
    assert snapshot(view(story)).head.told.endswith(" · spent $0.12 and 70 tokens")
    limited = dataclasses.replace(view(story), budget=Decimal(5))
    told = snapshot(limited).head.told
    assert told.endswith(" · spent $0.12 of $5.00 and 70 tokens")


def test_only_what_changed_is_sent() -> None:
    """After one more call, one call is sent; between equal states there is none."""
    story = gallery()
    before = view(story)
    step = story.step("mail")
    story.calls(step, "send('ann')", 1.0)
    after = view(story)
    message = changed(before, after, seq=5)
    assert message.seq == 5
    assert message.calls.text == ("send('ann')",)
    assert changed(after, view(story), seq=6).calls.id == ()


def test_older_calls_come_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot has the newest calls; pages have the rest, none twice."""
    run = view(gallery())
    every = snapshot(run).calls.id
    monkeypatch.setattr(protocol, "CALLS_MAX", 10)
    first = snapshot(run)
    found, left = list(first.calls.id), first.left_out
    while left:
        more = page(run, left)
        found, left = [*more.calls.id, *found], more.left_out
    assert tuple(found) == every
    assert len(first.calls.id) == 10


def test_details_have_the_values() -> None:
    """The details of a call hold its arguments and its result; of an attempt its code."""
    run = view(research())
    calls = snapshot(run).calls
    found = details(run, calls.names[calls.attempt[0]], calls.id[0])
    assert found is not None
    assert [p.title for p in found.parts] == ["arguments", "result"]
    step = details(run, "findings-1", "")
    assert step is not None
    assert step.parts[0].title == "code"
    assert details(run, "findings-1", "nothing") is None
    assert details(run, "nothing", "") is None
    assert len(list(every_detail(run))) == 2 + len(calls.id)


@pytest.mark.parametrize(
    "said",
    [
        {"type": "open", "version": 1},
        {"type": "older", "left_out": 3},
        {"type": "detail", "attempt": "a", "call": "b"},
        {"type": "detail", "attempt": "a"},
        {"type": "resolve", "call": "review.2", "said": "happened", "text": "1"},
        {"type": "signal", "call": "review.2", "text": "yes", "newer": [1]},
        {"type": "cancel", "call": "review.2"},
    ],
)
def test_requests_are_understood(said: dict[str, object]) -> None:
    """What a view says is read; what a newer one says besides is ignored."""
    read = protocol.plain(understood(said))
    assert isinstance(read, dict)
    assert {k: v for k, v in said.items() if k != "newer"}.items() <= read.items()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (None, "is an object"),
        ([], "is an object"),
        ({}, "no message is called 'None'"),
        ({"type": "snapshot"}, "no message is called"),
        ({"type": {"a": 1}}, "no message is called"),
        ({"type": "open"}, "lacks a field"),
        ({"type": "open", "version": 2}, "speaks version 2"),
        ({"type": "open", "version": True}, "is no int"),
        ({"type": "older", "left_out": -1}, "is no int"),
        ({"type": "detail", "attempt": 3}, "is no str"),
        ({"type": "cancel", "call": "x" * 1_001}, "longer than 1,000"),
        ({"type": "signal", "call": "a", "text": "x" * 100_001}, "longer than 100,000"),
    ],
)
def test_anything_else_is_refused(said: object, why: str) -> None:
    """What is no request is named, whatever it is."""
    with pytest.raises(Misread, match=why):
        understood(said)
