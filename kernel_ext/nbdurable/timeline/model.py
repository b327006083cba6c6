"""From the history of a run to the rows that are shown. Pure but for reading values.

`run_view` is the only door: text, HTML and the command line's JSON are made from what
it returns, so they can't disagree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypedDict

from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.fates import Fate, shown_fate, step_fate
from nbdurable.engine.past.forks import forked_from
from nbdurable.engine.past.history import History
from nbdurable.engine.past.money import unknown_models
from nbdurable.engine.past.pasts import CallPast, Order
from nbdurable.engine.past.present import Present
from nbdurable.engine.past.tally import Ledger, Tally
from nbdurable.engine.past.waits import waiting
from nbdurable.engine.telling.explain import call_line, why_step
from nbdurable.engine.telling.waits import is_answered
from nbdurable.engine.where.moments import Now
from nbdurable.timeline import displays, previews
from nbdurable.timeline.around import kept_bytes, kept_names, kernels, names
from nbdurable.timeline.asks import asks
from nbdurable.timeline.callview import Seen, call_view, error
from nbdurable.timeline.known import Known
from nbdurable.timeline.previews import Frames, Get, line
from nbdurable.timeline.protocol import CALLS_MAX
from nbdurable.timeline.views import (
    CallView,
    CellView,
    Preview,
    RunView,
    StepView,
    latest,
)
from nbdurable.timeline.written import written
from nbdurable_store.records import BlobRef

DETAILED_MAX: Final = 500
"""Calls whose values are read and whose reasons are told; a page with more of them is
too heavy to open. The latest attempts come first."""

WHY_CALLS_MAX: Final = 5_000
"""In larger runs no reason is told for single calls: each looks at all the others."""


HELD_MAX: Final = CALLS_MAX
"""Calls that a live view holds: as many as it tells at once, some 40 MB. A call counts in
each attempt that it was served to, so who runs a cell again all day has more than that."""

_WHOLE: Final = frozenset({Fate.RUNNING, Fate.RAN, Fate.REPLAYED})
"""Attempts whose older calls say nothing of how their cell stands."""

NOTHING: Final = "\0"
"""Stands for the call whose values are read where there is none."""

DISPLAY_CHARS_MAX: Final = 4_000_000
"""Characters of images and HTML of all attempts of a run together, latest first."""

WHY_STEPS_MAX: Final = 200
WHY_LOOKS_MAX: Final = 400_000
"""Attempts of which the reason is told, latest first, and the attempts that all of them
may look at: each looks at every one before it."""


@dataclass(slots=True)
class _Making:
    """What the making of one view needs everywhere."""

    history: History
    ledger: Ledger
    present: Present
    get: Get | None
    newest: Mapping[str, Order]
    detailed: int
    explained: int
    frames: Frames | None = None
    wanted: str | None = None
    display_chars: int = DISPLAY_CHARS_MAX
    known: Known | None = None

    def explains(self, call: CallPast) -> bool:
        few = len(self.history.calls) <= WHY_CALLS_MAX
        return few if self.wanted is None else call.id == self.wanted

    def read(self, call: CallPast) -> Get | None:
        """How the values of this call are read; None where they aren't."""
        if self.wanted is not None:
            return self.get if call.id == self.wanted else None
        self.detailed -= 1
        return self.get if self.detailed >= 0 else None


def run_view(
    history: History,
    now: Now,
    *,
    alive: Collection[str] = (),
    get: Get | None = None,
    stale: Mapping[str, str] | None = None,
    frames: Frames | None = None,
) -> RunView:
    """A run as it is shown.

    Args:
        history: The fold of its entries.
        now: The present as the reader sees it.
        alive: Ids of the owners that live.
        get: How to read values for previews; without it there are none.
        stale: By slot, why its cell would run again in the kernel that asks.
        frames: How stored tables are read; without it they are named only.
    """
    making = _making(history, now, alive, get)
    making.frames = frames
    return _whole(making, stale or {})


def live_view(
    history: History,
    now: Now,
    known: Known,
    *,
    alive: Collection[str],
    get: Get,
    stale: Mapping[str, str],
) -> RunView:
    """The same for who looks again and again: what is still true isn't made anew.

    No values are read; those of a call are asked for one by one, with `attempt_view`.

    Args:
        history: The fold of the run's entries.
        now: The present as the reader sees it.
        known: What is still true of the last view; kept up to date here.
        alive: Ids of the owners that live.
        get: How what the reasons need is read.
        stale: By slot, why its cell would run again in the kernel that asks.
    """
    making = _making(history, now, alive, get)
    making.known, making.wanted = known, NOTHING
    return _whole(making, stale)


def _whole(making: _Making, stale: Mapping[str, str]) -> RunView:
    history, now = making.history, making.present.now
    opened, present = history.opened, making.present
    cells = _cells(making, stale)
    return RunView(
        id=history.run,
        number=fields.number(opened.fields, "number", 1) if opened else 1,
        notebook=line(history.notebook) or "notebook",
        opened_us=opened.at_us if opened else 0,
        closed=history.closed is not None,
        forked=line(forked_from(opened)),
        now=now,
        cells=cells,
        kernels=kernels(history, making.ledger, present),
        asks=tuple(asks(history, present.alive)),
        kept=kept_names(history),
        kept_bytes=kept_bytes(history),
        total=sum((cell.total for cell in cells), Tally()),
        budget=history.budget,
        unpriced=tuple(map(line, unknown_models(history.calls.values()))),
    )


def attempt_view(
    history: History,
    now: Now,
    at: tuple[str, str],
    *,
    alive: Collection[str],
    reads: tuple[Get, Frames],
    known: Known,
) -> StepView | None:
    """One attempt, with the values of one of its calls, or with its own; None if there is none.

    Args:
        history: The fold of the run's entries.
        now: The present as the reader sees it.
        at: Ids of the attempt and of the call whose values are read; "" for its own.
        alive: Ids of the owners that live.
        reads: How values are read, and stored tables.
        known: What was made of the other calls before, and is as it was.
    """
    attempt, call = at
    step = history.steps.get(attempt)
    if step is None:
        return None
    get, frames = reads
    making = _making(history, now, alive, get)
    making.frames, making.wanted, making.known = frames, call, known
    return _made(making, step)


def _making(
    history: History, now: Now, alive: Collection[str], get: Get | None
) -> _Making:
    present = Present(
        now,
        frozenset(alive),
        arguments=previews.arguments_of(get),
        evidence=previews.evidence_of(get),
    )
    return _Making(
        history=history,
        ledger=Ledger(history),
        present=present,
        get=get,
        newest=_newest(history),
        detailed=DETAILED_MAX,
        explained=min(WHY_STEPS_MAX, WHY_LOOKS_MAX // max(1, len(history.steps))),
    )


# ---- cells, attempts, calls ------------------------------------------------------------


def _cells(making: _Making, stale: Mapping[str, str]) -> tuple[CellView, ...]:
    newest = sorted(making.history.steps.values(), key=lambda s: s.order, reverse=True)
    views = dict(_held(making, newest))
    by_slot: dict[str, list[StepView]] = {}
    totals = making.ledger.by_slot()
    for step in reversed(newest):
        by_slot.setdefault(step.slot, []).append(views[step.id])
    return tuple(
        CellView(
            slot=slot,
            name=attempts[-1].name,
            attempts=tuple(attempts),
            stale=line(stale.get(slot, "")),
            total=totals[slot],
            **_place(making, latest(attempts).id),
        )
        for slot, attempts in by_slot.items()
    )


def _held(
    making: _Making, newest: Iterable[StepPast]
) -> Iterator[tuple[str, StepView]]:
    """Attempts by id; who looks again and again holds the newest calls only.

    How a cell stands that stopped is seen by all calls of its latest attempt.
    """
    room, slots = HELD_MAX, set[str]()
    answered = {w.call.id for w in waiting(making.history) if w.answered}
    for step in newest:
        view = _step(making, step)
        stopped = step.slot not in slots and view.fate not in _WHOLE
        if making.known is not None and not stopped:
            view = making.known.cut(view, max(0, room))
        slots.add(step.slot)
        room -= len(view.calls)
        rests = step_fate(step, making.present.alive) is not Fate.RUNNING
        yield step.id, _answered(view, answered) if answered and rests else view


def _answered(view: StepView, answered: Collection[str]) -> StepView:
    """The same; a question that was answered while no cell ran waits for nobody any more.

    It isn't remembered so: what was sent under a name may be taken by another call.
    """
    waits = (c.id for c in view.calls if c.fate is Fate.WAITING)
    given = {call for call in waits if call in answered}
    calls = (replace(c, fate=Fate.RAN) if c.id in given else c for c in view.calls)
    return replace(view, calls=tuple(calls)) if given else view


class _Place(TypedDict):
    """The members of a `CellView` that say which cell it is."""

    cell_id: str
    written: int


def _place(making: _Making, step_id: str) -> _Place:
    step, known = making.history.steps[step_id], making.known
    texts = known.texts if known is not None else {}
    if step_id not in texts:
        text = step.inputs[0] if step.inputs else None
        texts[step_id] = written(text, making.get)
    return {"cell_id": step.cell_id, "written": texts[step_id]}


def _step(making: _Making, step: StepPast) -> StepView:
    known = making.known
    if known is None:
        return _made(making, step)
    return known.step(step) or known.keep(_made(making, step))


def _made(making: _Making, step: StepPast) -> StepView:
    f, present = step.fields, making.present
    get = None if making.wanted else making.get
    shown = step.blobs[0] if step.blobs else None
    why = _why(making, step)
    calls = tuple(_calls(making, step))
    fate = shown_fate(step, [c.fate for c in calls], present.alive)
    stands = fate is Fate.WAITING and step_fate(step, present.alive) is not Fate.RUNNING
    return StepView(
        id=step.id,
        slot=step.slot,
        name=line(step.name),
        title=line(step.title),
        attempt=step.attempt,
        fate=fate,
        answered=stands and is_answered(making.history, step),
        started_us=step.started_us,
        ended_us=step.ended_us or _last_heard_us(making, step),
        ms=step.ms,
        tally=making.ledger.attempt(step),
        calls=calls,
        why=tuple(map(line, why)),
        names=names(step),
        unsaved=tuple(map(line, fields.texts(f, "unsaved"))),
        error=error(f) if step.how == "raised" else "",
        replays=tuple(step.replays),
        source=previews.value(step.inputs[0] if step.inputs else None, get),
        outputs=previews.outputs(shown, get),
        displays=_displays(making, shown, get),
    )


def _displays(
    making: _Making, ref: BlobRef | None, get: Get | None
) -> tuple[Preview, ...]:
    """What an attempt showed beside text, as far as there is room for it."""
    found = displays.displays(ref, get)
    making.display_chars -= sum(len(one.text) for one in found)
    return found if making.display_chars >= 0 else ()


def _why(making: _Making, step: StepPast) -> tuple[str, ...]:
    making.explained -= 1
    if making.explained < 0:
        return ()
    return why_step(making.history, step, making.present, making.ledger).lines


def _newest(history: History) -> dict[str, Order]:
    """Per owner, where the last attempt that it executed started."""
    found: dict[str, Order] = {}
    for step in history.steps.values():
        found[step.owner] = max(found.get(step.owner, step.order), step.order)
    return found


def _last_heard_us(making: _Making, step: StepPast) -> int:
    """The end of an attempt without one: the last sign of life of whoever ran it."""
    history, present = making.history, making.present
    if step_fate(step, present.alive) is Fate.RUNNING:
        return present.now.us
    if making.newest[step.owner] > step.order:
        return step.started_us
    return history.owner_last_us(step.owner)


def _calls(making: _Making, step: StepPast) -> Iterator[CallView]:
    """The calls of an attempt, each followed by those made inside it."""
    calls = {c.id: c for c in making.ledger.calls(step)}
    numbers = making.ledger.numbered(step)
    own = [c for c in calls.values() if c.parent not in calls]
    todo = [(c, 0) for c in reversed(own)]
    while todo:
        call, depth = todo.pop()
        place = numbers.get(call.id, ""), depth
        remembered = making.known if call.id != making.wanted else None
        known = remembered.call(step, call.id, place) if remembered else None
        yield known or _call(making, step, call, place)
        inner = making.ledger.inside(call)
        if inner:
            inside = [calls[c.id] for c in inner if c.id in calls]
            todo += [(c, depth + 1) for c in reversed(inside)]


def _call(
    making: _Making, step: StepPast, call: CallPast, place: tuple[str, int]
) -> CallView:
    history, present = making.history, making.present
    get = making.read(call)
    why = call_line(history, call, step, present) if making.explains(call) else ""
    brief = making.known is not None
    seen = Seen(
        alive=present.alive, get=get, frames=making.frames, why=why, brief=brief
    )
    return call_view(history, step, call, place, seen)
