"""From a verdict that needs a person to the pause that asks them. Pure wording."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.pauses import (
    HappenedWithOtherData,
    InsteadOrAlso,
    MadeInEarlierTry,
    OtherInDoubt,
    StoodIn,
    TakenApart,
)
from nbdurable.engine.calls.refusing import not_recorded
from nbdurable.engine.calls.requests import CallRequest, Claim
from nbdurable.engine.calls.since import since
from nbdurable.engine.identity import keys
from nbdurable.engine.past import settle
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.edits import edited
from nbdurable.engine.past.fates import in_the_world
from nbdurable.engine.past.forks import HappenedInParent, forked_from
from nbdurable.engine.past.history import CallPast, CallState, History, StepPast
from nbdurable.engine.past.near import have_nothing_in_common, shared
from nbdurable.engine.past.policy import OnDoubt
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.past.wanted import Match, edited_given
from nbdurable.engine.telling.wording import both
from nbdurable.engine.where.moments import duration
from nbdurable.errors import (
    AlreadyHappened,
    CallInDoubt,
    CallPause,
    CallRefused,
    HappenedBeforeRerun,
    HappenedElsewhere,
    KeysDiffer,
    ResultGone,
    TwinHappened,
)


def pause(
    attempt: Attempt, claim: Claim, match: Match, request: CallRequest
) -> CallPause:
    """What stops the cell: a question, or that no new call is made now."""
    if not frozen.served_only(attempt):
        return question(attempt, claim, match, request)
    refused = not_recorded(attempt, claim, match, request)
    return refused if attempt.serves_only else frozen.remember(refused)


class Asking(NamedTuple):
    """A call that somebody has to decide about.

    Attributes:
        attempt: The attempt that would make it.
        match: The record that it is about, and what that says.
        request: The call.
        common: What every pause says of it.
        call: The record.
    """

    attempt: Attempt
    match: Match
    request: CallRequest
    common: dict[str, str]
    call: CallPast

    @property
    def both(self) -> dict[str, str]:
        """With the recorded call as it was written, even where it reads the same."""
        return {**self.common, "earlier": self.call.text}


def question(
    attempt: Attempt, claim: Claim, match: Match, request: CallRequest
) -> CallPause:
    """The pause for this match; remembers in the attempt which call it is about."""
    call = match.call
    assert call is not None
    attempt.used.asked[claim.number] = (call.id, match.past)
    doubt = match.past is Past.OTHER_IN_DOUBT
    if doubt or call.key != request.key:
        marks = attempt.used.doubted[claim.number] = request.marks()
        attempt.used.alike += [call.id] if doubt and shared(call.marks, marks) else []
    text, step = request.text(), attempt.step
    shown = settle.shown(attempt.run, step.slot, call, match.past)
    common = {
        "call": text,
        "reference": f"{step.name}.{claim.number}@{shown}",
        "tool": request.name,
        "earlier": call.text if call.text != text else "",
    }
    words = _PAUSES.get(match.past, _doubt)
    if words is not _doubt and not request.policy.declared:
        attempt.used.undeclared.append(request.name)  # a doubt says so itself
    return words(Asking(attempt, match, request, common, call))


def _edited(ask: Asking) -> CallPause:
    beside = edited_given(ask.call, ask.request.codes)
    known = since(ask.attempt, ask.call, ask.request)
    return AlreadyHappened(
        **ask.common,
        given=both(beside.code),
        values=both([*dict.fromkeys((*beside.values, *known.names))]),
        code=known.code and bool(known.names) and not beside.values,
        since=known.lines,
    )


def _elsewhere(ask: Asking) -> CallPause:
    owner = ask.attempt.home.history.steps.get(ask.call.step)
    cell = owner.name if owner else ask.call.slot
    return HappenedElsewhere(**ask.common, cell=cell, version=_is_edited(ask))


def _forked(ask: Asking) -> CallPause:
    run = _parent(ask.attempt.home.history)
    return HappenedInParent(**ask.common, run=run, version=_is_edited(ask))


def _is_edited(ask: Asking) -> bool:
    """Whether the tool was edited since, too: the answer holds for that as well."""
    call, request = ask.call, ask.request
    version = call.key != request.key or call.code != request.code
    if version:
        number = ask.common["reference"].partition("@")[0].partition(".")[2]
        ask.attempt.used.edited.append(number)
    return version


def _afresh(ask: Asking) -> CallPause:
    step, others = ask.attempt.step.name, _other_writes(ask.attempt, ask.call)
    if ask.call.resolved == "afresh":
        step, others = ask.common["reference"], ()
    return HappenedBeforeRerun(**ask.common, step=step, others=others)


def _twin(ask: Asking) -> CallPause:
    argument = ask.request.undigestible
    parameter = re.split(r"\W", argument)[0]
    return TwinHappened(**ask.both, argument=argument, parameter=parameter)


def _rekeyed(ask: Asking) -> CallPause:
    return KeysDiffer(**ask.both, since=keys.ALGORITHMS[keys.ALGORITHM])


def _parent(history: History) -> str:
    """What people call the run that this one was forked from."""
    return forked_from(history.opened).partition(" at ")[0]


def _number(history: History, call: CallPast, step: StepPast | None) -> str:
    """The number of a call in its step, such as ``2.1``."""
    known = Ledger(history).numbered(step) if step else {}
    return known.get(call.id) or str(call.number)


def _stood_in(ask: Asking) -> CallPause:
    other = ask.attempt.matcher.stood_in.get(ask.call.id, "another call")
    return StoodIn(**ask.common, other=other)


def _replaced(ask: Asking) -> CallPause:
    elsewhere = ask.call.slot not in {ask.attempt.step.slot, ""}
    step = ask.attempt.home.history.steps.get(ask.call.step)
    where = step.name if elsewhere and step is not None else ""
    return InsteadOrAlso(**ask.both, where=where)


def _earlier_try(ask: Asking) -> CallPause:
    step = ask.attempt.step
    outer = ask.attempt.home.history.calls.get(ask.call.parent)
    tried = outer is not None and outer.step == step.id
    when = f"try of {outer.text}" if outer and tried else f"attempt of {step.name}"
    if ask.call.step in ask.attempt.home.history.behind:
        when += f", in {_parent(ask.attempt.home.history)},"
    return MadeInEarlierTry(**ask.both, when=when)


def _doubt(ask: Asking) -> CallPause:
    call, history = ask.call, ask.attempt.home.history
    step = history.steps.get(call.step)
    number = _number(history, call, step)
    where = f"{step.name}, call {number}" if step else _parent(history)
    where += f", attempt {call.attempts}"
    how = how_in_doubt(call, step, history.owner_last_us(call.owner))
    refused = ask.request.policy.on_doubt is OnDoubt.FAIL
    undeclared = not ask.request.policy.declared
    about = {"how": how, "where": where}
    if ask.match.past is Past.OTHER_IN_DOUBT:
        own = _where_it_stands(ask, step, number)
        return OtherInDoubt(
            **ask.both,
            **about,
            refused=refused,
            own=own,
            foreign=_is_foreign(ask),
            undeclared=undeclared,
            version=_had_other_parameters(ask),
            since=since(ask.attempt, call, ask.request).lines
            if _had_other_parameters(ask)
            else (),
        )
    kind = CallRefused if refused else CallInDoubt
    return kind(**ask.common, **about, raised=_raised(call), undeclared=undeclared)


def _had_other_parameters(ask: Asking) -> bool:
    """Whether its tool, by the same name, was edited so that it takes others now."""
    old, new = ask.call.marks, ask.request.marks()
    same_name = ask.call.name == ask.request.name
    return same_name and None not in (old, new) and edited(old or {}, new or {})


def _is_foreign(ask: Asking) -> bool:
    """Whether the two calls have no argument in common."""
    return have_nothing_in_common(ask.call.marks, ask.request.marks())


def _where_it_stands(ask: Asking, step: StepPast | None, number: str) -> str:
    """STEP.CALL@DIGEST of a call in doubt, if it is asked about at another place."""
    if step is None:
        return ""
    own, here = f"{step.name}.{number}", ask.common["reference"].partition("@")[0]
    same = step.slot == ask.attempt.step.slot and own == here
    if same and not _is_foreign(ask):
        return ""
    run = ask.attempt.home.history.run
    return f"{own}@{settle.shown(run, ask.call.slot, ask.call)}"


_PAUSES: Final[Mapping[Past, Callable[[Asking], CallPause]]] = {
    Past.EDITED: _edited,
    Past.UNRECOVERABLE: lambda ask: ResultGone(**ask.common, why=_why_gone(ask)),
    Past.UNDIGESTIBLE_TWIN: _twin,
    Past.ELSEWHERE: _elsewhere,
    Past.FORKED: _forked,
    Past.REKEYED: _rekeyed,
    Past.AFRESH: _afresh,
    Past.EMPTIED: lambda ask: TakenApart(**ask.common),
    Past.STOOD_IN: _stood_in,
    Past.NEW_DATA: lambda ask: HappenedWithOtherData(
        **ask.common, step=ask.attempt.step.name
    ),
    Past.EARLIER_TRY: _earlier_try,
    Past.INSTEAD: lambda ask: InsteadOrAlso(**ask.both),
    Past.REPLACED: _replaced,
}
"""The pause for each past; a doubt is what is left."""


def how_in_doubt(call: CallPast, step: StepPast | None, last_us: int) -> str:
    """How a call came to be in doubt, as the beginning of a sentence."""
    if call.state is CallState.RAISED and call.fields.get("timed_out"):
        return f"It had no result after {duration(call.ms)}"
    if call.state is CallState.RAISED:
        return f"It raised {_raised(call)}"
    if call.state is CallState.INTERRUPTED:
        return f"It was interrupted {call.ms / 1000:.1f} s after it began"
    ended_us = max(last_us, step.ended_us if step else 0)
    seconds = (ended_us - call.started_us) / 1_000_000
    if seconds >= 0.1:  # below that the number says nothing
        return f"The kernel stopped {seconds:.1f} s into this call"
    return "The kernel stopped during this call"


def _raised(call: CallPast) -> str:
    """Name of the exception that a call ended with; "" if it ended otherwise."""
    ended = call.state is CallState.RAISED and not call.fields.get("timed_out")
    return str(call.fields.get("type", "")).rpartition(".")[2] if ended else ""


def _why_gone(ask: Asking) -> str:
    """Why a completed call has no result to serve."""
    unstored = ask.call.fields.get("unstored")
    found = ask.attempt.used.gone.get(ask.call.id)
    if found is not None:
        return f"{found[0].upper()}{found[1:]}"
    if isinstance(unstored, str):
        return f"Its result could not be stored: {unstored}."
    return "What the store holds of it is damaged or missing: nbdurable fsck names it."


def _other_writes(attempt: Attempt, call: CallPast) -> tuple[str, ...]:
    history, slot = attempt.home.history, attempt.step.slot
    reset = history.slot(slot).reset
    return tuple(
        c.text
        for c in history.calls.values()
        if c.slot == slot
        and in_the_world(c)
        and c.id != call.id
        and reset is not None
        and c.ended_order < reset
    )
