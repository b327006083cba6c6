"""What a person answers about a call, as records. Pure.

`answer` is the one table of answers: which answer to which question becomes which
record. The shell, the command line and the timeline append what it returns.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from nbdurable.engine.past import fields
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.history import CallPast, CallState, History, StepPast
from nbdurable.engine.past.tally import Ledger
from nbdurable.errors import DurableError, Remedy
from nbdurable_store.records import BlobRef, Kind, Plain, Record

_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,99}")


class Answer(StrEnum):
    """What a person says of a call."""

    HAPPENED = "happened"
    DID_NOT = "did-not"
    KEEP = "keep"
    AGAIN = "again"


@dataclass(kw_only=True, eq=False)
class NothingToSettle(DurableError):
    """An answer to a question that nobody asked.

    Attributes:
        reference: STEP.CALL.
        call: The call as people read it.
        state: How it stands.
        answer: What was answered.
    """

    slug: ClassVar[str] = "nothing-to-settle"
    reference: str
    call: str
    state: str
    answer: str

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.reference}, {self.call}, {self.state}: nothing to settle."

    def detail(self) -> str:
        """What was not done."""
        return f"--{self.answer} was not recorded."

    def remedies(self) -> tuple[Remedy, ...]:
        """How to see, and how to begin afresh."""
        step = self.reference.partition(".")[0]
        return (
            Remedy("see how it stands", f"%durable why {self.reference}"),
            Remedy("fresh answers", f"%durable rerun {step}"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A call that somebody has to decide about.

    Attributes:
        call: The call.
        slot: The slot in which the question came up.
        step: Name of the step in which it came up.
        number: The call's number there, such as ``2`` or ``2.1``.
        past: What the journal held of it, or None for a call in doubt not asked about.
    """

    call: CallPast
    slot: str
    step: str
    number: str
    past: Past | None = None

    @property
    def reference(self) -> str:
        """STEP.CALL."""
        return f"{self.step}.{self.number}"


def questions(history: History) -> list[Question]:
    """What waits for an answer: per slot, what its latest attempt asked, and doubts."""
    found: dict[str, Question] = {}
    ledger = Ledger(history)
    for slot in history.slots:
        latest = history.latest(slot)
        for question in asked(history, latest) if latest else ():
            found[question.call.id] = question
    for call in history.calls.values():
        if call.id not in found and in_doubt(history, call):
            step = history.steps[call.step]
            number = ledger.numbered(step).get(call.id, "")
            found[call.id] = Question(
                call=call, slot=call.slot, step=step.name, number=number
            )
    return list(found.values())


def in_doubt(history: History, call: CallPast) -> bool:
    """Whether a write may have happened and nobody has settled it."""
    if call.effect != "write" or call.resolved or call.step not in history.steps:
        return False
    if call.state in {CallState.STARTED, CallState.INTERRUPTED}:
        return True
    raised = call.state is CallState.RAISED and call.blamed
    return raised and not call.fields.get("not_done")


def asked(history: History, step: StepPast) -> list[Question]:
    """What an attempt asked and nobody has answered."""
    found = []
    for number, said in fields.mapping(step.fields, "asked").items():
        pair = said if isinstance(said, (list, tuple)) else ()
        call_id, past = map(str, pair if len(pair) == 2 else ("", ""))
        call = history.calls.get(call_id)
        readable = _NUMBER.fullmatch(number) and past in Past.__members__
        if call is not None and readable and not _answered(history, step, call):
            found.append(
                Question(
                    call=call,
                    slot=step.slot,
                    step=step.name,
                    number=number,
                    past=Past[past],
                )
            )
    return found


def answered(history: History, step: StepPast) -> bool:
    """Whether an attempt that was paused asked, and everything is answered by now."""
    pairs = fields.mapping(step.fields, "asked").values()
    calls = [
        history.calls.get(str(pair[0]))
        for pair in pairs
        if isinstance(pair, (list, tuple)) and len(pair) == 2
    ]
    if not pairs or len(calls) < len(pairs):
        return False
    return all(call is not None and _answered(history, step, call) for call in calls)


def _pasts(step: StepPast, call: CallPast) -> Iterator[str]:
    """As what an attempt asked about a call."""
    for pair in fields.mapping(step.fields, "asked").values():
        if isinstance(pair, (list, tuple)) and len(pair) == 2 and pair[0] == call.id:
            yield str(pair[1])


def _answered(history: History, step: StepPast, call: CallPast) -> bool:
    kept = (step.slot, call.name) in history.kept_tools
    apart = (step.slot, call.id) in history.apart
    reset = history.slot(step.slot).kept_writes is not None
    later = call.ended_order > step.ended_order
    adopted = call.slot == step.slot and bool(call.adopted_from)
    # In a fork the call mostly stands in its own slot: keeping it makes it the fork's.
    forked = Past.FORKED.name in _pasts(step, call) and call.id not in history.forked
    adopted = adopted or forked
    return kept or apart or reset or later or adopted


def answer(
    question: Question,
    said: Answer,
    *,
    run: str,
    at_us: int,
    value: BlobRef | None = None,
) -> tuple[Record, ...]:
    """The records of an answer.

    Args:
        question: What was asked.
        said: What was answered.
        run: Id of the run.
        at_us: Wall clock, microseconds since 1970 UTC.
        value: What the call returned, if it happened.

    Raises:
        NothingToSettle: The answer doesn't fit the question.
    """
    made = _RECORDS.get((question.past or Past.IN_DOUBT, said))
    if made is None:
        raise NothingToSettle(
            reference=question.reference,
            call=question.call.text,
            state="is in doubt" if question.past is None else question.past.value,
            answer=said.value,
        )
    kind, fields = made
    named: dict[str, Plain] = {"slot": question.slot, "tool": question.call.name}
    if kind is Kind.CALL_ADOPTED:
        named["from"] = question.call.slot
    record = Record(
        kind=kind,
        run=run,
        step=question.call.step,
        subject=question.call.id,
        key=question.call.key,
        at_us=at_us,
        fields={**named, **fields, "by": "person"},
        blobs=(value,) if value is not None else (),
    )
    return (record,)


_Made = tuple[Kind, Mapping[str, Plain]]

_HAPPENED: _Made = (Kind.CALL_RESOLVED, {"how": "happened"})
_DID_NOT: _Made = (Kind.CALL_RESOLVED, {"how": "did-not"})
_AGAIN: _Made = (Kind.CALL_RESOLVED, {"how": "again"})

_RECORDS: Mapping[tuple[Past, Answer], _Made] = {
    (Past.IN_DOUBT, Answer.HAPPENED): _HAPPENED,
    (Past.IN_DOUBT, Answer.DID_NOT): _DID_NOT,
    (Past.IN_DOUBT, Answer.AGAIN): _AGAIN,
    (Past.RAISED_FATAL, Answer.HAPPENED): _HAPPENED,
    (Past.RAISED_FATAL, Answer.DID_NOT): _DID_NOT,
    (Past.RAISED_FATAL, Answer.AGAIN): _AGAIN,
    (Past.UNRECOVERABLE, Answer.HAPPENED): _HAPPENED,
    (Past.UNRECOVERABLE, Answer.AGAIN): _AGAIN,
    (Past.EDITED, Answer.KEEP): (Kind.CALL_KEPT, {}),
    (Past.EDITED, Answer.AGAIN): _AGAIN,
    (Past.ELSEWHERE, Answer.KEEP): (Kind.CALL_ADOPTED, {}),
    (Past.ELSEWHERE, Answer.AGAIN): (Kind.CALL_RESOLVED, {"how": "apart"}),
    (Past.FORKED, Answer.KEEP): (Kind.CALL_ADOPTED, {}),
    (Past.FORKED, Answer.AGAIN): (Kind.CALL_RESOLVED, {"how": "apart"}),
    (Past.AFRESH, Answer.KEEP): (Kind.STEP_RESET, {"writes": "keep"}),
    (Past.AFRESH, Answer.AGAIN): (Kind.STEP_RESET, {"writes": "again"}),
    (Past.UNDIGESTIBLE_TWIN, Answer.KEEP): (Kind.CALL_RESOLVED, {"how": "keep"}),
    (Past.UNDIGESTIBLE_TWIN, Answer.AGAIN): _AGAIN,
    (Past.REKEYED, Answer.KEEP): (Kind.CALL_RESOLVED, {"how": "keep"}),
    (Past.REKEYED, Answer.AGAIN): _AGAIN,
}
"""The answers: (what was asked, what was said) to the record that says so."""


def fits(past: Past, said: Answer) -> bool:
    """Whether this is an answer to what is asked about such a call."""
    return (past, said) in _RECORDS


def value_of(text: str) -> object:
    """A value as it is typed after ``--happened``: a Python literal, else text.

    Example:
        >>> value_of("{'id': 7}"), value_of("in_1Q2w")
        ({'id': 7}, 'in_1Q2w')
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
