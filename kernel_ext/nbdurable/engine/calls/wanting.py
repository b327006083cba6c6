"""A call that is about to be made, as matching sees it."""

from __future__ import annotations

from nbdurable.engine.calls.preceding import ScopeState
from nbdurable.engine.calls.requests import CallRequest, kept
from nbdurable.engine.past.wanted import Wanted


def wanting(
    request: CallRequest,
    scope: str,
    state: ScopeState,
    parent: str,
    number: str,
    *,
    ordered: bool,
) -> Wanted:
    """What is looked for among the records.

    Args:
        request: The call.
        scope: The part of the step that it is made in.
        state: What precedes it there.
        parent: Logical id of the enclosing call, or "".
        number: Its number in the attempt.
        ordered: Whether code that runs in order makes it, and no thread of a pool.
    """
    return Wanted(
        request.key,
        request.name,
        request.policy,
        request.code,
        scope,
        state.after,
        state.new_write,
        request.undigestible,
        request.text,
        lambda: kept(request.arguments()),
        request.marks,
        request.under,
        parent,
        request.inner,
        ordered,
        number,
    )
