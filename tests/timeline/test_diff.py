"""Two attempts, steps or runs, side by side."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from functools import partial

import pytest

from nbdurable.engine.asking.back import back
from nbdurable.engine.asking.loading import loaded
from nbdurable.engine.calls.parked import Asked
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.telling.reference import RunUnknown
from nbdurable.engine.telling.sides import NothingBefore, sides
from nbdurable.engine.values.differences import differences
from nbdurable.errors import DurablePause, ReferenceUnknown
from nbdurable.timeline import (
    Diff,
    Reader,
    compare,
    exchanges,
    find_history,
    plain_values,
)
from tests.engine.notebooks import Notebook
from tests.engine.test_waits import Hand, answer, use, when_asked

TOOLS = """
import pandas as pd
@tool(effect="read")
def chat(messages):
    return {"answer": world(messages[-1]["content"]), "cost": len(messages)}
@tool(effect="read")
def search(q): return world(q)
"""
CELL = """
question = [{"role": "system", "content": "be brief"}, {"role": "user", "content": PROMPT}]
hits = search("batteries")
answer = chat(question)
df = pd.DataFrame({"a": [1, 2, LIMIT]})
print(PROMPT)
"""


@pytest.fixture
def nb() -> Iterator[Notebook]:
    """A notebook whose session is closed at the end."""
    notebook = Notebook()
    with contextlib.closing(notebook.session):
        notebook.plain(f"{TOOLS}\nPROMPT, LIMIT = 'one line', 3")
        notebook.run(CELL, "review")
        yield notebook


def told(nb: Notebook, old: str, new: str = "", *, plain: bool = False) -> Diff:
    """What differs, as a kernel says it, or as the command line does."""
    session = nb.session

    def values(step: StepPast, names: Collection[str]) -> Mapping[str, object]:
        return loaded(session.store, session.secrets, step, names)

    pair = sides(session.history, old, new, partial(find_history, session.store))
    read = plain_values(session.store.get) if plain else values
    return compare(*pair, Reader(session.store.get, read))


def test_all_of_a_step_is_compared(nb: Notebook) -> None:
    """Code, inputs, values, prompts and answers; what is equal is counted."""
    nb.plain("PROMPT, LIMIT = 'two lines', 4")
    nb.run(CELL.replace("print", "str"), "review")
    diff = told(nb, "review@1", "review@2")
    assert str(diff) == (
        "− review@1 → + review@2\n"
        "  code    line 6 was «print(PROMPT)», is «str(PROMPT)»\n"
        "  inputs  LIMIT was 3, is 4\n"
        "          PROMPT was 'one line', is 'two lines'\n"
        "  values  answer.answer was 'one line#1', is 'two lines#1'\n"
        "          df.loc[2, 'a'] was 3, is 4\n"
        "          question[1].content was 'one line', is 'two lines'\n"
        "  calls   chat: messages[1].content was 'one line', is 'two lines'\n"
        "          chat: answer.answer was 'one line#1', is 'two lines#1'\n"
        "          1 equal call"
    )
    assert "<dd>df.loc[2, 'a'] was 3, is 4</dd>" in diff._repr_html_()


def test_a_step_alone_is_compared_with_its_attempt_before(nb: Notebook) -> None:
    """`diff review` is the commonest question in its shortest form."""
    nb.plain("LIMIT = 4")
    nb.run(CELL, "review")
    assert told(nb, "review").old == "review@1"
    assert told(nb, "review").new == "review@2"


def test_what_a_fresh_answer_changed_is_shown(nb: Notebook) -> None:
    """Equal calls are pairs wherever they stand, and their answers are compared."""
    nb.run(CELL, "review", fresh=True)
    (step,) = told(nb, "review").steps
    assert step.calls == (
        "search: answer was '…tteries#1', is '…tteries#2'",
        "chat: answer.answer was 'one line#1', is 'one line#2'",
    )
    assert not step.code


def test_equal_attempts_have_no_difference(nb: Notebook) -> None:
    """A comment changes nothing, and is not told."""
    nb.run(f"# again\n{CELL}\n", "review", "other")
    assert "no difference, 2 equal calls" in str(told(nb, "review@1", "review"))


def test_two_steps_are_compared(nb: Notebook) -> None:
    """Two names are two steps of this run."""
    nb.run("hits = search('cells')", "other")
    diff = told(nb, "review", "other")
    assert (diff.old, diff.new) == ("review@1", "other@1")
    assert "search: q was 'batteries', is 'cells'" in str(diff)
    assert "− chat(" in str(diff)
    assert "− answer is not made any more" in str(diff)


def test_two_runs_are_aligned_by_step(nb: Notebook) -> None:
    """Each step of a run with that of its name; those of one run alone are named."""
    nb.run("x = 1", "alone")
    nb.session.new_run()
    nb.run("y = 1", "later")
    nb.plain("LIMIT = 4")
    nb.run(CELL, "review")
    text = str(told(nb, "1"))
    assert text.startswith("− run 1 → + run 2\n")
    assert "  review: differs\n    inputs  LIMIT was 3, is 4" in text
    order = [
        line for line in text.splitlines() if "only in" in line or "differs" in line
    ]
    assert [line.strip() for line in order] == [
        "later: + only in run 2",
        "review: differs",
        "alone: − only in run 1",
    ]
    assert str(told(nb, "1", "2")) == text
    assert str(told(nb, "2", "1")).startswith("− run 2 → + run 1\n")


def test_one_run_is_the_earlier_or_the_later_side(nb: Notebook) -> None:
    """Of two runs the one that began first is on the left, whichever was typed."""
    nb.session.new_run()
    nb.run("y = 1", "later")
    session = nb.session
    find = partial(find_history, session.store)
    first = find("1")
    assert [s.label for s in sides(first, "2", "", find)] == ["run 1", "run 2"]
    assert [s.label for s in sides(session.history, "1", "", find)] == [
        "run 1",
        "run 2",
    ]


def test_a_replayed_first_attempt_is_compared_with_the_later_one(nb: Notebook) -> None:
    """Where the attempt that was active last has none before it, the two latest are."""
    nb.plain("LIMIT = 4")
    nb.run(CELL, "review")
    nb.plain("LIMIT = 3")
    assert "replayed" in nb.run(CELL, "review")
    diff = told(nb, "review")
    assert (diff.old, diff.new) == ("review@1", "review@2")


def test_a_step_that_ran_once_says_so(nb: Notebook) -> None:
    """Also after `back`, which is no attempt: what can be compared is offered."""
    back(nb.session, nb.namespace)
    with pytest.raises(NothingBefore) as caught:
        told(nb, "review")
    assert caught.value.fact().startswith("review ran once, so there is no attempt")
    assert "%durable diff review OTHER" in str(caught.value)


def test_how_an_attempt_ended_is_told_and_not_our_question(nb: Notebook) -> None:
    """An attempt that waits differs in its end; the question that it showed is ours."""
    nb.plain("@tool\ndef pay(x): return world(f'pay {x}')\nx = 1")
    nb.run("paid = pay(x)", "bill")
    with pytest.raises(DurablePause):
        nb.run("paid = pay(x)", "bill", fresh=True)
    (step,) = told(nb, "bill").steps
    assert step.end == ("completed, now waits for your answer",)
    assert step.output == ()


def test_a_call_without_an_answer_is_told_in_words(nb: Notebook) -> None:
    """One that raised is compared by what became of it."""
    nb.plain(
        "@tool(effect='read')\ndef ask(x):\n  if broken: raise ValueError(x)\n  return x"
    )
    for broken in (False, True):
        nb.plain(f"broken = {broken}")
        nb.run("try: got = ask(1)\nexcept ValueError: got = 0", "bill", fresh=True)
    assert told(nb, "bill").steps[0].calls == ("ask: gave 1, now raised ValueError",)


def test_a_question_that_waits_again_is_told_in_words(nb: Notebook) -> None:
    """What stopped the cell is nobody's answer."""
    use(nb, Hand())
    when_asked(nb, lambda _: answer(nb, True))
    nb.run("ok = nd.approve('Send?')", "bill")

    def leave(_: Asked) -> None:
        raise KeyboardInterrupt

    when_asked(nb, leave)
    with pytest.raises(KeyboardInterrupt):
        nb.run("ok = nd.approve('Send?')", "bill", fresh=True)
    assert told(nb, "bill").steps[0].calls == ("nd.approve: gave True, now waits",)


def test_a_pickled_value_is_not_read_without_a_kernel(nb: Notebook) -> None:
    """The command line tells that it is another one, and reads plain data."""
    nb.plain("LIMIT = 4\nPROMPT = 'two lines'")
    nb.run(CELL, "review")
    (step,) = told(nb, "review", plain=True).steps
    assert "question[1].content was 'one line', is 'two lines'" in step.values
    (frame,) = (v for v in step.values if v.startswith("df"))
    assert "loc" not in frame


@pytest.mark.parametrize("wanted", ["reviw", "review@7"])
def test_what_is_not_there_is_answered_with_what_is(nb: Notebook, wanted: str) -> None:
    """An unknown step or attempt."""
    with pytest.raises(ReferenceUnknown, match="review"):
        told(nb, wanted)


def test_an_unknown_run_is_refused(nb: Notebook) -> None:
    """A number means a run."""
    with pytest.raises(RunUnknown):
        told(nb, "7")


def test_answers_of_models_are_compared_by_what_they_say() -> None:
    """Ids and times are anew in each answer, and no difference."""
    bodies = [
        json.dumps({"id": f"c-{n}", "created": n, "choices": [{"text": text}]})
        for n, text in enumerate(["Short.", "Long."])
    ]
    old, new = (
        exchanges.answer_content({"status": 200, "headers": [], "body": body})
        for body in bodies
    )
    (found,) = differences(old, new, root="answer")
    assert str(found) == "answer.choices[0].text was 'Short.', is 'Long.'"
    said = 'data: {"choices": [{"delta": {"content": "Hi"}}]}'
    streamed = {"status": 200, "headers": [], "body": said}
    assert exchanges.answer_content(streamed) == "Hi"
