"""The runs of a store, for a list that people search.

Theory of operation. Runs and steps are few, and `Store.scan` gives those that are new; they
are folded at most once in `FRESH_S`, and a page is cut from what is folded. Calls can be a
million. What is asked of them (whether an unfinished run waits, which tools and models a run
used) is looked at run by run, only for the runs that need it, and for a short time in each
answer: the list says how many runs it doesn't know yet, and who asks again gets further.
All views of a store may ask one list, each in its turn: what is remembered is held once.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from nbdurable.engine.past import fields, runs
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.fates import Fate, step_fate
from nbdurable.engine.past.forks import forked_from
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pasts import Order
from nbdurable.engine.telling.waits import is_answered, of_step
from nbdurable.engine.where.moments import Now, count, moment, since
from nbdurable.timeline import looked
from nbdurable.timeline.looked import Looked
from nbdurable.timeline.previews import line
from nbdurable.timeline.requests import Find
from nbdurable.timeline.told import RunLine, Runs
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.protocol import START, Cursor, Store
from nbdurable_store.records import Kind

PAGE: Final = 50
"""Runs of one page."""

FRESH_S: Final = 2.0
"""How long a list may be old: nobody sees more, and typing in a field costs nothing."""

STEPS_MAX: Final = 8
"""Cells and tags that a line names."""

_DOING: Final = {
    Fate.RUNNING: "running in",
    Fate.WAITING: "waits for you in",
    Fate.ERROR: "error in",
}
"""How an unfinished run stands, by the fate of the step that it is in."""

_SETTLES: Final = frozenset({Kind.CALL_RESOLVED, Kind.CALL_KEPT, Kind.STEP_RESET})
"""What is said of a call that a cell asked about. Few, so all are read; the calls aren't."""

_STATUS: Final = {
    Fate.RUNNING: "running",
    Fate.WAITING: "waiting",
    Fate.ERROR: "error",
}


def standing(
    history: History,
    step: StepPast,
    alive: Collection[str],
    said: Mapping[str, Order] | None = None,
) -> tuple[str, str]:
    """How an unfinished run stands, as a word and in words.

    Args:
        history: The run, or what is known of it.
        step: The attempt that it is in.
        alive: Ids of the owners that live.
        said: Where in the journal something was said of a call last, by its id: for
            who knows no calls but those that wait.
    """
    asking = any(asked.replies for asked in of_step(history, step))
    fate = Fate.WAITING if asking else step_fate(step, alive)
    settled = not asking and _is_settled(step, said or {})
    if fate is not Fate.RUNNING and (settled or is_answered(history, step)):
        return "stopped", f"answered in {line(step.name)}"
    doing = _DOING.get(fate, "stopped in")
    return _STATUS.get(fate, "stopped"), f"{doing} {line(step.name)}"


def _is_settled(step: StepPast, said: Mapping[str, Order]) -> bool:
    """Whether since an attempt something was said of each call that it asked about."""
    asked = fields.mapping(step.fields, "asked").values()
    calls = [str(one[0]) for one in asked if isinstance(one, (list, tuple)) and one]
    never: Order = (0, "", 0)
    return bool(calls) and all(said.get(c, never) > step.ended_order for c in calls)


@dataclass(eq=False)
class Runlist:
    """The runs of a store.

    Attributes:
        store: The store.
        clock: What time it is.
    """

    store: Store
    clock: Clock = SYSTEM_CLOCK
    _folded: dict[str, History] = field(init=False, default_factory=dict)
    _said: dict[str, dict[str, Order]] = field(init=False, default_factory=dict)
    _cursor: Cursor = field(init=False, default=START)
    _alive: frozenset[str] = field(init=False, default=frozenset())
    _at_s: float | None = field(init=False, default=None)
    _unknown: set[str] = field(init=False, default_factory=set)
    _looked: Looked = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Begin with nothing read."""
        self._looked = Looked(self.store, self.clock)

    def page(self, asked: Find, now: Now, shown: str) -> Runs:
        """A page of the runs that are asked for, the one that was used last first.

        Args:
            asked: Which.
            now: The present as the reader sees it.
            shown: Id of the run that the view shows.
        """
        with self._lock:
            return self._page(asked, now, shown)

    def _page(self, asked: Find, now: Now, shown: str) -> Runs:
        self._refresh()
        self._looked.begin()
        self._unknown = set()
        found = [h for h in self._latest() if _fits(h, asked)]
        notes = []
        if asked.tool or asked.model or asked.call:
            if len(found) > looked.LOOKS_MAX:
                most = looked.LOOKS_MAX
                notes.append(f"only the latest {most} runs were searched for calls")
            found = [h for h in found[: looked.LOOKS_MAX] if self._made(h, asked)]
        if asked.status:
            unsettled = [h.run for h in found if _is_unsettled(h)]
            near = frozenset(unsettled[: looked.LOOKS_MAX])
            if len(near) < len(unsettled):
                latest = f"the latest {len(near)} unfinished runs"
                notes.append(f"only {latest} were searched for who waits")
            found = [h for h in found if self._state(h, near=near)[0] == asked.status]
        part = found[asked.start : asked.start + PAGE]
        lines = tuple(self._line(h, now, shown) for h in part)
        unread = len(self._unknown)
        if unread:
            notes.append(f"reading {count(unread, 'more run')}")
        return Runs(
            runs=lines,
            start=asked.start,
            total=len(found),
            note=", ".join(notes),
            unread=unread,
        )

    def knows(self, run: str) -> bool:
        """Whether the store has this run."""
        with self._lock:
            self._refresh()
            return run in runs.there(self._folded)

    def before(self, history: History) -> list[History]:
        """The runs of a notebook that began before one of it, the latest first.

        Args:
            history: That run; of those that are found the steps are known, and no calls.
        """
        with self._lock:
            self._refresh()
            there = list(runs.there(self._folded).values())
        until_us, notebook = _began_us(history), history.notebook
        found = [h for h in there if h.notebook == notebook and _began_us(h) < until_us]
        return sorted(found, key=_began_us, reverse=True)

    def _refresh(self) -> None:
        now_s = self.clock.monotonic_s()
        if self._at_s is not None and now_s - self._at_s < FRESH_S:
            return
        kinds = runs.INDEX_KINDS | _SETTLES
        entries, self._cursor = self.store.scan(kinds, self._cursor)
        runs.fold(self._folded, (e for e in entries if e.record.kind not in _SETTLES))
        for entry in entries:
            record, order = entry.record, (entry.tick, entry.owner, entry.seq)
            if record.kind in _SETTLES:
                self._said.setdefault(record.run, {})[record.subject] = order
        self._alive = frozenset(o.id for o in self.store.owners() if o.alive)
        self._at_s = now_s

    def _latest(self) -> list[History]:
        found = runs.there(self._folded).values()
        return sorted(found, key=lambda h: h.last_at_us, reverse=True)

    def _line(self, history: History, now: Now, shown: str) -> RunLine:
        status, told = self._state(history)
        opened = history.opened
        assert opened is not None
        forked = forked_from(opened)
        steps = dict.fromkeys(line(s.name) for s in history.steps.values())
        return RunLine(
            id=history.run,
            number=fields.number(opened.fields, "number", 1),
            notebook=line(history.notebook),
            status=status,
            told=f"{told}, forked from {line(forked)}" if forked else told,
            since=since(opened.at_us, now),
            active=moment(history.last_at_us, now),
            cells=tuple(list(steps)[-STEPS_MAX:]),
            tags=tuple(map(line, list(dict.fromkeys(_tags(history)))[-STEPS_MAX:])),
            pinned=history.pinned,
            shown=history.run == shown,
        )

    def _state(
        self, history: History, *, near: Collection[str] | None = None
    ) -> tuple[str, str]:
        """How a run stands, as a word and in words; only of those near, who waits."""
        step = runs.unfinished_step(history)
        if history.closed is not None:
            return "closed", "closed"
        if step is None:
            return "open", "open"
        looks = near is None or history.run in near
        known = self._looked.waits(history.run, self._at_s or 0.0) if looks else None
        if looks and known is None:
            self._unknown.add(history.run)
        said = self._said.get(history.run)
        return standing(known or history, step, self._alive, said)

    def _made(self, history: History, asked: Find) -> bool:
        """Whether a run has a call of this tool, by this model, with this text."""
        made = self._looked.made(history.run, self._at_s or 0.0, asked)
        if made is None:
            self._unknown.add(history.run)
        return bool(made)


def _began_us(history: History) -> int:
    return history.opened.at_us if history.opened else 0


def _is_unsettled(history: History) -> bool:
    return history.closed is None and runs.unfinished_step(history) is not None


def _fits(history: History, asked: Find) -> bool:
    if asked.notebook and history.notebook != asked.notebook:
        return False
    if asked.tag and not any(_has(asked.tag, tag) for tag in _tags(history)):
        return False
    return not asked.text or any(_has(asked.text, text) for text in _texts(history))


def _tags(history: History) -> Iterator[str]:
    """The tags that a run's cells had when they ran."""
    for step in history.steps.values():
        yield from fields.texts(step.fields, "tags")


def _texts(history: History) -> Iterator[str]:
    """What of a run is searched for a text: its notebook, its number, its cells."""
    opened = history.opened
    number = fields.number(opened.fields, "number", 1) if opened else 1
    yield history.notebook
    yield f"run {number}"
    for step in history.steps.values():
        yield step.name
        yield step.title


def _has(wanted: str, text: str) -> bool:
    return wanted.casefold() in text.casefold()


STATUSES: Final[Collection[str]] = (
    "running",
    "waiting",
    "error",
    "stopped",
    "open",
    "closed",
)
"""The words for how a run stands."""
