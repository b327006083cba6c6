"""Waits and answers that are wrong: each is refused, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nbdurable.engine.asking import answering
from nbdurable.engine.calls.parked import Asked
from nbdurable.engine.past.waits import waiting
from nbdurable.engine.waits.pauses import AnswerMisfit, NotWaiting
from nbdurable.engine.waits.spans import SpanRefused
from nbdurable.errors import ReferenceUnknown
from nbdurable_store.records import Kind, Record
from tests.engine.notebooks import Notebook
from tests.engine.test_waits import Hand, answer, run_of, use, when_asked


@pytest.fixture
def notebook() -> Iterator[Notebook]:
    """A notebook whose waits take no time."""
    nb = Notebook()
    use(nb, Hand())
    return nb


@pytest.mark.parametrize(
    "timeout", ["-1", "float('nan')", "float('inf')", "1e12", "'soon'", "True"]
)
@pytest.mark.parametrize(
    "wait", ["nd.approve('?', timeout={})", "nd.ask('?', timeout={})", "nd.sleep({})"]
)
def test_an_absurd_span_begins_nothing(
    notebook: Notebook, wait: str, timeout: str
) -> None:
    """Negative, no number, or longer than a hundred years."""
    with pytest.raises(SpanRefused, match="can't be waited for"):
        notebook.run(wait.format(timeout), name="a")
    assert run_of(notebook).history.calls == {}


def test_no_time_at_all_looks_once(notebook: Notebook) -> None:
    """A timeout of 0 takes what is there, and else gives the default."""
    notebook.run("x = nd.wait_for('paid', timeout=0, default='nothing')", name="a")
    assert notebook.namespace["x"] == "nothing"


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        ("review.9", ReferenceUnknown, "review.9"),
        ("nothing.1", ReferenceUnknown, "nothing"),
        ("review.1", NotWaiting, "waits for nobody"),
    ],
)
def test_an_answer_for_something_else_is_told_so(
    notebook: Notebook, call: str, error: type[Exception], told: str
) -> None:
    """No such call, no such step, or a call that asks nobody; the question stays."""
    notebook.plain("@nd.tool(effect='read')\ndef look(): return 1")

    def say(_: Asked) -> None:
        with pytest.raises(error, match=told):
            answer(notebook, True, call)
        answer(notebook, True, "review.2")

    when_asked(notebook, say)
    notebook.run("look()\nx = nd.approve('Send?')", name="review")
    assert notebook.namespace["x"] is True


def test_an_answer_to_a_question_that_changed_is_not_taken(notebook: Notebook) -> None:
    """It was bound to what was shown; the new question waits for its own answer."""
    seen: list[Asked] = []

    def interrupt(asked: Asked) -> None:
        seen.append(asked)
        raise KeyboardInterrupt

    when_asked(notebook, interrupt)
    for report in ("r1", "r2"):
        notebook.plain(f"report = {report!r}")
        with pytest.raises(KeyboardInterrupt):
            notebook.run("x = nd.approve('Send?', show=report)", name="review")
    run, (old, new) = run_of(notebook), seen
    with pytest.raises(NotWaiting, match="isn't asked any more"):
        answering.unanswered(run.history, old.waiting)
    assert [w.call.id for w in waiting(run.history)] == [new.waiting.call.id]


def test_a_record_that_answers_wrongly_is_passed_over(notebook: Notebook) -> None:
    """Whatever stands in the journal: the call takes the first answer that fits."""

    def say(asked: Asked) -> None:
        run = run_of(notebook)
        to = asked.waiting.call.id
        for nth, value in enumerate((b'"perhaps"', b"[", None)):
            blobs = () if value is None else (notebook.store.put("json", value),)
            fields = {"to": to, "name": "", "by": "x", "via": "command"}
            record = Record(
                kind=Kind.SIGNAL_SENT,
                run=run.history.run,
                subject=f"bad{nth}",
                at_us=1,
                fields=fields,
                blobs=blobs,
            )
            notebook.store.append((record,), sync=True)
        found = waiting(run.history)[0]
        _, records = answering.answer(
            run, found, False, by="ann", via="command", signal="good"
        )
        notebook.store.append(records, sync=True)

    when_asked(notebook, say)
    notebook.run("x = nd.approve('Send?')", name="review")
    assert notebook.namespace["x"] is False


def test_of_two_answers_at_the_same_moment_one_is_told(notebook: Notebook) -> None:
    """Both were written down; the later one in the journal is told that it is."""

    def say(_: Asked) -> None:
        run = run_of(notebook)
        found = waiting(run.history)[0]
        for value, signal in ((True, "s1"), (False, "s2")):
            _, records = answering.answer(
                run, found, value, by="ann", via="command", signal=signal
            )
            notebook.store.append(records, sync=True)
        after = run_of(notebook).history
        answering.must_count(after, found, "s1")
        with pytest.raises(NotWaiting, match="at the same moment"):
            answering.must_count(after, found, "s2")

    when_asked(notebook, say)
    notebook.run("x = nd.approve('Send?')", name="review")
    assert notebook.namespace["x"] is True


def test_only_plain_data_answers(notebook: Notebook) -> None:
    """An object of a class is no answer, and is not unpickled by whoever waits."""

    def say(_: Asked) -> None:
        with pytest.raises(AnswerMisfit):
            answer(notebook, Hand())
        answer(notebook, "text")

    when_asked(notebook, say)
    notebook.run("x = nd.ask('?')", name="ask")
    assert notebook.namespace["x"] == "text"
