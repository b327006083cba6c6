"""From the history of a run to the rows that are shown."""

from __future__ import annotations

import pytest

from nbdurable.engine.past.fates import Fate
from nbdurable.engine.where.moments import Now
from nbdurable.timeline import previews
from nbdurable.timeline.model import run_view
from nbdurable.timeline.views import Preview, RunView
from nbdurable_store.errors import DurableError
from nbdurable_store.records import BlobRef
from tests.stories import Story, doubtful, gallery, research


def view(story: Story) -> RunView:
    """The story as it is shown at its end, with previews."""
    now = Now(story.us)
    return run_view(story.history(), now, alive=story.alive, get=story.get)


def test_the_main_job() -> None:
    """Sixteen calls were replayed, fourteen ran, and the names are kept."""
    run = view(research())
    (cell,) = run.cells
    first, again = cell.attempts
    assert (first.fate, again.fate) == (Fate.STOPPED, Fate.RAN)
    assert [c.fate for c in again.calls] == [Fate.REPLAYED] * 16 + [Fate.RAN] * 14
    assert (run.total.served, run.total.saved_tokens) == (16, 12_400)
    assert [k.name for k in run.kept] == ["hits", "notes"]
    assert [k.stopped for k in run.kernels] == [
        (
            "Kernel stopped today 09:14 in findings during call 17,"
            " summarise (read: asked again)"
        ),
        "",
    ]


def test_a_write_in_doubt_is_asked_about() -> None:
    """The question names the call and the commands that answer it."""
    (ask,) = view(doubtful()).asks
    assert ask.call == "send_invoice('anna', 1200)"
    assert ask.says == "may have happened. It was not repeated."
    assert [command for _, command in ask.answers] == [
        "%durable resolve review.2@ab38f9 --happened VALUE",
        "%durable resolve review.2@ab38f9 --did-not",
    ]


def test_a_write_under_way_is_not_asked_about() -> None:
    """As long as its kernel lives nobody has to say what became of a write."""
    story = Story()
    story.begins(story.step("review"), "pay(1)", effect="write")
    assert view(story).asks == ()


def test_every_kind_of_fate_is_told_apart() -> None:
    """Replayed whole, error, retry, interrupted: each attempt says how it ended."""
    run = view(gallery())
    ended = {c.name: [s.fate.value for s in c.attempts] for c in run.cells}
    assert ended == {
        "plan": ["ran"],
        "findings": ["stopped", "ran"],
        "chart": ["error", "ran"],
        "review": ["stopped"],
    }
    plan, _, chart, _ = run.cells
    assert len(plan.latest.replays) == 1
    assert chart.attempts[0].error == "ValueError: unknown theme 'dark'"
    assert chart.latest.unsaved == ("stream (a generator)",)


def test_a_replayed_attempt_is_the_latest() -> None:
    """An input was changed, that attempt failed, and it was changed back."""
    story = Story()
    story.opens()
    good = story.step("models")
    story.completes(good)
    story.wait(1)
    story.fails(story.step("models"), "raised")
    story.wait(1)
    story.replays(good)
    (cell,) = view(story).cells
    assert cell.latest.id == good


def test_calls_inside_a_call_follow_it() -> None:
    """A nested call stands behind the one that encloses it, one deeper."""
    findings = view(gallery()).cells[1].attempts[0]
    _, outer, inner = findings.calls[:3]
    assert (outer.depth, inner.depth, inner.parent) == (0, 1, outer.id)
    assert inner.number == f"{outer.number}.1"
    assert inner.model == "gpt-5-mini"


def test_values_are_previewed() -> None:
    """Arguments, result, code and output of a call and a step are shown as text."""
    again = view(research()).cells[0].latest
    call = again.calls[1]
    assert call.arguments is not None
    assert '"page": 1' in call.arguments.text
    assert call.result == Preview(
        text="Paper 1: sulfide electrolytes improve cycle life."
    )
    assert again.source is not None
    assert again.source.text.startswith("%%durable findings")
    assert again.outputs == Preview(text="findings-2 printed this")


def test_a_deleted_name_is_not_kept() -> None:
    """A name that a later step deleted can't be restored."""
    story = Story()
    story.completes(story.step("a"), [["x"], ["y"]])
    story.completes(story.step("b"), [["z"]], deleted=["x"])
    assert [k.name for k in view(story).kept] == ["y", "z"]


def test_what_is_kept_has_a_size() -> None:
    """Values that names share count once, and those of deleted names no more."""
    story = Story()
    story.completes(story.step("a"), [["x", "y"], ["z"], ["last expression"]])
    _, shared, other, _ = story.entries[-1].record.blobs
    assert view(story).kept_bytes == sum(ref.size for ref in {shared, other})
    story.completes(story.step("b"), [], deleted=["x", "y"])
    assert view(story).kept_bytes == other.size


def test_no_text_of_a_view_acts() -> None:
    """Escape sequences, marks that reorder text and line breaks are made visible."""
    story = Story()
    story.opens(notebook="\x1b[2Jevil\u202e.ipynb")
    step = story.step("na\nme", title="\x07")
    call = story.begins(step, "\x1b]0;owned\x07(\u200b)", effect="read")
    story.raises(step, call, "Er\x1b[0mror", "\x1b[31mred\nline")
    story.fails(step, "raised", call, type="X", message="\x1b[31m")
    run = view(story)
    shown = repr(run)
    for bad in ("\\x1b", "\\x07", "\\u202e", "\\u200b", "name='na\\n"):
        assert bad not in shown


@pytest.mark.parametrize(
    ("codec", "data", "preview"),
    [
        ("json", b'"text"', Preview(text="text")),
        ("json", b'{"$": ["secret", ["a", "KEY", ""]]}', Preview(text="a\u2039secret:KEY\u203a")),
        ("pickle5", b"cos\nsystem\n(S'true'\ntR.", Preview(note="pickle5, 23 B")),
        ("npy", b"\x93NUMPY", Preview(note="npy, 6 B")),
        ("json", b"not json", Preview(note="json, 8 B")),
        ("json", b'"' + b"x" * 5_000 + b'"', Preview(text="x" * 2_000, note="the first 2,000 of 5,000 characters", chars=5_000)),
    ],
)  # fmt: skip
def test_only_plain_values_are_shown(codec: str, data: bytes, preview: Preview) -> None:
    """Anything but plain data is named by its codec and size, never loaded."""
    story = Story()
    assert previews.value(story.value(data, codec), story.get) == preview


def test_a_value_that_is_not_plain_is_not_even_read() -> None:
    """Bytes of other codecs stay in the store."""

    def get(ref: BlobRef) -> bytes:
        raise AssertionError(ref)

    ref = Story().value(b"\x80\x05.", "dill")
    assert previews.value(ref, get) == Preview(note="dill, 3 B")


def test_a_value_that_is_gone_says_so() -> None:
    """A blob that the store can't hand out leaves a note, the rest is shown."""

    class Gone(DurableError):
        def fact(self) -> str:
            return "the value is gone."

    def get(ref: BlobRef) -> bytes:
        raise Gone

    assert previews.value(Story().value("x"), get) == Preview(note="the value is gone.")


def test_outputs_are_text() -> None:
    """Streams, results, pictures and tracebacks are told as text, without colours."""
    outputs = [
        {"type": "stream", "name": "stdout", "text": "\x1b[1mone\x1b[0m\n"},
        {"type": "execute_result", "data": {"text/plain": "2", "text/html": "<b>"}},
        {"type": "display_data", "data": {"image/png": "AAAA"}},
        {"type": "error", "traceback": ["\x1b[31mValueError\x1b[0m: no"]},
    ]
    story = Story()
    shown = previews.outputs(story.value(outputs), story.get)
    assert shown == Preview(text="one\n2\n[image/png]\nValueError: no")


ANSWER = {"status": 200, "headers": [], "cuts": [], "ms": []}
EVENTS = """\
event: x
data: {"choices": [{"delta": {"content": "Hel"}}]}
data: {"type": "response.output_text.delta", "delta": "lo "}
data: {"delta": {"text": "you"}}
data: [DONE]
"""


@pytest.mark.parametrize(
    ("body", "preview"),
    [
        ('{"a": 1}', Preview(text='{\n  "a": 1\n}', note="HTTP 200")),
        (
            EVENTS,
            Preview(
                text="Hello you",
                note="HTTP 200, streamed",
                kind="chat",
                rows=(("assistant", "Hello you"),),
            ),
        ),
        ("data: odd", Preview(text="data: odd", note="HTTP 200, streamed")),
        ("<html>", Preview(text="<html>", note="HTTP 200")),
    ],
)
def test_an_answer_is_shown_by_its_body(body: str, preview: Preview) -> None:
    """Of a recorded HTTP answer the body is shown, a stream put together."""
    story = Story()
    ref = story.value({**ANSWER, "body": body})
    assert previews.value(ref, story.get) == preview


def test_a_model_call_is_called_by_its_model() -> None:
    """What stands in the picture for an exchange is the model, not the address."""
    story = Story()
    step = story.step("ask")
    story.begins(step, "gpt-5-mini ← What is new?", kind="http", name="POST x/v1")
    (call,) = view(story).cells[0].latest.calls
    assert (call.name, call.text) == ("gpt-5-mini", "gpt-5-mini ← What is new?")


def test_only_variables_are_kept() -> None:
    """What a step stored under a name that no variable can have is not listed."""
    story = Story()
    story.completes(story.step("a"), [["x"], ["last expression"]])
    assert [k.name for k in view(story).kept] == ["x"]
