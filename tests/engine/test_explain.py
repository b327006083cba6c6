"""Why a step or a call ran, was replayed, or is in doubt."""

from __future__ import annotations

import doctest
import json

import pytest

from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.present import Present
from nbdurable.engine.telling import causes, explain
from nbdurable.engine.telling.causes import Cause, Reason, because, cause
from nbdurable.engine.telling.explain import why
from nbdurable.engine.values import differences, plainly
from nbdurable.engine.where.moments import Now
from tests.stories import Story, digest, doubtful, research

CELLS = {"PROMPT": "cell 2", "client": "cell 1"}


def present(story: Story) -> Present:
    """The story's end, seen by somebody who can read kept arguments."""

    def arguments(call: CallPast) -> object:
        kept = call.arguments
        if kept is None:
            return None
        return json.loads(kept if isinstance(kept, str) else story.get(kept))

    return Present(Now(story.us), story.alive, CELLS, arguments)


def told(story: Story, reference: str = "") -> str:
    """The first line of the explanation."""
    return why(story.history(), reference, present(story)).lines[0]


READS = {"PROMPT": "aa", "hits": "bb", "client": None}


@pytest.mark.parametrize(
    ("source", "reads", "expected", "line"),
    [
        ("edited", READS, Cause(Reason.CODE), "its code changed"),
        (
            "source",
            {**READS, "PROMPT": "cc"},
            Cause(Reason.INPUT, ("PROMPT",)),
            "PROMPT changed (cell 2)",
        ),
        (
            "source",
            {**READS, "PROMPT": "cc", "hits": "dd"},
            Cause(Reason.INPUT, ("PROMPT", "hits")),
            "PROMPT (cell 2) and hits changed",
        ),
        (
            "source",
            READS,
            Cause(Reason.NO_DIGEST, ("client",)),
            "client has no digest",
        ),
        (
            "source",
            {"PROMPT": "aa", "client": None},
            Cause(Reason.INPUT, ("hits",)),
            "hits changed",
        ),
    ],
)
def test_why_a_completed_step_runs_again(
    source: str, reads: dict[str, str | None], expected: Cause, line: str
) -> None:
    """Code comes before inputs; a name without a digest counts as unchanged."""
    story = Story()
    story.completes(story.step("findings", reads=READS))
    found = cause(
        story.history(),
        slot="cell-findings",
        source=digest(source).hex(),
        reads=reads,
    )
    assert found == expected
    assert because(found, CELLS) == line


def test_a_new_step_has_no_because() -> None:
    """The first attempt in a slot is new."""
    found = cause(Story().history(), slot="s", source="", reads={})
    assert found == Cause(Reason.NEW)
    assert because(found) == ""


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ("raised", "its last attempt ended with an error"),
        ("interrupted", "its last attempt was interrupted"),
        ("paused", "its last attempt waited for an answer"),
        ("", "the kernel stopped during it"),
    ],
)
def test_an_attempt_continues_one_that_stopped(how: str, line: str) -> None:
    """An equal step after one that did not complete says how that one ended."""
    story = Story()
    step = story.step("findings")
    if how:
        story.fails(step, how)
    source = digest("source").hex()
    found = cause(story.history(), slot="cell-findings", source=source, reads={})
    assert (found.reason, because(found)) == (Reason.CONTINUES, line)


def test_the_end_of_a_step_is_told_in_one_line() -> None:
    """Of an error of many lines the first is told, under the name that people know."""
    story = Story()
    message = "the disk is full.\n  Nothing was recorded"
    step = story.step("findings")
    story.fails(
        step, "raised", type="nbdurable_store.errors.StoreFull", message=message
    )
    lines = why(story.history(), "findings", present(story)).lines
    assert "it ended with StoreFull: the disk is full." in lines


def test_a_rerun_is_named() -> None:
    """After `rerun` the reason is that somebody asked for it."""
    story = Story()
    story.completes(story.step("findings"))
    story.append("step.reset", {"slot": "cell-findings"})
    source = digest("source").hex()
    found = cause(story.history(), slot="cell-findings", source=source, reads={})
    assert found == Cause(Reason.RERUN)


def test_the_maker_of_a_changed_name_is_named() -> None:
    """A name that a durable step stored is said to come from that step."""
    story = Story()
    story.completes(story.step("findings"), [["notes"]])
    story.completes(story.step("chart", reads={"notes": "aa"}))
    story.wait(60)
    story.completes(story.step("findings", source="edited"), [["notes"]])
    story.completes(story.step("chart", reads={"notes": "bb"}))
    assert told(story, "chart") == (
        "ran again today 09:15, because notes changed (findings)"
    )


def test_why_tells_a_step_and_its_calls() -> None:
    """The step says when and why it ran, and what became of its calls."""
    story = research()
    text = str(why(story.history(), "findings", present(story)))
    assert text == (
        "findings ran again today 09:16, because the kernel stopped during it\n"
        "  30 calls: 16 replayed, 14 ran · saved 55 s and 12,400 tokens"
    )


def test_why_tells_a_replay() -> None:
    """A replayed step says when, and that code and inputs were equal."""
    story = Story()
    step = story.step("findings", reads={"PROMPT": "aa", "hits": "bb"})
    story.completes(step)
    story.replays(step)
    assert (
        told(story) == "was replayed today 09:14: same code and equal PROMPT and hits"
    )


def test_why_a_call_was_served() -> None:
    """A served call says where the record came from."""
    assert told(research(), "findings.3") == (
        "was replayed in attempt 2 of findings: an equal call, "
        "it ran today 09:14 in 2.4 s"
    )


def test_why_a_call_ran_again() -> None:
    """The call that was cut off says so."""
    assert told(research(), "findings.17") == (
        "ran again, because the kernel stopped during attempt 1"
    )


def test_why_a_write_is_in_doubt() -> None:
    """A write without an outcome may have happened."""
    story = doubtful()
    text = str(why(story.history(), "review.2", present(story)))
    assert text == (
        "review.2 may have happened: the kernel stopped during it"
        " before a result was recorded\n"
        "  send_invoice('anna', 1200)"
    )


@pytest.mark.parametrize(
    ("how", "ending"),
    [
        ("did-not", "before a result was recorded; you said that it did not"),
        ("again", "before a result was recorded; you asked to do it again"),
        ("happened", "no result was recorded; you said that it happened"),
    ],
)
def test_an_answer_is_part_of_the_explanation(how: str, ending: str) -> None:
    """What a person said of a call in doubt stands behind the doubt."""
    story = doubtful()
    story.append("call.resolved", {"how": how}, subject="review-1#2")
    line = told(story, "review.2")
    assert line.startswith("may have happened: ")
    assert line.endswith(ending)


def test_a_call_that_was_said_to_have_happened_is_served() -> None:
    """The next attempt is served the value that a person gave."""
    story = doubtful()
    story.append("call.resolved", {"how": "happened"}, subject="review-1#2")
    step = story.step("review")
    story.serves(step, "review-1#1", "review-1#2")
    story.completes(step)
    assert told(story, "review.2") == (
        "was replayed in attempt 2 of review, as you said"
    )


@pytest.mark.parametrize("system", ["be brief", "be brief, and " * 100])
def test_the_differing_argument_is_named(system: str) -> None:
    """A call that ran although one like it is recorded says which argument differs."""
    story = Story()
    first = story.step("ask")
    messages = [
        {"role": "system", "content": system},
        {"role": "user", "content": "a"},
    ]
    story.calls(first, "chat(1)", 1, arguments={"messages": messages})
    story.completes(first)
    again = story.step("ask", source="edited")
    messages[1]["content"] = "b"
    story.calls(again, "chat(2)", 1, arguments={"messages": messages})
    story.completes(again)
    assert told(story, "ask.1") == (
        "ran: no equal call was recorded; nearest is ask.1:"
        " messages[1].content was 'a', is 'b'"
    )


def test_a_new_call_is_new() -> None:
    """The first call of a tool has nothing to be compared with."""
    story = Story()
    story.calls(story.step("ask"), "chat(1)", 1)
    assert told(story, "ask.1") == "ran: it is new"


def test_a_write_before_a_read_is_named() -> None:
    """A read that ran again because a new write came before it names the write."""
    story = Story()
    first = story.step("sync")
    story.calls(first, "load()", 1)
    story.completes(first)
    again = story.step("sync", source="edited")
    write = story.calls(again, "save()", 1, effect="write")
    story.begins(again, "load()", again="sync-1#1", after=write)
    assert told(story, "sync.2").startswith("is running")
    story.ends(again, "sync-1#1")
    assert told(story, "sync.2") == "ran again, because save ran before it (write)"


def test_a_call_under_way_elsewhere_says_so() -> None:
    """A call that another kernel is executing is told as such, one's own is not."""
    story = Story()
    story.begins(story.step("sync"), "load()")
    for here, ending in [("kernel-1", ""), ("kernel-2", ", in another kernel")]:
        seen = Present(Now(story.us), story.alive, here=here)
        line = why(story.history(), "sync.1", seen).lines[0]
        assert line == f"is running, since today 09:14{ending}"


def test_an_edited_tool_is_named() -> None:
    """A read that ran again because its tool was edited says so."""
    story = Story()
    first = story.step("sync")
    story.calls(first, "load()", 1)
    story.completes(first)
    again = story.step("sync", source="edited")
    story.begins(again, "load()", again="sync-1#1", code="new")
    story.ends(again, "sync-1#1")
    assert told(story, "sync.1") == "ran again, because the code of load changed"


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ({"a": 1}, {"a": 2}, ["a was 1, is 2"]),
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, ["a was 1, is True"]),
        ([1, 2], [1], ["[1] is gone (was 2)"]),
        ({"x y": [{}]}, {"x y": [{"k": "v"}]}, ["['x y'][0].k is new: 'v'"]),
        ("abc", "abd", ["the value was 'abc', is 'abd'"]),
        (
            "the same beginning, then a long old end that goes on and on and on",
            "the same beginning, then a short new end",
            [
                (
                    "the value was '… then a long old end that goes on and on…',"
                    " is '… then a short new end'"
                )
            ],
        ),
        ("\x1b[31m", "\u202e", ["the value was '␛[31m', is '\u2039U+202E\u203a'"]),
        (None, {"a": 1}, ["the value was None, is {'a': 1}"]),
    ],
)
def test_differences_are_short(old: object, new: object, lines: list[str]) -> None:
    """Each differing place is named by its path, with the old and the new value."""
    assert [str(d) for d in differences.differences(old, new)] == lines


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ('{"a": [1, null]}', {"a": [1, None]}),
        ('{"$": ["tuple", [1, {"$": ["bytes", "AAAA"]}]]}', [1, "\u2039bytes, 3 B\u203a"]),
        ('{"$": ["dict", [["$", 1], [2, 3]]]}', {"$": 1, "2": 3}),
        ('{"$": ["secret", ["key=", "OPENAI_API_KEY", ""]]}', "key=\u2039secret:OPENAI_API_KEY\u203a"),
        ('{"$": ["uuid", ["ab", 0]]}', '\u2039uuid ["ab", 0]\u203a'),
    ],
)  # fmt: skip
def test_stored_plain_data_is_shown_without_secrets(data: str, shown: object) -> None:
    """Envelopes are opened for reading, a secret stays a name."""
    assert plainly.read("json", data.encode()) == shown


@pytest.mark.parametrize(
    ("codec", "data"),
    [
        ("pickle5", b"\x80\x05."),
        ("json", b"{"),
        ("json", b"\xff"),
        ("json", b'{"$": 3}'),
        ("json", b'{"$": ["dict", 3]}'),
        ("json", b"[" * 5_000 + b"]" * 5_000),
    ],
)
def test_what_is_no_plain_data_is_not_shown(codec: str, data: bytes) -> None:
    """Other codecs and damaged bytes are refused, nothing is ever unpickled."""
    with pytest.raises(plainly.Unreadable):
        plainly.read(codec, data)


@pytest.mark.parametrize("module", [causes, explain, differences, plainly])
def test_examples_in_docstrings_hold(module: object) -> None:
    """What a docstring shows is what the function says."""
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
