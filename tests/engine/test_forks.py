"""A fork shares what the run did up to a step, and asks before it repeats a write."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from nbdurable.engine.asking import commands, which
from nbdurable.engine.asking.forking import fork
from nbdurable.engine.calls.pauses import OtherInDoubt
from nbdurable.engine.past.forks import HappenedInParent
from nbdurable.engine.past.history import History
from nbdurable.engine.past.settle import Answer
from nbdurable.engine.telling import explain
from nbdurable.errors import NotDone, ReferenceUnknown
from nbdurable.timeline import history_of, show
from nbdurable_store.backends.memory import MemoryStore, World
from tests.engine.notebooks import Notebook

TOOLS = """
@tool
def pay(who): return world(f"pay {who}")
@tool(effect="read")
def ask(what): return world(f"ask {what}")
"""
PLAN, REPORT, BILL = "plan = ask('plan')", "report = ask('report')", "bill = pay('ann')"


@pytest.fixture
def nb() -> Iterator[Notebook]:
    """A run of three cells: plan, report, bill."""
    notebook = Notebook()
    with contextlib.closing(notebook.session):
        run_all(notebook)
        yield notebook


def run_all(nb: Notebook) -> str:
    """Run the three cells; gives the line of the last one."""
    nb.plain(TOOLS)
    nb.run(PLAN, "plan")
    nb.run(REPORT, "report")
    return nb.run(BILL, "bill")


def settle(nb: Notebook, call: str, said: Answer) -> None:
    """Answer a question."""
    session = nb.session
    run = commands.OpenRun(
        store=session.store,
        history=session.history,
        clock=session.clock,
        secrets=session.secrets,
    )
    _, records = commands.resolve(run, which.question(run.history, call), said)
    session.append(records, sync=True)


def names(history: History) -> list[str]:
    """The steps of a run, in order."""
    return [s.name for s in sorted(history.steps.values(), key=lambda s: s.order)]


def test_a_fork_begins_with_what_the_run_did_up_to_a_step(nb: Notebook) -> None:
    """The steps up to it replay without a call, those behind it are absent."""
    parent = nb.session.history.run
    told = fork(nb.session, "report")
    assert told == (
        "run 2 · forked from run 1 at report · not in it: bill"
        " · 1 write behind it: you are asked before a repetition"
        " · your variables are still those of run 1:"
        " %durable restore --overwrite gives the fork's"
    )
    assert names(nb.session.history) == ["plan", "report"]
    assert names(history_of(nb.store, parent)) == ["plan", "report", "bill"]
    assert "nothing ran" in nb.run(REPORT, "report")
    assert nb.world.effects == ["ask plan", "ask report", "pay ann"]


def test_a_step_whose_earlier_attempt_is_shared_is_in_it(nb: Notebook) -> None:
    """Of a step that ran again behind the place, the fork has the attempt before it."""
    nb.plain("what = 'another'")
    nb.run("said = ask(what)", "plan")
    assert names(nb.session.history) == ["plan", "report", "bill", "plan"]
    told = fork(nb.session, "report")
    assert "not in it: bill · as it was before: plan@1" in told


def test_nothing_is_copied(nb: Notebook) -> None:
    """The fork appends one record; all else is the parent's."""
    fork(nb.session, "report")
    entries, _ = nb.store.read(nb.session.history.run)
    assert [e.record.kind for e in entries] == ["run.opened"]


def test_a_read_behind_the_place_runs_afresh(nb: Notebook) -> None:
    """Only writes are known of what the parent did behind it."""
    fork(nb.session, "plan")
    nb.run(REPORT, "report")
    assert nb.world.effects.count("ask report") == 2


def test_a_write_of_the_parent_asks_in_the_fork(nb: Notebook) -> None:
    """It happened in the world, so it is not repeated unasked, and names the run."""
    fork(nb.session, "report")
    with pytest.raises(
        HappenedInParent, match=r"pay\('ann'\) already happened in run 1"
    ):
        nb.run(BILL, "bill")
    assert nb.world.effects.count("pay ann") == 1


@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 1), (Answer.AGAIN, 2)])
def test_the_answer_is_remembered(nb: Notebook, said: Answer, payments: int) -> None:
    """Kept, it is served from then on; again, it happens once more, and then no more."""
    fork(nb.session, "report")
    with pytest.raises(HappenedInParent):
        nb.run(BILL, "bill")
    settle(nb, "bill.1", said)
    nb.run(BILL, "bill")
    assert nb.namespace["bill"] == f"pay ann#{payments}"
    present = commands.present(nb.session)
    why = str(explain.why(nb.session.history, "bill.1", present))
    assert ("in run 1, from which this one was forked" in why) == (said is Answer.KEEP)
    nb.restart()
    with contextlib.closing(nb.session):
        assert "nothing ran" in run_all(nb)
    assert nb.world.effects.count("pay ann") == payments


TILL = """
from nbdurable.errors import NotDone
@tool
def fee(who):
    if shut: raise REFUSED("shut")
    return world(f"fee {who}")
"""
FEE = "paid = fee('bob')"


@pytest.mark.parametrize("said", [None, Answer.DID_NOT])
def test_a_write_that_did_not_happen_before_the_place_asks_too(
    nb: Notebook, said: Answer | None
) -> None:
    """Tried in the shared part, and made behind it: the fork does not make it unasked."""
    refused = "NotDone" if said is None else "OSError"
    nb.plain("shut = [1]" + TILL.replace("REFUSED", refused))
    with pytest.raises((NotDone, OSError)):
        nb.run(FEE, "fee")
    if said is not None:
        settle(nb, "fee.1", said)
    nb.run("later = 1", "later")
    nb.plain("shut.clear()")
    nb.run(FEE, "fee")
    fork(nb.session, "later")
    with pytest.raises(HappenedInParent):
        nb.run(FEE, "fee")
    settle(nb, "fee.1", Answer.KEEP)
    nb.run(FEE, "fee")
    assert nb.namespace["paid"] == "fee bob#1"
    assert nb.world.effects.count("fee bob") == 1


def test_a_write_that_is_shared_is_served(nb: Notebook) -> None:
    """Up to the place of the fork the history is one: an edited cell pays nothing."""
    fork(nb.session)
    nb.run(f"{BILL}\nx = 1", "bill")
    assert nb.world.effects.count("pay ann") == 1


def test_another_kernel_goes_on_with_the_fork(nb: Notebook) -> None:
    """The fork is the notebook's newest open run; what it shares is there after a kill."""
    fork(nb.session, "report")
    run = nb.session.history.run
    nb.restart()
    with contextlib.closing(nb.session):
        nb.plain(TOOLS)
        assert "nothing ran" in nb.run(PLAN, "plan")
        assert nb.session.history.run == run
        assert names(nb.session.history) == ["plan", "report"]


def test_a_new_run_after_a_fork_is_new(nb: Notebook) -> None:
    """`%durable new` in a fork doesn't go back to the run that it was forked from."""
    fork(nb.session, "report")
    nb.run("x = 1", "own")
    commands.new(nb.session)
    looked_at = nb.session.attend(nb.facts, "%durable")
    assert looked_at.closed is not None
    assert "own" in names(looked_at)
    line = nb.run(BILL, "bill")
    assert "replayed" not in line
    assert nb.session.history.opened is not None
    assert nb.session.history.opened.fields["number"] == 3


def test_a_fork_of_a_fork_has_both_histories(nb: Notebook) -> None:
    """What the first fork shares, and what it did itself, up to the second place."""
    fork(nb.session, "report")
    nb.run("extra = ask('extra')", "extra")
    fork(nb.session, "extra")
    assert names(nb.session.history) == ["plan", "report", "extra"]
    nb.run("extra = ask('extra')", "extra")
    assert nb.world.effects.count("ask extra") == 1
    with pytest.raises(HappenedInParent):
        nb.run(BILL, "bill")


def test_the_page_says_where_it_was_forked(nb: Notebook) -> None:
    """The run shows from which run and step it was forked."""
    fork(nb.session, "report")
    history = nb.session.history
    assert "forked from run 1 at report" in str(show(history))
    page = show(history)._repr_html_()
    assert "forked from run 1 at report" in page
    assert show(history_of(nb.store, history.run)).run.forked == "run 1 at report"


def test_an_unknown_step_is_refused(nb: Notebook) -> None:
    """Nothing is opened for a step that isn't there."""
    run = nb.session.history.run
    with pytest.raises(ReferenceUnknown):
        fork(nb.session, "reprot")
    assert nb.session.history.run == run


def test_why_and_questions_can_be_asked_in_a_fork(nb: Notebook) -> None:
    """The call that asks is a question of the fork, and `why` explains the rest."""
    fork(nb.session, "report")
    with pytest.raises(HappenedInParent):
        nb.run(BILL, "bill")
    (asked,) = show(nb.session.history).run.asks
    said = "already happened in the run that this one was forked from"
    assert asked.says == f"{said}. It was not repeated."
    assert asked.reference.startswith("bill.1@")
    assert [c for _, c in asked.answers] == [
        f"%durable resolve {asked.reference} --keep",
        f"%durable resolve {asked.reference} --again",
    ]
    present = commands.present(nb.session)
    assert "report ran" in str(explain.why(nb.session.history, "report", present))


def test_a_fork_at_a_step_that_stopped_has_its_calls(nb: Notebook) -> None:
    """An attempt that never completed is shared with what its calls gave back."""
    with pytest.raises(ZeroDivisionError):
        nb.run("extra = ask('extra')\n1 / 0", "broken")
    nb.run("late = pay('bob')", "late")
    fork(nb.session, "broken")
    assert names(nb.session.history) == ["plan", "report", "bill", "broken"]
    nb.run("extra = ask('extra')", "broken")
    assert nb.world.effects.count("ask extra") == 1


def both() -> tuple[Notebook, Notebook]:
    """Two kernels in one run: the second one stays there when the first one forks it."""
    world = World()
    first = Notebook(store=MemoryStore(world))
    second = Notebook(store=MemoryStore(world), world=first.world)
    for nb in (first, second):
        nb.plain(TOOLS)
        nb.run(PLAN, "plan")
    fork(first.session, "plan")
    return first, second


def test_what_another_kernel_pays_in_the_parent_run_asks() -> None:
    """The fork sees it at its next cell, without a restart."""
    first, second = both()
    second.run(BILL, "bill")
    with pytest.raises(HappenedInParent):
        first.run(BILL, "bill")
    assert first.world.effects == ["ask plan", "pay ann"]


def test_what_is_paid_in_the_parent_run_while_a_cell_runs_asks() -> None:
    """It looks before it makes a `write`, however long the cell has been running."""
    first, second = both()
    first.namespace["meanwhile"] = lambda: second.run(BILL, "bill")
    with pytest.raises(HappenedInParent):
        first.run(f"a = pay('bob'); meanwhile(); {BILL}", "bill")
    assert first.world.effects == ["ask plan", "pay bob", "pay ann"]


def test_a_doubt_of_the_parent_run_that_came_later_asks() -> None:
    """One with other arguments may be the fork's: asked about, as one of before is."""
    first, second = both()
    second.plain("@tool\ndef pay(who): world(f'pay {who}'); raise OSError('reset')")
    with pytest.raises(OSError, match=r"^reset$"):
        second.run(BILL, "bill")
    with pytest.raises(OtherInDoubt):
        first.run("b = pay('bob')", "other")
    assert first.world.effects == ["ask plan", "pay ann"]


def test_what_the_fork_has_paid_itself_is_its_own() -> None:
    """A payment of both runs is served to each, and counted in the parent alone."""
    first, second = both()
    second.namespace["meanwhile"] = lambda: first.run(BILL, "bill")
    second.run(f"meanwhile(); {BILL}", "bill")
    first.run(f"{BILL}; more = 1", "bill")
    assert first.namespace["bill"] == "pay ann#1"
    assert second.namespace["bill"] == "pay ann#2"
    assert first.world.effects == ["ask plan", "pay ann", "pay ann"]


def test_why_knows_the_question_and_the_answer(nb: Notebook) -> None:
    """Asked, it says what waits; kept, from where the result is."""
    fork(nb.session, "report")
    with pytest.raises(HappenedInParent):
        nb.run(BILL, "bill")
    asked = str(explain.why(nb.session.history, "bill.1", commands.present(nb.session)))
    assert asked.startswith(
        "bill.1 waits for your answer: completed in the run that this one was forked from"
    )
    assert "pay('ann')" in asked
    settle(nb, "bill.1", Answer.KEEP)
    nb.run(BILL, "bill")
    kept = str(explain.why(nb.session.history, "bill.1", commands.present(nb.session)))
    assert kept.startswith("bill.1 was replayed: it ran")
