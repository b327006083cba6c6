"""Which cells are stale still, after what happened since a kernel said so. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nbdurable.engine.past.history import History
from nbdurable_store.records import Entry, Kind


def still(
    stale: Mapping[str, str], history: History, entries: Collection[Entry]
) -> Mapping[str, str]:
    """By slot why cells are stale: one that ran since isn't so for the reason it had.

    Args:
        stale: What the kernel said.
        history: The run, as it is now.
        entries: What happened since.
    """
    ran = {
        history.steps[e.record.step].slot
        for e in entries
        if e.record.kind == Kind.STEP_STARTED and e.record.step in history.steps
    }
    return {slot: why for slot, why in stale.items() if slot not in ran}
