"""What a run may spend: a call that would exceed it is not sent."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import openai
import pytest

from nbdurable.engine.asking import budget
from nbdurable.engine.asking.budget import BudgetUnusable
from nbdurable.engine.calls.budgets import BudgetReached
from nbdurable.engine.past import forks
from nbdurable.engine.past.history import History
from nbdurable.engine.past.spending import Spending
from nbdurable.integrations.http import install, remove
from nbdurable.integrations.http.pricing import characters, most
from nbdurable.testing import account
from nbdurable.testing.model_server import ModelServer, Rule
from nbdurable_store.records import Kind
from tests.engine.notebooks import Notebook
from tests.stories import Story

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


MODEL = "gpt-4o-mini"
"""0.15 dollars per million tokens in, 0.60 out."""

ASK = """
def ask(text, limit=1_000, model="gpt-4o-mini"):
    asked = [dict(role="user", content=text)]
    said = client.chat.completions.create(model=model, messages=asked, max_tokens=limit)
    return said.choices[0].message.content
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    """A fake model server, and the seam through which it is asked."""
    install()
    with ModelServer(tmp_path / "requests.jsonl") as running:
        yield running
    remove()


def kernel(nb: Notebook, server: ModelServer) -> Notebook:
    """A kernel that can ask."""
    if "client" in nb.namespace:
        nb.plain("client.close()")
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0)
    nb.namespace["client"] = client
    nb.plain(ASK)
    return nb


@pytest.fixture
def notebook(server: ModelServer) -> Iterator[Notebook]:
    """A notebook that can ask."""
    made = kernel(Notebook(), server)
    yield made
    made.plain("client.close()")


def limited(nb: Notebook, usd: object) -> None:
    """Let the run spend so much, begun or not."""
    begun = bool(nb.session.history.run)
    budget.limit(nb.session, budget.read(usd), begun=begun)


def asked(server: ModelServer) -> int:
    """How often the server was asked."""
    return len(account.read(server.account.path))


def history(nb: Notebook) -> History:
    """The fold of the run."""
    nb.session.refresh()
    return nb.session.history


def test_a_call_that_may_exceed_it_is_not_sent(
    notebook: Notebook, server: ModelServer
) -> None:
    """The call before is kept; the one that might cost too much never leaves."""
    limited(notebook, "0.0007")  # a call may cost 1000 × 0.60 per million, and its text
    notebook.run("a = ask('one')", name="s")
    with pytest.raises(BudgetReached) as stopped:
        notebook.run("b = ask('two', limit=2_000)", name="t")
    assert asked(server) == 1
    assert stopped.value.budget == Decimal("0.0007")
    assert stopped.value.estimate is not None
    assert stopped.value.estimate > Decimal("0.0012")
    assert "%durable budget $1" in str(stopped.value)
    assert history(notebook).steps[list(history(notebook).steps)[-1]].how == "paused"


def test_it_goes_on_when_it_may_spend_more(
    notebook: Notebook, server: ModelServer
) -> None:
    """The same cell, run again, is served what was paid and sends the rest."""
    cell = "a = ask('one'); b = ask('two', limit=2_000)"
    limited(notebook, "0.0007")
    with pytest.raises(BudgetReached):
        notebook.run(cell, name="s", cell_id="c")
    limited(notebook, "$5")
    notebook.run(cell, name="s", cell_id="c")
    assert asked(server) == 2
    limited(notebook, "off")
    notebook.run("c = ask('three', limit=10_000_000)", name="u")
    assert asked(server) == 3


def test_it_holds_in_the_next_kernel(notebook: Notebook, server: ModelServer) -> None:
    """A restart forgets neither the limit nor what was spent."""
    limited(notebook, "0.0007")
    notebook.run("a = ask('one')", name="s")
    spent = history(notebook).spending.total
    notebook.plain("client.close()")
    notebook.restart()
    kernel(notebook, server)
    with pytest.raises(BudgetReached) as stopped:
        notebook.run("b = ask('two', limit=2_000)", name="t")
    assert stopped.value.spent == spent > 0


def test_calls_side_by_side_don_t_spend_the_same_dollar(
    notebook: Notebook, server: ModelServer
) -> None:
    """What is under way is reserved: of two that fit only alone, one is sent."""
    limited(notebook, "0.0007")
    server.rules.add(Rule(do="hold", times=4))
    notebook.plain("import threading\nstopped = threading.Semaphore(0)")
    notebook.namespace |= {"Reached": BudgetReached, "rules": server.rules}
    cell = """
def one(text):
    try: ask(text)
    except Reached: stopped.release()
threads = [threading.Thread(target=one, args=(f"q{n}",)) for n in range(4)]
for t in threads: t.start()
others = [stopped.acquire(timeout=60) for n in range(3)]  # while one is under way
rules.wait_held(60), rules.release()
for t in threads: t.join()
"""
    notebook.run(cell, name="s")
    assert notebook.namespace["others"] == [True, True, True]
    assert asked(server) == 1


def test_awaited_calls_side_by_side_don_t_either(
    notebook: Notebook, server: ModelServer
) -> None:
    """The same through the other door: of four in a gather one is sent."""
    limited(notebook, "0.0007")
    server.rules.add(Rule(do="hold", times=4))
    notebook.plain(f"import asyncio, openai\nbase = {server.url + '/v1'!r}")
    notebook.namespace |= {"Reached": BudgetReached, "rules": server.rules}
    cell = """
stopped = []
async def one(client, text):
    asks = client.chat.completions.create
    said = [dict(role="user", content=text)]
    try:
        await asks(model="gpt-4o-mini", max_tokens=1_000, messages=said)
    except Reached:
        stopped.append(text)
        if len(stopped) == 3:  # while one is under way
            await asyncio.to_thread(rules.wait_held, 60)
            rules.release()
async def all_of_them():
    async with openai.AsyncOpenAI(base_url=base, api_key="any") as client:
        await asyncio.gather(*(one(client, f"q{n}") for n in range(4)))
asyncio.run(all_of_them())
"""
    notebook.run(cell, name="s")
    assert len(notebook.namespace["stopped"]) == 3  # type: ignore[arg-type]
    assert asked(server) == 1


def test_a_model_without_a_price_is_not_sent(
    notebook: Notebook, server: ModelServer
) -> None:
    """What can't be counted can't be limited; without a budget it is sent."""
    notebook.run("a = ask('one', model='nobody-1')", name="s")
    limited(notebook, 5)
    with pytest.raises(BudgetReached, match="price of nobody-1 is unknown"):
        notebook.run("b = ask('two', model='nobody-1')", name="t")
    assert asked(server) == 1


def test_what_replays_costs_nothing(notebook: Notebook, server: ModelServer) -> None:
    """With nothing left, recorded calls are served all the same."""
    notebook.run("a = ask('one')", name="s", cell_id="c")
    limited(notebook, 0)
    notebook.run("a = ask('one')\nedited = 1", name="s", cell_id="c")
    assert asked(server) == 1


def test_a_budget_may_come_before_its_run(
    notebook: Notebook, server: ModelServer
) -> None:
    """Set in a kernel without a run, it is that of the run that begins."""
    limited(notebook, "0.0001")
    with pytest.raises(BudgetReached):
        notebook.run("a = ask('one')", name="s")
    assert asked(server) == 0
    records = [e.record for e in notebook.store.read(notebook.session.history.run)[0]]
    assert [r.kind for r in records][:2] == [Kind.RUN_OPENED, Kind.RUN_BUDGET]


# ---- the account ---------------------------------------------------------------------


def test_what_was_sent_and_has_no_price_counts_as_its_guess() -> None:
    """Cut off, in doubt or without a word on tokens: the provider is paid all the same."""
    spending = Spending()
    for call in ("priced", "cut", "silent", "refused", "under way", "twice"):
        spending.began(call, {"estimate": "0.5"})
    spending.ended(
        "priced", {"usd": "0.1", "model": "m", "tokens_out": 8}, completed=True
    )
    spending.ended("cut", {"interrupted": True}, completed=False)
    spending.ended("silent", {"unmetered": True}, completed=True)
    spending.ended("refused", {"status": 429}, completed=False)
    spending.began("twice", {"estimate": "0.5"})  # its kernel died the first time
    assert spending.known == Decimal("0.1")
    assert spending.lost == Decimal("1.5")
    assert spending.total == Decimal("2.6")
    assert spending.mean_answer("m") == 8


def test_a_fork_has_the_limit_and_begins_to_count_at_nothing() -> None:
    """What is shared was paid by the run that it was forked from."""
    parent, child = Story(), Story(run="run-2")
    parent.opens()
    parent.append(Kind.RUN_BUDGET, {"usd": "5"}, subject=parent.run)
    step = parent.step("ask")
    parent.calls(step, "ask(1)", 1, tokens_in=900, usd="0.12")
    assert parent.history().spending.total == Decimal("0.12")
    forked = {"notebook": "n", "parent": parent.run, "until": [999, "", 0]}
    child.append(Kind.RUN_OPENED, forked, subject=child.run)
    history = History(child.run)
    forks.begin(history, child.entries, lambda _: parent.entries)
    assert len(history.calls) == 1
    assert history.budget == Decimal(5)
    assert history.spending.total == 0


def test_money_is_never_a_float() -> None:
    """Ten dimes are a dollar."""
    spending = Spending()
    for n in range(10):
        spending.ended(str(n), {"usd": "0.1"}, completed=True)
    assert spending.total == Decimal(1)


@pytest.mark.parametrize(
    "given", ["5€", "EUR 5", "-1", -2, float("nan"), "inf", "a lot", True, [], 10**12]
)
def test_what_is_no_amount_of_dollars_is_refused(given: object) -> None:
    """Another currency, no number, a negative or an absurd one."""
    with pytest.raises(BudgetUnusable, match="no budget"):
        budget.read(given)


def test_how_a_budget_stands_is_told() -> None:
    """Spent and left, or that there is no limit."""
    stands = budget.Budget(Decimal(5), Decimal("1.2"), 3)
    assert repr(stands) == (
        "run 3 may spend $5.00 · $1.20 is spent, $3.80 is left"
        " · no limit: %durable budget off"
    )
    assert "no limit for the next run" in repr(budget.Budget(None, Decimal(0), 0))
    lacking = repr(budget.Budget(Decimal(5), Decimal(0), 3, uncounted=2))
    assert "$0 is spent (not 2 calls of unknown price), $5.00 is left" in lacking


def test_calls_without_a_price_are_told_apart() -> None:
    """A model that no table knows was asked before there was a budget."""
    spending = Spending()
    spending.ended("a", {"model": "nobody-1", "tokens_out": 3}, completed=True)
    spending.ended("b", {"model": "m", "usd": "0.1"}, completed=True)
    spending.began("c", {"estimate": "0.5"})
    spending.ended("c", {"model": "nobody-1"}, completed=True)
    spending.ended("tool", {}, completed=True)
    assert (spending.uncounted, spending.total) == (1, Decimal("0.6"))


def test_a_guess_counts_text_and_not_pictures() -> None:
    """A megabyte of base64 is one picture; several answers cost several times."""
    assert characters(["word " * 100]) == 500
    assert characters({"data": "A" * 1_000_000}) == 4_004
    assert most({"max_completion_tokens": 50, "n": 3}) == 150
    assert most({"max_tokens": True, "stream": True}) is None
