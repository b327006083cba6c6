"""Writes that may have happened, wherever in the run that was. Pure.

Theory of operation. A doubt is asked about where its call is made next. With a fresh
uuid among the arguments that is another call, and after a split, a move or a fork it
may stand in another cell. So a `write` asks about the doubts of its tool in all slots,
but for those of a cell that is known to be as it was when it made the call: that one
asks itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbdurable.engine.past.attempts import StepState
from nbdurable.engine.past.belonging import went_on
from nbdurable.engine.past.history import CallPast, CallState, History


def may_have_happened(history: History, call: CallPast) -> bool:
    """Whether a write may have happened, also where the code caught what it raised.

    An attempt that ended without another result after that did not go on from it.
    """
    if not call.writes or call.resolved:
        return False
    if call.state in {CallState.STARTED, CallState.INTERRUPTED}:
        return True
    raised = call.state is CallState.RAISED and not call.fields.get("not_done")
    return raised and not went_on(history, call)


def suspects(history: History, slot: str) -> Mapping[str, Sequence[CallPast]]:
    """The writes of other slots that have no result, by tool: some may be in doubt."""
    found: dict[str, list[CallPast]] = {}
    for call in history.calls.values():
        open_ = call.state is not CallState.COMPLETED and not call.resolved
        if open_ and call.writes and call.slot != slot:
            found.setdefault(call.name, []).append(call)
    return found


def is_asked_here(
    history: History, call: CallPast, existing: Mapping[str, str]
) -> bool:
    """Whether a write of another slot is a doubt about which its own cell doesn't ask.

    Args:
        history: The fold of the run.
        call: A write of another slot that has no result.
        existing: Slots known to exist, with the digest of their present source.
    """
    doubt = may_have_happened(history, call)
    return doubt and not is_asked_there(history, call, existing)


def is_asked_there(
    history: History, call: CallPast, existing: Mapping[str, str]
) -> bool:
    """Whether its own cell is known to be as it was, and so asks about this doubt.

    Args:
        history: The fold of the run.
        call: A doubt of another slot.
        existing: Slots known to exist, with the digest of their present source.
    """
    step = history.steps.get(call.step)
    if step is None or existing.get(step.slot) != step.source:
        return False
    later = (s for s in history.attempts(step.slot) if s.order > step.order)
    return not any(s.state is StepState.COMPLETED for s in later)
