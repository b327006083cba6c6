"""How a step ended that didn't complete, in one word."""

from __future__ import annotations

from nbdurable.engine.calls.leftovers import Overtaken
from nbdurable.engine.calls.refusing import CallNotRecorded
from nbdurable_store.errors import DurablePause


def how(error: BaseException) -> str:
    """How a step ended that didn't complete: raised, interrupted or paused."""
    if isinstance(error, CallNotRecorded):
        return "raised"
    if isinstance(error, DurablePause) and not isinstance(error, Overtaken):
        return "paused"
    if (
        isinstance(error, (KeyboardInterrupt, Overtaken))
        or type(error).__name__ == "CancelledError"
    ):
        return "interrupted"
    return "raised"
