"""An answer is bound to what was seen: to the question, with what it shows, of its run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nbdurable.engine.asking import answering, forking
from nbdurable.engine.calls.parked import Asked
from nbdurable.engine.past.waits import Waiting, waiting
from nbdurable.engine.waits.pauses import QuestionUnseen
from tests.engine.notebooks import Notebook
from tests.engine.test_waits import Hand, run_of, use, when_asked

ASKS = "x = nd.approve('Send?', show=report)"


@pytest.fixture
def notebook() -> Iterator[Notebook]:
    """A notebook whose waits take no time, and whose questions are interrupted."""
    nb = Notebook()
    use(nb, Hand())
    return nb


def parked(nb: Notebook, report: str, cell: str = ASKS) -> Waiting:
    """Ask with this report, interrupt the cell, and give the question."""

    def interrupt(_: Asked) -> None:
        raise KeyboardInterrupt

    when_asked(nb, interrupt)
    nb.plain(f"report = {report}")
    with pytest.raises(KeyboardInterrupt):
        nb.run(cell, name="review")
    (found,) = waiting(run_of(nb).history)
    return found


def test_what_was_seen_is_answered(notebook: Notebook) -> None:
    """The digest that was shown means this question."""
    asked = parked(notebook, "'r1'")
    history = run_of(notebook).history
    found = answering.seen(history, asked.asked, "nbdurable approve")
    assert found.call.id == asked.call.id


@pytest.mark.parametrize(
    ("report", "cell"),
    [("'r2'", ASKS), ("'r1'", ASKS.replace("Send?", "Delete?"))],
    ids=["shown", "text"],
)
def test_a_question_that_changed_is_shown_instead(
    notebook: Notebook, report: str, cell: str
) -> None:
    """Under the same number stands another question now: nothing is answered."""
    old = parked(notebook, "'r1'")
    new = parked(notebook, report, cell)
    assert old.reference == new.reference
    history = run_of(notebook).history
    with pytest.raises(QuestionUnseen) as refused:
        answering.seen(history, old.asked, "nbdurable approve")
    told = str(refused.value)
    assert told.startswith(f"{old.asked} isn't the question that is asked there now")
    assert f"? {new.wait.text}\n    {new.wait.preview}" in told
    assert f"%durable approve {new.asked}" in told
    assert history.signals == {}


@pytest.mark.parametrize("given", ["review.1", "review.1@", ""])
def test_without_a_digest_nothing_is_answered(notebook: Notebook, given: str) -> None:
    """The number alone, half a digest, or nothing: it may be a question nobody saw."""
    asked = parked(notebook, "'r1'")
    with pytest.raises(QuestionUnseen, match="doesn't say which") as refused:
        answering.seen(run_of(notebook).history, given, "nbdurable approve")
    assert f"%durable approve {asked.asked}" in str(refused.value)


def test_the_same_question_keeps_its_digest(notebook: Notebook) -> None:
    """Asked once more by another kernel, it is the question that was seen."""
    first = parked(notebook, "'r1'")
    notebook.restart()
    use(notebook, Hand())
    assert parked(notebook, "'r1'").asked == first.asked


def test_the_same_words_of_another_run_are_another_question(
    notebook: Notebook,
) -> None:
    """Who said yes to one run has not said yes to the next one."""
    first = parked(notebook, "'r1'")
    notebook.session.new_run()
    second = parked(notebook, "'r1'")
    assert second.reference == first.reference
    assert second.shown != first.shown


def test_a_fork_asks_anew(notebook: Notebook) -> None:
    """It shares the question with its parent: who answered one hasn't answered both."""
    asked = parked(notebook, "'r1'")
    forking.fork(notebook.session, "")
    fork = notebook.session.history
    assert [w.call.id for w in waiting(fork)] == [asked.call.id]
    with pytest.raises(QuestionUnseen, match="isn't the question"):
        answering.seen(fork, asked.asked, "nbdurable approve")


def test_what_has_no_digest_is_bound_by_its_text(notebook: Notebook) -> None:
    """A value that can't be digested: what a person saw of it stands in."""
    asked = parked(notebook, "(n for n in 'ab')")
    assert asked.call.undigestible
    assert asked.wait.preview in str(_refused(notebook))


def _refused(nb: Notebook) -> QuestionUnseen:
    with pytest.raises(QuestionUnseen) as refused:
        answering.seen(run_of(nb).history, "review.1", "nbdurable approve")
    return refused.value
