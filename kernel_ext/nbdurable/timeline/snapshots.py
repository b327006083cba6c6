"""From the view of a run to the messages that show it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from nbdurable.engine.past.fates import Fate
from nbdurable.engine.where.moments import (
    count,
    duration,
    local,
    since,
    size,
)
from nbdurable.timeline import protocol
from nbdurable.timeline.glance import saved_told, spent_told
from nbdurable.timeline.protocol import (
    Attempt,
    Calls,
    Cell,
    Changed,
    Kernel,
    Snapshot,
)
from nbdurable.timeline.text import calls_told
from nbdurable.timeline.views import (
    AskView,
    CallView,
    CellView,
    KernelView,
    RunView,
    StepView,
)

NOTHING: Final = "No durable cell has run yet. Write %%durable in the first line of a cell and run it."

Row = tuple[StepView, CallView]
"""A call in an attempt."""


def snapshot(run: RunView, *, seq: int = 0, asked: bool = False) -> Snapshot:
    """A run as a view shows it at first.

    Args:
        run: The run.
        seq: The number of this state.
        asked: Whether a kernel said which cells are stale; else nobody knows.
    """
    rows = _newest(run)
    total = sum(len(step.calls) + step.dropped for step in run.attempts)
    return Snapshot(
        version=protocol.VERSION,
        seq=seq,
        head=_head(run),
        needs=needs(run.asks),
        cells=cells(run, asked=asked),
        attempts=tuple(_attempts(run)),
        kernels=tuple(_kernel(run, kernel) for kernel in run.kernels),
        calls=_columns(run, rows),
        left_out=total - len(rows),
        kept=tuple(kept.name for kept in run.kept),
        note="" if run.cells else NOTHING,
    )


def cells(run: RunView, *, asked: bool = False) -> tuple[Cell, ...]:
    """How the cells stand.

    Args:
        run: The run.
        asked: Whether a kernel said which cells are stale.
    """
    return tuple(_cell(cell, asked=asked) for cell in run.cells)


def needs(asks: Iterable[AskView]) -> tuple[protocol.Need, ...]:
    """What needs somebody, with the buttons that there are."""
    return tuple(map(_need, asks))


def page(run: RunView, left_out: int) -> protocol.Page:
    """The calls before those that a view has.

    Args:
        run: The run.
        left_out: How many it was told that there are.
    """
    rows = _rows(run)[:left_out]
    rest = max(0, len(rows) - protocol.CALLS_MAX)
    return protocol.Page(calls=_columns(run, rows[rest:]), left_out=rest)


def changed(old: RunView, new: RunView, *, seq: int, asked: bool = False) -> Changed:
    """What leads from one state to another; calls that didn't change are left out.

    Attempts that are the same object are not looked into.

    Args:
        old: What the view has.
        new: What it is to have.
        seq: The number of the new state.
        asked: Whether a kernel said which cells are stale.
    """
    had = {step.id: step for step in old.attempts}
    rows = [row for step in new.attempts for row in _different(old, new, had, step)]
    return Changed(
        seq=seq,
        head=_head(new),
        needs=tuple(map(_need, new.asks)),
        cells=cells(new, asked=asked),
        attempts=tuple(_attempts(new)),
        kernels=tuple(_kernel(new, kernel) for kernel in new.kernels),
        calls=written(rows),
        kept=tuple(kept.name for kept in new.kept),
    )


def _different(
    old: RunView, new: RunView, had: Mapping[str, StepView], step: StepView
) -> Iterator[Cells]:
    """The calls of an attempt that are otherwise than they were."""
    before = had.get(step.id)
    if before is step:
        return
    known = {call.id: call for call in before.calls} if before else {}
    for call in step.calls:
        was = known.get(call.id)
        if was is call:
            continue
        row = _row(new, step, call)
        if was is None or before is None or row != _row(old, before, was):
            yield row


# ---- parts -------------------------------------------------------------------------------


def _head(run: RunView) -> protocol.Head:
    parts = [f"since {since(run.opened_us, run.now)}"]
    parts += [count(len(run.kernels), "kernel")] if run.kernels else []
    parts += [f"forked from {run.forked}"] if run.forked else []
    parts += ["closed"] if run.closed else []
    parts += [spent] if (spent := spent_told(run)) else []
    away = local(run.now.us, run.now).utcoffset() or timedelta()
    lives = any(kernel.alive for kernel in run.kernels)
    return protocol.Head(
        id=run.id,
        number=run.number,
        title=run.title,
        notebook=run.notebook,
        told=" · ".join(parts),
        opened_us=run.opened_us,
        now_us=run.now.us,
        zone_min=int(away.total_seconds() // 60),
        served=run.total.served,
        saved=saved_told(run.total),
        kernel="alive" if lives else "stopped" if run.kernels else "",
        kept=size(run.kept_bytes) if run.kept_bytes else "",
    )


def _need(ask: AskView) -> protocol.Need:
    return protocol.Need(
        reference=ask.reference,
        message="signal" if ask.fate is Fate.WAITING else "resolve",
        fate=ask.fate.value,
        call=ask.call,
        says=ask.says,
        shown=ask.shown[:2_000],
        question=ask.question,
        attempt=ask.attempt,
        id=ask.id,
        replies=tuple(
            protocol.Reply(means=means, said=said, typed=typed, command=command)
            for (means, command), (said, typed) in zip(
                ask.answers, ask.said, strict=True
            )
        ),
    )


def _cell(cell: CellView, *, asked: bool) -> Cell:
    step = cell.latest
    saved = saved_told(cell.total)
    would, cost_ms = _would(cell, step, asked=asked)
    return Cell(
        slot=cell.slot,
        name=cell.name,
        title=step.title,
        fate=_stands(step).value,
        last=calls_told(step),
        would=would,
        stale=cell.stale,
        cost_ms=cost_ms,
        saved=saved,
        cell_id=cell.cell_id,
        took_ms=step.ms + step.tally.saved_ms,
        written=cell.written,
    )


def _stands(step: StepView) -> Fate:
    """How a cell stands; one that was answered waits for nobody."""
    if step.replays:
        return Fate.REPLAYED
    return Fate.STOPPED if step.answered else step.fate


def _would(cell: CellView, step: StepView, *, asked: bool) -> tuple[str, float]:
    """What the cell would do if it were run now, and how long that takes about."""
    took_ms = step.ms + step.tally.saved_ms
    about = f", ~{duration(took_ms)}" if took_ms >= 1 else ""
    if step.fate is Fate.RUNNING:
        return "is running", 0.0
    if step.answered:
        return "goes on with the answer", 0.0
    if step.fate is Fate.WAITING:
        return "asks you first", 0.0
    if cell.stale:
        return f"runs again{about}", took_ms
    if step.fate is Fate.RAN:
        return ("replays, free" if asked else "replays if nothing changed"), 0.0
    return _goes_on(step)


def _goes_on(step: StepView) -> tuple[str, float]:
    """After an attempt that did not complete, what has a result is served."""
    kept = [
        c for c in step.calls if not c.depth and c.fate in {Fate.RAN, Fate.REPLAYED}
    ]
    if any(c.fate is Fate.IN_DOUBT and c.effect == "write" for c in step.calls):
        return "asks you first", 0.0
    served = f", {count(len(kept), 'call')} replayed" if kept else ""
    return f"goes on{served}", 0.0


def _since(run: RunView, us: int) -> float:
    return (us - run.opened_us) / 1_000


def _attempts(run: RunView) -> Iterable[Attempt]:
    places = {cell.slot: n for n, cell in enumerate(run.cells)}
    for step in run.attempts:
        yield Attempt(
            id=step.id,
            cell=places[step.slot],
            number=step.attempt,
            fate=step.fate.value,
            start_ms=_since(run, step.started_us),
            end_ms=_since(run, step.ended_us),
            told=attempt_told(step),
            why=step.why,
            error=step.error,
            replays_ms=tuple(_since(run, us) for us in step.replays),
            calls=step.tally.calls,
        )


def attempt_told(step: StepView) -> str:
    """What became of an attempt, in a few words."""
    saved_ms = step.tally.saved_ms
    saved = f" · saved {duration(saved_ms)}" if saved_ms >= 1 else ""
    return f"{calls_told(step)}{saved}"


def _kernel(run: RunView, kernel: KernelView) -> Kernel:
    return Kernel(
        number=kernel.number,
        start_ms=_since(run, kernel.first_us),
        end_ms=_since(run, kernel.last_us),
        alive=kernel.alive,
        stopped=kernel.stopped,
    )


# ---- calls -------------------------------------------------------------------------------

Cells = tuple[str, str, str, str, str, str, int, float, float, int, int]
"""A call with its words instead of their places."""


def _rows(run: RunView) -> list[Row]:
    return [(step, call) for step in run.attempts for call in step.calls]


def _newest(run: RunView) -> list[Row]:
    """The newest calls, without a hole: behind what a live view holds no more."""
    steps = run.attempts
    cut = max((n for n, step in enumerate(steps) if step.dropped), default=0)
    rows = [(step, call) for step in steps[cut:] for call in step.calls]
    return rows[-protocol.CALLS_MAX :]


def _columns(run: RunView, rows: Sequence[Row]) -> Calls:
    return written([_row(run, step, call) for step, call in rows])


def _row(run: RunView, step: StepView, call: CallView) -> Cells:
    return row(run.opened_us, step.id, call, step.ended_us)


def row(opened_us: int, attempt: str, call: CallView, heard_us: int) -> Cells:
    """A call of an attempt.

    Args:
        opened_us: When the run was opened, microseconds since 1970 UTC.
        attempt: Id of the attempt.
        call: The call.
        heard_us: When the attempt was heard of last.
    """
    return (
        attempt,
        call.id,
        call.number,
        call.name,
        _short(call.text),
        call.fate.value,
        call.depth,
        (call.started_us - opened_us) / 1_000,
        call.ms or _so_far(call, heard_us),
        call.tokens,
        call.tries,
    )


def _so_far(call: CallView, heard_us: int) -> float:
    """How long a call that has no end has been known to run."""
    if call.fate is Fate.REPLAYED:
        return 0.0
    return max(0.0, (heard_us - call.started_us) / 1_000)


def _short(text: str) -> str:
    most = protocol.TEXT_CHARS_MAX
    return text if len(text) <= most else f"{text[: most - 1]}…"


def written(rows: Sequence[Cells]) -> Calls:
    """Calls as columns."""
    places: dict[str, int] = {}

    def place(text: str) -> int:
        return places.setdefault(text, len(places))

    columns = list(zip(*rows, strict=True)) or [()] * 11
    attempt, ids, number, name, text, fate, depth, start_ms, ms, tokens, tries = columns
    return Calls(
        attempt=tuple(map(place, attempt)),
        id=tuple(ids),
        number=tuple(number),
        name=tuple(map(place, name)),
        text=tuple(text),
        fate=tuple(map(place, fate)),
        depth=tuple(depth),
        start_ms=tuple(start_ms),
        ms=tuple(ms),
        tokens=tuple(tokens),
        tries=tuple(tries),
        names=tuple(places),
    )
