"""The addresses that `nd.webhook` gave out: which there are, and one again."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from nbdurable.cli import commands
from nbdurable.cli.answers import Answer
from nbdurable.engine.identity import keys
from nbdurable.engine.telling import reference
from nbdurable.engine.waits import hooks as engine
from nbdurable.engine.waits.hooks import Hook
from nbdurable.engine.where.moments import Now, moment
from nbdurable.engine.where.whereabouts import RunRow
from nbdurable.errors import DurableError, NothingDurable, Remedy
from nbdurable.timeline import history_of
from nbdurable.timeline.previews import line
from nbdurable_store.protocol import Store

NONE = (
    "no address into this store was made: nd.webhook(NAME) in a durable cell makes one"
)


@dataclass(kw_only=True, eq=False)
class NoAddress(DurableError):
    """No address for a name is good any more.

    Attributes:
        name: The name.
    """

    slug: ClassVar[str] = "no-address"
    name: str

    def fact(self) -> str:
        """What is not there."""
        return f"no address for {self.name!r} is good: none was made, or each was used or is over."

    def detail(self) -> str:
        """What was not done."""
        return "None was made now: a cell makes them, for its own wait."

    def remedies(self) -> tuple[Remedy, ...]:
        """How to see all, and how one is made."""
        return (
            Remedy("see all", "nbdurable hooks"),
            Remedy("make one", f"nd.webhook({self.name!r})"),
        )


def hooks(given: argparse.Namespace) -> Answer:
    """Lists the addresses; with a name, the addresses for it themselves.

    Raises:
        NoAddress: None for that name is good.
        NothingDurable: There is no store that could have made one.
    """
    try:
        return _of_store(given)
    except NothingDurable:
        if given.name or given.run:
            raise
        return commands.none_yet(given)


def _of_store(given: argparse.Namespace) -> Answer:
    with commands.opened(given) as store:
        rows = commands.run_rows(store)
        if given.run:
            rows = [reference.find_run(rows, given.run)]
        runs = {row.id: row for row in rows}
        found = [h for h in engine.of_store(store.place) if h.run in runs]
        if given.name:
            found = [h for h in found if h.name == given.name]
        now = commands.now()
        good = set(good_of(store, found, now.us))
        if given.name:
            return _addresses(store, [h for h in found if h in good], given)
    lines = [_line(h, runs[h.run], now, is_good=h in good) for h in found]
    data = [_data(h, runs[h.run], is_good=h in good) for h in found]
    return Answer("\n".join(lines) or NONE, data)


def good_of(store: Store, found: list[Hook], now_us: int) -> Iterator[Hook]:
    """Those that still lead somewhere; each run is read once, however many it gave out."""
    for run in {h.run for h in found}:
        history = history_of(store, run)
        mine = (h for h in found if h.run == run)
        yield from (h for h in mine if not engine.over(h, history, now_us))


def _addresses(store: Store, good: list[Hook], given: argparse.Namespace) -> Answer:
    """What nobody may see who isn't to send: only who asks by name is shown it."""
    if not good:
        raise NoAddress(name=given.name)
    made = [h.address(keys.hook_token(store.pepper, h.run, h.draw)) for h in good]
    return Answer("\n".join(made), made)


def _line(hook: Hook, row: RunRow, now: Now, *, is_good: bool) -> str:
    state = f"good until {moment(hook.until_us, now)}" if is_good else "used or over"
    where = f"run {row.number} of {line(row.notebook)}"
    return f"{line(hook.name)} · {where} · made {moment(hook.made_us, now)} · {state}"


def _data(hook: Hook, row: RunRow, *, is_good: bool) -> dict[str, object]:
    return {
        "name": hook.name,
        "run": row.number,
        "notebook": row.notebook,
        "made_us": hook.made_us,
        "until_us": hook.until_us,
        "good": is_good,
    }
