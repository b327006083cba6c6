"""The lives of the journal, and their picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.engine.past.attempts import StepState
from nbdurable_store import lifecycle
from nbdurable_store.records import Kind

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"


def test_the_picture_is_fresh() -> None:
    """docs/lifecycle.md is what the tables say."""
    assert PAGE.read_text() == lifecycle.page()


def test_every_kind_moves_something() -> None:
    """Each kind of record stands in a table, so that none is forgotten."""
    used = {
        kind
        for life in lifecycle.LIVES.values()
        for moves in life.values()
        for kind in moves
    }
    assert used == set(Kind)


@pytest.mark.parametrize("name", lifecycle.LIVES)
def test_lives_are_closed(name: str) -> None:
    """Each move ends in a state of its table, and each state can be reached."""
    life = lifecycle.LIVES[name]
    reached = {lifecycle.NEW} | {s for moves in life.values() for s in moves.values()}
    assert reached == set(life)


def test_the_engine_knows_the_same_states() -> None:
    """The engine's words for a step are the journal's."""
    assert {*StepState} == set(lifecycle.STEP) - {lifecycle.NEW}


def test_what_is_in_no_table_does_not_happen() -> None:
    """A call isn't completed before it was started, nor a run opened twice."""
    assert lifecycle.after(lifecycle.CALL, lifecycle.NEW, Kind.CALL_COMPLETED) is None
    assert lifecycle.after(lifecycle.RUN, "open", Kind.RUN_OPENED) is None
    assert lifecycle.after(lifecycle.CALL, "started", Kind.CALL_RAISED) == "raised"
    assert lifecycle.after(lifecycle.CALL, "started", "no.such.kind") is None
