"""How every view shows a run that waits."""

from __future__ import annotations

import pytest

from nbdurable.cli.main import parser
from nbdurable.engine.past.fates import Fate
from nbdurable.engine.past.present import Present
from nbdurable.engine.past.removal import reason
from nbdurable.engine.past.waits import waiting
from nbdurable.engine.telling import explain, lines
from nbdurable.engine.where.moments import Now
from nbdurable.timeline.asks import doubts
from nbdurable.timeline.finding import standing
from nbdurable.timeline.glance import shares
from nbdurable.timeline.inbox import Inbox, Unsettled
from nbdurable.timeline.model import run_view
from nbdurable.timeline.pages import page
from nbdurable.timeline.snapshots import needs, snapshot
from nbdurable.timeline.text import text
from nbdurable.timeline.views import RunView
from nbdurable_store.records import Plain
from tests.stories import Story

APPROVAL: Plain = {"kind": "approval", "text": "Send this?", "answer": "yes-no"}
PLAN: Plain = {"kind": "question", "text": "Which?", "choices": ["A", "B b"]}
FORM: Plain = {"kind": "question", "text": "?", "form": {"to": "text", "sum": "number"}}
PAID: Plain = {"kind": "signal", "text": "paid"}
NAP: Plain = {"kind": "timer", "text": "90 s", "deadline_us": 1_789_982_130_000_000}


def asking(wait: Plain = APPROVAL) -> Story:
    """A step that waits."""
    story = Story()
    story.opens()
    step = story.step("review")
    assert isinstance(wait, dict)
    story.begins(step, "nd.approve('Send this?')", kind=wait["kind"], wait=wait)
    story.wait(5)
    return story


def view(story: Story) -> RunView:
    """As it is shown now."""
    return run_view(story.history(), Now(story.us), alive=story.alive, get=story.get)


@pytest.mark.parametrize("how", ["lives", "killed", "interrupted"])
def test_a_question_waits_and_is_not_in_doubt(how: str) -> None:
    """Whatever became of its kernel: it waits, with the commands that answer it."""
    story = asking()
    if how == "killed":
        story.dies()
    if how == "interrupted":
        story.fails("review-1", "interrupted")
    run = view(story)
    (cell,) = run.cells
    (asked,) = waiting(story.history())
    assert cell.latest.fate is Fate.WAITING
    assert [c.fate for c in cell.latest.calls] == [Fate.WAITING]
    for shown in (text(run), page(run, "")):
        assert "waits for a yes or no: Send this?" in shown
        assert f"%durable approve {asked.asked} --no" in shown
        assert "may have happened" not in shown
        assert "was not repeated" not in shown


@pytest.mark.parametrize(
    ("wait", "commands"),
    [
        (
            PLAN,
            ["%durable answer {asked} A", "%durable answer {asked} 'B b'"],
        ),
        (
            FORM,
            ["""%durable answer {asked} '{"to": "…", "sum": 0.0}'"""],
        ),
        (PAID, ["nbdurable send paid VALUE"]),
    ],
    ids=["choices", "form", "signal"],
)
def test_each_kind_says_how_it_is_answered(wait: Plain, commands: list[str]) -> None:
    """A choice is one command; a form has an example to fill in."""
    story = asking(wait)
    (ask,), (asked,) = view(story).asks, waiting(story.history())
    told = [command for _, command in ask.answers]
    assert told == [c.replace("{asked}", asked.asked) for c in commands]


def test_a_question_is_told_whole_and_in_its_lines() -> None:
    """Who answers reads all of it: where nothing but one line fits, its beginning stands."""
    text = "Send this?\n\t1. " + "to Anna, " * 80 + "\x1b[31m<b>and Bob</b>"
    (ask,) = view(asking({"kind": "approval", "text": text, "answer": "yes-no"})).asks
    (need,) = needs([ask])
    assert "\n" not in ask.says
    assert need.question == text.replace("\x1b", "␛")
    (ask,) = view(asking({"kind": "question", "text": "w" * 3_000})).asks
    assert ask.question == "w" * 1_999 + "…"
    assert view(asking(PAID)).asks[0].question == ""


def test_a_timer_waits_for_nobody() -> None:
    """It is shown as waiting, and nobody is asked."""
    run = view(asking(NAP))
    assert run.asks == ()
    assert run.cells[0].latest.fate is Fate.WAITING
    assert "waits for its time: 90 s (since today 09:14, until today 09:15)" in (
        run.cells[0].latest.calls[0].why
    )


def test_a_closed_run_waits_for_nobody() -> None:
    """Nothing goes on in it, so nothing is asked."""
    story = asking()
    story.fails("review-1", "interrupted")
    story.append("run.closed", {}, subject=story.run)
    assert view(story).asks == ()


def test_why_says_what_is_waited_for() -> None:
    """Of the step and of the call, with the command."""
    story = asking()
    story.dies()
    present = Present(Now(story.us), frozenset(story.alive))
    step = str(explain.why(story.history(), "review", present))
    call = str(explain.why(story.history(), "review.1", present))
    (asked,) = waiting(story.history())
    wanted = f"%durable approve {asked.asked} (or --no)"
    assert f"review.1 waits for a yes or no: Send this? · {wanted}" in step
    assert f"(since today 09:14) · {wanted}" in call


def test_a_stop_while_waiting_is_told_as_that() -> None:
    """Not as a call that may have happened."""
    story = asking()
    story.dies()
    (kernel, *_) = view(story).kernels
    assert kernel.stopped == (
        "Kernel stopped today 09:14 in review while call 1 waited, nd.approve"
    )


def test_an_interrupt_says_that_the_question_is_parked() -> None:
    """The line under the cell, with the command and how to go on."""
    story = asking()
    story.fails("review-1", "interrupted")
    history = story.history()
    (asked,) = waiting(history)
    assert lines.ended(history, history.steps["review-1"]).endswith(
        "review.1 waits for a yes or no: Send this? ·"
        f" %durable approve {asked.asked} (or --no)"
        " · run this cell again and it goes on waiting"
    )


def test_a_wait_that_was_left_is_not_asked() -> None:
    """The cell was edited and asks no more: the old attempt was parked, and says so."""
    story = asking()
    story.fails("review-1", "interrupted")
    story.completes(story.step("review", source="edited"))
    run = view(story)
    assert run.asks == ()
    assert run.cells[0].attempts[0].calls[0].fate is Fate.STOPPED
    assert "isn't asked here any more" in run.cells[0].attempts[0].calls[0].why


@pytest.mark.parametrize("wait", [APPROVAL, NAP], ids=["question", "timer"])
def test_a_run_that_waits_is_not_removed(wait: Plain) -> None:
    """`gc` keeps it, and says how it is answered."""
    story = asking(wait)
    story.dies()
    kept = reason(story.history(), {})
    assert kept is not None
    assert kept.why == "review.1 waits"
    words = kept.command.removeprefix("!nbdurable ").split()
    assert parser().parse_args(words)


def test_a_call_to_settle_is_in_the_inbox() -> None:
    """What may have happened waits for a person as a question does."""
    story = Story()
    story.opens()
    story.begins(story.step("bill"), "pay('ann', 3)", effect="write")
    story.dies()
    run = Unsettled(story.history(), tuple(doubts(story.history(), story.alive)))
    inbox = Inbox((), Now(story.us), (run,))
    assert len(inbox) == 1
    assert str(inbox).startswith("? pay('ann', 3) may have happened.")
    assert f"nbdurable show {run.history.run}" in str(inbox)
    (told,) = inbox.data()
    assert (told["reference"], told["kind"]) == ("bill.1", "doubt")
    assert told["asked"] in str(inbox)


@pytest.mark.parametrize("own", [True, False])
def test_the_inbox_has_the_commands_that_settle_a_call(own: bool) -> None:
    """Of another run than the reader's, such as the one that it was forked from, they name it."""
    story = Story()
    story.opens()
    story.begins(story.step("bill"), "pay('ann', 3)", effect="write")
    story.dies()
    history = story.history()
    run = Unsettled(history, tuple(doubts(history, story.alive)), own=own)
    begin = "%durable resolve" if own else f"nbdurable resolve --run {history.run}"
    (ask,) = run.calls
    assert str(run).splitlines()[1:] == [
        f"    it happened  {begin} {ask.reference} --happened VALUE",
        f"    it did not   {begin} {ask.reference} --did-not",
        f"    nbdurable show {history.run}",
    ]
    if not own:
        words = str(run).splitlines()[2].partition("nbdurable ")[2].split()
        assert parser().parse_args(words).run == history.run


def test_what_is_answered_is_asked_nobody() -> None:
    """Until its cell has run: it is in no list, and `why` says how it goes on."""
    story = asking()
    story.dies()
    (asked,) = waiting(story.history())
    said = {"to": asked.call.id, "name": "", "by": "ann", "via": "command"}
    story.append("signal.sent", said, subject="s1")
    history = story.history()
    assert view(story).asks == ()
    assert [w.command for w in waiting(history)] == [""]
    told = str(explain.why(history, "review", Present(Now(story.us), frozenset())))
    assert "Send this? · answered: it goes on when its cell runs" in told
    kept = reason(history, {})
    assert kept is not None
    assert kept.why == "review.1 is answered, and its cell has not run since"


@pytest.mark.parametrize("how", ["killed", "paused", "living"])
def test_a_cell_that_was_answered_is_not_said_to_ask(how: str) -> None:
    """The cell, the run and the list say that it goes on; while it runs it waits."""
    story = asking()
    if how == "killed":
        story.dies()
    if how == "paused":
        story.fails("review-1", "paused")
    (asked,) = waiting(story.history())
    said = {"to": asked.call.id, "name": "", "by": "ann", "via": "command"}
    story.append("signal.sent", said, subject="s1")
    (cell,) = snapshot(view(story)).cells
    (step,) = story.history().steps.values()
    status, told = standing(story.history(), step, story.alive)
    row = text(view(story))
    if how == "living":
        assert (cell.fate, told) == ("waiting", "running in review")
        return
    assert (cell.fate, cell.would) == ("stopped", "goes on with the answer")
    assert shares(view(story)) == [(Fate.RAN, 1)]
    assert "waiting" not in snapshot(view(story)).calls.names
    assert (status, told) == ("stopped", "answered in review")
    assert "review  answered, no calls" in row


def test_a_cell_whose_question_was_settled_is_not_said_to_ask() -> None:
    """A call that may have happened: once somebody said what became of it, nobody is asked."""
    story = Story()
    story.opens()
    call = story.begins(story.step("bill"), "pay(1)", effect="write")
    story.dies()
    step = story.step("bill")
    story.fails(step, "paused", asked={"1": [call, "IN_DOUBT"]})
    assert snapshot(view(story)).cells[0].would == "asks you first"
    told = {"said": "did-not", "how": "did-not"}
    story.append("call.resolved", told, subject=call, step=step)
    history = story.history()
    latest = history.steps[step]
    assert view(story).asks == ()
    assert snapshot(view(story)).cells[0].would == "goes on with the answer"
    assert standing(history, latest, ())[1] == "answered in bill"
    why = str(explain.why(history, "bill", Present(Now(story.us), frozenset())))
    assert "it is answered, and goes on when its cell runs" in why


def test_of_two_that_wait_for_a_name_one_has_its_value() -> None:
    """One signal is sent: the older one takes it, and the other still waits."""
    story = Story()
    story.opens()
    for name in ("first", "second"):
        story.begins(story.step(name), "nd.wait_for('paid')", kind="signal", wait=PAID)
    sent = {"to": "", "name": "paid", "by": "ann", "via": "command"}
    story.append("signal.sent", sent, subject="s1")
    assert [w.answered for w in waiting(story.history())] == [True, False]
