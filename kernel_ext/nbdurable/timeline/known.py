"""What was made for a view and is still true, so that an event costs what it changes. Pure.

Theory of operation. A view of an attempt depends on the records of its slot, of the calls
that are served in it, and on who lives. New entries therefore make forgotten: every attempt
of the slots that they touch, and in these every call that they name, with those around it.
What is still open (an attempt without an end, a call that isn't simply done) is made anew
each time, since it depends on the present. A kind of record that isn't known here makes
everything forgotten: a slow view is better than a wrong one. Of very many calls those that
are told at once are held, and no others: a view that is open all day doesn't grow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from nbdurable.engine.past.attempts import StepPast, StepState
from nbdurable.engine.past.fates import Fate
from nbdurable.engine.past.history import History
from nbdurable.timeline.views import CallView, StepView
from nbdurable_store.records import Entry, Kind

_OF_STEPS: Final = frozenset(
    {
        Kind.STEP_STARTED,
        Kind.STEP_COMPLETED,
        Kind.STEP_FAILED,
        Kind.STEP_REPLAYED,
        Kind.STEP_RESET,
        Kind.STEP_RANDOM,
        Kind.STEP_GIVEN,
        Kind.STEP_CHECKPOINT,
    }
)
_OF_CALLS: Final = frozenset(
    {Kind.CALL_STARTED, Kind.CALL_COMPLETED, Kind.CALL_RAISED, Kind.CALL_KEPT}
)
_DONE: Final = frozenset({Fate.RAN, Fate.REPLAYED})


@dataclass(eq=False)
class Known:
    """Attempts and calls as they were made last.

    Attributes:
        steps: Attempts by id.
        calls: Calls by attempt and id.
        texts: Of attempts what tells their cells' texts apart; it never changes.
    """

    steps: dict[str, StepView] = field(default_factory=dict)
    calls: dict[str, dict[str, CallView]] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)

    def step(self, past: StepPast) -> StepView | None:
        """An attempt that is as it was."""
        if past.state is StepState.RUNNING:
            return None
        return self.steps.get(past.id)

    def call(
        self, past: StepPast, call: str, place: tuple[str, int]
    ) -> CallView | None:
        """A call that is as it was: done, and with the same number."""
        found = self.calls.get(past.id, {}).get(call)
        fits = found is not None and (found.number, found.depth) == place
        return found if fits and found is not None and found.fate in _DONE else None

    def keep(self, view: StepView) -> StepView:
        """Remember an attempt as it is now."""
        self.steps[view.id] = view
        self.calls[view.id] = {call.id: call for call in view.calls}
        return view

    def cut(self, view: StepView, room: int) -> StepView:
        """The attempt with no more than its newest calls, which alone are remembered.

        Args:
            view: The attempt.
            room: How many.
        """
        more = len(view.calls) - room
        if more <= 0:
            return view
        calls, dropped = view.calls[more:], view.dropped + more
        return self.keep(dataclasses.replace(view, calls=calls, dropped=dropped))

    def forget(self, history: History, entries: Iterable[Entry]) -> None:
        """Forget what these entries, which the history has by now, may have changed."""
        for entry in entries:
            record = entry.record
            if record.kind in _OF_STEPS:
                past = history.steps.get(record.step or record.subject)
                self._slot(history, past.slot if past else "", whole=True)
            elif record.kind in _OF_CALLS and record.subject in history.calls:
                self._call(history, record.subject, record.step)
            else:
                self.clear()
                return

    def clear(self) -> None:
        """Forget everything."""
        self.steps.clear()
        self.calls.clear()

    def _call(self, history: History, call: str, step: str) -> None:
        past = history.calls[call]
        steps = (history.steps.get(s) for s in (step, past.step))
        for slot in {past.slot, *(s.slot for s in steps if s)}:
            self._slot(history, slot, whole=False)
            around: str = call
            while around:
                for attempt in history.attempts(slot):
                    self.calls.get(attempt.id, {}).pop(around, None)
                outer = history.calls.get(around)
                around = outer.parent if outer else ""

    def _slot(self, history: History, slot: str, *, whole: bool) -> None:
        for attempt in history.attempts(slot):
            self.steps.pop(attempt.id, None)
            if whole:
                self.calls.pop(attempt.id, None)
