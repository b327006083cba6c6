"""Answers to what a run waits for, as records for the caller to append.

The kernel, the command line and every front end answer through these. An answer is
written down where it is given; the call that waits takes it, wherever it runs.
"""

from __future__ import annotations

from typing import Final

from nbdurable.engine.asking.commands import OpenRun
from nbdurable.engine.asking.told import Told
from nbdurable.engine.codec import PLAIN, Unstorable, encode
from nbdurable.engine.past import fields
from nbdurable.engine.past.history import CallState, History
from nbdurable.engine.past.said import value_of
from nbdurable.engine.past.waits import (
    AnswerKind,
    Wait,
    Waiting,
    WaitKind,
    misfit,
    signals_for,
    wait_of,
    waiting,
)
from nbdurable.engine.telling import reference
from nbdurable.engine.telling.waits import typed as typed_here
from nbdurable.engine.values import previews
from nbdurable.engine.values.plainly import visible
from nbdurable.engine.waits.pauses import AnswerMisfit, NotWaiting, QuestionUnseen
from nbdurable_store.records import BlobRef, Kind, Record

YES: Final = frozenset({"yes", "y", "true", "1"})
NO: Final = frozenset({"no", "n", "false", "0"})


def find(history: History, text: str, command: str) -> Waiting:
    """The call that is meant by STEP.CALL and waits for an answer; the only one for "".

    Raises:
        NotWaiting: It doesn't wait, or it has its answer.
        ReferenceUnknown: There is no such call.
    """
    open_now = [w for w in waiting(history) if w.wait.kind is not WaitKind.TIMER]
    if not text:
        if len(open_now) != 1:
            raise NotWaiting(
                given="one question", state=f"is meant, {len(open_now)} wait"
            )
        return _unanswered(history, open_now[0])
    wanted = str(reference.parse(text))
    for found in open_now:
        if found.reference == wanted:
            return _unanswered(history, found)
    call = reference.find_call(history, text, command)
    if wait_of(call) is None:
        raise NotWaiting(given=text, state="waits for nobody")
    state = (
        "has its answer"
        if call.state is CallState.COMPLETED
        else "isn't asked any more"
    )
    raise NotWaiting(given=text, state=state)


def _unanswered(history: History, found: Waiting) -> Waiting:
    """The journal's order says who was first: whoever comes later is told so."""
    answered = any(signals_for(history, found.call, found.wait))
    if answered:
        raise NotWaiting(given=found.reference, state="is answered already")
    return found


def seen(history: History, text: str, command: str) -> Waiting:
    """The question that was seen, as STEP.CALL@DIGEST says.

    Raises:
        QuestionUnseen: No digest was given, or another question is asked there now.
        NotWaiting: It doesn't wait, or it has its answer.
        ReferenceUnknown: There is no such call.
    """
    meant, shown = reference.apart(text)
    step = reference.parse(meant).step
    for moved in waiting(history) if shown else ():
        if (moved.step, moved.shown) == (step, shown):
            return _unanswered(history, moved)
    found = find(history, meant, command)
    raise QuestionUnseen(
        given=text.strip() or found.reference,
        changed=bool(shown),
        asked=visible(found.wait.text, lines=False),
        preview=visible(found.wait.preview),
        commands=typed_here(found),
    )


def unanswered(history: History, asked: Waiting) -> Waiting:
    """A question that was shown, if it still waits for an answer.

    Args:
        history: The fold of its run.
        asked: The question as it was shown.

    Raises:
        NotWaiting: It doesn't wait any more, or it has its answer.
    """
    call, shown = asked.call.id, asked.shown
    same = (w for w in waiting(history) if (w.call.id, w.shown) == (call, shown))
    found = next(same, None)
    if found is None:
        raise NotWaiting(given="this question", state="isn't asked any more")
    return _unanswered(history, found)


def must_count(history: History, found: Waiting, signal: str) -> None:
    """An answer counts unless another one, given at the same moment, came first.

    Args:
        history: The fold of the run, read after the answer was appended.
        found: What was answered.
        signal: The id of the answer.

    Raises:
        NotWaiting: Another answer counts.
    """
    call = history.calls[found.call.id]
    counts = fields.text(call.fields, "took")
    if not counts:
        counts = next((s.id for s in signals_for(history, call, found.wait)), signal)
    if counts != signal:
        state = "was answered at the same moment, and that answer came first"
        raise NotWaiting(given=found.reference, state=state)


def answer(
    run: OpenRun, found: Waiting, value: object, *, by: str, via: str, signal: str
) -> tuple[Told, tuple[Record, ...]]:
    """What somebody answers.

    Args:
        run: The run.
        found: What they answer.
        value: The answer.
        by: Their account.
        via: From where: ``cell``, ``command``, ``widget``, ``input``.
        signal: A new id.

    Raises:
        AnswerMisfit: It is none to this question.
    """
    why = misfit(found.wait, value)
    if why:
        raise AnswerMisfit(
            text=found.wait.text,
            reference=found.asked,
            given=previews.value_text(value),
            why=why,
        )
    said = {"to": found.call.id, "name": "", "by": by, "via": via}
    record = _sent(run, signal, said, _kept(run, value, found.reference))
    goes_on = (
        "goes on" if run.executes(found.call) else "goes on when its cell runs again"
    )
    return Told(f"{found.reference} is answered and {goes_on}"), (record,)


def send(
    run: OpenRun, name: str, value: object, *, by: str, via: str, signal: str
) -> tuple[Told, tuple[Record, ...]]:
    """A value under a name, for the next `nd.wait_for` of that name.

    Raises:
        AnswerMisfit: It is no plain data.
    """
    said = {"to": "", "name": run.secrets.scrub(name), "by": by, "via": via}
    record = _sent(run, signal, said, _kept(run, value, name))
    waits = any(
        w.wait.kind is WaitKind.SIGNAL and w.wait.text == said["name"]
        for w in waiting(run.history)
    )
    return Told(f"{name} is sent{'' if waits else ' · nothing waits for it yet'}"), (
        record,
    )


def _sent(run: OpenRun, signal: str, said: dict[str, str], value: BlobRef) -> Record:
    return Record(
        kind=Kind.SIGNAL_SENT,
        run=run.history.run,
        subject=signal,
        at_us=run.clock.now_us(),
        fields=said,
        blobs=(value,),
    )


def _kept(run: OpenRun, value: object, about: str) -> BlobRef:
    try:
        encoded = encode(value, secrets=run.secrets)
    except Unstorable as refused:
        why = refused.reason()
    else:
        if encoded.codec in PLAIN:
            return run.store.put(encoded.codec, encoded.data)
        why = "only plain data can be sent"
    raise AnswerMisfit(
        text=about, reference=about, given=previews.value_text(value), why=why
    )


def typed(wait: Wait, text: str) -> object:
    """An answer as it is typed: yes or no, a number, a form as a literal, else text."""
    if wait.choices or wait.answer is AnswerKind.TEXT:
        return text
    if wait.answer is AnswerKind.YES_NO and text.lower() in YES | NO:
        return text.lower() in YES
    return value_of(text)
