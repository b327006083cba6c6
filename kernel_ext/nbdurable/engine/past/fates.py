"""How a call or a step attempt looks from outside. Pure.

`decide` says what will happen to a call that is about to be made; this says what has
happened to one that is recorded. Whether an owner lives is an argument.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from nbdurable.engine.past.attempts import StepPast, StepState
from nbdurable.engine.past.belonging import went_on
from nbdurable.engine.past.history import History
from nbdurable.engine.past.kinds import UNDO, UNDONE
from nbdurable.engine.past.pasts import CallPast, CallState
from nbdurable.engine.past.waits import is_open, is_parked


class Fate(StrEnum):
    """What became of a call or of a step attempt; the value is the word on screen."""

    RAN = "ran"
    REPLAYED = "replayed"
    RUNNING = "running"
    WAITING = "waiting"
    IN_DOUBT = "in doubt"
    ERROR = "error"
    STOPPED = "stopped"


GLYPHS: Final = {
    Fate.RAN: "▮",
    Fate.REPLAYED: "↺",
    Fate.RUNNING: "▶",
    Fate.WAITING: "…",
    Fate.IN_DOUBT: "?",
    Fate.ERROR: "✕",
    Fate.STOPPED: "✂",
}
"""One sign per fate, so that no picture depends on colour."""


SAID: Final = {
    "happened": Fate.RAN,
    "with": Fate.RAN,
    "did-not": Fate.STOPPED,
    "dropped": Fate.STOPPED,
}
"""What became of a call that was in doubt, once that is settled."""


def in_the_world(call: CallPast) -> bool:
    """Whether a call is a `write` that happened and that nobody has taken back."""
    done = call.state is CallState.COMPLETED and call.resolved != UNDONE
    return done and call.writes and call.kind != UNDO


def call_fate(
    history: History, call: CallPast, step: StepPast, alive: Collection[str]
) -> Fate:
    """What became of a call in one step attempt.

    Args:
        history: The fold of the run.
        call: The call as it stood after that attempt, as `Ledger.calls` gives it.
        step: The attempt.
        alive: Ids of the owners that live.
    """
    if call.step != step.id:
        return Fate.REPLAYED
    if call.resolved in SAID:
        return SAID[call.resolved]
    if call.state is CallState.COMPLETED:
        return Fate.RAN
    if call.wait and is_parked(call):
        return Fate.WAITING if is_open(history, call) else Fate.STOPPED
    running = step.state is StepState.RUNNING and call.owner in alive
    if running and call.retrying:
        return Fate.WAITING
    if call.state is CallState.RAISED:
        return Fate.IN_DOUBT if _raised_in_doubt(history, call) else Fate.ERROR
    if running and call.state is not CallState.INTERRUPTED:
        return Fate.RUNNING
    return Fate.STOPPED if call.is_step else Fate.IN_DOUBT


def was_under_way(
    call: CallPast, history: History, step: StepPast, alive: Collection[str]
) -> bool:
    """Whether a call was left without a result by an attempt, settled since or not."""
    if call.step != step.id:
        return False
    doubt = call_fate(history, call, step, alive) is Fate.IN_DOUBT
    return doubt or call.resolved in SAID


def _raised_in_doubt(history: History, call: CallPast) -> bool:
    told = call.fields.get("not_done") or not call.writes
    return not told and not went_on(history, call)


def step_fate(step: StepPast, alive: Collection[str]) -> Fate:
    """What became of a step attempt."""
    if step.state is StepState.COMPLETED:
        return Fate.RAN
    if step.state is StepState.RUNNING:
        return Fate.RUNNING if step.owner in alive else Fate.STOPPED
    paused = {"paused": Fate.WAITING, "interrupted": Fate.STOPPED}
    return paused.get(step.how, Fate.ERROR)


def is_executing(history: History, owner: str) -> bool:
    """Whether a kernel executes a step now: its variables are on their way then."""
    steps = history.steps.values()
    return any(s.state is StepState.RUNNING and s.owner == owner for s in steps)


def shown_fate(step: StepPast, calls: Collection[Fate], alive: Collection[str]) -> Fate:
    """What became of a step attempt, its calls looked at: one that waits says so.

    Args:
        step: The attempt.
        calls: What became of its calls.
        alive: Ids of the owners that live.
    """
    found = step_fate(step, alive)
    parked = found in {Fate.RUNNING, Fate.STOPPED} and Fate.WAITING in calls
    return Fate.WAITING if parked else found


def cut_off(history: History, alive: Collection[str]) -> list[StepPast]:
    """The attempts during which a kernel stopped, in order.

    An attempt that a later one of the same slot and owner follows was not cut off by
    the kernel's end. One that other cells followed may have been: it had left a task or
    thread running.
    """
    ordered = sorted(history.steps.values(), key=lambda s: s.order)
    last = {(s.owner, s.slot): s for s in ordered}
    return [
        s
        for s in sorted(last.values(), key=lambda s: s.order)
        if step_fate(s, alive) is Fate.STOPPED and s.state is StepState.RUNNING
    ]
