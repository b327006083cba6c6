"""The policy table is whole, and printed in the docs as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.engine.past.decide import DOUBTFUL, TABLE, Past, Verdict, decide
from nbdurable.engine.past.decide import table_markdown as printed
from nbdurable.engine.past.policy import Effect, OnDoubt, Policy

PAGE = Path(__file__).parents[2] / "docs" / "decisions.md"


@pytest.mark.parametrize("past", Past)
@pytest.mark.parametrize("effect", Effect)
def test_every_past_has_a_verdict(past: Past, effect: Effect) -> None:
    """No combination of past and effect is left open."""
    assert isinstance(decide(past, Policy(effect=effect)), Verdict)


@pytest.mark.parametrize("past", Past)
def test_a_write_that_may_have_happened_never_runs_unasked(past: Past) -> None:
    """Only pasts that exclude a first happening let a write run by default."""
    runs = decide(past, Policy()) is Verdict.EXECUTE
    never_began = {Past.NOTHING, Past.RAISED_NOT_DONE, Past.RETRYING, Past.UNDIGESTIBLE}
    assert runs == (past in never_began | {Past.MADE_ANEW})


@pytest.mark.parametrize("past", sorted(DOUBTFUL))
@pytest.mark.parametrize(
    ("on_doubt", "verdict"),
    [
        (OnDoubt.ASK, Verdict.ASK),
        (OnDoubt.RETRY, Verdict.EXECUTE),
        (OnDoubt.FAIL, Verdict.REFUSE),
        (lambda: None, Verdict.ASK_FUNCTION),
    ],
)
def test_on_doubt_settles_writes_only(
    past: Past, on_doubt: OnDoubt, verdict: Verdict
) -> None:
    """`on_doubt` counts for writes in doubt and for nothing else."""
    assert decide(past, Policy(on_doubt=on_doubt)) is verdict
    read = Policy(effect=Effect.READ, on_doubt=on_doubt)
    assert decide(past, read) is Verdict.EXECUTE


@pytest.mark.parametrize("past", Past)
def test_a_living_owner_is_waited_for(past: Past) -> None:
    """What somebody is executing is neither served nor executed."""
    assert decide(past, Policy(), owner_alive=True) is Verdict.WAIT


def test_the_docs_print_the_table() -> None:
    """docs/decisions.md holds the table as the code has it."""
    assert len(TABLE) == len(Past)
    assert printed() in PAGE.read_text(), (
        "paste nbdurable.engine.past.decide.table_markdown()"
    )
