"""The life of a run, a step attempt, a logical call and a signal: four tables. Pure.

A life begins at `NEW`, and each record of its subject moves it. What isn't in a table
doesn't happen: `after` says ``None``. «In doubt» is no state of the journal, it is how a
`started` is read once its owner is gone or its cell ended with the call's exception;
`nbdurable.engine.past.decide` says what follows from it.

The pictures in ``docs/lifecycle.md`` are made from these tables.
"""

from __future__ import annotations

from collections.abc import Mapping

from nbdurable_store.records import Kind

NEW = "new"

Life = Mapping[str, Mapping[Kind, str]]
"""From a state, by a record's kind, to the next state."""

RUN: Life = {
    NEW: {Kind.RUN_OPENED: "open"},
    "open": {
        Kind.RUN_RENAMED: "open",
        Kind.STEP_RESET: "open",
        Kind.CALL_KEPT: "open",
        Kind.RUN_PINNED: "open",
        Kind.RUN_BUDGET: "open",
        Kind.RUN_CLOSED: "closed",
        Kind.RUN_REMOVED: "removed",
    },
    "closed": {Kind.RUN_PINNED: "closed", Kind.RUN_REMOVED: "removed"},
    "removed": {},
}

STEP: Life = {
    NEW: {Kind.STEP_STARTED: "running"},
    "running": {
        Kind.STEP_RANDOM: "running",
        Kind.STEP_GIVEN: "running",
        Kind.STEP_CHECKPOINT: "running",
        Kind.STEP_COMPLETED: "completed",
        Kind.STEP_FAILED: "failed",
    },
    "completed": {Kind.STEP_REPLAYED: "completed"},
    "failed": {},
}

CALL: Life = {
    NEW: {Kind.CALL_STARTED: "started"},
    "started": {
        Kind.CALL_STARTED: "started",
        Kind.CALL_COMPLETED: "completed",
        Kind.CALL_RAISED: "raised",
        Kind.CALL_ADOPTED: "started",
        Kind.CALL_RESOLVED: "resolved",
    },
    "completed": {
        Kind.CALL_STARTED: "started",
        Kind.CALL_COMPLETED: "completed",  # late, of an attempt before
        Kind.CALL_RAISED: "completed",
        Kind.CALL_ADOPTED: "completed",
        Kind.CALL_RESOLVED: "resolved",
    },
    "raised": {
        Kind.CALL_STARTED: "started",
        Kind.CALL_COMPLETED: "completed",  # late: it had timed out, or was interrupted
        Kind.CALL_RAISED: "raised",
        Kind.CALL_ADOPTED: "raised",
        Kind.CALL_RESOLVED: "resolved",
    },
    "resolved": {
        Kind.CALL_STARTED: "started",
        Kind.CALL_COMPLETED: "completed",  # late: a fact is worth more than an opinion
        Kind.CALL_RAISED: "resolved",
        Kind.CALL_ADOPTED: "resolved",
        Kind.CALL_RESOLVED: "resolved",
    },
}

CALL_KINDS = frozenset(kind for moves in CALL.values() for kind in moves)
"""What is said of calls."""

SIGNAL: Life = {NEW: {Kind.SIGNAL_SENT: "sent"}, "sent": {}}

LIVES: Mapping[str, Life] = {"run": RUN, "step": STEP, "call": CALL, "signal": SIGNAL}
"""By the name of what lives."""


def after(life: Life, state: str, kind: str) -> str | None:
    """The state after a record, or ``None`` for a record that doesn't belong there.

    Args:
        life: One of `LIVES`.
        state: The state before it.
        kind: The record's kind.
    """
    return next((then for known, then in life[state].items() if known == kind), None)


def diagram(life: Life) -> str:
    """A life as a Mermaid state diagram."""
    moves = [
        f"    {'[*]' if state == NEW else state} --> {then}: {kind}"
        for state, kinds in life.items()
        for kind, then in kinds.items()
    ]
    ends = [f"    {state} --> [*]" for state, kinds in life.items() if not kinds]
    return "\n".join(["stateDiagram-v2", *moves, *ends])


def page() -> str:
    """``docs/lifecycle.md``."""
    intro = (
        "# Lives\n\n"
        "Made from `nbdurable_store/lifecycle.py` by "
        "`python -m nbdurable_store.lifecycle`; a test compares the two.\n"
    )
    parts = [
        f"## A {name}\n\n```mermaid\n{diagram(life)}\n```\n"
        for name, life in LIVES.items()
    ]
    return "\n".join([intro, *parts])


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
