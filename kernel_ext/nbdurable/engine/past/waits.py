"""What a run waits for: answers, signals and moments, folded from the history. Pure.

Theory of operation. A wait is a call of kind `approval`, `question`, `signal` or
`timer`. Its ``call.started`` says what is waited for, and until when. Whoever answers
appends one ``signal.sent``; the call that waits takes the first one that fits, in the
order of the journal, and its ``call.completed`` names it. So there is one definition of
who came first, wherever the answers come from.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Self

from nbdurable.engine.identity import keys
from nbdurable.engine.past import fields
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pasts import CallPast, CallState, SignalPast
from nbdurable.engine.past.tally import number_of
from nbdurable_store.records import Plain

CHOICES_MAX: Final = 8
"""Choices whose commands are shown; of more, a person types the one they mean."""


class WaitKind(StrEnum):
    """What is waited for; also the kind of the call."""

    APPROVAL = "approval"
    QUESTION = "question"
    SIGNAL = "signal"
    TIMER = "timer"


class AnswerKind(StrEnum):
    """What an answer, or one field of it, has to be."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    YES_NO = "yes-no"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What a call waits for.

    Attributes:
        kind: What is waited for.
        text: The question, the name of the signal, or the moment, as people read it.
        answer: What the answer has to be, where it is no form.
        choices: The answers that there are; empty if any is one.
        form: What each field of the answer has to be; empty if it has no fields.
        preview: What was shown with the question, as text, 2 kB at most.
        deadline_us: When the wait ends by itself, microseconds since 1970 UTC; 0: never.
    """

    kind: WaitKind
    text: str
    answer: AnswerKind = AnswerKind.ANY
    choices: tuple[str, ...] = ()
    form: Mapping[str, AnswerKind] = field(default_factory=dict)
    preview: str = ""
    deadline_us: int = 0

    def until(self, deadline_us: int) -> Self:
        """The same, ending then."""
        return replace(self, deadline_us=deadline_us)

    def plain(self) -> dict[str, Plain]:
        """As the ``wait`` of a ``call.started``."""
        said: dict[str, Plain] = {"kind": self.kind.value, "text": self.text}
        more: dict[str, Plain] = {
            "answer": "" if self.answer is AnswerKind.ANY else self.answer.value,
            "choices": list(self.choices),
            "form": {name: kind.value for name, kind in self.form.items()},
            "preview": self.preview,
            "deadline_us": self.deadline_us,
        }
        return said | {name: value for name, value in more.items() if value}


def read(wait: fields.Fields) -> Wait | None:
    """What a ``call.started`` says that it waits for; None if that isn't known here.

    Example:
        >>> read({"kind": "signal", "text": "paid"}).kind.value
        'signal'
        >>> read({"kind": "tide"}) is None
        True
    """
    kind = fields.text(wait, "kind")
    if kind not in {*WaitKind}:
        return None
    form = {k: _kind(v) for k, v in fields.mapping(wait, "form").items()}
    return Wait(
        kind=WaitKind(kind),
        text=fields.text(wait, "text"),
        answer=_kind(wait.get("answer")),
        choices=fields.texts(wait, "choices"),
        form=form,
        preview=fields.text(wait, "preview"),
        deadline_us=fields.number(wait, "deadline_us"),
    )


def _kind(said: object) -> AnswerKind:
    if isinstance(said, str) and said in {*AnswerKind}:
        return AnswerKind(said)
    return AnswerKind.ANY


_FITS: Final[Mapping[AnswerKind, Callable[[object], bool]]] = {
    AnswerKind.ANY: lambda _: True,
    AnswerKind.TEXT: lambda v: isinstance(v, str),
    AnswerKind.NUMBER: lambda v: (
        isinstance(v, (int, float)) and not isinstance(v, bool)
    ),
    AnswerKind.INTEGER: lambda v: isinstance(v, int) and not isinstance(v, bool),
    AnswerKind.YES_NO: lambda v: isinstance(v, bool),
}


def misfit(wait: Wait, value: object) -> str:
    """Why this is no answer to what is waited for; "" if it is one.

    Example:
        >>> misfit(Wait(kind=WaitKind.QUESTION, text="?", choices=("a", "b")), "c")
        'it is none of a, b'
    """
    if wait.choices:
        told = ", ".join(wait.choices)
        return "" if value in wait.choices else f"it is none of {told}"
    if not wait.form:
        return "" if _FITS[wait.answer](value) else f"it is no {_NAMES[wait.answer]}"
    if not isinstance(value, Mapping) or set(value) != set(wait.form):
        return f"it has to have the fields {', '.join(wait.form)}"
    wrong = (n for n, kind in wait.form.items() if not _FITS[kind](value[n]))
    first = next(wrong, None)
    return "" if first is None else f"{first} is no {_NAMES[wait.form[first]]}"


_NAMES: Final = {
    AnswerKind.ANY: "value",
    AnswerKind.TEXT: "text",
    AnswerKind.NUMBER: "number",
    AnswerKind.INTEGER: "whole number",
    AnswerKind.YES_NO: "yes or no",
}


_EXAMPLES: Final[Mapping[AnswerKind, str]] = {
    AnswerKind.ANY: "None",
    AnswerKind.TEXT: '"…"',
    AnswerKind.NUMBER: "0.0",
    AnswerKind.INTEGER: "0",
    AnswerKind.YES_NO: "True",
}
"""What stands in a form that somebody is to fill in."""


def _example(wait: Wait) -> str:
    """A form to fill in, in the quotes that a shell leaves alone."""
    told = (f'"{name}": {_EXAMPLES[kind]}' for name, kind in wait.form.items())
    return f"{{{', '.join(told)}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A call that waits.

    Attributes:
        call: The call.
        wait: What it waits for.
        step: Name of its step.
        number: Its number in the step.
        run: Id of the run that asks: a fork asks the questions of its parent anew.
        answered: Whether what it waits for is there, and its cell has not taken it yet.
    """

    call: CallPast
    wait: Wait
    step: str
    number: str
    run: str
    answered: bool = False

    @property
    def reference(self) -> str:
        """STEP.CALL."""
        return f"{self.step}.{self.number}"

    @property
    def shown(self) -> str:
        """Short digest of the question, with what is shown with it."""
        call = self.call
        preview = self.wait.preview if call.undigestible else ""
        return keys.shown_digest(self.run, call.id, call.key, preview)

    @property
    def asked(self) -> str:
        """STEP.CALL@DIGEST: this question, and none that takes its place."""
        return f"{self.reference}@{self.shown}"

    @property
    def command(self) -> str:
        """What to type to answer, outside the notebook; "" for what nobody answers."""
        first = self.replies[0][1] if self.replies else ""
        if first and self.wait.kind is WaitKind.QUESTION:
            first = f"answer {self.asked} VALUE"
        return first and f"nbdurable {first}"

    @property
    def replies(self) -> tuple[tuple[str, str], ...]:
        """Pairs of an answer and what to type for it, behind the program's name."""
        wait, named = self.wait, self.asked
        if self.answered:
            return ()
        if wait.kind is WaitKind.APPROVAL:
            return ("yes", f"approve {named}"), ("no", f"approve {named} --no")
        if wait.kind is WaitKind.SIGNAL:
            return (("send it", f"send {shlex.quote(wait.text)} VALUE"),)
        if wait.kind is WaitKind.TIMER:
            return ()
        offered = [(c, shlex.quote(c)) for c in wait.choices[:CHOICES_MAX]]
        if not offered and wait.answer is AnswerKind.YES_NO:
            offered = [("yes", "yes"), ("no", "no")]
        if not offered:
            offered = [
                ("answer", shlex.quote(_example(wait)) if wait.form else "VALUE")
            ]
        return tuple((means, f"answer {named} {value}") for means, value in offered)


def waiting(history: History) -> list[Waiting]:
    """The calls of a run that wait now, oldest first.

    One of a slot whose latest attempt is another one isn't asked any more.
    """
    found: list[Waiting] = []
    there: set[str] = set()  # two waits for one name need two signals
    for call in history.calls.values():
        wait = wait_of(call) if call.wait else None
        step = history.steps.get(call.step) if wait else None
        if wait is None or step is None or not is_open(history, call):
            continue
        number = number_of(history, call) or str(call.number)
        sent = (s.id for s in signals_for(history, call, wait) if s.id not in there)
        signal = next(sent, "")
        there.add(signal)
        found.append(
            Waiting(
                call=call,
                wait=wait,
                step=step.name,
                number=number,
                run=history.run,
                answered=bool(signal),
            )
        )
    return found


def wait_of(call: CallPast) -> Wait | None:
    """What a call waits for, or waited for; None for any other call."""
    return read(call.wait) if call.wait else None


def is_parked(call: CallPast) -> bool:
    """Whether a wait has no end yet."""
    return call.state in {CallState.STARTED, CallState.INTERRUPTED}


def is_open(history: History, call: CallPast) -> bool:
    """Whether somebody still waits: interrupted and killed waits go on later."""
    latest = history.latest(call.slot)
    return is_parked(call) and latest is not None and latest.id == call.step


def signals_for(history: History, call: CallPast, wait: Wait) -> Iterator[SignalPast]:
    """What was sent to this call, or under the name it waits for, and isn't taken."""
    if not history.signals:
        return
    every = (e for c in history.calls.values() for e in (c, *c.earlier))
    taken = {fields.text(each.fields, "took") for each in every}
    for signal in history.signals.values():
        named = wait.kind is WaitKind.SIGNAL and signal.name == wait.text
        meant = signal.to == call.id or (named and not signal.to)
        if meant and signal.id not in taken:
            yield signal
