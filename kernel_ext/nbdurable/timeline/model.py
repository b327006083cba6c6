"""From the history of a run to the rows that are shown. Pure but for reading values.

`run_view` is the only door: text, HTML and the command line's JSON are made from what
it returns, so they can't disagree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.past import fields
from nbdurable.engine.past.fates import (
    Fate,
    call_fate,
    cut_off,
    shown_fate,
    step_fate,
    was_under_way,
)
from nbdurable.engine.past.forks import forked_from
from nbdurable.engine.past.history import History
from nbdurable.engine.past.money import price, tokens, unknown_models
from nbdurable.engine.past.pasts import (
    HELD,
    CallPast,
    CallState,
    Order,
    StepPast,
    made_by_cell,
)
from nbdurable.engine.past.present import Present
from nbdurable.engine.past.tally import Ledger, Tally
from nbdurable.engine.past.waits import is_parked
from nbdurable.engine.telling.attempts import attempts
from nbdurable.engine.telling.explain import call_line, why_step
from nbdurable.engine.telling.wording import Stop, kernel_stopped
from nbdurable.engine.where.moments import Now
from nbdurable.timeline import displays, previews
from nbdurable.timeline.asks import asks
from nbdurable.timeline.previews import Frames, Get, line
from nbdurable.timeline.views import (
    CallView,
    CellView,
    KeptView,
    KernelView,
    Preview,
    RunView,
    StepView,
)
from nbdurable_store.records import BlobRef

DETAILED_MAX: Final = 500
"""Calls whose values are read and whose reasons are told; a page with more of them is
too heavy to open. The latest attempts come first."""

WHY_CALLS_MAX: Final = 5_000
"""In larger runs no reason is told for single calls: each looks at all the others."""


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
    opened, present = history.opened, making.present
    cells = _cells(making, stale or {})
    return RunView(
        id=history.run,
        number=fields.number(opened.fields, "number", 1) if opened else 1,
        notebook=line(history.notebook) or "notebook",
        opened_us=opened.at_us if opened else 0,
        closed=history.closed is not None,
        forked=line(forked_from(opened)),
        now=now,
        cells=cells,
        kernels=_kernels(making),
        asks=tuple(asks(history, present.alive)),
        kept=_kept(history),
        total=sum((cell.total for cell in cells), Tally()),
        budget=history.budget,
        unpriced=tuple(map(line, unknown_models(history.calls.values()))),
    )


def attempt_view(
    history: History,
    now: Now,
    at: tuple[str, str],
    *,
    alive: Collection[str] = (),
    get: Get | None = None,
    frames: Frames | None = None,
) -> StepView | None:
    """One attempt, with the values of one of its calls, or with its own; None if there is none.

    Args:
        history: The fold of the run's entries.
        now: The present as the reader sees it.
        at: Ids of the attempt and of the call whose values are read; "" for its own.
        alive: Ids of the owners that live.
        get: How to read values.
        frames: How stored tables are read.
    """
    attempt, call = at
    step = history.steps.get(attempt)
    if step is None:
        return None
    making = _making(history, now, alive, get)
    making.frames, making.wanted = frames, call
    return _step(making, step)


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
    views = {step.id: _step(making, step) for step in newest}
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
        )
        for slot, attempts in by_slot.items()
    )


def _step(making: _Making, step: StepPast) -> StepView:
    f, present = step.fields, making.present
    get = None if making.wanted else making.get
    shown = step.blobs[0] if step.blobs else None
    why = _why(making, step)
    calls = tuple(_calls(making, step))
    return StepView(
        id=step.id,
        slot=step.slot,
        name=line(step.name),
        title=line(step.title),
        attempt=step.attempt,
        fate=shown_fate(step, [c.fate for c in calls], present.alive),
        started_us=step.started_us,
        ended_us=step.ended_us or _last_heard_us(making, step),
        ms=step.ms,
        tally=making.ledger.attempt(step),
        calls=calls,
        why=tuple(map(line, why)),
        names=_names(step),
        unsaved=tuple(map(line, fields.texts(f, "unsaved"))),
        error=_error(f) if step.how == "raised" else "",
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
        yield _call(making, step, call, (numbers.get(call.id, ""), depth))
        inside = [calls[c.id] for c in making.ledger.inside(call) if c.id in calls]
        todo += [(c, depth + 1) for c in reversed(inside)]


def _call(
    making: _Making, step: StepPast, call: CallPast, place: tuple[str, int]
) -> CallView:
    history, present = making.history, making.present
    number, depth = place
    get = making.read(call)
    why = call_line(history, call, step, present) if making.explains(call) else ""
    raised = call.state is CallState.RAISED
    tries = [c for c in (*call.earlier, call) if c.step == step.id]
    began_us = min((c.started_us for c in tries), default=call.started_us)
    before_ms = (call.started_us - began_us) / 1_000 if call.ms else 0.0
    return CallView(
        id=call.id,
        reference=line(f"{step.name}.{number}" if number else step.name),
        number=number,
        name=line(tool_of(call)),
        text=line(call.text or call.name),
        effect=call.kind if call.is_step else call.effect.value,
        fate=call_fate(history, call, step, present.alive),
        parent=call.parent,
        depth=depth,
        is_step=call.is_step,
        held=fields.number(call.fields, HELD),
        started_us=began_us,
        ms=before_ms + call.ms,
        tokens=tokens((call,)),
        usd=price(call),
        model=line(fields.text(call.fields, "model")),
        attempt=call.attempts,
        attempts=tuple(map(line, attempts(call))),
        tries=len(tries),
        error=_error(call.fields) if raised else "",
        why=line(why),
        key=call.key.hex(),
        arguments=previews.value(call.arguments, get),
        result=None if raised else previews.value(call.outcome, get, making.frames),
        trace=previews.trace(call, get) if raised else None,
    )


def tool_of(call: CallPast) -> str:
    """What people call what was called: a tool's name, or the model that was asked."""
    asked, arrow, _ = call.text.partition(" ← ")
    return asked if arrow and call.kind == "http" else call.name


def _error(f: fields.Fields) -> str:
    kind = fields.text(f, "type").removeprefix("builtins.")
    message = fields.text(f, "message")
    return line(f"{kind}: {message}" if message else kind)


# ---- kernels, questions, names ---------------------------------------------------------


def _kernels(making: _Making) -> tuple[KernelView, ...]:
    history, alive = making.history, making.present.alive
    spans = {o: history.seen_us[o] for o in history.kernels}
    stops = {s.owner: s for s in cut_off(history, alive)}
    ordered = sorted(spans.items(), key=lambda item: item[1])
    return tuple(
        KernelView(
            owner=owner,
            number=number,
            first_us=first,
            last_us=last,
            alive=owner in alive,
            stopped=_stopped(making, stops[owner], last) if owner in stops else "",
        )
        for number, (owner, (first, last)) in enumerate(ordered, 1)
    )


def _stopped(making: _Making, step: StepPast, last_us: int) -> str:
    calls = making.ledger.calls(step)
    about = making.history, step, making.present.alive
    open_calls = [
        c
        for c in calls
        if was_under_way(c, *about) and made_by_cell(making.history.calls, c)
    ]
    open_calls = open_calls or [c for c in calls if c.wait and is_parked(c)]
    name = line(step.name)
    if not open_calls:
        return kernel_stopped(Stop(at_us=last_us, step=name), making.present.now)
    first = open_calls[0]
    stop = Stop(
        at_us=last_us,
        step=name,
        number=making.ledger.numbered(step).get(first.id, ""),
        call=line(tool_of(first)),
        effect=first.effect,
        others=len(open_calls) - 1,
        waited=bool(first.wait),
    )
    return kernel_stopped(stop, making.present.now)


def _names(step: StepPast) -> tuple[str, ...]:
    """Names of variables that a step stored; what else it stored has no such name."""
    return tuple(line(n) for group in step.groups for n in group if n.isidentifier())


def _kept(history: History) -> tuple[KeptView, ...]:
    kept: dict[str, KeptView] = {}
    for step in sorted(history.steps.values(), key=lambda s: s.ended_order):
        for name in fields.texts(step.fields, "deleted"):
            kept.pop(line(name), None)
        for name in _names(step):
            kept.pop(name, None)
            kept[name] = KeptView(name=name, step=line(step.name), at_us=step.ended_us)
    return tuple(kept.values())
