"""The calls that an event touched, without a look at the whole run. Pure.

Theory of operation. What is told of a run as a whole (counts, cells, what was saved) costs a
time that grows with it, so for a large run it is made anew only now and then. What people
watch are the calls that are executed now: a row of one depends on its own records and on the
numbers of the calls around it, so it is told at once, and one more is counted in its attempt.
As long as calls of attempts that go on are all that changed, that is enough, and nobody looks
at the whole. The next look tells it again; that changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from nbdurable.engine.past.fates import Fate
from nbdurable.engine.past.history import History
from nbdurable.engine.past.kinds import WAITS
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.tally import Tally, began, done, own_numbers
from nbdurable.engine.telling.explain import counted
from nbdurable.timeline import snapshots
from nbdurable.timeline.asks import asks
from nbdurable.timeline.callview import Seen, call_view
from nbdurable.timeline.previews import line
from nbdurable.timeline.protocol import Attempt, Changed, Snapshot
from nbdurable.timeline.text import calls_told
from nbdurable.timeline.views import RunView, StepView
from nbdurable_store.records import Entry, Kind

_CALLS: Final = frozenset({Kind.CALL_STARTED, Kind.CALL_COMPLETED, Kind.CALL_RAISED})
_ASKS_NOTHING: Final = frozenset(
    {
        Kind.CALL_STARTED,
        Kind.CALL_COMPLETED,
        Kind.STEP_STARTED,
        Kind.STEP_COMPLETED,
        Kind.STEP_GIVEN,
        Kind.STEP_RANDOM,
        Kind.STEP_CHECKPOINT,
    }
)


_SIMPLE: Final = frozenset({Kind.CALL_STARTED, Kind.CALL_COMPLETED})
"""After these nothing of a run is otherwise but the call, and how many there are."""

_NO_CALLS: Final = snapshots.written(())

_Told = TypeVar("_Told", Snapshot, Changed)


@dataclass(eq=False)
class Touched:
    """What was touched since a view was told of the run as a whole."""

    _last: Snapshot | Changed | None = None
    _calls: dict[str, None] = field(default_factory=dict)
    _asks: bool = False
    _went: bool = False
    _going: dict[str, StepView] = field(default_factory=dict)
    _more: dict[str, Tally] = field(default_factory=dict)
    enough: bool = False
    """Whether to tell what was touched is to tell all that changed."""

    def note(self, history: History, entries: Iterable[Entry]) -> None:
        """Take new entries, which the history has by now."""
        for entry in entries if self._last is not None else ():
            kind, subject = entry.record.kind, entry.record.subject
            call = history.calls.get(subject)
            self._asks |= kind not in _ASKS_NOTHING or bool(call and call.wait)
            if kind in _CALLS:
                self._calls[subject] = None
            self.enough &= call is not None and self._is_counted(history, call, kind)

    def _is_counted(self, history: History, call: CallPast, kind: str) -> bool:
        """Count what a call adds; False if more than that may be otherwise now."""
        simple = call.kind not in WAITS and not call.is_step and not call.resolved
        if kind not in _SIMPLE or call.step not in self._going or not simple:
            return False
        if any(tried.step == call.step for tried in call.earlier):
            return False
        adds = began if kind == Kind.CALL_STARTED else done
        added = adds(history, call)
        self._more[call.step] = self._more.get(call.step, Tally()) + added
        return bool(own_numbers(history, call))

    def whole(self, made: _Told, run: RunView) -> _Told:
        """The run as a whole is told: nothing of it is left to be told at once.

        Args:
            made: What is told.
            run: What it was made from.
        """
        self._last = dataclasses.replace(made, calls=_NO_CALLS)
        self._calls, self._asks, self._went = {}, False, False
        latest = (cell.latest for cell in run.cells)
        self._going = {s.id: s for s in latest if s.fate is Fate.RUNNING}
        self._more, self.enough = {}, True
        return made

    def goes_first(self) -> bool:
        """Whether to tell what was touched before a look at the whole, which takes long."""
        self._went = bool(self._calls) and not self._went
        return self._went

    def tell(
        self, history: History, alive: Collection[str], now_us: int, seq: int
    ) -> Changed | None:
        """What became of the calls that were touched; None where there is nothing to tell.

        Args:
            history: The fold of the run.
            alive: Ids of the owners that live.
            now_us: The present, microseconds since 1970 UTC.
            seq: The number that the message is to have.
        """
        if self._last is None or not (self._calls or self._asks):
            return None
        needs = snapshots.needs(asks(history, alive)) if self._asks else None
        calls, self._calls, self._asks = self._calls, {}, False
        last = self._counted(self._last)
        made = _changed(last, history, calls, Seen(alive=alive), now_us)
        needs = made.needs if needs is None else needs
        if not made.calls.id and needs == made.needs:
            return None
        made = dataclasses.replace(made, seq=seq, needs=needs)
        self._last = dataclasses.replace(made, calls=_NO_CALLS)
        return made

    def _counted(self, told: Snapshot | Changed) -> Snapshot | Changed:
        """What was told, with the calls that began since in the counts."""
        more, self._more = self._more, {}
        for step, added in more.items():
            self._going[step] = _with(self._going[step], added)
        changed = {step: self._going[step] for step in more}
        slots = {step.slot: calls_told(step) for step in changed.values()}
        return dataclasses.replace(
            told,
            cells=tuple(
                dataclasses.replace(c, last=slots[c.slot]) if c.slot in slots else c
                for c in told.cells
            ),
            attempts=tuple(_recounted(a, changed.get(a.id)) for a in told.attempts),
        )


def _with(step: StepView, added: Tally) -> StepView:
    """An attempt that goes on, with more calls; the last line of its reasons counts them."""
    tally = step.tally + added
    reasons = step.why[:-1] if step.tally.calls else step.why
    told = (line(counted(tally)),) if tally.calls else ()
    return dataclasses.replace(step, tally=tally, why=(*reasons, *told))


def _recounted(attempt: Attempt, step: StepView | None) -> Attempt:
    if step is None:
        return attempt
    told, calls = snapshots.attempt_told(step), step.tally.calls
    return dataclasses.replace(attempt, told=told, why=step.why, calls=calls)


def _changed(
    told: Snapshot | Changed,
    history: History,
    calls: Iterable[str],
    seen: Seen,
    now_us: int,
) -> Changed:
    """The rows of calls, of attempts that the view knows."""
    attempts = {attempt.id for attempt in told.attempts}
    opened_us = told.head.opened_us
    rows = [
        snapshots.row(opened_us, past.step, view, now_us)
        for past, place in _placed(history, calls)
        if past.step in attempts
        for view in (call_view(history, history.steps[past.step], past, place, seen),)
    ]
    now_ms, heard_ms = ((us - opened_us) / 1_000 for us in (now_us, history.last_at_us))
    return Changed(
        seq=told.seq,
        head=dataclasses.replace(told.head, now_us=now_us),
        needs=told.needs,
        cells=told.cells,
        attempts=tuple(_going_on(attempt, now_ms) for attempt in told.attempts),
        kernels=tuple(
            dataclasses.replace(k, end_ms=max(k.end_ms, heard_ms)) if k.alive else k
            for k in told.kernels
        ),
        calls=snapshots.written(rows),
        kept=told.kept,
    )


def _placed(
    history: History, calls: Iterable[str]
) -> Iterator[tuple[CallPast, tuple[str, int]]]:
    """Those whose place is known from their own records, in the order of a view."""
    found = [history.calls[call] for call in calls if call in history.calls]
    for past in sorted(found, key=lambda c: (c.started_us, c.number)):
        numbers = own_numbers(history, past)
        if numbers and past.step in history.steps:
            yield past, (".".join(reversed(numbers)), len(numbers) - 1)


def _going_on(attempt: Attempt, now_ms: float) -> Attempt:
    if attempt.fate not in {Fate.RUNNING.value, Fate.WAITING.value}:
        return attempt
    return dataclasses.replace(attempt, end_ms=now_ms)
