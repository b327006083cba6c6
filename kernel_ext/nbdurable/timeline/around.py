"""What stands around the cells of a run: its kernels, and the names that it keeps. Pure."""

from __future__ import annotations

from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.fates import cut_off, was_under_way
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pasts import CallPast, made_by_cell
from nbdurable.engine.past.present import Present
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.past.waits import is_parked
from nbdurable.engine.telling.wording import Stop, kernel_stopped
from nbdurable.timeline.previews import line
from nbdurable.timeline.views import KeptView, KernelView
from nbdurable_store.records import BlobRef


def kernels(
    history: History, ledger: Ledger, present: Present
) -> tuple[KernelView, ...]:
    """The processes that executed a run, and how those that died stopped.

    Args:
        history: The run.
        ledger: Which calls each attempt used.
        present: The present as the reader sees it.
    """
    alive = present.alive
    looked = history, ledger, present
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
            stopped=_stopped(looked, stops[owner], last) if owner in stops else "",
        )
        for number, (owner, (first, last)) in enumerate(ordered, 1)
    )


def _stopped(
    looked: tuple[History, Ledger, Present], step: StepPast, last_us: int
) -> str:
    history, ledger, present = looked
    calls = ledger.calls(step)
    about = history, step, present.alive
    open_calls = [
        c for c in calls if was_under_way(c, *about) and made_by_cell(history.calls, c)
    ]
    open_calls = open_calls or [c for c in calls if c.wait and is_parked(c)]
    name = line(step.name)
    if not open_calls:
        return kernel_stopped(Stop(at_us=last_us, step=name), present.now)
    first = open_calls[0]
    stop = Stop(
        at_us=last_us,
        step=name,
        number=ledger.numbered(step).get(first.id, ""),
        call=line(tool_of(first)),
        effect=first.effect,
        others=len(open_calls) - 1,
        waited=bool(first.wait),
    )
    return kernel_stopped(stop, present.now)


def names(step: StepPast) -> tuple[str, ...]:
    """Names of variables that a step stored; what else it stored has no such name."""
    return tuple(line(n) for group in step.groups for n in group if n.isidentifier())


def kept_names(history: History) -> tuple[KeptView, ...]:
    """What `restore` can bring back, the latest last."""
    kept: dict[str, KeptView] = {}
    for step in sorted(history.steps.values(), key=lambda s: s.ended_order):
        for name in fields.texts(step.fields, "deleted"):
            kept.pop(line(name), None)
        for name in names(step):
            kept.pop(name, None)
            kept[name] = KeptView(name=name, step=line(step.name), at_us=step.ended_us)
    return tuple(kept.values())


def kept_bytes(history: History) -> int:
    """How large the values are that `restore` can bring back; shared ones count once."""
    kept: dict[str, BlobRef] = {}
    for step in sorted(history.steps.values(), key=lambda s: s.ended_order):
        for name in fields.texts(step.fields, "deleted"):
            kept.pop(name, None)
        kept.update(
            {n: ref for group, ref in step.stored for n in group if n.isidentifier()}
        )
    return sum(ref.size for ref in set(kept.values()))


def tool_of(call: CallPast) -> str:
    """What people call what was called: a tool's name, or the model that was asked."""
    asked, arrow, _ = call.text.partition(" ← ")
    return asked if arrow and call.kind == "http" else call.name
