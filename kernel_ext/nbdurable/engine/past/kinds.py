"""Kinds of calls that are no work: they are journaled like any other. Pure."""

from __future__ import annotations

from typing import Final

ANSWERED: Final = frozenset({"approval", "question", "signal"})
"""Kinds of calls that somebody answers. They are counted as answers, not as calls that
ran, and how long somebody thought is no time that replay saved."""

WAITS: Final = ANSWERED | {"timer"}
"""Kinds of calls that wait."""

UNDO: Final = "undo"
"""The kind of a call that takes another one back."""

UNDONE: Final = "undone"
"""How a call is resolved that was taken back."""

UNPAID: Final = WAITS | {"draw", "checkpoint", UNDO}
"""Kinds of calls that nobody is paid for: they are kept, but nothing is saved by it."""
