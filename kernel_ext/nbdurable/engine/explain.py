"""Why a step or a call ran, was replayed, or is in doubt: one line each. Pure.

Of a step `causes` says why it had to be executed. Of a call: equal calls are replayed, so
one that ran has a reason, and the nearest recorded call shows what is different.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from nbdurable.engine.causes import because, cause, changed_files, makers, rekeyed
from nbdurable.engine.differences import differences
from nbdurable.engine.fates import Fate, call_fate, step_fate
from nbdurable.engine.history import History
from nbdurable.engine.moments import Now, duration, moment
from nbdurable.engine.pasts import CallPast, CallState, Order, StepPast
from nbdurable.engine.policy import Effect
from nbdurable.engine.reference import find, name_of
from nbdurable.engine.tally import Ledger
from nbdurable.engine.wording import both, calls_told, line, saved

Arguments = Callable[[CallPast], object]
"""The kept arguments of a call as plain data; None if none were kept."""


@dataclass(frozen=True, slots=True)
class Present:
    """From where a person asks.

    Attributes:
        now: The present.
        alive: Ids of the owners that live.
        cells: Where names were assigned, such as ``cell 2``, as far as it is known.
        arguments: How to read the kept arguments of a call.
    """

    now: Now
    alive: Collection[str] = ()
    cells: Mapping[str, str] = field(default_factory=dict)
    arguments: Arguments = lambda _: None


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
    found = find(history, reference, command)
    if isinstance(found, StepPast):
        return why_step(history, found, present)
    return why_call(history, found, present)


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
    other_keys = rekeyed(history, step.slot, step.algorithm, step.order)
    reason = other_keys or cause(
        history,
        slot=step.slot,
        source=step.source,
        reads=step.reads,
        before=step.order,
        files=changed_files(step),
    )
    cells = {**makers(history, step.order), **present.cells}
    told = because(reason, cells) or str(step.fields.get("why") or "")
    started = moment(step.started_us, present.now)
    ran = (
        f"ran again {started}, because {told}" if told else f"ran {started}: it is new"
    )
    tally = (ledger or Ledger(history)).attempt(step)
    lines = (
        _replayed(step, present.now),
        ran,
        _ended(step, present),
        line(calls_told(tally), saved(tally)) if tally.calls else "",
    )
    return Why(step.name, tuple(part for part in lines if part))


def _replayed(step: StepPast, now: Now) -> str:
    if not step.replays:
        return ""
    inputs = f" and equal {both(sorted(step.reads))}" if step.reads else ""
    times = f", {len(step.replays)} times in all" if len(step.replays) > 1 else ""
    when = moment(step.replays[-1], now)
    return f"was replayed {when}{times}: same code{inputs}"


def _ended(step: StepPast, present: Present) -> str:
    fate = step_fate(step, present.alive)
    kind = str(step.fields.get("type")).rpartition(".")[2]
    message = "".join(str(step.fields.get("message") or "").splitlines()[:1])
    told = {
        Fate.RAN: "",
        Fate.RUNNING: f"it is running, since {moment(step.started_us, present.now)}",
        Fate.WAITING: "it waits for your answer",
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
    lines = (call_line(history, call, step, present), call.text)
    return Why(name_of(history, call), tuple(part for part in lines if part))


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
    if fate is Fate.RUNNING:
        return f"is running, since {moment(call.started_us, present.now)}"
    if fate is Fate.IN_DOUBT:
        return _doubt_line(call)
    return ran_because(history, call, present)


def _doubt_line(call: CallPast) -> str:
    if call.resolved == "happened":
        return "may have happened: no result was recorded; you said that it happened"
    ended = {
        CallState.RAISED: f"it raised {call.fields.get('type')}, and the cell ended",
        CallState.INTERRUPTED: "it was interrupted",
    }
    how = ended.get(call.state, "the kernel stopped during it")
    if call.effect is not Effect.WRITE:
        effect = call.effect.value
        return f"has no result: {how}. It is a {effect}, so it is asked again"
    settled = {
        "did-not": "; you said that it did not",
        "again": "; you asked to do it again",
    }.get(call.resolved, "")
    return f"may have happened: {how} before a result was recorded{settled}"


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
    if origin is not None and origin.slot != step.slot:
        return f"was replayed in {step.name} (now its own): {ran} in {origin.name}"
    raised = "the same exception" if call.state is CallState.RAISED else "an equal call"
    return f"was replayed in attempt {step.attempt} of {step.name}: {raised}, {ran}"


def ran_because(history: History, call: CallPast, present: Present) -> str:
    """Why a call was executed in the attempt that last executed it."""
    if call.earlier:
        return f"ran again, because {_again(history, call)}"
    twin = _twin(history, call)
    if twin is not None:
        return f"ran, because {_not_that_one(history, call, twin)}"
    near = nearest(history, call)
    if near is None:
        return "ran: it is new"
    told = differences(present.arguments(near), present.arguments(call), most=2)
    different = f": {'; '.join(map(str, told))}" if told else ""
    there = name_of(history, near)
    return f"ran: no equal call was recorded; nearest is {there}{different}"


def _again(history: History, call: CallPast) -> str:
    last = call.earlier[-1]
    settled = {
        "did-not": "you said that it did not happen",
        "again": "you asked for it",
    }
    if last.resolved in settled:
        return settled[last.resolved]
    if last.state is CallState.STARTED:
        return f"the kernel stopped during attempt {last.attempts}"
    if last.state is CallState.INTERRUPTED:
        return f"attempt {last.attempts} was interrupted"
    if last.state is CallState.RAISED:
        return f"attempt {last.attempts} raised {last.fields.get('type')}"
    return _not_that_one(history, call, last)


def _not_that_one(history: History, call: CallPast, other: CallPast) -> str:
    """Why a completed record with the same key did not serve this call."""
    reset = history.slot(call.slot).reset
    if reset is not None and other.ended_order < reset:
        return "you asked for a rerun"
    if other.code != call.code:
        return f"the code of {call.name} changed"
    if other.outcome is None:
        return "its result was not kept"
    if files := _changed_files(other, call):
        return f"{both(files)} changed"
    if call.after and call.after != other.after and call.effect is Effect.READ:
        write = history.calls.get(call.after)
        return f"{write.name if write else 'a write'} ran before it (write)"
    if other.step == call.step:
        return f"it is one more equal call ({name_of(history, other)} is the first)"
    owner = history.steps.get(other.step)
    where = owner.name if owner else "another cell"
    return f"the equal call belongs to {where}"


def _changed_files(old: CallPast, new: CallPast) -> list[str]:
    """The files that both have read, and that were not the same."""
    was, now = old.fields.get("files"), new.fields.get("files")
    if not isinstance(was, Mapping) or not isinstance(now, Mapping):
        return []
    return sorted(name for name in was.keys() & now.keys() if was[name] != now[name])


def _twin(history: History, call: CallPast) -> CallPast | None:
    """The latest other record with the same key that was there before it."""
    ids = history.by_key.get(call.key, ())
    known = (history.calls[i] for i in ids if i != call.id)
    return max((c for c in known if c.order < call.order), key=_order, default=None)


def nearest(history: History, call: CallPast) -> CallPast | None:
    """The earlier call of the same tool that this one most likely replaces.

    It was made in an earlier attempt and is not used by this one: that of the same
    slot and number, else the latest of the slot, else the latest of the run.
    """
    step = history.steps.get(call.step)
    used = step.used if step else ()
    earlier = [
        c
        for c in history.calls.values()
        if c.name == call.name and c.step != call.step and c.order < call.order
    ]
    left = [c for c in earlier if c.key != call.key and c.id not in used]
    before = [c for c in left if c.slot == call.slot]
    nth = bool(call.parent), call.number
    same = [c for c in before if (bool(c.parent), c.number) == nth]
    return max(same or before or left, key=_order, default=None)


def _order(call: CallPast) -> Order:
    return call.order
