"""What can be done with a run, a cell or a call, and what it will cost. Pure.

Whatever changes the world or the variables says so in a sentence that is confirmed first.
The commands are those that people type: a button does nothing that they don't.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from nbdurable.engine.asking.afresh import happened
from nbdurable.engine.past import settle
from nbdurable.engine.past.attempts import StepPast, StepState
from nbdurable.engine.past.fates import Fate, call_fate, step_fate
from nbdurable.engine.past.history import History
from nbdurable.engine.past.money import spent
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.telling.cost import about
from nbdurable.engine.where.moments import count
from nbdurable.timeline import stopping
from nbdurable.timeline.previews import Get, arguments_of, line, value
from nbdurable.timeline.told import Action

CODE_CHARS_MAX: Final = 20_000
"""Characters of code that is copied: a cell that a person wrote."""


def of_run(history: History, kept: int) -> tuple[Action, ...]:
    """What can be done with a run.

    Args:
        history: The run.
        kept: How many names it keeps.
    """
    return tuple(_of_run(history, kept))


def _of_run(history: History, kept: int) -> Iterator[Action]:
    if history.opened is None:
        return
    if kept:
        yield Action(
            what="restore",
            about="",
            means=f"restore {count(kept, 'name')}",
            asks="Brings back what this run kept. Nothing is executed, and names that were"
            " assigned since the kernel started stay as they are.",
            command="%durable restore",
        )
    pinned = "unpin" if history.pinned else "pin"
    yield Action(
        what=pinned, about="", means=pinned, command=f"nbdurable {pinned} {history.run}"
    )
    command = f"nbdurable timeline {history.run} --html run.html"
    yield Action(what="export", about="", means="export", command=command)


def looked_at(
    step: StepPast, call: str, history: History, alive: Collection[str], get: Get
) -> tuple[Action, ...]:
    """What can be done with an attempt, or with a call in it.

    Args:
        step: The attempt.
        call: Id of the call, or "".
        history: The run.
        alive: Ids of the owners that live.
        get: Reads a blob.
    """
    if not call:
        source = value(step.inputs[0] if step.inputs else None, get)
        code = source.text if source and not source.chars else ""
        return of_step(history, step, alive, code)
    past = history.calls[call]
    number = Ledger(history).numbered(step).get(call, "")
    place = step, line(f"{step.name}.{number}" if number else "")
    return of_call(history, past, place, arguments_of(get)(past))


def of_step(
    history: History, step: StepPast, alive: Collection[str], code: str
) -> tuple[Action, ...]:
    """What can be done with a cell.

    Args:
        history: The run.
        step: An attempt of it.
        alive: Ids of the owners that live.
        code: Its text.
    """
    return tuple(_of_step(history, step, alive, code))


def _of_step(
    history: History, step: StepPast, alive: Collection[str], code: str
) -> Iterator[Action]:
    name = line(step.name)
    if step_fate(step, alive) is Fate.RUNNING:
        yield _cancel(stopping.named(step, name), "The cell")
    elif history.latest(step.slot) is step:
        calls = Ledger(history).calls(step)
        yield Action(
            what="rerun",
            about=name,
            means="run afresh",
            asks=f"{_anew(calls)} when you run its cell again.{_asked(happened(history, step))}",
            command=f"%durable rerun {name}",
        )
    if step.state is StepState.COMPLETED and history.latest(step.slot) is step:
        yield Action(
            what="fork",
            about=name,
            means="fork here",
            asks=f"Goes on in a new run that shares everything up to {name} and copies"
            " nothing. A write that this run made behind it is asked about before it is"
            " made again.",
            command=f"%durable fork --at {name}",
        )
        yield Action(
            what="restore",
            about=name,
            means="restore to here",
            asks=f"Gives variables the values that they had after {name}. Nothing is"
            " executed, and names that were assigned since the kernel started stay as"
            " they are.",
            command=f"%durable restore --at {name}",
        )
    if code:
        yield Action(what="copy", about=name, means="copy as code", code=code)


def of_call(
    history: History, call: CallPast, place: tuple[StepPast, str], given: object
) -> tuple[Action, ...]:
    """What can be done with a call.

    Args:
        history: The run.
        call: The call.
        place: The attempt that it is looked at in, and what people call it there.
        given: Its arguments as plain data, or None.
    """
    return tuple(_of_call(history, call, place, given))


def _of_call(
    history: History, call: CallPast, place: tuple[StepPast, str], given: object
) -> Iterator[Action]:
    step, reference = place
    if call_fate(history, call, step, {step.owner}) is Fate.RUNNING and call.owner:
        yield _cancel(stopping.named(step, reference), "The cell that makes it")
    if settle.can_be_afresh(call) and not call.parent:
        named = f"{reference}@{settle.rerun_shown(history.run, call)}"
        yield Action(
            what="rerun",
            about=named,
            means="make it afresh",
            asks=f"{_anew([call])} when its cell runs again.{_asked(int(call.writes))}",
            command=f"%durable rerun {named}",
        )
    code = code_of(call, given)
    if code:
        yield Action(what="copy", about=reference, means="copy as code", code=code)


def code_of(call: CallPast, given: object) -> str:
    """A call as Python: from its arguments where they are plain data, else as it was shown."""
    if not isinstance(given, Mapping):
        return call.text if call.text.endswith(")") else ""
    if call.kind == "http":
        return f"body = {given!r}"[:CODE_CHARS_MAX]
    named = all(isinstance(name, str) and name.isidentifier() for name in given)
    if not named:
        return call.text
    arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return f"{call.name}({arguments})"[:CODE_CHARS_MAX]


def _cancel(about: str, what: str) -> Action:
    return Action(
        what="cancel",
        about=about,
        means="stop it",
        asks=f"{what} is interrupted. A write that is under way may have happened: you are"
        " asked before it is made again.",
        command="interrupt the kernel",
    )


def _anew(calls: Collection[CallPast]) -> str:
    """What it costs to make calls again, as the beginning of a sentence."""
    own = [c for c in calls if not c.is_step]
    ms = sum(c.ms for c in own if not c.parent)
    usd = spent(own)
    many = count(len(own), "call")
    return f"{many} made again, {about(usd, ms)}," if own else "Its code runs again"


def _asked(writes: int) -> str:
    if not writes:
        return ""
    them = "it is" if writes == 1 else "they are"
    return f" {count(writes, 'write')} already happened: you are asked before {them} repeated."
