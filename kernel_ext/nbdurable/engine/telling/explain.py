"""Why a step or a call ran, was replayed, or is in doubt: one line each. Pure.

Of a step `causes` says why it had to be executed. Of a call: equal calls are replayed, so
one that ran has a reason, and the nearest recorded call shows what is different.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.fates import SAID, Fate, call_fate, step_fate
from nbdurable.engine.past.forks import forked_from
from nbdurable.engine.past.history import History
from nbdurable.engine.past.meant import where_it_stands
from nbdurable.engine.past.pasts import CallPast, CallState
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.present import Present
from nbdurable.engine.past.settle import questions
from nbdurable.engine.past.tally import Ledger, Tally
from nbdurable.engine.telling import details
from nbdurable.engine.telling.attempts import attempts, outcome, raised
from nbdurable.engine.telling.causes import (
    Cause,
    Reason,
    advice,
    because,
    cause,
    changed_files,
    makers,
    previous,
    rekeyed,
)
from nbdurable.engine.telling.cost import cost
from nbdurable.engine.telling.reasons import ran_because
from nbdurable.engine.telling.reference import find, name_of
from nbdurable.engine.telling.waits import call_waits, is_answered, step_waits
from nbdurable.engine.telling.wording import both, calls_told, line
from nbdurable.engine.where.moments import Now, duration, moment


@dataclass(frozen=True, slots=True)
class Why:
    """An explanation.

    Attributes:
        about: What is explained: ``review``, ``review.2``.
        lines: The explanation, the most important line first.
    """

    about: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        first, *rest = self.lines
        return "\n".join([f"{self.about} {first}", *(f"  {told}" for told in rest)])

    def __repr__(self) -> str:
        return str(self)


# ---- steps ---------------------------------------------------------------------------


def why(
    history: History, reference: str, present: Present, command: str = "%durable why"
) -> Why:
    """Why the step or call that is meant ran, was replayed, or is in doubt.

    Args:
        history: The fold of the run.
        reference: What was typed.
        present: From where a person asks.
        command: The command in which it was typed, for the error.

    Raises:
        ReferenceUnknown: The run has no such step, or the step no such call.
    """
    question = _asked(history, reference)
    if question is not None:
        return question
    found = find(history, reference, command)
    if isinstance(found, StepPast):
        return why_step(history, found, present)
    return why_call(history, found, present)


def _asked(history: History, reference: str) -> Why | None:
    """What waits at a place, if it is a call of another place, cell or run."""
    for asked in questions(history):
        call, past = asked.call, asked.past
        if reference.strip() not in {asked.reference, asked.asked} or past is None:
            continue
        if call.slot != asked.slot or where_it_stands(history, asked):
            told = f"waits for your answer: {past.value}"
            return Why(asked.reference, (told, call.text, *attempts(call)))
    return None


def why_step(
    history: History, step: StepPast, present: Present, ledger: Ledger | None = None
) -> Why:
    """Why a step attempt ran, how it ended, and what became of its calls.

    Args:
        history: The fold of the run.
        step: The attempt.
        present: From where a person asks.
        ledger: An index over the history, where there is one already.
    """
    reason = why_ran(history, step)
    cells = {**makers(history, step.order), **present.cells, **_cells(step)}
    told = because(reason, cells) or str(step.fields.get("why") or "")
    started = moment(step.started_us, present.now)
    ran = (
        f"ran again {started}, because {told}" if told else f"ran {started}: it is new"
    )
    tally = (ledger or Ledger(history)).attempt(step)
    lines = (
        _replayed(step, present.now),
        ran,
        *_shown(history, step, reason, present),
        step_waits(history, step) or _ended(history, step, present),
        *details.unsaved(step),
        counted(tally) if tally.calls else "",
    )
    return Why(step.name, tuple(part for part in lines if part))


def counted(tally: Tally) -> str:
    """What an attempt did with its calls: the last line of why it ran."""
    return line(calls_told(tally), cost(tally))


def _cells(step: StepPast) -> Mapping[str, str]:
    """Where the names had changed for which an attempt was executed, as it was told."""
    return {n: str(p) for n, p in fields.mapping(step.fields, "cells").items()}


def why_ran(history: History, step: StepPast) -> Cause:
    """Why an attempt had to be executed."""
    other_keys = rekeyed(history, step.slot, step.algorithm, step.order)
    found = other_keys or cause(
        history,
        slot=step.slot,
        source=step.source,
        reads=step.counted,
        before=step.order,
        files=changed_files(step),
    )
    if found.reason is Reason.RERUN and step.fields.get("fresh"):
        return Cause(Reason.FRESH)
    if found.reason is Reason.AGAIN:
        return replace(found, gone=fields.text(step.fields, "gone"))
    return found


def _shown(
    history: History, step: StepPast, reason: Cause, present: Present
) -> Sequence[str]:
    """The cause in detail: old and new, as far as it is known."""
    last = previous(history, step.slot, step.order)
    if last is None:
        return _copied(history, step)
    if reason.reason is Reason.NO_DIGEST:
        return details.bare(step)
    if reason.reason is Reason.UNKEPT:
        return details.unsaved(last)
    if reason.reason is Reason.FILE:
        return list(details.files(last, step, reason.files))
    if reason.reason not in {Reason.CODE, Reason.INPUT}:
        return ()
    was, now = (details.Side(s, present.evidence(s)) for s in (last, step))
    return (
        *details.details(was, now, present.compared),
        *details.dynamic(step),
        advice(reason),
    )


def _copied(history: History, step: StepPast) -> Sequence[str]:
    """A new cell that is equal to one that ran: the other one has its own calls."""
    equal = (history.steps[i] for i in history.by_step_key.get(step.key, ()))
    other = next(
        (s for s in equal if s.slot != step.slot and s.order < step.order), None
    )
    if other is None:
        return ()
    return (f"{other.name} is an equal cell, and keeps the calls that it made",)


def _replayed(step: StepPast, now: Now) -> str:
    if not step.replays:
        return ""
    inputs = f" and equal {both(sorted(step.reads))}" if step.reads else ""
    times = f", {len(step.replays)} times in all" if len(step.replays) > 1 else ""
    when = moment(step.replays[-1], now)
    return f"was replayed {when}{times}: same code{inputs}"


def _ended(history: History, step: StepPast, present: Present) -> str:
    fate = step_fate(step, present.alive)
    if fate is Fate.WAITING and is_answered(history, step):
        return "it is answered, and goes on when its cell runs"
    kind = str(step.fields.get("type")).rpartition(".")[2]
    message = "".join(str(step.fields.get("message") or "").splitlines()[:1])
    told = {
        Fate.RAN: "",
        Fate.RUNNING: f"it is running, since {moment(step.started_us, present.now)}",
        Fate.WAITING: "it waits for your answer: %durable says to what",
        Fate.ERROR: f"it ended with {kind}: {message}"
        if message
        else f"it ended with {kind}",
    }
    stopped = "interrupted" if step.how else "cut off: the kernel stopped"
    return told.get(fate, f"it was {stopped}")


# ---- calls ---------------------------------------------------------------------------


def why_call(history: History, call: CallPast, present: Present) -> Why:
    """Why a call ran, was replayed, or is in doubt."""
    step = served_in(history, call) or history.steps.get(call.step)
    if step is None:
        return Why(
            call.name, ("belongs to a step that is not recorded here", call.text)
        )
    lines = (call_line(history, call, step, present), call.text, *attempts(call))
    name = name_of(history, call)
    if call.step not in history.steps:  # of the run that this one was forked from
        number = Ledger(history).numbered(step).get(call.id)
        name = f"{step.name}.{number}" if number else name
    return Why(name, tuple(part for part in lines if part))


def call_line(
    history: History, call: CallPast, step: StepPast, present: Present
) -> str:
    """What became of a call in one step attempt, and why.

    Args:
        history: The fold of the run.
        call: The call as it stood after that attempt, as `Ledger.calls` gives it.
        step: The attempt.
        present: From where a person asks.
    """
    fate = call_fate(history, call, step, present.alive)
    if fate is Fate.REPLAYED:
        return _served_line(history, call, step, present)
    if fate is Fate.WAITING and call.wait:
        return call_waits(history, call, present.now)
    if fate is Fate.WAITING:
        return f"waits: attempt {call.attempts} {outcome(call)}"
    if fate is Fate.RUNNING:
        since = f"is running, since {moment(call.started_us, present.now)}"
        elsewhere = present.here and call.owner != present.here
        return f"{since}, in another kernel" if elsewhere else since
    if fate is Fate.STOPPED and call.wait:
        return "waited, and was parked: it isn't asked here any more"
    if call.resolved in SAID or fate is Fate.IN_DOUBT:
        return _doubt_line(call)
    if fate is Fate.STOPPED:
        return (
            f"did not end: {_cut_short(call)}. It goes on with the calls that it made"
        )
    return ran_because(history, call, present)


def _doubt_line(call: CallPast) -> str:
    if call.resolved == "happened":
        return "may have happened: no result was recorded; you said that it happened"
    how = _cut_short(call)
    if call.effect is not Effect.WRITE:
        effect = call.effect.value
        return f"has no result: {how}. It is a {effect}, so it is asked again"
    settled = {
        "did-not": "; you said that it did not",
        "undone": "; it was undone",
        "again": "; you asked to do it again",
        "dropped": '; on_doubt="retry" let it go',
        "with": "; you settled the call around it",
    }.get(call.resolved, "")
    return f"may have happened: {how} before a result was recorded{settled}"


def _cut_short(call: CallPast) -> str:
    ended = {
        CallState.RAISED: f"it {raised(call)}, and the cell ended",
        CallState.INTERRUPTED: "it was interrupted",
    }
    if call.kind == "http" and call.state is CallState.INTERRUPTED:
        return "its answer was not read to its end"
    return ended.get(call.state, "the kernel stopped during it")


def served_in(history: History, call: CallPast) -> StepPast | None:
    """The latest attempt that was served this call, if a later one was."""
    later = (
        s
        for s in history.steps.values()
        if call.id in s.used and s.id != call.step and s.order > call.ended_order
    )
    return max(later, key=lambda s: s.order, default=None)


def _served_line(
    history: History, call: CallPast, step: StepPast, present: Present
) -> str:
    if call.resolved == "happened":
        return f"was replayed in attempt {step.attempt} of {step.name}, as you said"
    ran = f"it ran {moment(call.started_us, present.now)} in {duration(call.ms)}"
    origin = history.steps.get(call.step)
    if origin is None and (parent := forked_from(history.opened)):
        run = parent.partition(" at ")[0]
        return f"was replayed: {ran} in {run}, from which this one was forked"
    if origin is not None and origin.slot != step.slot:
        return f"was replayed in {step.name} (now its own): {ran} in {origin.name}"
    raised = "the same exception" if call.state is CallState.RAISED else "an equal call"
    return f"was replayed in attempt {step.attempt} of {step.name}: {raised}, {ran}"
