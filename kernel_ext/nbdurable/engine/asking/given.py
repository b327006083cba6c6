"""Loads what two attempts were given, to tell where it differs. Nothing is bound anywhere.

What was written down of an attempt is small and plain (`witness`). A frame, an array or a
long list is kept for a restore, though, and a kernel can load it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.history import History
from nbdurable.engine.past.kept import Source, names_before
from nbdurable.engine.steps.alike import changes
from nbdurable.engine.steps.deferred import load
from nbdurable.engine.steps.session import Session
from nbdurable.engine.values.contents import digest_of

LOADED_BYTES_MAX: Final = 100_000_000
"""A value beyond this is told by its digest: loading two of them takes seconds."""

ABSENT: Final = object()
"""Stands for a value that can't be had."""


def compared(
    session: Session,
    runs: tuple[History, History],
    old: StepPast,
    new: StepPast,
    name: str,
) -> Collection[str]:
    """Where the values of a name differ that two attempts were given.

    Args:
        session: Where they are; each is verified.
        runs: The run of each attempt.
        old: The earlier attempt.
        new: The later one.
        name: The name.

    Returns:
        Nothing if one of them isn't kept as it was given.
    """
    was = _given(session, runs[0], old, name)
    now = ABSENT if was is ABSENT else _given(session, runs[1], new, name)
    return () if now is ABSENT else changes(name, was, now)


def _given(session: Session, history: History, step: StepPast, name: str) -> object:
    """The value, if what is kept has the very digest that the attempt read."""
    source: Source | None = names_before(history, step).known.get(name)
    if source is None or source.ref is None or source.ref.size > LOADED_BYTES_MAX:
        return ABSENT
    found: dict[str, object] = {}
    load(session, found, {name: source})
    try:
        same = digest(found.get(name, ABSENT), contents=digest_of).hex()
    except Undigestible:
        return ABSENT
    return found[name] if same == step.reads.get(name) else ABSENT
