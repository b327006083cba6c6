"""What of a tool is another one since it was called so, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.requests import CallRequest
from nbdurable.engine.past.edits import (
    defaulted,
    edited,
    parameters,
)
from nbdurable.engine.past.evidence import NOTHING, Evidence
from nbdurable.engine.past.kept_arguments import arguments_of, evidence_of
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.values import plainly
from nbdurable.engine.values.differences import differences, short

LINES_MAX: Final = 3
"""More are no help in a question."""


class Since(NamedTuple):
    """What of a tool is another one by now.

    Attributes:
        names: Names of the notebook that its code loads and whose value is another one.
        code: Whether more of it is, or may be.
        lines: What it was and what it is, a sentence each.
    """

    names: tuple[str, ...]
    code: bool
    lines: tuple[str, ...]


def since(attempt: Attempt, call: CallPast, request: CallRequest) -> Since:
    """What of its tool is another one since a call was made.

    Args:
        attempt: The attempt that is about to make it, perhaps.
        call: The recorded call.
        request: The call as it is now.
    """
    signature = [*_signature(attempt, call, request)]
    old, new = _given_to(attempt, call.step), _given_to(attempt, attempt.step.id)
    loads = {request.name.partition(".")[0], *request.loads()}
    names = sorted(loads & old.values.keys() & new.values.keys())
    changed = [
        (name, found)
        for name in names
        if (found := differences(old.values[name], new.values[name], 1, name))
    ]
    known = loads & old.code.keys() & new.code.keys()
    same = bool(known) and all(old.code[n] == new.code[n] for n in known)
    values = [f"{found[0]}." for _, found in changed]
    return Since(
        tuple(name for name, _ in changed),
        not (changed and same) or bool(signature),
        tuple([*signature, *values][:LINES_MAX]),
    )


def _given_to(attempt: Attempt, step_id: str) -> Evidence:
    step = attempt.home.history.steps.get(step_id)
    return evidence_of(attempt.store.get)(step) if step is not None else NOTHING


def _signature(attempt: Attempt, call: CallPast, request: CallRequest) -> Iterator[str]:
    """What was edited of its parameters, and of their defaults."""
    old, new = call.marks, request.marks()
    if old is None or new is None or not edited(old, new):
        return
    mine, its = parameters(old), parameters(new)
    for name in sorted(its - mine):
        yield f"{name} is a parameter that it did not have."
    for name in sorted(mine - its):
        yield f"{name} is no parameter any more."
    was = arguments_of(attempt.store.get)(call)
    encoded = request.arguments()
    readable = encoded is not None and encoded.codec in plainly.READABLE
    now = plainly.read(encoded.codec, encoded.data) if encoded and readable else None
    for name in sorted(mine & its):
        if defaulted(old, name) and defaulted(new, name) and old[name] != new[name]:
            yield _default(name, was, now)


def _default(name: str, was: object, now: object) -> str:
    both = [it[name] for it in (was, now) if isinstance(it, Mapping) and name in it]
    if len(both) < 2:
        return f"{name} has another default."
    return f"{name} was {short(both[0])} by default, is {short(both[1])}."
