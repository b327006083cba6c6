"""Before a `write` runs: what became of another one of the tool that is in doubt.

It may be this very call, with a fresh uuid among its arguments. So the tool's `on_doubt`
settles it first, asked about the arguments that it had.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from typing import Any

from nbdurable.engine.calls import asks, outcomes
from nbdurable.engine.calls.findout import FindOut
from nbdurable.engine.calls.going import Append, Command, Going, Part, Perform, Sent
from nbdurable.engine.calls.requests import Outcome
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.wanted import Match
from nbdurable.engine.values import plainly
from nbdurable.engine.where.frames import Frame
from nbdurable.errors import DurableError, NotDone
from nbdurable_store.records import Kind


def drop(going: Going) -> Part:
    """``on_doubt="retry"``: the other one is let go."""
    yield from _resolved(going, "dropped")
    _go_on(going)
    return None


def find_out(going: Going) -> Part:
    """Ask the tool's function about the other one; without its arguments, a person."""
    attempt, other = going.frame.attempt, _other(going)
    asked, arguments = going.request.find_out, _arguments(going, other)
    if not isinstance(asked, FindOut) or arguments is None:
        raise attempt.stop(asks.pause(attempt, going.claim, going.match, going.request))
    with asked.about(arguments):
        outcome = yield Perform(Frame(attempt, other.id, covered=True), find_out=True)
    assert isinstance(outcome, Outcome)
    if isinstance(outcome.raised, NotDone):
        yield from _resolved(going, "did-not")
    elif outcome.raised is not None:
        return outcome
    else:
        yield from _happened(going, other, outcome.value)
        if _at_its_place(going, other):
            going.match = Match(Past.INSTEAD, other)
            return None
    _go_on(going)
    return None


def _other(going: Going) -> CallPast:
    assert going.match.call is not None
    return going.match.call


def _go_on(going: Going) -> None:
    going.match = going.frame.attempt.without(going.claim, going.request)


def _resolved(going: Going, how: str) -> Generator[Command, Sent, None]:
    attempt, other = going.frame.attempt, _other(going)
    fields = {"how": how, "slot": attempt.step.slot, "by": "policy"}
    record = attempt.record(Kind.CALL_RESOLVED, other.id, other.key, fields)
    yield Append((record,), True)


def _happened(
    going: Going, other: CallPast, value: object
) -> Generator[Command, Sent, None]:
    attempt = going.frame.attempt
    completed = outcomes.completed(attempt, other.id, going.request, value, 0.0)
    yield Append((completed._replace(key=other.key),), True)


def _arguments(going: Going, other: CallPast) -> dict[str, Any] | None:
    kept = other.arguments
    with contextlib.suppress(plainly.Unreadable, DurableError):
        if isinstance(kept, str):
            return _named(plainly.read("json", kept.encode()))
        if kept is not None and kept.codec in plainly.READABLE:
            store = going.frame.attempt.store
            return _named(plainly.read(kept.codec, store.get(kept)))
    return None


def _named(arguments: object) -> dict[str, Any] | None:
    return arguments if isinstance(arguments, dict) else None


def _at_its_place(going: Going, other: CallPast) -> bool:
    """Whether code that runs in order makes this call where it made that one.

    Functions in pools take their numbers as they come. What stands in another cell now
    may have stood anywhere in that one.
    """
    claim, attempt = going.claim, going.frame.attempt
    if other.slot != attempt.step.slot:
        return True
    mine = claim.scope, claim.parent, claim.nth
    ordered = attempt.thread == threading.get_ident()
    return ordered and mine == (other.scope, other.parent, other.number)
