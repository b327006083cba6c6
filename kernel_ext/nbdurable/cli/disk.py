"""The commands that give room back: gc, rm, pin, unpin.

Each says first what would go and what making it again would cost. What is said and what
is done comes from one `Plan`, so they can't differ.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Final

import nbdurable_store
from nbdurable.cli import shell
from nbdurable.cli.answers import Answer
from nbdurable.cli.commands import now, opened, others, run_rows
from nbdurable.cli.shell import typed
from nbdurable.engine.asking.pinning import pin as pin_run
from nbdurable.engine.past import removal
from nbdurable.engine.past.history import History
from nbdurable.engine.past.removal import Reason, called
from nbdurable.engine.past.worth import Worth, worth
from nbdurable.engine.telling import reference
from nbdurable.engine.where.moments import moment, size
from nbdurable.engine.where.whereabouts import RunRow
from nbdurable.timeline import history_of
from nbdurable_store.clock import SYSTEM_CLOCK
from nbdurable_store.folder.survey import Freeing, Usage
from nbdurable_store.protocol import Removed, Store

AGE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([hdw])", re.IGNORECASE)
HOUR_US: Final = 3_600_000_000
HOURS: Final = {"h": 1, "d": 24, "w": 24 * 7}
SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", re.IGNORECASE)
POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def age_us(text: str) -> int:
    """An age as it is typed, in microseconds.

    Example:
        >>> age_us("30d") == 30 * 24 * HOUR_US, age_us("1.5 h") == 1.5 * HOUR_US
        (True, True)
    """
    found = AGE.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age such as 12h, 30d or 8w")
    return int(float(found[1]) * HOURS[found[2].lower()] * HOUR_US)


def bytes_of(text: str) -> int:
    """A size as it is typed, in bytes.

    Example:
        >>> bytes_of("2GB"), bytes_of("1.5 mb"), bytes_of("800")
        (2000000000, 1500000, 800)
    """
    found = SIZE.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 500MB or 2GB")
    return int(float(found[1]) * 1000 ** POWERS[found[2].lower()])


@dataclass(frozen=True, slots=True)
class Going:
    """A run that goes.

    Attributes:
        row: The run.
        price: What making it again costs.
        bytes: About how many bytes go with it.
    """

    row: RunRow
    price: Worth
    bytes: int


@dataclass(slots=True)
class Plan:
    """What is to go, and what stays though it was asked for.

    Attributes:
        usage: What the store holds.
        goes: The runs that go, in order.
        stays: The runs that have to stay, with the reason.
    """

    usage: Usage
    goes: list[Going] = field(default_factory=list)
    stays: list[tuple[RunRow, Reason]] = field(default_factory=list)

    @property
    def runs(self) -> list[str]:
        """Ids of the runs that go."""
        return [going.row.id for going in self.goes]

    @property
    def freed(self) -> int:
        """About how many bytes go."""
        return self.usage.loose + sum(going.bytes for going in self.goes)


class _Looking:
    """A store whose runs are judged, each when it is asked for."""

    def __init__(self, store: Store, giving_up: Sequence[str] = ()) -> None:
        self.store = store
        alive = others(store)
        self._living = {o.id: o.pid for o in store.owners() if o.id in alive}
        self.plan = Plan(nbdurable_store.usage(store, giving_up))
        self._freeing = Freeing(self.plan.usage)
        self._known: set[str] = set()
        self._forks = [r for r in run_rows(store) if r.parent and r.id not in giving_up]

    def judge(self, row: RunRow) -> None:
        """Put a run on one of the two lists, unless it is on one."""
        if row.id in self._known:
            return
        self._known.add(row.id)
        why = self._keeps(row)
        if why is None:
            length = self._freeing.add(row.id)
            self.plan.goes.append(Going(row, worth(self._own(row)), length))
        else:
            self.plan.stays.append((row, why))

    def _keeps(self, row: RunRow) -> Reason | None:
        """Why a run has to stay: for its own sake, or for that of a fork."""
        whole = history_of(self.store, row.id)
        why = removal.reason(self._own(row), self._living, whole)
        goes = set(self.plan.runs)
        left = (f for f in self._forks if f.parent == row.id and f.id not in goes)
        fork = next(left, None)
        if why is not None or fork is None:
            return why
        return removal.has_fork(row, fork, self._keeps(fork))

    def _own(self, row: RunRow) -> History:
        """Its own entries alone: what a fork has of its parent stays with that."""
        history = History(row.id)
        history.apply(self.store.read(row.id)[0])
        return history


# ---- gc and rm ---------------------------------------------------------------------------


def gc(given: argparse.Namespace) -> Answer:
    """Give back what no run needs, and runs that are old or too large together."""
    with opened(given) as store:
        rows, looking = run_rows(store), _Looking(store)
        if given.older_than is not None:
            old = removal.aged(rows, now().us - given.older_than)
            for row in sorted(old, key=lambda r: r.opened_us, reverse=True):
                looking.judge(row)  # a fork before the run that it was forked from
        if given.size is not None:
            for row in removal.by_use(rows):
                if looking.plan.usage.total - looking.plan.freed <= given.size:
                    break
                looking.judge(row)
        return _answer(store, looking.plan, done=given.yes)


def rm(given: argparse.Namespace) -> Answer:
    """Remove runs."""
    with opened(given) as store:
        rows = run_rows(store)
        meant = (reference.find_run(rows, r, "nbdurable rm") for r in given.run)
        found = {row.id: row for row in meant}
        looking = _Looking(store, giving_up=list(found))
        for row in found.values():
            looking.judge(row)
        for row, why in looking.plan.stays:
            removal.must_go(row, why)
        agreed = given.yes or (_asks(given) and _agreed(looking.plan))
        return _answer(store, looking.plan, done=agreed)


def _asks(given: argparse.Namespace) -> bool:
    return shell.has_person() and not given.dry_run and not given.json


def _agreed(plan: Plan) -> bool:
    goes = "\n".join(_goes(plan, "would remove"))
    return shell.agreed(
        f"{goes}\nabout {size(plan.freed)} would be freed. Remove? [y/N] "
    )


def _answer(store: Store, plan: Plan, *, done: bool) -> Answer:
    place = store.place
    removed = nbdurable_store.remove(store, plan.runs) if done else None
    lines = [
        *([] if done else [f"{place} · {size(plan.usage.total)}"]),
        *_goes(plan, "removed" if done else "would remove"),
        *_stays(plan),
        *_damaged(plan),
        _total(plan, removed),
    ]
    return Answer("\n".join(lines), _data(place, plan, removed))


def _goes(plan: Plan, verb: str) -> list[str]:
    here = now()
    lines = [
        f"{verb} {called(g.row)} · last used {moment(g.row.active_us, here)}"
        f" · {size(g.bytes)} · again: {g.price}"
        for g in plan.goes
    ]
    if len(plan.goes) > 1:
        price = reduce(add, (going.price for going in plan.goes))
        lines.append(f"making these {len(lines)} runs again: {price}")
    return lines


def _stays(plan: Plan) -> list[str]:
    return [
        f"kept {called(row)} · {why.why}"
        f"{f' · {typed(why.command)}' if why.command else ''}"
        for row, why in plan.stays
    ]


def _damaged(plan: Plan) -> list[str]:
    also = ", with what those runs have in it" if plan.goes else ""
    return [
        f"left as it is{also}: journal/{owner}, damaged: {why} · nbdurable fsck"
        for owner, why in plan.usage.damaged.items()
    ]


def _total(plan: Plan, removed: Removed | None) -> str:
    if removed is not None:
        left = f" · {size(removed.left)} wait until living kernels end"
        return f"{size(max(removed.freed, 0))} freed{left if removed.left else ''}"
    if not plan.freed:
        return "nothing to free"
    loose = plan.usage.loose
    of_it = f", {size(loose)} of it no run needs" if loose else ""
    return f"about {size(plan.freed)} would be freed{of_it} · do it: add --yes"


def _data(place: str, plan: Plan, removed: Removed | None) -> Mapping[str, object]:
    runs = [
        {
            "id": going.row.id,
            "number": going.row.number,
            "notebook": going.row.notebook,
            "active_us": going.row.active_us,
            "bytes": going.bytes,
            "again": {
                "calls": going.price.calls,
                "seconds": round(going.price.ms / 1_000, 3),
                "tokens": going.price.tokens,
            },
        }
        for going in plan.goes
    ]
    kept = [
        {"id": row.id, "number": row.number, "notebook": row.notebook, "why": why.why}
        for row, why in plan.stays
    ]
    freed = plan.freed if removed is None else removed.freed
    return {
        "place": place,
        "done": removed is not None,
        "bytes": plan.usage.total,
        "unneeded_bytes": plan.usage.loose,
        "freed_bytes": freed,
        "left_bytes": 0 if removed is None else removed.left,
        "runs": runs,
        "kept": kept,
        "damaged": {f"journal/{owner}": w for owner, w in plan.usage.damaged.items()},
    }


# ---- pins --------------------------------------------------------------------------------


def pin(given: argparse.Namespace) -> Answer:
    """Keep a run whatever `gc` is asked for."""
    return _pin(given, pinned=True)


def unpin(given: argparse.Namespace) -> Answer:
    """Let a run go when its time comes."""
    return _pin(given, pinned=False)


def _pin(given: argparse.Namespace, *, pinned: bool) -> Answer:
    with opened(given) as store:
        row = reference.find_run(run_rows(store), given.run)
        told, record = pin_run(row.id, SYSTEM_CLOCK.now_us(), pinned=pinned)
        store.append([record], sync=True)
    return Answer(f"{called(row)} {told}", {"run": row.id, "pinned": pinned})
