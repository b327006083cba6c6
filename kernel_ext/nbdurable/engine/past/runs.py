"""The runs of a store as rows, folded from the records of runs and steps. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Final

from nbdurable.engine.past import fields
from nbdurable.engine.past.forks import forked_from
from nbdurable.engine.past.history import (
    CallPast,
    CallState,
    History,
    StepPast,
    StepState,
)
from nbdurable.engine.where.dollars import NOTHING, amount
from nbdurable.engine.where.whereabouts import RunRow
from nbdurable_store.records import Entry, Kind

INDEX_KINDS: Final = frozenset(
    {
        Kind.RUN_OPENED,
        Kind.RUN_RENAMED,
        Kind.RUN_CLOSED,
        Kind.RUN_PINNED,
        Kind.RUN_REMOVED,
        Kind.STEP_STARTED,
        Kind.STEP_COMPLETED,
        Kind.STEP_FAILED,
        Kind.STEP_REPLAYED,
    }
)
"""The kinds that tell how a run stands without looking at its calls."""


def histories(entries: Iterable[Entry]) -> dict[str, History]:
    """One history per run that is there, in the order of opening."""
    folded: dict[str, History] = {}
    fold(folded, entries)
    return there(folded)


def fold(folded: dict[str, History], entries: Iterable[Entry]) -> None:
    """Apply entries of any run to the history of theirs, made where there is none."""
    for entry in entries:
        run = entry.record.run
        folded.setdefault(run, History(run)).apply((entry,))


def there(folded: Mapping[str, History]) -> dict[str, History]:
    """Those of the runs that were opened and not removed."""
    return {
        run: history
        for run, history in folded.items()
        if history.opened is not None and history.removed is None
    }


def rows(entries: Iterable[Entry], alive: Collection[str]) -> list[RunRow]:
    """All runs; ``alive`` are the ids of living owners other than the caller."""
    return [_row(h, alive) for h in histories(entries).values()]


def _row(history: History, alive: Collection[str]) -> RunRow:
    opened = history.opened
    assert opened is not None
    steps = list(history.steps.values())
    stopped = unfinished_step(history)
    last = max(history.seen_us, key=lambda o: history.seen_us[o][1], default="")
    return RunRow(
        id=history.run,
        number=fields.number(opened.fields, "number", 1),
        notebook=history.notebook,
        headless=bool(opened.fields.get("headless")),
        opened_us=opened.at_us,
        active_us=history.last_at_us,
        closed=history.closed is not None,
        unfinished=stopped is not None,
        alive=last in alive,
        stopped_in=stopped.name if stopped else "",
        keys=frozenset(s.key for s in steps if s.key),
        names=frozenset(s.name for s in steps if s.fields.get("named")),
        cell_ids=frozenset(s.cell_id for s in steps if s.cell_id),
        parent=fields.text(opened.fields, "parent"),
        forked=forked_from(opened),
    )


def paid(entries: Iterable[Entry]) -> dict[str, Decimal]:
    """What the calls of each run cost, US dollars, as far as prices were known.

    Args:
        entries: Those that say that calls completed.
    """
    sums: dict[str, Decimal] = {}
    for entry in entries:
        usd = amount(entry.record.fields.get("usd"))
        if usd:
            sums[entry.record.run] = sums.get(entry.record.run, NOTHING) + usd
    return sums


def calls(entries: Iterable[Entry]) -> list[CallPast]:
    """The calls that these entries of any run speak of."""
    folded: dict[str, History] = {}
    fold(folded, entries)
    return [c for h in folded.values() for c in h.calls.values()]


def pure_call(entries: Iterable[Entry], code: str) -> CallPast | None:
    """The first completed `pure` call among them that this code made, in any run."""
    for call in calls(entries):
        completed = call.state is CallState.COMPLETED and call.outcome
        if completed and call.code == code and call.effect == "pure":
            return call
    return None


def unfinished_step(history: History) -> StepPast | None:
    """The latest slot's last attempt that failed or never ended, if any."""
    latest = (history.latest(slot) for slot in history.slots)
    open_steps = [s for s in latest if s and s.state is not StepState.COMPLETED]
    return max(open_steps, key=lambda s: s.order, default=None)
