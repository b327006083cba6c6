"""Which question, or which call, is meant by STEP.CALL@DIGEST.

Two cells may have one name, and an edit moves calls: so a number alone may mean two of
them. Every command that is shown has the digest of what it was shown for. Without it a
number is taken where only one thing can be meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from nbdurable.engine.past import settle
from nbdurable.engine.past.circumstances import in_doubt
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.doubts import may_have_happened
from nbdurable.engine.past.history import CallPast, History, StepPast
from nbdurable.engine.past.meant import means
from nbdurable.engine.past.nothing import NothingToSettle
from nbdurable.engine.past.said import state_of
from nbdurable.engine.past.settle import Question
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.telling import reference
from nbdurable.engine.values.plainly import visible
from nbdurable.errors import DurableError, Remedy

OFFERED_MAX: Final = 3
"""Questions that are shown instead; more are no help."""


@dataclass(kw_only=True, eq=False)
class QuestionUnclear(DurableError):
    """A reference that means several questions, or one that isn't asked any more.

    Attributes:
        given: What was typed.
        changed: Whether it named what was seen, and that is gone.
        open: What is open now, each as people read it.
        commands: Pairs of an answer and what to type for it.
    """

    slug: ClassVar[str] = "question-unclear"
    given: str
    changed: bool
    open: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]

    def fact(self) -> str:
        """One line about what was typed."""
        if self.changed:
            return f"{self.given} isn't what is asked there now."
        return f"{self.given} may be {len(self.open)} calls."

    def detail(self) -> str:
        """What was not done, and what is meant perhaps."""
        return "\n".join(
            ["Nothing was recorded.", *(f"? {told}" for told in self.open)]
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """The commands that name one of them."""
        return tuple(Remedy(means, command) for means, command in self.commands)


def question(history: History, text: str) -> Question:
    """The question that is meant by STEP.CALL@DIGEST.

    Raises:
        QuestionUnclear: Several may be meant, or what was seen isn't asked any more.
        NothingToSettle: Nothing is asked there.
        ReferenceUnknown: There is no such call.
    """
    meant, seen = reference.apart(text)
    wanted = reference.parse(meant)
    asked = settle.questions(history)
    if seen:
        for found in (*asked, *_at_their_places(history)):
            if (found.step, found.shown) == (wanted.step, seen):
                return found
    else:
        named = _once(q for q in _asked_and_open(history) if q.reference == str(wanted))
        if len(named) == 1:
            return named[0]
        if named:
            raise _unclear(text, named, changed=False)
    there = [q for q in asked if q.step == wanted.step] if seen else []
    open_now = there or [_of_call(history, meant)]
    if seen:  # what was seen is none of them: it is never settled by its number
        raise _unclear(text, open_now, changed=True)
    return open_now[0]


def _asked_and_open(history: History) -> Iterator[Question]:
    """All that somebody can answer now: what is asked, and doubts where they stand."""
    yield from settle.questions(history)
    yield from (q for q in _at_their_places(history) if in_doubt(history, q.call))


def _at_their_places(history: History) -> Iterator[Question]:
    """Calls that may have happened, or were said not to have, where they were made."""
    for call in history.calls.values():
        made = call.step in history.steps
        doubt = in_doubt(history, call) or may_have_happened(history, call)
        if made and (doubt or settle.may_be_taken_back(call)):
            yield _placed(history, call)


def _placed(history: History, call: CallPast, past: Past | None = None) -> Question:
    step = history.steps[call.step]
    number = Ledger(history).numbered(step).get(call.id, "")
    return Question(
        call=call,
        slot=call.slot,
        step=step.name,
        number=number,
        run=history.run,
        past=past,
    )


def _once(questions: Iterator[Question]) -> list[Question]:
    found: dict[str, Question] = {}
    for asked in questions:
        found.setdefault(asked.call.id, asked)
    return list(found.values())


def _of_call(history: History, meant: str) -> Question:
    """The question about the call that has this number, if there is one."""
    call = reference.find_call(history, meant, "%durable resolve")
    asked = (q for q in settle.questions(history) if q.call.id == call.id)
    past = next((_where_it_stands(q) for q in asked), None)
    found = _placed(history, call, past)
    if past is None and not (in_doubt(history, call) or settle.may_be_taken_back(call)):
        raise NothingToSettle(
            reference=meant,
            call=call.text,
            state=state_of(call),
            afresh=found.afresh,
        )
    return found


def _where_it_stands(asked: Question) -> Past | None:
    """What a question says of its call, where that stands itself."""
    return Past.IN_DOUBT if asked.past is Past.OTHER_IN_DOUBT else asked.past


def _unclear(text: str, found: list[Question], *, changed: bool) -> QuestionUnclear:
    commands = []
    for asked in found[:OFFERED_MAX]:
        for said in settle.offered(asked.past):
            command = f"%durable resolve {asked.asked} {settle.OPTIONS[said]}"
            commands.append((f"{asked.shown}: {means(asked.past, said)}", command))
    told = (f"{q.asked}  {visible(q.call.text, lines=False)}" for q in found)
    return QuestionUnclear(
        given=text.strip(),
        changed=changed,
        open=tuple(told),
        commands=tuple(commands),
    )


def to_rerun(history: History, text: str) -> StepPast | CallPast:
    """What is meant by ``rerun [STEP[.CALL[@DIGEST]]]``; the last step for "".

    Raises:
        QuestionUnclear: Several calls may be meant, or the one that was seen was made
            since.
        ReferenceUnknown: There is no such step or call.
    """
    command = "%durable rerun"
    meant, seen = reference.apart(text)
    wanted = reference.parse(meant)
    if not wanted.call or (not seen and history.named(meant) is not None):
        return reference.find_step(history, meant, command)
    for call in _made_in(history, wanted.step) if seen else ():
        if settle.rerun_shown(history.run, call) == seen:
            return call
    calls = [*_numbered(history, wanted)]
    calls = calls or [reference.find_call(history, meant, command)]
    if len(calls) > 1 or seen:
        raise _unclear_rerun(history, text, calls, changed=bool(seen))
    return calls[0]


def _made_in(history: History, step: str) -> Iterator[CallPast]:
    """The calls that steps of a name made or were served, in whatever attempt."""
    for attempt in history.steps.values():
        if attempt.name == step:
            yield from history.calls_of(attempt)


def _numbered(history: History, wanted: reference.Reference) -> Iterator[CallPast]:
    """The calls of a number in the latest attempts of all steps of a name."""
    ledger = Ledger(history)
    for slot in history.slots:
        latest = history.latest(slot)
        if latest is not None and latest.name == wanted.step:
            numbers = ledger.numbered(latest).items()
            yield from (history.calls[c] for c, n in numbers if n == wanted.call)


def _unclear_rerun(
    history: History, text: str, calls: list[CallPast], *, changed: bool
) -> QuestionUnclear:
    meant = reference.apart(text)[0]
    named = [(f"{meant}@{settle.rerun_shown(history.run, c)}", c) for c in calls]
    return QuestionUnclear(
        given=text.strip(),
        changed=changed,
        open=tuple(f"{name}  {visible(c.text, lines=False)}" for name, c in named),
        commands=tuple(
            ("make it afresh", f"%durable rerun {name}")
            for name, _ in named[:OFFERED_MAX]
        ),
    )
