"""What a step cost and what replay saved."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from nbdurable.engine.past.money import unknown_models
from nbdurable.engine.past.tally import Ledger, Tally
from nbdurable.engine.telling import wording
from nbdurable.engine.telling.cost import saved
from tests.stories import Story, research


def test_served_calls_are_told_from_those_that_ran() -> None:
    """After a kill in call 17, sixteen calls are served and fourteen run."""
    history = research().history()
    first, again = history.steps.values()
    ledger = Ledger(history)
    assert (ledger.attempt(first).served, ledger.attempt(first).ran) == (0, 17)
    tally = ledger.attempt(again)
    assert (tally.calls, tally.served, tally.ran) == (30, 16, 14)
    assert tally.saved_tokens == 16 * 775
    took = sum(history.calls[i].ms for i in again.used[:16])
    assert tally.saved_ms == pytest.approx(took)


def test_calls_that_ran_side_by_side_save_time_once() -> None:
    """Two calls of three seconds that overlapped by two save four seconds."""
    story = Story()
    step = story.step("pages")
    left = story.begins(step, "get(1)")
    story.wait(1)
    right = story.begins(step, "get(2)")
    story.wait(2)
    story.ends(step, left)
    story.wait(1)
    story.ends(step, right)
    story.fails(step, "raised")
    again = story.step("pages")
    story.serves(again, left, right)
    story.completes(again)
    history = story.history()
    assert Ledger(history).attempt(history.steps[again]).saved_ms == 4_000


def test_what_happened_inside_a_call_counts_as_tokens_only() -> None:
    """A call made inside another one is no call of the cell, its tokens are saved."""
    story = Story()
    step = story.step("draft")
    outer = story.begins(step, "draft('x')")
    inner = story.begins(step, "POST model", parent=outer)
    story.wait(2)
    story.ends(step, inner, tokens_in=900, tokens_out=100)
    story.ends(step, outer)
    story.completes(step)
    story.replays(step)
    history = story.history()
    past = history.steps[step]
    assert Ledger(history).attempt(past) == Tally(ran=1, ms=2_000, tokens=1_000)
    assert Ledger(history).replay(past) == Tally(
        served=1, saved_ms=2_000, saved_tokens=1_000
    )
    assert Ledger(history).whole().calls == 2


def test_an_attempt_is_seen_as_it_was() -> None:
    """The call that was cut off belongs to both attempts, each time as it stood then."""
    history = research().history()
    first, again = history.steps.values()
    cut = Ledger(history).calls(first)[16]
    done = Ledger(history).calls(again)[16]
    assert cut.id == done.id
    assert (cut.state.value, done.state.value) == ("started", "completed")


def test_served_calls_take_the_numbers_that_are_left() -> None:
    """Calls are numbered in order, whether they were served or ran."""
    history = research().history()
    again = list(history.steps.values())[1]
    numbers = Ledger(history).numbered(again)
    assert list(numbers.values()) == [str(n) for n in range(1, 31)]


def test_a_call_is_saved_once_however_often_it_was_replayed() -> None:
    """Over a whole run each replayed call counts what it cost the one time it ran."""
    story = Story()
    step = story.step("plan")
    story.calls(step, "ask(1)", 2, tokens_in=100)
    story.completes(step)
    for _ in range(3):
        story.wait(60)
        story.replays(step)
    total = Ledger(story.history()).whole()
    assert (total.served, total.ran) == (1, 1)
    assert (total.saved_ms, total.saved_tokens) == (2_000, 100)


def test_money_is_that_of_calls_whose_price_is_known() -> None:
    """Dollars where a price is recorded, tokens where none is, in cents that add up."""
    story = Story()
    step = story.step("ask")
    for n in range(10):
        story.calls(step, f"ask({n})", 1, tokens_in=100, model="m", usd="0.1")
    story.calls(step, "ask('x')", 1, tokens_in=70, model="nobody-1")
    story.completes(step)
    story.replays(step)
    history = story.history()
    ledger = Ledger(history)
    spent = ledger.attempt(history.steps[step])
    assert (spent.usd, spent.tokens, spent.priced) == (Decimal(1), 1_070, 1_000)
    whole = ledger.whole()
    assert (whole.saved_usd, whole.saved_unpriced) == (Decimal(1), 70)
    assert (whole + whole).usd == Decimal(2)
    assert saved(whole) == "saved $1.00, 11 s and 70 tokens"
    assert unknown_models(history.calls.values()) == ("nobody-1",)


def test_what_nobody_is_paid_for_is_not_paid_again() -> None:
    """Draws and checkpoints are calls, and nothing is saved by keeping them."""
    story = Story()
    step = story.step("plan")
    story.calls(step, "ask(1)", 1, tokens_in=100)
    for kind in ("draw", "checkpoint"):
        story.calls(step, f"nd.{kind}()", 1, kind=kind)
    story.completes(step)
    history = story.history()
    tally = Ledger(history).attempt(history.steps[step])
    assert (tally.ran, tally.unpaid) == (3, 2)
    assert wording.ran("plan", tally).endswith("1 of them is not paid again")
    alone = replace(tally, ran=2, unpaid=2)
    assert "paid" not in wording.ran("plan", alone)


def test_answers_are_counted_apart() -> None:
    """A wait is no call that ran: what was answered is told beside the calls."""
    story = Story()
    step = story.step("review")
    story.calls(step, "draft()", 2)
    for kind in ("approval", "question", "signal", "timer"):
        story.calls(step, f"nd.{kind}()", 1, kind=kind)
    story.begins(step, "nd.approve('2')", kind="approval")
    story.fails(step, "interrupted")
    history = story.history()
    tally = Ledger(history).attempt(history.steps[step])
    assert (tally.ran, tally.lost, tally.answers) == (1, 0, 3)
    told = wording.ran("review", tally)
    assert told.startswith("review · 1 call ran, 3 answers · ")
    assert told.endswith("this call is not paid again")
    alone = wording.ran("review", Tally(answers=1, ms=2_000))
    assert alone == "review · ran, 1 answer · 2.0 s"
    served = wording.ran("review", Tally(served=2, ran=1, answers=1))
    assert served.startswith("review · 3 calls: 2 replayed, 1 ran, 1 answer")


def test_the_time_that_a_person_took_is_not_saved() -> None:
    """An answer after an hour is kept; what ran meanwhile, and a timer, is time saved."""
    story = Story()
    step = story.step("review")
    story.calls(step, "draft()", 2)
    asked = story.begins(step, "nd.approve('?')", kind="approval")
    beside = story.begins(step, "search('x')")
    story.wait(10)
    story.ends(step, beside)
    story.wait(3_600)
    story.ends(step, asked)
    story.calls(step, "nd.sleep(3)", 3, kind="timer")
    story.completes(step)
    story.replays(step)
    history = story.history()
    assert Ledger(history).replay(history.steps[step]).saved_ms == 15_000
    assert Ledger(history).whole().saved_ms == 15_000


def test_the_cells_add_up_to_the_run() -> None:
    """Calls served, cells replayed whole, an adopted call: each is saved in one cell."""
    story = Story()
    first, second = story.step("a"), story.step("b")
    one = story.calls(first, "ask(1)", 2, tokens_in=100, model="m", usd="0.1")
    story.fails(first, "raised")
    story.calls(second, "ask(2)", 3, tokens_in=10, model="m", usd="0.2")
    story.completes(second)
    again = story.step("a")
    story.serves(again, one)
    story.completes(again)
    for step in (again, second, second):
        story.replays(step)
    moved = story.step("c")
    story.serves(moved, one)
    story.completes(moved)
    ledger = Ledger(story.history())
    cells, whole = ledger.by_slot(), ledger.whole()
    assert [c.saved_usd for c in cells.values()] == [0, Decimal("0.2"), Decimal("0.1")]
    assert (whole.saved_usd, whole.saved_tokens) == (Decimal("0.3"), 110)
    assert (whole.served, whole.ran, whole.usd) == (2, 2, Decimal("0.3"))
