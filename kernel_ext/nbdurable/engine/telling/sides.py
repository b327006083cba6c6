"""What a person means by the two sides of ``diff``. Pure.

A name is the latest attempt of that step, ``review@1`` its first attempt, and a number is
a run. One side alone is compared with what was before it: an attempt with the attempt
before, a run with the present one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.history import History
from nbdurable.engine.telling import reference
from nbdurable.errors import DurableError, ReferenceUnknown, Remedy

COMMAND: Final = "%durable diff"

LEAST: Final = 2
"""Attempts that can be compared."""

_ATTEMPT: Final = re.compile(r"(?P<step>.+)@(?P<number>\d+)")
_RUN: Final = re.compile(r"(.*:)?\d+|[0-9a-f]{8,}")


@dataclass(kw_only=True, eq=False)
class NothingBefore(DurableError):
    """A step with one attempt, or the present run, has nothing to be compared with.

    Attributes:
        step: Its name; of a run, what people call it.
        attempt: The number of its attempt; 0 of a run.
    """

    slug: ClassVar[str] = "nothing-before"
    step: str
    attempt: int = 1

    def fact(self) -> str:
        """What there is."""
        if not self.attempt:
            return f"{self.step} is the latest run, with which it would be compared."
        return (
            f"{self.step} ran once, so there is no attempt before it to compare with."
        )

    def detail(self) -> str:
        """What was not done, and where its variables are."""
        if not self.attempt:
            return "Nothing was compared."
        return (
            "Nothing was compared. A replay and `%durable back` are no attempts: the step is\n"
            f"recorded as it ran, as {self.step}@{self.attempt}."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """What can be compared, and what can be seen."""
        if not self.attempt:
            return (
                Remedy("with another run", f"{COMMAND} OTHER {self.step.split()[-1]}"),
                Remedy("list them", "nbdurable runs"),
            )
        return (
            Remedy("with another step", f"{COMMAND} {self.step} OTHER"),
            Remedy("what became of it", f"%durable why {self.step}"),
        )


@dataclass(frozen=True, slots=True)
class Side:
    """One side: a run, or an attempt in it.

    Attributes:
        label: What it is called: ``review@2``, ``run 3``.
        history: The run.
        steps: The attempts to compare, in order.
        whole: Whether the whole run is meant.
    """

    label: str
    history: History
    steps: tuple[StepPast, ...]
    whole: bool = False


HistoryOf = Callable[[str], History]
"""Finds a run by its number or id."""


def sides(history: History, old: str, new: str, run: HistoryOf) -> tuple[Side, Side]:
    """The two sides, as they were typed.

    Args:
        history: The present run.
        old: The first word; "" for the last step.
        new: The second word, or "".
        run: How another run is found.

    Raises:
        ReferenceUnknown: There is no such step or attempt.
        RunUnknown: There is no such run.
    """
    first = _side(history, old, run)
    if new:
        return first, _side(history, new, run)
    if first.whole:
        if first.history.run == history.run:
            raise NothingBefore(step=first.label, attempt=0)
        older, newer = sorted((first, _whole(history)), key=_opened_us)
        return older, newer
    (step,) = first.steps
    earlier = before(history, step)
    if earlier is None:
        return _two_latest(history, step)
    return _attempt(history, earlier), first


def _opened_us(side: Side) -> int:
    opened = side.history.opened
    return opened.at_us if opened is not None else 0


def _two_latest(history: History, step: StepPast) -> tuple[Side, Side]:
    """Of a first attempt that was replayed last: those two that were executed last."""
    attempts = sorted(history.attempts(step.slot), key=lambda s: s.attempt)
    by_number = {s.attempt: s for s in attempts}
    if len(by_number) < LEAST:
        raise NothingBefore(step=step.name, attempt=step.attempt)
    older, newer = sorted(by_number)[-LEAST:]
    return _attempt(history, by_number[older]), _attempt(history, by_number[newer])


def _side(history: History, text: str, run: HistoryOf) -> Side:
    if _RUN.fullmatch(text) and history.named(text) is None:
        return _whole(run(text))
    found = _ATTEMPT.fullmatch(text)
    if found is None or history.named(text) is not None:
        return _attempt(history, reference.find_step(history, text, COMMAND))
    latest = reference.find_step(history, found["step"], COMMAND)
    attempts = {s.attempt: s for s in history.attempts(latest.slot)}
    wanted = attempts.get(int(found["number"]))
    if wanted is None:
        raise ReferenceUnknown(
            given=f"attempt {text}",
            nearest=f"{COMMAND} {latest.name}@{latest.attempt}",
            known=tuple(f"{latest.name}@{n}" for n in sorted(attempts)),
        )
    return _attempt(history, wanted)


def _attempt(history: History, step: StepPast) -> Side:
    return Side(f"{step.name}@{step.attempt}", history, (step,))


def before(history: History, step: StepPast) -> StepPast | None:
    """The attempt of the same slot before this one, if any."""
    earlier = (s for s in history.attempts(step.slot) if s.attempt < step.attempt)
    return max(earlier, key=lambda s: s.attempt, default=None)


def _whole(history: History) -> Side:
    number = fields.number(history.opened.fields, "number", 1) if history.opened else 1
    latest = [s for slot in history.slots if (s := history.latest(slot)) is not None]
    steps = {s.name: s for s in sorted(latest, key=lambda s: s.order)}
    return Side(f"run {number}", history, tuple(steps.values()), whole=True)
