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
from nbdurable.integrations.langgraph.lives import PREFIX, Life, lives
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
    """A run that goes, or a thread of a LangGraph graph.

    Attributes:
        row: Which one.
        bytes: About how many bytes go with it.
        price: What making it again costs; a thread nobody can make again.
    """

    row: RunRow | Life
    bytes: int
    price: Worth | None = None


@dataclass(slots=True)
class Plan:
    """What is to go, and what stays though it was asked for.

    Attributes:
        usage: What the store holds.
        goes: The runs and threads that go, in order.
        stays: Those that have to stay, with the reason.
    """

    usage: Usage
    goes: list[Going] = field(default_factory=list)
    stays: list[tuple[RunRow | Life, Reason]] = field(default_factory=list)

    @property
    def runs(self) -> list[str]:
        """Ids of the runs that go, as the store knows them."""
        return [_id(going.row) for going in self.goes]

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

    def judge(self, one: RunRow | Life) -> None:
        """Put a run, or a thread, on one of the two lists, unless it is on one."""
        if _id(one) in self._known:
            return
        self._known.add(_id(one))
        why = one.keeps(self._living) if isinstance(one, Life) else self._keeps(one)
        if why is not None:
            self.plan.stays.append((one, why))
            return
        price = None if isinstance(one, Life) else worth(self._own(one))
        self.plan.goes.append(Going(one, self._freeing.add(_id(one)), price))

    def judge_until(self, most: int, by_use: Sequence[RunRow | Life]) -> None:
        """Judge one after the other until what is left has so many bytes at most."""
        for one in by_use:
            if self.plan.usage.total - self.plan.freed <= most:
                break
            self.judge(one)

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
        rows, looking, threads = run_rows(store), _Looking(store), lives(store)
        for life in threads:
            if life.fold.ended:
                looking.judge(life)
        if given.older_than is not None:
            before_us = now().us - given.older_than
            old = removal.aged(rows, before_us)
            for row in sorted(old, key=lambda r: r.opened_us, reverse=True):
                looking.judge(row)  # a fork before the run that it was forked from
            for life in (life for life in threads if life.active_us < before_us):
                looking.judge(life)
        if given.size is not None:
            looking.judge_until(given.size, [*removal.by_use(rows), *threads])
        return _answer(store, looking.plan, done=given.yes)


def rm(given: argparse.Namespace) -> Answer:
    """Remove runs, and threads of LangGraph graphs."""
    with opened(given) as store:
        rows, threads = run_rows(store), lives(store)
        named = [r for r in given.run if not r.startswith(PREFIX)]
        ended = [life for r in given.run for life in _threads(threads, r)]
        meant = (reference.find_run(rows, r, "nbdurable rm") for r in named)
        found = {row.id: row for row in meant}
        looking = _Looking(store, giving_up=[*found, *(life.run for life in ended)])
        for row in found.values():
            looking.judge(row)
        for life in ended:
            looking.judge(life)
        for one, why in looking.plan.stays:
            removal.must_go(_called(one), why, _id(one))
        agreed = given.yes or (_asks(given) and _agreed(looking.plan))
        return _answer(store, looking.plan, done=agreed)


def _threads(known: Sequence[Life], named: str) -> list[Life]:
    """The lives of the thread that is named, deleted ones too; none of a run.

    Raises:
        RunUnknown: The store has no such thread.
    """
    if not named.startswith(PREFIX):
        return []
    found = [life for life in known if life.named == named]
    if not found:
        there = tuple(dict.fromkeys(life.named for life in reversed(known)))
        raise reference.RunUnknown(wanted=named, known=there)
    return found


def _id(one: RunRow | Life) -> str:
    return one.run if isinstance(one, Life) else one.id


def _called(one: RunRow | Life) -> str:
    return one.called if isinstance(one, Life) else called(one)


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
        f"{verb} {_called(g.row)} · last used {moment(g.row.active_us, here)}"
        f" · {size(g.bytes)}{f' · again: {g.price}' if g.price else ''}"
        for g in plan.goes
    ]
    prices = [going.price for going in plan.goes if going.price]
    if len(prices) > 1:
        price = reduce(add, prices)
        lines.append(f"making these {len(prices)} runs again: {price}")
    return lines


def _stays(plan: Plan) -> list[str]:
    return [
        f"kept {_called(one)} · {why.why}"
        f"{f' · {typed(why.command)}' if why.command else ''}"
        for one, why in plan.stays
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
    goes = [{**_facts(g.row), "bytes": g.bytes, **_again(g.price)} for g in plan.goes]
    kept = [{**_facts(one), "why": why.why} for one, why in plan.stays]
    freed = plan.freed if removed is None else removed.freed
    return {
        "place": place,
        "done": removed is not None,
        "bytes": plan.usage.total,
        "unneeded_bytes": plan.usage.loose,
        "freed_bytes": freed,
        "left_bytes": 0 if removed is None else removed.left,
        "runs": [one for one in goes if "thread" not in one],
        "threads": [one for one in goes if "thread" in one],
        "kept": kept,
        "damaged": {f"journal/{owner}": w for owner, w in plan.usage.damaged.items()},
    }


def _facts(one: RunRow | Life) -> dict[str, object]:
    if isinstance(one, Life):
        known = {"thread": one.thread, "deleted": one.fold.ended}
    else:
        known = {"number": one.number, "notebook": one.notebook}
    return {"id": _id(one), **known, "active_us": one.active_us}


def _again(price: Worth | None) -> dict[str, object]:
    if price is None:
        return {}
    seconds = round(price.ms / 1_000, 3)
    said = {"calls": price.calls, "seconds": seconds, "tokens": price.tokens}
    return {"again": said}


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
