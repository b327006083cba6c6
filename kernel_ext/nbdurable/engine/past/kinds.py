"""Kinds of calls that are no work: they are journaled like any other. Pure."""

from __future__ import annotations

from typing import Final

ANSWERED: Final = frozenset({"approval", "question", "signal"})
"""Kinds of calls that somebody answers. They are counted as answers, not as calls that
ran, and how long somebody thought is no time that replay saved."""

WAITS: Final = ANSWERED | {"timer"}
"""Kinds of calls that wait."""

UNPAID: Final = WAITS | {"draw", "checkpoint", "undo"}
"""Kinds of calls that nobody is paid for: they are kept, but nothing is saved by it."""
