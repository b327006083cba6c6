"""What happens to a call: one pure decision over one table.

Theory of operation. A call is matched by content to what the journal holds of it
(`history`, `matching`), which leaves one word: its `Past`. The past and the tool's
promises give the `Verdict`. The table below is the whole policy; the driver in `call`
only carries it out. Four rules stand outside the table: what a `write` tool asks over
HTTP is a part of its call and asks nothing of its own, a call whose owner lives is
waited for, a `write` in doubt is settled by the tool's `on_doubt`, and in frozen mode
whatever isn't served is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from nbdurable.engine.past.policy import Effect, OnDoubt, Policy


class Past(StrEnum):
    """What the journal holds of a call."""

    NOTHING = "nothing"
    COMPLETED = "completed, same code"
    EDITED = "completed, the tool edited since: its code, parameters or name"
    UNRECOVERABLE = "completed, result not recoverable"
    IN_DOUBT = "in doubt"
    CUT = "in doubt: an answer that was not read to its end"
    RAISED_FATAL = "raised, and the cell ended with it"
    RAISED_NOT_DONE = "raised, and the type says that nothing happened"
    RETRYING = "raised, and was to be tried again"
    MADE_ANEW = "settled as not done or to be done again, or undone"
    RAISED_SEEN = "raised, and the attempt went on"
    UNDIGESTIBLE = "an argument has no digest"
    UNDIGESTIBLE_TWIN = "an argument has no digest; a record equal but for it exists"
    ELSEWHERE = "completed in a cell that may still exist"
    FORKED = "completed in the run that this one was forked from, after that"
    REKEYED = "may be one that was recorded when keys were computed otherwise"
    AFRESH = "completed before a rerun was asked for"
    STALE = "completed, and a new write came before it"
    EMPTIED = "completed, and what it made inside was served to another call"
    STOOD_IN = "completed, and kept for a call with other arguments"
    NEW_DATA = "completed by the same cell with other data"
    OTHER_IN_DOUBT = "nothing, and a call with other arguments, or by the tool's old name, is in doubt"
    INSTEAD = (
        "nothing, and after a new model answer another call of the tool is left over"
    )
    REPLACED = (
        "nothing, and a call with equal arguments of a tool that its cell calls no more is"
        " left over"
    )
    EARLIER_TRY = (
        "nothing, and an earlier attempt of its cell, or try of the call around it, made"
        " another call of the tool"
    )


class Verdict(StrEnum):
    """What is done with a call."""

    REPLAY = "Replay"
    REPLAY_EXCEPTION = "Replay the exception"
    EXECUTE = "Execute"
    WAIT = "Wait"
    ASK = "Ask"
    ASK_FUNCTION = "Ask the on_doubt function"
    REFUSE = "Refuse"


_W, _R, _P = Effect.WRITE, Effect.READ, Effect.PURE
_REPLAY, _EXECUTE, _ASK = Verdict.REPLAY, Verdict.EXECUTE, Verdict.ASK
_SAME = Verdict.REPLAY_EXCEPTION

TABLE: Final[Mapping[Past, Mapping[Effect, Verdict]]] = {
    Past.NOTHING: {_W: _EXECUTE, _R: _EXECUTE, _P: _EXECUTE},
    Past.COMPLETED: {_W: _REPLAY, _R: _REPLAY, _P: _REPLAY},
    Past.EDITED: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
    Past.UNRECOVERABLE: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
    Past.IN_DOUBT: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
    Past.CUT: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
    Past.RAISED_FATAL: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
    Past.RAISED_NOT_DONE: {_W: _EXECUTE, _R: _EXECUTE, _P: _EXECUTE},
    Past.RETRYING: {_W: _EXECUTE, _R: _EXECUTE, _P: _EXECUTE},
    Past.MADE_ANEW: {_W: _EXECUTE, _R: _EXECUTE, _P: _EXECUTE},
    Past.RAISED_SEEN: {_W: _SAME, _R: _SAME, _P: _SAME},
    Past.UNDIGESTIBLE: {_W: _EXECUTE, _R: _EXECUTE, _P: _EXECUTE},
    Past.UNDIGESTIBLE_TWIN: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
    Past.ELSEWHERE: {_W: _ASK, _R: _REPLAY, _P: _REPLAY},
    Past.FORKED: {_W: _ASK, _R: _EXECUTE, _P: _REPLAY},
    Past.REKEYED: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
    Past.AFRESH: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
    Past.STALE: {_W: _REPLAY, _R: _EXECUTE, _P: _REPLAY},
    Past.EMPTIED: {_W: _ASK, _R: _EXECUTE, _P: _REPLAY},
    Past.STOOD_IN: {_W: _ASK, _R: _REPLAY, _P: _REPLAY},
    Past.NEW_DATA: {_W: _ASK, _R: _REPLAY, _P: _REPLAY},
    Past.OTHER_IN_DOUBT: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
    Past.INSTEAD: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
    Past.REPLACED: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
    Past.EARLIER_TRY: {_W: _ASK, _R: _EXECUTE, _P: _EXECUTE},
}
"""The policy. Rows are pasts, columns effects; every cell is filled."""

INNER: Final = frozenset({Past.COMPLETED, Past.NEW_DATA})
"""Pasts in which a part of a `write` tool's call is served; in any other it is executed.

Whether the tool may run again is decided before, about its call as a whole.
"""

DOUBTFUL: Final = frozenset({Past.IN_DOUBT, Past.CUT, Past.RAISED_FATAL})
"""Pasts in which a `write` may have happened."""

SETTLED: Final = DOUBTFUL | {Past.OTHER_IN_DOUBT}
"""Pasts that the `on_doubt` of a `write` settles."""

OTHERS: Final = frozenset(
    {Past.OTHER_IN_DOUBT, Past.INSTEAD, Past.REPLACED, Past.EARLIER_TRY}
)
"""Pasts in which the record is of another call."""

FROZEN: Final[Mapping[Past, Verdict]] = {
    Past.CUT: _REPLAY,
    Past.RAISED_NOT_DONE: _SAME,
    Past.NEW_DATA: _REPLAY,
}
"""What is served in frozen mode whatever it is otherwise: it repeats nothing there, and
the code saw it when it was recorded."""


def decide(
    past: Past, policy: Policy, *, owner_alive: bool = False, frozen: bool = False
) -> Verdict:
    """What happens to a call with this past under this policy.

    Args:
        past: What the journal holds of the call.
        policy: The tool's promises.
        owner_alive: Whether whoever started it is still executing it.
        frozen: Whether nothing new may happen.

    Example:
        >>> decide(Past.IN_DOUBT, Policy(effect=Effect.READ)).value
        'Execute'
        >>> decide(Past.IN_DOUBT, Policy()).value
        'Ask'
        >>> decide(Past.NOTHING, Policy(), frozen=True).value
        'Refuse'
    """
    if policy.inner:
        served = past in INNER
        return _REPLAY if served else Verdict.REFUSE if frozen else _EXECUTE
    if owner_alive:
        return Verdict.WAIT
    if frozen:
        found = FROZEN.get(past, TABLE[past][policy.effect])
        return found if found in {_REPLAY, _SAME} else Verdict.REFUSE
    if past in SETTLED and policy.effect is Effect.WRITE:
        return _settle(policy)
    return TABLE[past][policy.effect]


def _settle(policy: Policy) -> Verdict:
    if not isinstance(policy.on_doubt, OnDoubt):
        return Verdict.ASK_FUNCTION
    return {
        OnDoubt.ASK: Verdict.ASK,
        OnDoubt.RETRY: Verdict.EXECUTE,
        OnDoubt.FAIL: Verdict.REFUSE,
    }[policy.on_doubt]


def table_markdown() -> str:
    """The table as the docs print it, on_doubt spelled out."""
    head = "| recorded | write | read | pure | HTTP in a write tool |\n"
    head += "| --- | --- | --- | --- | --- |"
    inner = Policy(inner=True)
    rows = [
        f"| {past.value} | {_cell(past, _W)} | {_cell(past, _R)} | {_cell(past, _P)}"
        f" | {decide(past, inner).value} |"
        for past in Past
    ]
    return "\n".join([head, *rows])


def _cell(past: Past, effect: Effect) -> str:
    if past in SETTLED and effect is Effect.WRITE:
        return "`on_doubt`: ask (default), retry, fail, or a function"
    return TABLE[past][effect].value
