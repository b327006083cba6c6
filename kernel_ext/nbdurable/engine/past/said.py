"""How a settled call reads, and how a value reads that is typed for one. Pure."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from nbdurable.engine.past.pasts import CallPast, CallState


def value_of(text: str) -> object:
    """A value as it is typed after ``--happened``: a Python literal, else text.

    Example:
        >>> value_of("{'id': 7}"), value_of("in_1Q2w")
        ({'id': 7}, 'in_1Q2w')
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def state_of(call: CallPast) -> str:
    """How a call stands that nobody is asked about, as a part of a sentence."""
    return _SAID.get(call.resolved) or _ENDED[call.state]


_SAID: Final[Mapping[str, str]] = {
    "happened": "was settled: it happened",
    "with": "was settled with the call around it",
    "did-not": "was settled: it did not happen, and runs when its cell runs again",
    "again": "is made again when its cell runs again",
    "afresh": "is made afresh when its cell runs again",
    "keep": "was settled: its result is kept",
    "undone": "was undone",
    "dropped": 'was let go by on_doubt="retry"',
}
"""How a call stands that somebody has settled."""

_ENDED: Final[Mapping[CallState, str]] = {
    CallState.STARTED: "has no result",
    CallState.INTERRUPTED: "was interrupted",
    CallState.COMPLETED: "has completed",
    CallState.RAISED: "raised",
}
