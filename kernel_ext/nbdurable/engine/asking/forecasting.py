"""`nd.forecast`: what calls would cost, told before any of them is made.

Each item's call is matched as it would be, by the same code, in an attempt that nobody
records. What is new is told by the mean of what the same function took before.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from nbdurable.engine.calls import frozen
from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.invoking import requested
from nbdurable.engine.calls.promised import Tool
from nbdurable.engine.fanout.mapping import LIMIT, function
from nbdurable.engine.past.decide import Verdict
from nbdurable.engine.past.history import CallPast, CallState, History, StepPast
from nbdurable.engine.past.money import priced, spent, tokens
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.steps.session import Session
from nbdurable.engine.telling.cost import about
from nbdurable.engine.where.dollars import NOTHING
from nbdurable.engine.where.frames import Frame

ITEMS_MAX: Final = 100_000
"""More are not looked at: an endless iterator has no forecast."""

CELLS_MAX: Final = 5
"""Cells in which the items are looked for: the latest that called the function."""

_SERVED: Final = frozenset({Verdict.REPLAY, Verdict.REPLAY_EXCEPTION})
_NEW: Final = frozenset({Verdict.EXECUTE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What calls would cost; shows itself at a prompt.

    Attributes:
        served: Calls that would be served.
        new: Calls that would be made.
        asks: Calls that would ask first: they may have happened, or wait.
        more: Whether there are more items than were looked at.
        known: How many calls of the function the guess is made from.
        usd: About what the new ones cost, US dollars; None where no price is known.
        ms: About how long they take, milliseconds.
    """

    served: int = 0
    new: int = 0
    asks: int = 0
    more: bool = False
    known: int = 0
    usd: Decimal | None = None
    ms: float = 0.0

    def __repr__(self) -> str:
        parts = [f"{self.served:,} served", f"{self.new:,} new"]
        parts += [f"{self.asks:,} would ask first"] if self.asks else []
        parts += [f"only {ITEMS_MAX:,} items looked at"] if self.more else []
        if not self.new:
            return ", ".join(parts)
        if not self.known:
            return ", ".join([*parts, "never called before: nothing is known of it"])
        return ", ".join([*parts, about(self.usd, self.ms)])


def forecast(
    session: Session, fn: Callable[..., Any], items: Iterable[object], limit: int
) -> Forecast:
    """What calling a function with each item would cost.

    Args:
        session: The kernel's session, attending a run or none.
        fn: What `nd.map` takes.
        items: What it would be called with.
        limit: How many at a time.

    Raises:
        ToolRefused: ``fn`` is no function.
    """
    made, fixed = function(fn, awaited=_awaits(fn))
    history = session.history
    taken = iter(items)
    looked = list(itertools.islice(taken, ITEMS_MAX))
    stand_ins = _stand_ins(history, made.name)
    all_counts = [_counts(session, step, (made, *fixed), looked) for step in stand_ins]
    counts = max(all_counts, key=lambda c: c["served"])
    guess = _guess(history, made.name, counts["new"], limit)
    return Forecast(
        served=counts["served"],
        new=counts["new"],
        asks=counts["asks"],
        more=next(taken, counts) is not counts,
        **guess,
    )


def _counts(
    session: Session,
    step: StepPast,
    called: tuple[Tool, tuple[Any, ...], dict[str, Any]],
    items: Iterable[object],
) -> Counter[str]:
    """What would become of each item's call, made in this step."""
    made, args, kwargs = called
    attempt = Attempt(session, step)
    counts = Counter[str]()
    for index, item in enumerate(items):
        frame = Frame(attempt, place=f"map 1.{index}")
        request = requested(frame, made, (*args, item), kwargs)
        if request is None:
            counts["new"] += 1
            continue
        match = attempt.claim(frame, request).match
        counts[_becomes(frozen.verdict(attempt, match, request))] += 1
    return counts


def _awaits(fn: Callable[..., Any]) -> bool:
    while isinstance(fn, functools.partial):
        fn = fn.func
    return inspect.iscoroutinefunction(fn)


def _becomes(verdict: Verdict) -> str:
    if verdict in _SERVED:
        return "served"
    return "new" if verdict in _NEW else "asks"


def _stand_ins(history: History, name: str) -> list[StepPast]:
    """Attempts of the cells that called the function, the latest first.

    Which cell is meant isn't said: it is the one that has most of the items. Nothing of
    these attempts is recorded.
    """
    calls = [c for c in history.calls.values() if c.name == name]
    calls.sort(key=lambda c: c.order, reverse=True)
    slots = [*dict.fromkeys(c.slot for c in calls)][:CELLS_MAX] or [""]
    return [StepPast.begun("forecast", slot, "forecast") for slot in slots]


def _guess(history: History, name: str, new: int, limit: int) -> Mapping[str, Any]:
    """From the mean of the calls of a function that have completed."""
    ended = [
        c
        for c in history.calls.values()
        if c.name == name and c.state is CallState.COMPLETED
    ]
    if not ended or not new:
        return {"known": len(ended)}
    held = Ledger(history).with_inner(ended)
    ms = sum(c.ms for c in ended) / len(ended) * new / min(limit, new)
    return {"known": len(ended), "ms": ms, "usd": _mean(held, len(ended), new)}


def _mean(calls: Iterable[CallPast], among: int, new: int) -> Decimal | None:
    """What so many new ones cost; None where the price of a part isn't known."""
    found = list(calls)
    if tokens(found) > priced(found):
        return None
    return spent(found) / among * new


@dataclass(frozen=True, slots=True, kw_only=True)
class StepForecast:
    """What running a cell again would do.

    Attributes:
        name: What people call its step.
        because: Why it would run; "" if it would replay.
        calls: How many calls it had.
        usd: What they cost, US dollars.
        ms: How long it took with all its calls, milliseconds.
    """

    name: str
    because: str
    calls: int
    usd: Decimal
    ms: float


@dataclass(frozen=True, slots=True)
class StepForecasts:
    """The cells of a run, each with what running it again would do.

    Attributes:
        steps: In the order in which they first ran.
    """

    steps: tuple[StepForecast, ...]

    def __repr__(self) -> str:
        if not self.steps:
            return "no durable cell has run yet: nothing is known"
        width = max(len(step.name) for step in self.steps)
        lines = [f"{step.name.ljust(width)}  {_told(step)}" for step in self.steps]
        return "\n".join([*lines, self._sum()])

    def _sum(self) -> str:
        again = [step for step in self.steps if step.because]
        kept = len(self.steps) - len(again)
        if not again:
            return f"{kept:,} replay, none runs again"
        usd = sum((step.usd for step in again), NOTHING)
        most = about(usd, sum(step.ms for step in again)).replace("about", "at most", 1)
        return f"{kept:,} replay, {len(again):,} would run again: {most}"


def _told(step: StepForecast) -> str:
    last = about(step.usd, step.ms).removeprefix("about ")
    if not step.because:
        return f"replays, nothing is paid · it took {last}"
    return f"runs again because {step.because} · its calls took {last}; unchanged ones are served"


def of_steps(history: History, stale: Mapping[str, str]) -> StepForecasts:
    """What running each cell again would do.

    Args:
        history: The fold of the run.
        stale: By slot, why its cell would run again now.
    """
    ledger = Ledger(history)
    latest = ((slot, history.latest(slot)) for slot in history.slots)
    steps = tuple(_step(ledger, s, stale.get(slot, "")) for slot, s in latest if s)
    return StepForecasts(steps)


def _step(ledger: Ledger, step: StepPast, because: str) -> StepForecast:
    whole = ledger.replay(step)
    unfinished = "" if step.state == "completed" else "it did not end"
    return StepForecast(
        name=step.name,
        because=because or unfinished,
        calls=whole.served,
        usd=whole.saved_usd,
        ms=whole.saved_ms,
    )


__all__ = ["LIMIT", "Forecast", "StepForecasts", "forecast", "of_steps"]
