"""Whether the tools of two names are both in use, as far as cells have run. Pure."""

from __future__ import annotations

from nbdurable.engine.past.history import History


def both_in_use(history: History, slot: str, old: str, new: str) -> bool:
    """Whether another cell calls the one as of now, and some cell the other one.

    A call that was made by the old name and is known by the new one is no use of that.

    Args:
        history: The fold of the run.
        slot: The slot of the cell that called the one, and calls the other one now.
        old: The name of a tool that it called.
        new: The name of the tool that it calls.
    """
    used = {each: _called(history, each) for each in history.slots}
    elsewhere = any(old in names for each, names in used.items() if each != slot)
    return elsewhere and any(new in names for names in used.values())


def is_in_use(history: History, name: str) -> bool:
    """Whether some cell calls a tool of this name as of now."""
    return any(name in _called(history, slot) for slot in history.slots)


def _called(history: History, slot: str) -> set[str]:
    latest = history.latest(slot, ended=True)
    calls = filter(None, map(history.calls.get, latest.used if latest else ()))
    return {call.name for call in calls if not call.renamed}
