"""What a person answers about a call, as records. Pure.

`answer` is the one table of answers: which answer to which question becomes which
record. The shell, the command line and the timeline append what it returns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nbdurable.engine.identity import keys
from nbdurable.engine.past import fields
from nbdurable.engine.past.belonging import Standing, standing_of
from nbdurable.engine.past.circumstances import in_doubt
from nbdurable.engine.past.decide import DOUBTFUL, OTHERS, Past
from nbdurable.engine.past.edits import edited
from nbdurable.engine.past.history import CallPast, CallState, History, StepPast
from nbdurable.engine.past.holding import differ_field
from nbdurable.engine.past.nothing import NothingToSettle
from nbdurable.engine.past.said import state_of
from nbdurable.engine.past.tally import number_of
from nbdurable_store.records import BlobRef, Kind, Plain, Record

_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,99}")


class Answer(StrEnum):
    """What a person says of a call."""

    HAPPENED = "happened"
    DID_NOT = "did-not"
    KEEP = "keep"
    AGAIN = "again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A call that somebody has to decide about.

    Attributes:
        call: The call.
        slot: The slot in which the question came up.
        step: Name of the step in which it came up.
        number: The call's number there, such as ``2`` or ``2.1``.
        run: Id of the run in which it came up.
        past: What the journal held of it, or None for a call in doubt not asked about.
    """

    call: CallPast
    slot: str
    step: str
    number: str
    run: str
    past: Past | None = None

    @property
    def reference(self) -> str:
        """STEP.CALL."""
        return f"{self.step}.{self.number}"

    @property
    def shown(self) -> str:
        """Short digest of what is asked."""
        return shown(self.run, self.slot, self.call, self.past)

    @property
    def asked(self) -> str:
        """STEP.CALL@DIGEST: this question, and none that takes its place."""
        return f"{self.reference}@{self.shown}"

    @property
    def afresh(self) -> str:
        """STEP.CALL@DIGEST of the call as one that a rerun makes anew; "" if none can."""
        if not can_be_afresh(self.call):
            return ""
        return f"{self.reference}@{rerun_shown(self.run, self.call)}"


def shown(run: str, slot: str, call: CallPast, past: Past | None = None) -> str:
    """Short digest of a question.

    Args:
        run: Id of the run that asks.
        slot: The slot in which it is asked.
        call: The recorded call that it is asked about.
        past: What the journal held of it, or None for a call in doubt.
    """
    said = Past.IN_DOUBT if past is None or past in DOUBTFUL else past
    return keys.asked_digest(run, slot, call.id, call.attempts, said.name)


def can_be_afresh(call: CallPast) -> bool:
    """Whether it has an outcome that a rerun of it would serve no more."""
    return call.finished and call.resolved not in _TO_BE_MADE


def rerun_shown(run: str, call: CallPast) -> str:
    """Short digest of a call that is to be made afresh."""
    return keys.asked_digest(run, call.slot, call.id, call.attempts, "rerun")


_TO_BE_MADE: Final = {"afresh", "again", "did-not", "undone"}
"""How a call was settled that is made when it comes next."""


def questions(history: History) -> list[Question]:
    """What waits for an answer: per slot, what its latest attempt asked, and doubts."""
    found: list[Question] = []
    for slot in history.slots:
        latest = history.latest(slot)
        found += asked(history, latest) if latest else ()
    known = {question.call.id for question in found}
    for call in history.calls.values():
        if call.id not in known and in_doubt(history, call):
            step = history.steps[call.step]
            number = number_of(history, call)
            found.append(
                Question(
                    call=call,
                    slot=call.slot,
                    step=step.name,
                    number=number,
                    run=history.run,
                )
            )
    return found


def asked(history: History, step: StepPast) -> list[Question]:
    """What an attempt asked and nobody has answered."""
    about = {"slot": step.slot, "step": step.name, "run": history.run}
    return [
        Question(call=call, past=past, number=number, **about)
        for number, call, past in _asked(history, step)
        if not _answered(history, step, number, call, past)
    ]


def answered(history: History, step: StepPast) -> bool:
    """Whether an attempt that was paused asked, and everything is answered by now."""
    known = list(_asked(history, step))
    if not known or len(known) < len(fields.mapping(step.fields, "asked")):
        return False
    return all(_answered(history, step, *asked) for asked in known)


def _asked(history: History, step: StepPast) -> Iterator[tuple[str, CallPast, Past]]:
    for number, said in fields.mapping(step.fields, "asked").items():
        pair = said if isinstance(said, (list, tuple)) else ()
        call_id, past = map(str, pair if len(pair) == 2 else ("", ""))
        call = history.calls.get(call_id)
        if call and _NUMBER.fullmatch(number) and past in Past.__members__:
            yield number, call, Past[past]


def _answered(
    history: History, step: StepPast, number: str, call: CallPast, past: Past
) -> bool:
    apart = (step.slot, call.id) in history.apart
    reset = past is Past.AFRESH and history.slot(step.slot).kept_writes is not None
    said = history.answers.get((step.slot, call.name, past.name))
    if past is Past.OTHER_IN_DOUBT:
        others = history.others.get((step.slot, call.name), ())
        alike = (o.said for o in others if (o.doubt, o.number) == (call.id, number))
        said = max(alike, key=lambda it: it.order, default=None)
    kept = history.kept_tools.get((step.slot, call.name))
    latest = kept if past is Past.EDITED else said
    orders = [call.ended_order, *([latest.order] if latest else [])]
    elsewhere = past is Past.ELSEWHERE
    adopted = elsewhere and call.slot == step.slot and bool(call.adopted_from)
    # In a fork the call mostly stands in its own slot: keeping it makes it the fork's.
    adopted |= past is Past.FORKED and call.id not in history.forked
    return apart or reset or adopted or max(orders) > step.ended_order


def answer(
    history: History,
    question: Question,
    said: Answer,
    *,
    at_us: int,
    value: BlobRef | None = None,
) -> tuple[Record, ...]:
    """The records of an answer.

    Args:
        history: The fold of the run.
        question: What was asked.
        said: What was answered.
        at_us: Wall clock, microseconds since 1970 UTC.
        value: What the call returned, if it happened.

    Raises:
        NothingToSettle: The answer doesn't fit the question.
    """
    past = question.past or Past.IN_DOUBT
    made = _RECORDS.get((past, said))
    if made is None or (may_be_taken_back(question.call) and said in _NOT_THERE):
        raise _misfit(question, past)
    if past in _STRANGERS and said is Answer.KEEP and _was_edited(history, question):
        made = (*made, (Kind.CALL_KEPT, {}))
    if past is Past.AFRESH and question.call.resolved == "afresh":
        made = _CALL_AFRESH[said]
    asking = history.latest(question.slot)
    source = asking.source if asking else ""
    records = []
    for kind, more in made:
        plain: dict[str, Plain] = {"slot": question.slot, "tool": question.call.name}
        plain |= {"from": question.call.slot} if kind is Kind.CALL_ADOPTED else {}
        plain |= {k: source if v is _SOURCE else v for k, v in more.items()}
        plain |= _asked_beside(asking, question, past, kind)
        for call in _alike(history, question) if more == _AGAIN[1] else [question.call]:
            record = Record(
                kind=kind,
                run=history.run,
                step=call.step,
                subject=call.id,
                key=call.key,
                at_us=at_us,
                fields={**plain, "by": "person"},
                blobs=(value,) if value is not None else (),
            )
            records.append(record)
    return tuple(records)


def _was_edited(history: History, question: Question) -> bool:
    """Whether the question said that the tool was edited, too: one answer is enough."""
    asking = history.latest(question.slot)
    known = fields.texts(asking.fields, "edited") if asking else ()
    return question.number in known


def _asked_beside(
    asking: StepPast | None, question: Question, past: Past, kind: Kind
) -> dict[str, Plain]:
    """The call beside which one was asked about: the answer holds for that one.

    Or for those that differ from records in what that one did.
    """
    beside = fields.mapping(asking.fields, "doubted") if asking else {}
    differ = differ_field(question.call, beside, question.number)
    if past is not Past.OTHER_IN_DOUBT:
        return differ if kind in {Kind.CALL_KEPT, Kind.STEP_RESET} else {}
    marks = beside.get(question.number)
    known = {"marks": marks} if isinstance(marks, Mapping) else {}
    return {"number": question.number, **known, **differ}


def _misfit(question: Question, past: Past) -> NothingToSettle:
    settled = question.call.resolved
    fitting = (OPTIONS[said] for said in Answer if fits(past, said) and not settled)
    return NothingToSettle(
        reference=question.asked,
        call=question.call.text,
        state=state_of(question.call) if settled else _asks(past),
        fitting=tuple(fitting),
        afresh=question.afresh,
    )


def _asks(past: Past) -> str:
    """What is asked about a call, as a part of a sentence about it."""
    return (
        "asked about beside another call of the tool" if past in OTHERS else past.value
    )


def may_be_taken_back(call: CallPast) -> bool:
    """Whether it was said that it did not happen, and it was not made since."""
    return call.state is not CallState.COMPLETED and call.resolved in _MADE_ANEW


def _alike(history: History, question: Question) -> list[CallPast]:
    """The calls that an answer holds for: an edited tool is asked about once.

    Not for those that another cell has still, where it came up in a new one.
    """
    asked = question.call
    if question.past is not Past.EDITED:
        return [asked]
    same = (asked.slot, asked.name, asked.code)
    here = question.slot
    return [
        call
        for call in history.calls.values()
        if (call.slot, call.name, call.code) == same
        and not (call.marks and asked.marks and edited(call.marks, asked.marks))
        and call.state is CallState.COMPLETED
        and (call.resolved != "happened" or call.id == asked.id)
        and (call.id == asked.id or standing_of(history, call, here, {}) in _OPEN)
    ]


_OPEN: Final = {Standing.OWN, Standing.FREE}

_STRANGERS: Final = {Past.ELSEWHERE, Past.FORKED}
"""What is asked of a call before it is asked whether its tool was edited."""

_MADE_ANEW: Final = {"did-not", "again", "dropped"}
_NOT_THERE: Final = {Answer.DID_NOT, Answer.KEEP, Answer.AGAIN}

OPTIONS: Final[Mapping[Answer, str]] = {
    Answer.HAPPENED: "--happened VALUE",
    Answer.DID_NOT: "--did-not",
    Answer.KEEP: "--keep",
    Answer.AGAIN: "--again",
}

_Made = tuple[Kind, Mapping[str, Plain]]

_SOURCE: Final = "source of the cell"
"""Stands for the digest of the cell's source in the fields below."""


def _remember(past: Past, how: str) -> _Made:
    """The answer holds for the cell and the tool until the cell's source is edited."""
    return Kind.CALL_KEPT, {"past": past.name, "how": how, "source": _SOURCE}


_HAPPENED: _Made = (Kind.CALL_RESOLVED, {"how": "happened"})
_DID_NOT: _Made = (Kind.CALL_RESOLVED, {"how": "did-not"})
_AGAIN: _Made = (Kind.CALL_RESOLVED, {"how": "again"})
_KEEP: _Made = (Kind.CALL_RESOLVED, {"how": "keep"})
_APART: _Made = (Kind.CALL_RESOLVED, {"how": "apart"})
_STANDS_IN: _Made = (Kind.CALL_RESOLVED, {"how": "happened", "instead": _SOURCE})
_ADOPTED: _Made = (Kind.CALL_ADOPTED, {})

_RECORDS: Mapping[tuple[Past, Answer], tuple[_Made, ...]] = {
    (Past.IN_DOUBT, Answer.HAPPENED): (_HAPPENED,),
    (Past.IN_DOUBT, Answer.DID_NOT): (_DID_NOT,),
    (Past.IN_DOUBT, Answer.AGAIN): (_AGAIN,),
    (Past.RAISED_FATAL, Answer.HAPPENED): (_HAPPENED,),
    (Past.RAISED_FATAL, Answer.DID_NOT): (_DID_NOT,),
    (Past.RAISED_FATAL, Answer.AGAIN): (_AGAIN,),
    (Past.UNRECOVERABLE, Answer.HAPPENED): (_HAPPENED,),
    (Past.UNRECOVERABLE, Answer.AGAIN): (_AGAIN,),
    (Past.EDITED, Answer.KEEP): ((Kind.CALL_KEPT, {}),),
    (Past.EDITED, Answer.AGAIN): (_AGAIN,),
    (Past.EMPTIED, Answer.KEEP): (_KEEP,),
    (Past.EMPTIED, Answer.AGAIN): (_AGAIN,),
    (Past.ELSEWHERE, Answer.KEEP): (_ADOPTED, _remember(Past.ELSEWHERE, "keep")),
    (Past.ELSEWHERE, Answer.AGAIN): (_APART, _remember(Past.ELSEWHERE, "again")),
    (Past.FORKED, Answer.KEEP): (_ADOPTED, _remember(Past.FORKED, "keep")),
    (Past.FORKED, Answer.AGAIN): (_APART, _remember(Past.FORKED, "again")),
    (Past.AFRESH, Answer.KEEP): ((Kind.STEP_RESET, {"writes": "keep"}),),
    (Past.AFRESH, Answer.AGAIN): ((Kind.STEP_RESET, {"writes": "again"}),),
    (Past.UNDIGESTIBLE_TWIN, Answer.KEEP): (_KEEP,),
    (Past.UNDIGESTIBLE_TWIN, Answer.AGAIN): (_AGAIN,),
    (Past.REKEYED, Answer.KEEP): (_KEEP,),
    (Past.REKEYED, Answer.AGAIN): (_AGAIN,),
    (Past.STOOD_IN, Answer.KEEP): (
        _remember(Past.STOOD_IN, "keep"),
        _remember(Past.INSTEAD, "again"),
    ),
    (Past.STOOD_IN, Answer.AGAIN): (_APART,),
    (Past.NEW_DATA, Answer.KEEP): (_remember(Past.NEW_DATA, "keep"),),
    (Past.NEW_DATA, Answer.AGAIN): (_remember(Past.NEW_DATA, "again"),),
    (Past.OTHER_IN_DOUBT, Answer.HAPPENED): (_STANDS_IN,),
    (Past.OTHER_IN_DOUBT, Answer.DID_NOT): (_DID_NOT,),
    (Past.OTHER_IN_DOUBT, Answer.AGAIN): (_remember(Past.OTHER_IN_DOUBT, "again"),),
    (Past.EARLIER_TRY, Answer.KEEP): (_remember(Past.EARLIER_TRY, "keep"),),
    (Past.EARLIER_TRY, Answer.AGAIN): (_remember(Past.EARLIER_TRY, "again"),),
    (Past.REPLACED, Answer.KEEP): (_remember(Past.REPLACED, "keep"),),
    (Past.REPLACED, Answer.AGAIN): (_remember(Past.REPLACED, "again"),),
    (Past.INSTEAD, Answer.KEEP): (_remember(Past.INSTEAD, "keep"),),
    (Past.INSTEAD, Answer.AGAIN): (_remember(Past.INSTEAD, "again"),),
}
"""The answers: (what was asked, what was said) to the records that say so."""

_CALL_AFRESH: Final[Mapping[Answer, tuple[_Made, ...]]] = {
    Answer.KEEP: (_KEEP, _remember(Past.EARLIER_TRY, "keep")),
    Answer.AGAIN: (_AGAIN,),
}
"""The same, where a rerun of one call was asked for; it may have fresh arguments."""


def fits(past: Past, said: Answer) -> bool:
    """Whether this is an answer to what is asked about such a call."""
    return (past, said) in _RECORDS


def offered(past: Past | None) -> tuple[Answer, ...]:
    """The answers that are shown: of a doubt it is said what became of it."""
    asked = past or Past.IN_DOUBT
    doubt = asked in {Past.IN_DOUBT, Past.RAISED_FATAL}
    fitting = (said for said in Answer if fits(asked, said))
    return tuple(s for s in fitting if not (doubt and s is Answer.AGAIN))
