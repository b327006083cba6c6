"""Values as they are read best: conversations, tables, images, and pieces of long ones."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.engine.codec import encode, keep
from nbdurable.engine.values.redact import Secrets
from nbdurable.timeline import chats, tables
from nbdurable.timeline.cleaned import ELEMENTS, cleaned
from nbdurable.timeline.displays import displays
from nbdurable.timeline.frames import rows_of
from nbdurable.timeline.previews import of_plain
from nbdurable.timeline.protocol import Refused
from nbdurable.timeline.told import Details, Part, Piece
from nbdurable_store.backends.memory import MemoryStore, World
from tests.stories import HOSTILE, Story, research
from tests.timeline.test_source import OPEN, one, source_of


@pytest.mark.parametrize(
    ("body", "turns"),
    [
        (
            {"model": "m", "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "why?"}]},
            (("system", "be brief"), ("user", "why?")),
        ),
        ({"model": "m", "system": "be brief", "messages": [{"role": "user", "content": [{"type": "text", "text": "why?"}]}]},
         (("system", "be brief"), ("user", "why?"))),
        ({"model": "m", "instructions": "be brief", "input": "why?"}, (("system", "be brief"), ("user", "why?"))),
        ({"contents": [{"role": "user", "parts": [{"text": "why?"}]}]}, (("user", "why?"),)),
        ({"model": "m", "messages": [{"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "search", "arguments": '{"q": 1}'}}]}]},
         (("assistant", '→ search({"q": 1})'),)),
        ({"input": "no model"}, ()),
        ({"model": "m", "input": ["a", "b"]}, ()),
        (["messages"], ()),
    ],
)  # fmt: skip
def test_what_a_model_was_sent(body: object, turns: object) -> None:
    """The bodies of the big model services are conversations; other data is none."""
    assert chats.asked(body) == turns


@pytest.mark.parametrize(
    ("body", "turns"),
    [
        ({"choices": [{"message": {"role": "assistant", "content": "so"}}]}, (("assistant", "so"),)),
        ({"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "so"}]}]}, (("assistant", "so"),)),
        ({"role": "assistant", "content": [{"type": "text", "text": "so"}, {"type": "tool_use", "name": "f", "input": {"a": 1}}]},
         (("assistant", 'so\n→ f({"a": 1})'),)),
        ({"candidates": [{"content": {"parts": [{"text": "so"}]}}]}, (("assistant", "so"),)),
        ({"data": [1]}, ()),
    ],
)  # fmt: skip
def test_what_a_model_answered(body: object, turns: object) -> None:
    """Recorded answers of the big model services are turns; other answers are none."""
    answer = {"status": 200, "headers": {}, "body": json.dumps(body)}
    assert chats.answered(answer) == turns


def test_long_conversations_are_bounded() -> None:
    """The latest turns are shown, and how many came before."""
    said = [{"role": "user", "content": "x" * 9_000} for _ in range(50)]
    turns = chats.asked({"model": "m", "messages": said})
    assert turns[0] == ("", "10 earlier turns")
    assert len(turns) == 41
    assert turns[1][1].endswith("… (9,000 characters)")


@given(st.recursive(st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["model", "messages", "input", "content", "role", "tool_calls", "name", "function", "text", "contents", "parts", "type", "system"]), inner)))  # fmt: skip
def test_any_plain_data_is_shown(value: object) -> None:
    """Whatever a call was given, something is shown, and it is texts."""
    shown = of_plain(value)
    assert all(isinstance(cell, str) for row in shown.rows for cell in row)


def test_records_are_a_table() -> None:
    """A list of like records is a table; one record, or unlike ones, are not."""
    rows, note = tables.records([{"a": n, "b": None} for n in range(60)])
    assert rows[:2] == (("a", "b"), ("0", "None"))
    assert note == "60 rows × 2 columns, the first 50 rows"
    assert tables.records([{"a": 1}]) == ((), "")
    assert tables.records([{"a": 1}, {"b": 1}]) == ((), "")
    assert tables.records([{"a": [1]}, {"a": [2]}]) == ((), "")


def test_frames_are_tables() -> None:
    """Stored frames and arrays are read as rows, without loading anything that runs code."""
    columns = {"name": ["ann", "bob"], "paid": [1.25, 2.0]}
    store = MemoryStore(World())
    kept = keep(pa.table(columns), store.put, secrets=Secrets({}))
    rows, note = rows_of(kept.codec, store.get(kept))
    assert rows == (("name", "paid"), ("ann", "1.25"), ("bob", "2"))
    pandas, polars = (
        tables.frame(pd.DataFrame(columns)),
        tables.frame(pl.DataFrame(columns)),
    )
    assert polars == (rows, note)
    assert pandas[0][1] == ("0", "ann", "1.25")
    assert note == "2 rows × 2 columns"
    assert rows_of(kept.codec, b"not arrow") == ((), "")
    array = encode(np.arange(6).reshape(2, 3), secrets=Secrets({}))
    assert rows_of(array.codec, bytes(array.data))[0][1] == ("0", "0", "1", "2")
    assert rows_of("pickle5", b"cos\nsystem\n.") == ((), "")


@pytest.mark.parametrize("html", HOSTILE)
def test_hostile_html_is_written_anew(html: str) -> None:
    """No element and no attribute that acts is left."""
    acts = r"<(?!/?(?:" + "|".join(ELEMENTS) + r")[ >])|\son\w+=|href|<iframe|<svg"
    left = cleaned(f"<table><tr onclick='x()'><td>{html}</td></tr></table>")
    assert not re.search(acts, left)


@given(st.text(alphabet="<>/\"'= abhrefimgsconload!-&;:\x00", max_size=60))
def test_any_html_is_written_anew(html: str) -> None:
    """Cleaned text cleans to itself: nothing is left in it that another reader finds."""
    once = cleaned(html)
    assert cleaned(once) == once


def test_what_a_cell_showed() -> None:
    """Images and tables of a cell are shown; a script in them is gone, a huge one is named."""
    shown = [
        {"type": "display_data", "data": {"image/png": "iVBORw0K\nGgo=", "text/plain": "<Figure>"}},
        {"type": "display_data", "data": {"text/html": "<table><tr><td>1<script>x()</script></td></tr></table>"}},
        {"type": "display_data", "data": {"image/svg+xml": "<svg onload='x()'/>"}},
        {"type": "display_data", "data": {"image/png": "A" * 500_000}},
        {"type": "stream", "text": "no display"},
    ]  # fmt: skip
    story = Story()
    image, table, svg, huge = displays(story.value(shown), story.get)
    assert (image.kind, image.text) == ("image", "image/png;base64,iVBORw0KGgo=")
    assert (table.kind, table.text) == ("html", "<table><tr><td>1</td></tr></table>")
    assert svg.text.startswith("image/svg+xml;base64,")
    assert huge.note == "image/png, too large to be shown here"
    assert displays(story.value(shown, codec="dill"), story.get) == ()


def test_a_long_value_comes_in_pieces() -> None:
    """Of a value of ten million characters the view gets the pieces that it asks for."""
    story = Story()
    story.opens()
    step = story.step("read")
    call = story.calls(step, "fetch('log')", 1.0, result="ab\x1b" * 3_400_000)
    source = source_of(story)
    source.hear(OPEN)
    details = one(source.hear({"type": "detail", "attempt": step, "call": call}))
    assert isinstance(details, Details)
    asked = {"type": "value", "attempt": step, "call": call, "part": "result"}
    piece = one(source.hear({**asked, "start": 10_199_997}))
    assert piece == Piece(attempt=step, call=call, part="result", start=10_199_997, text="ab\u241b", chars=10_200_000)  # fmt: skip
    assert len(one(source.hear({**asked, "start": 5})).text) == 20_000  # type: ignore[union-attr]
    assert isinstance(one(source.hear({**asked, "part": "secrets"})), Refused)
    assert isinstance(one(source.hear({**asked, "call": "gone"})), Refused)


def test_what_cannot_be_text_says_so() -> None:
    """A value of another layer isn't read for its text."""
    story = Story()
    story.opens()
    step = story.step("read")
    call = story.begins(step, "fetch('log')")
    story.ends(step, call, "x")
    last = story.entries[-1]
    dill = story.value("x", codec="dill")
    story.entries[-1] = last._replace(record=last.record._replace(blobs=(dill,)))
    asked = {"type": "value", "attempt": step, "call": call, "part": "result"}
    source = source_of(story)
    source.hear(OPEN)
    assert isinstance(one(source.hear(asked)), Refused)


def test_what_changed_since_the_attempt_before() -> None:
    """Details say how an attempt, and a call in it, differ from those before."""
    story = research()
    again = story.step("findings", source="edited", title="hits = search(OTHER)")
    call = story.calls(again, "summarise('other page')", 2.0, arguments={"page": 99})
    story.completes(again, [["hits"]])
    source = source_of(story)
    source.hear(OPEN)

    def changed(call: str) -> Part:
        found = one(source.hear({"type": "detail", "attempt": again, "call": call}))
        assert isinstance(found, Details)
        return found.parts[-1]

    whole = changed("")
    assert (whole.kind, whole.title) == ("diff", "changed since attempt 2")
    assert "summarise" in whole.text
    assert "page" in changed(call).text
