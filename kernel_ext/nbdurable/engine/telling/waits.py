"""What people read of a call that waits. Pure."""

from __future__ import annotations

from nbdurable.engine.past import settle
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.waits import Wait, Waiting, WaitKind, wait_of, waiting
from nbdurable.engine.values.plainly import visible
from nbdurable.engine.where.moments import Now, local, moment

HERE = "%durable"
"""How a command begins in a notebook. One that sends a signal is typed at a shell."""


def waits_for(wait: Wait) -> str:
    """What is waited for, after the word «waits».

    Example:
        >>> waits_for(Wait(kind=WaitKind.APPROVAL, text="Send this?"))
        'for a yes or no: Send this?'
    """
    text = visible(wait.text, lines=False)
    told = {
        WaitKind.APPROVAL: f"for a yes or no: {text}",
        WaitKind.QUESTION: f"for an answer: {text}",
        WaitKind.SIGNAL: f"for {text!r}, which somebody has to send",
        WaitKind.TIMER: f"for its time: {text}",
    }
    return told[wait.kind]


def until(wait: Wait, now: Now) -> str:
    """How long at most, for the end of such a line; "" for ever."""
    return f", until {moment(wait.deadline_us, now)}" if wait.deadline_us else ""


def typed(asked: Waiting) -> tuple[tuple[str, str], ...]:
    """Pairs of an answer and the command that gives it, as it is typed in a notebook."""
    signal = asked.wait.kind is WaitKind.SIGNAL
    program = "nbdurable" if signal else HERE
    return tuple((means, f"{program} {rest}") for means, rest in asked.replies)


def answer_by(asked: Waiting) -> str:
    """The command that answers, as it is typed in a notebook; "" if nobody answers."""
    signal = asked.wait.kind is WaitKind.SIGNAL
    command = asked.command if signal else asked.command.replace("nbdurable", HERE, 1)
    no = " (or --no)" if command and asked.wait.kind is WaitKind.APPROVAL else ""
    return f"{command}{no}"


def answered(wait: Wait, answer: str, by: str, at_us: int, now: Now) -> str:
    """How a question ended, for the place where it was asked.

    Args:
        wait: The question.
        answer: What was answered, as text.
        by: Who answered, or "".
        at_us: When, microseconds since 1970 UTC.
        now: The present.
    """
    said = {"True": "yes", "False": "no"}.get(answer, answer)
    who = f", {visible(by, lines=False)}" if by else ""
    return (
        f"{_asked(wait)} · {visible(said, lines=False)}{who}, {local(at_us, now):%H:%M}"
    )


def unanswered(wait: Wait, how: str) -> str:
    """The same, where no answer came."""
    return f"{_asked(wait)} · {how}"


def _asked(wait: Wait) -> str:
    return visible(wait.text, lines=False)


def call_waits(history: History, call: CallPast, now: Now) -> str:
    """Why a call waits, since when, and how it is answered; "" for one that doesn't."""
    wait = wait_of(call)
    if wait is None:
        return ""
    since = f"since {moment(call.started_us, now)}{until(wait, now)}"
    mine = [asked for asked in waiting(history) if asked.call.id == call.id]
    how = "".join(map(_how, mine))
    return f"waits {waits_for(wait)} ({since}){how and ' · '}{how}"


def _how(asked: Waiting) -> str:
    """How it is answered, or that it is."""
    answered = "answered: it goes on when its cell runs"
    return answered if asked.answered else answer_by(asked)


def of_step(history: History, step: StepPast) -> list[Waiting]:
    """What an attempt waits for now."""
    return [asked for asked in waiting(history) if asked.call.step == step.id]


def is_answered(history: History, step: StepPast) -> bool:
    """Whether an attempt has all that it waits for or asked: it goes on when its cell runs."""
    waits = of_step(history, step)
    if not all(asked.answered for asked in waits):
        return False
    asks = bool(waits) and not settle.asked(history, step)
    return asks or settle.answered(history, step)


def step_waits(history: History, step: StepPast) -> str:
    """What an attempt waits for, and how that is answered; "" for nothing."""
    found = of_step(history, step)
    if not found:
        return ""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    how = _how(found[0])
    told = f"{found[0].reference} waits {waits_for(found[0].wait)}{more}"
    return f"{told}{how and ' · '}{how}"


def parked(history: History, step: StepPast) -> str:
    """What an attempt that was interrupted goes on waiting for; "" for nothing."""
    told = step_waits(history, step)
    return told and f"{told} · run this cell again and it goes on waiting"
