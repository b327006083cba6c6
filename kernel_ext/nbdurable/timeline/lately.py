"""What is otherwise than in the attempt before, and than in the last run: parts of details.

Reads values. The run before is read for one answer and not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pairs import aligned
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.telling.sides import Side, before
from nbdurable.engine.values.plainly import visible
from nbdurable.timeline.diffing import Reader, call_lines, diff, plain_values
from nbdurable.timeline.finding import Runlist
from nbdurable.timeline.previews import Get, line
from nbdurable.timeline.show import history_of
from nbdurable.timeline.told import Part
from nbdurable_store.protocol import Store

SAME = "nothing, but for time"

CALLS_MAX: Final = 20_000
"""Calls of a run that is read to compare one of its cells: some half a second."""


def changes(
    history: History, step: StepPast, call: str, store: Store, runs: Runlist
) -> Iterator[Part]:
    """What differs from the last run that has this cell, then from the attempt before.

    Args:
        history: The run.
        step: The attempt.
        call: Id of the call, or "" for the attempt itself.
        store: Where the runs are.
        runs: Its runs.
    """
    new = Side(named(history), history, (step,))
    last = next((h for h in runs.before(history) if latest(h, step.name)), None)
    if last is not None:
        told = since_run(last, new, call, store.get, lambda run: history_of(store, run))
        yield from (told,) if told else ()
    told = since(history, step, call, store.get)
    yield from (told,) if told else ()


def since(history: History, step: StepPast, call: str, get: Get) -> Part | None:
    """What differs between an attempt, or a call in it, and the one before it.

    Args:
        history: The run.
        step: The attempt.
        call: Id of the call, or "" for the attempt itself.
        get: How plain values are read.
    """
    earlier = before(history, step)
    if earlier is None:
        return None
    old, new = (Side(f"{s.name}@{s.attempt}", history, (s,)) for s in (earlier, step))
    return _part(f"changed since attempt {earlier.attempt}", (old, new), call, get)


def since_run(
    last: History, new: Side, call: str, get: Get, read: Callable[[str], History]
) -> Part | None:
    """What differs between an attempt, or a call in it, and its cell in the last run.

    Args:
        last: The last run, as far as its steps go: one that has a step of this name.
        new: The attempt, in its run.
        call: Id of the call, or "" for the attempt itself.
        get: How plain values are read.
        read: The whole of a run, by its id.
    """
    (step,) = new.steps
    title = f"changed since {named(last)}"
    if sum(len(s.used) for s in last.steps.values()) > CALLS_MAX:
        more = f"more than {CALLS_MAX:,} calls, which are not read for this"
        text = f"It has {more}. In a cell: %durable diff {_number(last)}"
        return Part(title=title, text=text, note="", kind="diff")
    there = read(last.run)
    old = latest(there, step.name)
    if old is None:
        return None
    return _part(title, (Side(named(there), there, (old,)), new), call, get)


def latest(history: History, name: str) -> StepPast | None:
    """The latest attempt of a step of this name in a run.

    Args:
        history: The run.
        name: What people call the step.
    """
    found = (s for s in history.steps.values() if s.name == name)
    return max(found, key=lambda s: s.order, default=None)


def named(history: History) -> str:
    """What people call a run."""
    return f"run {_number(history)}"


def _number(history: History) -> int:
    opened = history.opened
    return fields.number(opened.fields, "number", 1) if opened else 1


Two = tuple[Side, Side]


def _part(title: str, two: Two, call: str, get: Get) -> Part | None:
    lines = _of_call(two, call, get) if call else _of_attempt(two, get)
    if lines is None:
        return None
    text = "\n".join(lines) or SAME
    return Part(title=line(title), text=visible(text), note="", kind="diff")


def _of_attempt(two: Two, get: Get) -> list[str]:
    found = diff(*two, Reader(get, plain_values(get)))
    (step,) = found.steps
    return [] if step.same else str(found).splitlines()[1:]


def _of_call(two: Two, call: str, get: Get) -> list[str] | None:
    """Lines, or None where the call is the same one: it was served."""
    pairs = aligned(*(Ledger(side.history).calls(side.steps[0]) for side in two))
    pair = next((p for p in pairs if p.new and p.new.id == call), None)
    if pair is None or (pair.old and pair.old.id == call):
        return None
    return list(call_lines(pair, get))
