"""The runs of a store, for a list that people search.

Theory of operation. Runs and steps are few, and `Store.scan` gives those that are new; they
are folded at most once in `FRESH_S`, and a page is cut from what is folded. Calls can be a
million. What is asked of them (how an unfinished run stands, which tools and models a run used) is read
run by run, each from where it was read to last, and only for the runs that need it. Of an
unfinished run only the calls that wait are remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from nbdurable.engine.past import fields, forks, runs
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.fates import Fate, step_fate
from nbdurable.engine.past.forks import forked_from
from nbdurable.engine.past.history import History
from nbdurable.engine.telling.waits import of_step
from nbdurable.engine.where.moments import Now, moment, since
from nbdurable.timeline.around import tool_of
from nbdurable.timeline.previews import line
from nbdurable.timeline.requests import Find
from nbdurable.timeline.told import RunLine, Runs
from nbdurable_store import lifecycle
from nbdurable_store.clock import SYSTEM_CLOCK, Clock
from nbdurable_store.protocol import START, Cursor, Store
from nbdurable_store.records import Entry

PAGE: Final = 50
"""Runs of one page."""

FRESH_S: Final = 2.0
"""How long a list may be old: nobody sees more, and typing in a field costs nothing."""

LOOKS_MAX: Final = 200
"""Runs whose calls are read for one question about tools, models or calls: the latest."""

FOLDS_MAX: Final = 2 * LOOKS_MAX
"""Runs of which is remembered what was read."""

STEPS_MAX: Final = 8
"""Cells that a line names."""

DOING: Final = {
    Fate.RUNNING: "running in",
    Fate.WAITING: "waits for you in",
    Fate.ERROR: "error in",
}
"""How an unfinished run stands, by the fate of the step that it is in."""

_STATUS: Final = {
    Fate.RUNNING: "running",
    Fate.WAITING: "waiting",
    Fate.ERROR: "error",
}


_Folds = dict[str, tuple[History, Cursor, float | None]]
"""By run, what was read of it, how far, and when."""

_Wanted = Callable[[History, Entry], bool]


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
    _cursor: Cursor = field(init=False, default=START)
    _alive: frozenset[str] = field(init=False, default=frozenset())
    _at_s: float | None = field(init=False, default=None)
    _waits: _Folds = field(init=False, default_factory=dict)
    _read: _Folds = field(init=False, default_factory=dict)

    def page(self, asked: Find, now: Now, shown: str) -> Runs:
        """A page of the runs that are asked for, the one that was used last first.

        Args:
            asked: Which.
            now: The present as the reader sees it.
            shown: Id of the run that the view shows.
        """
        self._refresh()
        found = [h for h in self._latest() if _fits(h, asked)]
        note = ""
        if asked.tool or asked.model or asked.call:
            if len(found) > LOOKS_MAX:
                note = f"only the latest {LOOKS_MAX} runs were searched for calls"
            found = [h for h in found[:LOOKS_MAX] if self._made(h, asked)]
        if asked.status:
            found = [h for h in found if self._state(h)[0] == asked.status]
        part = found[asked.start : asked.start + PAGE]
        lines = tuple(self._line(h, now, shown) for h in part)
        return Runs(runs=lines, start=asked.start, total=len(found), note=note)

    def knows(self, run: str) -> bool:
        """Whether the store has this run."""
        self._refresh()
        return run in runs.there(self._folded)

    def _refresh(self) -> None:
        now_s = self.clock.monotonic_s()
        if self._at_s is not None and now_s - self._at_s < FRESH_S:
            return
        entries, self._cursor = self.store.scan(runs.INDEX_KINDS, self._cursor)
        runs.fold(self._folded, entries)
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
            pinned=history.pinned,
            shown=history.run == shown,
        )

    def _state(self, history: History) -> tuple[str, str]:
        """How a run stands, as a word and in words."""
        step = runs.unfinished_step(history)
        if history.closed is not None:
            return "closed", "closed"
        if step is None:
            return "open", "open"
        waits = self._is_asking(history.run, step)
        fate = Fate.WAITING if waits else step_fate(step, self._alive)
        doing = DOING.get(fate, "stopped in")
        return _STATUS.get(fate, "stopped"), f"{doing} {line(step.name)}"

    def _is_asking(self, run: str, step: StepPast) -> bool:
        """Whether a step waits for somebody."""
        history = self._gone_on(self._waits, run, _may_wait)
        return any(w.replies for w in of_step(history, step))

    def _whole(self, run: str) -> History:
        """A run with its calls."""
        return self._gone_on(self._read, run, lambda *_: True)

    def _gone_on(self, known: _Folds, run: str, wanted: _Wanted) -> History:
        """A run, read from where it was read to before, once per refresh."""
        history, cursor, at_s = known.get(run, (History(run), START, None))
        if at_s is not None and at_s == self._at_s:
            return history
        entries, after = self.store.read(run, cursor)
        if cursor == START:
            forks.begin(history, entries, lambda parent: self.store.read(parent)[0])
        history.apply(entry for entry in entries if wanted(history, entry))
        if len(known) >= FOLDS_MAX:
            known.clear()
        known[run] = history, after, self._at_s
        return history

    def _made(self, history: History, asked: Find) -> bool:
        """Whether a run has a call of this tool, by this model, with this text."""
        return any(
            _has(asked.tool, tool_of(call))
            and _has(asked.model, fields.text(call.fields, "model"))
            and _has(asked.call, call.text)
            for call in self._whole(history.run).calls.values()
        )


def _may_wait(history: History, entry: Entry) -> bool:
    """Whether an entry says anything of who waits for what: of most calls none does."""
    record = entry.record
    about_call = record.kind in lifecycle.CALL_KINDS
    return not about_call or record.subject in history.calls or "wait" in record.fields


def _fits(history: History, asked: Find) -> bool:
    if asked.notebook and history.notebook != asked.notebook:
        return False
    return not asked.text or any(_has(asked.text, text) for text in _texts(history))


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
