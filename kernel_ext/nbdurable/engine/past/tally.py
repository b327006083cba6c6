"""What a step cost and what replay saved. Pure.

Time saved is the time during which at least one of the replayed calls had been running
when it ran: calls that ran side by side are not counted twice. Only calls that the cell
made itself, or in an `nd.step`, are counted as calls; what happened inside them counts as
tokens. An `nd.step` is no call: it counts as those that it holds. A wait is none either:
answers are counted apart, and the time that a person took for one isn't saved.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import fields as members
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypedDict

from nbdurable.engine.past import fields
from nbdurable.engine.past.belonging import went_on
from nbdurable.engine.past.history import CallPast, CallState, History, StepPast
from nbdurable.engine.past.kinds import ANSWERED, UNPAID, WAITS
from nbdurable.engine.past.money import priced, spent, tokens
from nbdurable.engine.past.pasts import HELD, made_by_cell
from nbdurable.engine.where.dollars import NOTHING

Span: TypeAlias = tuple[float, float]
"""Beginning and end, microseconds."""

DEPTH_MAX: Final = 100
"""Calls that are nested deeper have no number; nobody could type it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one or more step attempts did with their calls.

    Attributes:
        served: Calls that were replayed.
        ran: Calls that were executed, whatever their outcome.
        lost: Those of them that have no outcome to be served: they would run again.
        unpaid: Those of the others that nobody is paid for: draws, checkpoints.
        answers: Answers that were given, now or before; their calls are not among those
            above.
        ms: How long the attempts took, milliseconds.
        tokens: Tokens spent by the calls that ran, in and out.
        usd: What those calls cost, US dollars, as far as prices were known.
        priced: Tokens of those whose price is known.
        saved_ms: How long the replayed calls took when they ran, milliseconds.
        saved_tokens: What the replayed calls spent when they ran.
        saved_usd: What they cost then, US dollars, as far as prices were known.
        saved_priced: Tokens of those whose price is known.
    """

    served: int = 0
    ran: int = 0
    lost: int = 0
    unpaid: int = 0
    answers: int = 0
    ms: float = 0.0
    tokens: int = 0
    usd: Decimal = NOTHING
    priced: int = 0
    saved_ms: float = 0.0
    saved_tokens: int = 0
    saved_usd: Decimal = NOTHING
    saved_priced: int = 0

    @property
    def calls(self) -> int:
        """All calls, replayed or not."""
        return self.served + self.ran

    @property
    def unpriced(self) -> int:
        """Tokens spent by the calls whose price isn't known."""
        return self.tokens - self.priced

    @property
    def saved_unpriced(self) -> int:
        """Tokens that replay saved, of the calls whose price isn't known."""
        return self.saved_tokens - self.saved_priced

    def __add__(self, other: Tally) -> Tally:
        names = [member.name for member in members(self)]
        sums: dict[str, Any] = {n: getattr(self, n) + getattr(other, n) for n in names}
        return Tally(**sums)


class _Saved(TypedDict):
    """The members of a `Tally` that say what was saved."""

    saved_ms: float
    saved_tokens: int
    saved_usd: Decimal
    saved_priced: int


@dataclass(slots=True)
class _Made:
    """What all attempts of a cell did.

    Attributes:
        spent: By the calls that ran.
        calls: Those that were replayed.
        own: When its attempts ran that were replayed whole.
    """

    spent: Tally = Tally()
    calls: list[CallPast] = field(default_factory=list)
    own: list[Span] = field(default_factory=list)


def own_numbers(history: History, call: CallPast) -> list[str]:
    """The numbers of a call and of those around it, innermost first, without a ledger.

    Empty where they aren't what its own records say: a call around it was served.
    """
    around: CallPast | None = call
    numbers: list[str] = []
    while around is not None and around.step == call.step:
        numbers.append(str(around.number))
        if not around.parent:
            return numbers
        if len(numbers) > DEPTH_MAX:
            break
        around = history.calls.get(around.parent)
    return []


def number_of(history: History, call: CallPast) -> str:
    """The number of a call in the attempt that executed it; "" if there is none."""
    numbers = own_numbers(history, call)
    if numbers or call.step not in history.steps:
        return ".".join(reversed(numbers))
    return Ledger(history).numbered(history.steps[call.step]).get(call.id, "")


class Ledger:
    """Which calls each attempt used; an index over a history as it stands now."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._inside: dict[str, list[CallPast]] = {}
        self._executed: dict[str, list[CallPast]] = {}
        self._calls: dict[str, list[CallPast]] = {}
        self._numbers: dict[str, dict[str, str]] = {}
        self._tallies: dict[str, Tally] = {}
        for call in history.calls.values():
            if call.parent:
                self._inside.setdefault(call.parent, []).append(call)
            for attempt in (*call.earlier, call):
                self._executed.setdefault(attempt.step, []).append(attempt)

    def calls(self, step: StepPast) -> list[CallPast]:
        """The calls a step attempt used or executed, in order.

        A call that it executed is given as it stood after that attempt.
        """
        found = self._calls.get(step.id)
        if found is None:
            found = self._calls[step.id] = self._of(step)
        return found

    def _of(self, step: StepPast) -> list[CallPast]:
        executed = {c.id: c for c in self._executed.get(step.id, ())}
        known = self.history.calls
        used = [executed.get(i) or known[i] for i in step.used if i in known]
        counted = set(step.used)
        rest = [c for i, c in executed.items() if i not in counted]
        return used + sorted(rest, key=lambda c: (c.started_us, c.number))

    def inside(self, call: CallPast) -> Sequence[CallPast]:
        """The calls made inside a call, in order."""
        return self._inside.get(call.id, ())

    def numbered(self, step: StepPast) -> dict[str, str]:
        """The number of each call of an attempt, as in ``review.2`` and ``review.2.1``.

        A call that was served has no number of its own in the journal: those take the
        numbers that are left, in order.
        """
        found = self._numbers.get(step.id)
        if found is None:
            found = self._numbers[step.id] = self._numbered(step)
        return found

    def _numbered(self, step: StepPast) -> dict[str, str]:
        inner: dict[str, list[CallPast]] = {}
        for call in self.calls(step):
            inner.setdefault(call.parent, []).append(call)
        numbers: dict[str, str] = {}
        self._number(step, inner, ("", ""), numbers)
        return numbers

    def _number(
        self,
        step: StepPast,
        inner: Mapping[str, Sequence[CallPast]],
        around: tuple[str, str],
        numbers: dict[str, str],
        depth: int = 0,
    ) -> None:
        """Number what was made inside a call: first in this attempt, then before it."""
        parent, prefix = around
        found = {
            c.id: c for c in (*inner.get(parent, ()), *self._inside.get(parent, ()))
        }
        calls = [c for c in found.values() if c.id not in numbers]
        taken = {c.number for c in calls if c.step == step.id}
        left = (n for n in itertools.count(1) if n not in taken)
        for call in calls if depth <= DEPTH_MAX else ():
            nth = call.number if call.step == step.id else next(left)
            numbers[call.id] = f"{prefix}{nth}"
            if call.id in inner or call.id in self._inside:
                within = (call.id, f"{prefix}{nth}.")
                self._number(step, inner, within, numbers, depth + 1)

    def attempt(self, step: StepPast) -> Tally:
        """What one attempt did with its calls."""
        found = self._tallies.get(step.id)
        if found is None:
            found = self._tallies[step.id] = self._tally(step)
        return found

    def _tally(self, step: StepPast) -> Tally:
        calls = self.calls(step)
        ran = [c for c in calls if c.step == step.id]
        served = [c for c in calls if c.step != step.id]
        return Tally(
            served=self._own(served, calls) + fields.number(step.fields, "elsewhere"),
            ran=self._own(ran, calls),
            lost=self._own((c for c in ran if not self._kept(c)), calls),
            unpaid=self._own(filter(self._is_unpaid, ran), calls),
            answers=self._answers(calls),
            ms=step.ms,
            tokens=tokens(ran),
            usd=spent(ran),
            priced=priced(ran),
            **self._saved(served),
        )

    def _answers(self, calls: Iterable[CallPast]) -> int:
        """How many of the cell's questions have their answer."""
        return sum(
            c.kind in ANSWERED
            and c.state is CallState.COMPLETED
            and made_by_cell(self.history.calls, c)
            for c in calls
        )

    def _is_unpaid(self, call: CallPast) -> bool:
        return call.kind in UNPAID and self._kept(call)

    def _saved(self, calls: Sequence[CallPast], *own: Span) -> _Saved:
        """What these calls, and those made in them, cost when they ran.

        Args:
            calls: The calls that were served.
            own: When steps ran that were replayed whole.
        """
        found = self.with_inner(calls)
        return {
            "saved_ms": worked(calls, own),
            "saved_tokens": tokens(found),
            "saved_usd": spent(found),
            "saved_priced": priced(found),
        }

    def _kept(self, call: CallPast) -> bool:
        completed = call.state is CallState.COMPLETED
        raised = call.state is CallState.RAISED and not call.retrying
        seen = raised and went_on(self.history, call)
        return (completed or seen) and call.outcome is not None

    def replay(self, step: StepPast) -> Tally:
        """What replaying a completed attempt as a whole saves."""
        calls = [self.history.calls[i] for i in step.used if i in self.history.calls]
        return Tally(
            served=self._own(calls, calls),
            answers=self._answers(calls),
            **self._saved(calls, span(step)),
        )

    def whole(self) -> Tally:
        """What the whole run did, each replayed call counted once.

        A call that was replayed every morning saved its price every morning; what is
        told is what it cost the one time it ran. So it is the sum of its cells.
        """
        return sum(self.by_slot().values(), Tally())

    def by_slot(self) -> dict[str, Tally]:
        """What each cell did in all its attempts, each replayed call counted once.

        One that was replayed in several cells is counted where that was last.
        """
        place: dict[str, str] = {}
        made: dict[str, _Made] = {}
        for step in self.history.steps.values():
            found = (c for c in self.calls(step) if step.replays or c.step != step.id)
            place.update((c.id, step.slot) for c in found)
            here = made.setdefault(step.slot, _Made())
            here.spent += _spending(self.attempt(step))
            here.own += [span(step)] if step.replays else []
        for call, slot in place.items():
            made[slot].calls.append(self.history.calls[call])
        return {slot: here.spent + self._served(here) for slot, here in made.items()}

    def _served(self, made: _Made) -> Tally:
        calls = made.calls
        return Tally(
            served=self._own(calls, calls),
            answers=self._answers(calls),
            **self._saved(calls, *made.own),
        )

    def _own(self, calls: Iterable[CallPast], among: Iterable[CallPast]) -> int:
        """How many of the cell's calls these are; a served step counts what it holds."""
        entered = {c.parent for c in among}
        return sum(
            fields.number(c.fields, HELD) * (c.id not in entered) if c.is_step else 1
            for c in calls
            if c.kind not in WAITS and made_by_cell(self.history.calls, c)
        )

    def with_inner(self, calls: Sequence[CallPast]) -> Collection[CallPast]:
        """These calls and all that were made in them, each once."""
        found = {c.id: c for c in calls}
        queue = list(calls)
        while queue:
            inner = [c for c in self.inside(queue.pop()) if c.id not in found]
            found.update((c.id, c) for c in inner)
            queue += inner
        return found.values()


def began(history: History, call: CallPast) -> Tally:
    """What a call adds to the tally of its attempt when it is executed there first."""
    own = made_by_cell(history.calls, call)
    return Tally(ran=own, lost=own)


def done(history: History, call: CallPast) -> Tally:
    """What it adds when it completes."""
    own = made_by_cell(history.calls, call) and call.outcome is not None
    return Tally(
        lost=-own,
        unpaid=own and call.kind in UNPAID,
        tokens=tokens((call,)),
        usd=spent((call,)),
        priced=priced((call,)),
    )


def _spending(tally: Tally) -> Tally:
    """The part of an attempt's tally that adds up over attempts."""
    return Tally(
        ran=tally.ran,
        unpaid=tally.unpaid,
        ms=tally.ms,
        tokens=tally.tokens,
        usd=tally.usd,
        priced=tally.priced,
    )


def span(ran: CallPast | StepPast) -> Span:
    """From when to when the latest attempt of a call ran, or a step's, microseconds."""
    return ran.started_us, ran.started_us + ran.ms * 1_000


def worked(calls: Iterable[CallPast], own: Iterable[Span]) -> float:
    """How long calls and steps ran, milliseconds; not while they waited for somebody.

    Args:
        calls: The calls.
        own: When the steps ran.
    """
    split: tuple[list[Span], list[Span]] = [], []
    for call in calls:
        split[call.kind in ANSWERED].append(span(call))
    work, asked = split
    idle_ms = covered([*work, *asked]) - covered(work)
    return max(0.0, covered([*own, *work, *asked]) - idle_ms)


def covered(spans: Iterable[Span]) -> float:
    """Length of the union of spans of microseconds, in milliseconds."""
    length = 0.0
    until = float("-inf")
    for start, end in sorted(spans):
        length += max(0.0, end - max(start, until))
        until = max(until, end)
    return length / 1_000
