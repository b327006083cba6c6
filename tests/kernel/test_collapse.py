"""Outputs collapsed: what is left of a stream of messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.kernel import collapse
from nbdurable.kernel.collapse import Collapsing
from nbdurable.testing.ran import Ran
from tests.kernel.notebook import comparable, in_notebook


def left_of(*messages):
    """Collapse (type, content) pairs."""
    collapsing = Collapsing()
    for kind, content in messages:
        collapsing.add(kind, content)
    return collapsing.outputs()


def text(value, name="stdout"):
    """A stream message."""
    return "stream", {"name": name, "text": value}


def shown(value, display_id="", kind="display_data", metadata=None):
    """A display message."""
    transient = {"display_id": display_id} if display_id else {}
    return kind, {
        "data": {"text/plain": value},
        "metadata": metadata or {},
        "transient": transient,
    }


def test_neighbouring_streams_of_one_name_are_one():
    """Flushes in the middle don't show, another stream between does."""
    found = left_of(text("a"), text("b"), text("c", "stderr"), text("d"))
    assert [o["text"] for o in found] == ["ab", "c", "d"]


def test_our_own_displays_are_never_kept():
    """Whatever carries metadata.nbdurable was said by us."""
    assert left_of(shown("line", metadata={"nbdurable": {"kind": "status"}})) == []


def test_an_update_of_another_cells_display_is_kept():
    """On replay it has to reach that cell again; only its last state counts."""
    found = left_of(
        shown("1", "other", "update_display_data"),
        shown("2", "other", "update_display_data"),
    )
    assert [o["data"]["text/plain"] for o in found] == ["2"]


def test_an_update_of_a_cleared_display_is_dropped():
    """Front ends ignore it too."""
    cleared = ("clear_output", {"wait": False})
    found = left_of(shown("a", "x"), cleared, shown("b", "x", "update_display_data"))
    assert found == []


def test_a_widget_keeps_its_text():
    """A view without its model would show an error."""
    kind, content = shown("IntSlider(value=0)")
    content["data"][collapse.WIDGET] = {"model_id": "1"}
    (output,) = left_of((kind, content))
    assert output["data"] == {"text/plain": "IntSlider(value=0)"}
    assert output[collapse.WAS_WIDGET]


def test_a_widget_without_a_text_is_named():
    """An output with nothing in it would be seen by nobody."""
    kind, content = shown("")
    content["data"] = {collapse.WIDGET: {"model_id": "1"}}
    (output,) = left_of((kind, content))
    assert output["data"] == {"text/plain": "[a widget]"}


def test_a_widget_that_was_updated_to_text_is_none():
    """What counts is what a display shows in the end."""
    kind, content = shown("IntSlider(value=0)", "x")
    content["data"][collapse.WIDGET] = {"model_id": "1"}
    found = left_of((kind, content), shown("done", "x", "update_display_data"))
    assert collapse.widgets(found) == ""


@pytest.mark.parametrize(
    ("count", "begins"), [(0, ""), (1, "1 widget is"), (2, "2 widgets are")]
)
def test_a_replay_says_how_many_widgets_are_only_text(count, begins):
    """One sentence under a cell, and none where no widget was."""
    kind, content = shown("IntSlider(value=0)")
    content["data"][collapse.WIDGET] = {"model_id": "1"}
    found = left_of(*[(kind, content)] * count, shown("text"))
    assert collapse.widgets(found).partition(" shown")[0] == begins


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("\r 10%\r 20%\r100%", "\r100%"),
        ("\r100%\n", "\r100%\n"),
        ("long line\rshort\n", "long line\rshort\n"),
        ("abc\r\ndef\r\n", "abc\r\ndef\r\n"),
        ("1\r2\nnext\n", "2\nnext\n"),
        ("\x1b[1m1\x1b[0m\r2", "\x1b[1m1\x1b[0m\r2"),
    ],
)
def test_what_a_carriage_return_overwrote_is_dropped(written, kept):
    """Only where nothing of it would be seen."""
    assert left_of(text(written))[0]["text"] == kept


def test_an_endless_stream_loses_its_middle():
    """Beginning and end are kept, and how much is missing is said."""
    lines = [text(f"{i:06}\n" * 1000) for i in range(400)]
    (output,) = left_of(*lines)
    assert len(output["text"]) < collapse.STREAM_CHARS_MAX + 200
    assert output["text"].startswith("000000\n")
    assert output["text"].endswith("000399\n")
    assert "characters were not kept" in output["text"]


def test_countless_outputs_are_cut_and_counted(monkeypatch):
    """A loop of displays can't fill the store."""
    monkeypatch.setattr(collapse, "OUTPUTS_MAX", 3)
    found = left_of(*(shown(str(i)) for i in range(10)))
    assert len(found) == 4
    assert "7 more outputs" in found[-1]["text"]


def test_a_huge_picture_is_left_out(monkeypatch):
    """Its place says so."""
    monkeypatch.setattr(collapse, "DATA_CHARS_MAX", 10)
    (output,) = left_of(shown("x" * 11))
    assert "was not kept" in output["data"]["text/plain"]


MESSAGES = st.lists(
    st.one_of(
        st.builds(
            text,
            st.sampled_from(["a\n", "b", "cc"]),
            st.sampled_from(["stdout", "stderr"]),
        ),
        st.builds(shown, st.sampled_from(["p", "q"]), st.sampled_from(["", "x", "y"])),
        st.builds(
            shown,
            st.sampled_from(["r", "s"]),
            st.sampled_from(["x", "y"]),
            st.just("update_display_data"),
        ),
        st.builds(lambda wait: ("clear_output", {"wait": wait}), st.booleans()),
    ),
    max_size=12,
)


@pytest.mark.slow
@given(MESSAGES)
def test_collapsed_outputs_look_like_the_raw_ones(messages):
    """A front end that gets the collapsed list shows what it showed before."""
    raw = Ran("r", [_message(kind, dict(content)) for kind, content in messages])
    found = Ran(
        "r", [_message(o.pop("type"), o) for o in map(dict, left_of(*messages))]
    )
    assert comparable(in_notebook(found)) == comparable(in_notebook(raw))


def _message(kind, content):
    header = {"msg_type": kind}
    parent = {"msg_id": "r"}
    return {
        "msg_type": kind,
        "header": header,
        "parent_header": parent,
        "content": content,
    }
