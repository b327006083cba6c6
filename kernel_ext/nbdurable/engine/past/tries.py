"""What earlier tries of an enclosing call made of a tool. Pure.

Theory of operation. A call that is made once more (by its `retry=`, after `--did-not`,
in a new kernel) is served what it finished inside, as long as that has equal arguments.
A payment with a fresh uuid has other ones in each try. So a new `write` in such a call
is held against those that its earlier tries made: those that failed, and those of an
earlier version of its code. A try that completed with this code is over and done.
An `nd.step` is no call in this sense: like a cell, it goes on with what its code says now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nbdurable.engine.past.belonging import holders
from nbdurable.engine.past.forks import NOWHERE
from nbdurable.engine.past.history import CallPast, CallState, History
from nbdurable.engine.past.pasts import Order
from nbdurable.engine.past.wanted import Wanted

ANEW: Final = frozenset({"did-not", "again", "undone", "dropped"})
"""How a call was settled that is made when it comes next: a person has decided."""

_DECIDED: Final = ANEW | {"afresh"}


def are_before(history: History, parent: str) -> bool:
    """Whether a call around one that is made inside ``parent`` had earlier tries."""
    return any(outer.earlier for outer in _around(history, parent))


def completed(history: History, wanted: Wanted) -> Iterator[CallPast]:
    """The writes of the tool that those made, oldest first."""
    for call, _ in _made(history, wanted):
        if call.state is CallState.COMPLETED:
            yield call


def in_doubt(history: History, wanted: Wanted) -> Iterator[CallPast]:
    """Those of which nobody knows: the try that made them did not go on from them."""
    for call, began in _made(history, wanted):
        raised = call.state is CallState.RAISED and not call.fields.get("not_done")
        cut_off = call.state in {CallState.STARTED, CallState.INTERRUPTED}
        if cut_off or (raised and not _went_on(history, call, began)):
            yield call


def _around(history: History, parent: str) -> Iterator[CallPast]:
    outer = history.calls.get(parent)
    if outer is not None:
        yield from (c for c in (outer, *holders(history, outer)) if not c.is_step)


def _made(history: History, wanted: Wanted) -> Iterator[tuple[CallPast, Order]]:
    """Each with the place where the present try of the call around it began."""
    for outer in _around(history, wanted.parent):
        if not outer.earlier:
            continue
        began, since = outer.ended_order, _since(outer)
        for call in history.calls.values():
            ours = call.name == wanted.name and call.writes
            tried = since < call.ended_order and call.order < began
            decided = call.resolved in _DECIDED
            if ours and tried and not decided and _is_in(history, call, outer):
                yield call, began


def _is_in(history: History, call: CallPast, outer: CallPast) -> bool:
    """Whether a call was made in another one, at whatever depth."""
    seen: set[str] = set()
    while call.parent and call.parent not in seen:
        if call.parent == outer.id:
            return True
        seen.add(call.parent)
        around = history.calls.get(call.parent)
        if around is None:
            return False
        call = around
    return False


def _since(outer: CallPast) -> Order:
    """Where its last try ended that completed with the code that it has now."""
    done = (e for e in outer.earlier if e.state is CallState.COMPLETED)
    return max((e.ended_order for e in done if e.code == outer.code), default=NOWHERE)


def _went_on(history: History, call: CallPast, began: Order) -> bool:
    """Whether its try completed another call in the same scope after it."""
    return any(
        other.scope == call.scope
        and other.state is CallState.COMPLETED
        and call.ended_order < other.ended_order < began
        for other in history.calls.values()
    )
