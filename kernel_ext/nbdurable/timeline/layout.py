"""Where everything of a run stands in its picture. Pure: views in, numbers out.

A row per cell, a group per attempt, a bar per call. Calls that ran side by side stand
in lanes under each other, a call within another one is a strip in its bar. Served calls
took no time: they stand in a band before the call that ran next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.past.fates import Fate
from nbdurable.timeline.axis import Axis, Instant, Span
from nbdurable.timeline.views import CallView, CellView, RunView, StepView

WIDTH: Final = 1_000.0
GUTTER: Final = 136.0
"""Room for the names of the cells, at the left."""

EDGE: Final = 12.0
"""Room at the right, for the mark of a kernel that stopped last."""

LANE: Final = 23.0
"""Height of a lane, with the space between two of them."""

BAR: Final = 20.0
HEAD: Final = 58.0
"""Height above the first row: the kernels."""

CAPTION: Final = 18.0
"""Height of the line above the bars of an attempt."""

ROW_GAP: Final = 16.0
FOOT: Final = 36.0
"""Height below the last row: the times, and the lengths of waits."""

SERVED_WIDTH: Final = 15.0
"""A served call: its sign can be read."""

SERVED_WIDTH_MIN: Final = 8.5
"""Narrower ones are drawn together, with their number."""

REPLAY_WIDTH: Final = 58.0
"""A step replayed whole: a sign and a number of calls."""

CUT_WIDTH: Final = 26.0
"""A call of which only the begin is known."""

WAIT_US_MIN: Final = 1_000_000
"""Shorter waits between attempts are not worth a word."""

BARS_MAX: Final = 300
"""Calls of one attempt drawn one by one; of more, neighbours are drawn together."""

LANES_MAX: Final = 16
"""Lanes of one attempt; calls beyond share the last one."""

_WORST: Final = (
    Fate.ERROR,
    Fate.IN_DOUBT,
    Fate.RUNNING,
    Fate.WAITING,
    Fate.STOPPED,
    Fate.RAN,
    Fate.REPLAYED,
)
"""What stands for several calls drawn together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A call, or several that are drawn together.

    A call inside another one is a strip in that one's bar: ``inner`` says so.
    """

    x: float
    width: float
    lane: int
    fate: Fate
    calls: tuple[CallView, ...]
    inner: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """An attempt."""

    x: float
    width: float
    step: StepView
    bars: tuple[Bar, ...]

    @property
    def lanes(self) -> int:
        """How many lanes its bars take; at least one."""
        return max((b.lane + 1 for b in self.bars), default=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pill:
    """A replay of a whole step."""

    x: float
    width: float
    at_us: int
    step: StepView


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A cell."""

    y: float
    lanes: int
    cell: CellView
    groups: tuple[Group, ...]
    pills: tuple[Pill, ...]

    @property
    def height(self) -> float:
        """Caption and lanes."""
        return CAPTION + self.lanes * LANE


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The whole picture.

    Attributes:
        height: Its height; the width is `WIDTH`.
        rows: The cells.
        kernels: Per kernel: its first and last place.
        gaps: Per wait: its places and its length in microseconds.
        starts: Places of the first moment after each wait.
    """

    height: float
    rows: tuple[Row, ...]
    kernels: tuple[tuple[float, float], ...]
    gaps: tuple[tuple[float, float, int], ...]
    starts: tuple[tuple[float, int], ...]


def layout(run: RunView) -> Layout:
    """Place everything."""
    axis = Axis(_spans(run), _instants(run), width=WIDTH - GUTTER - EDGE)
    rows: list[Row] = []
    y = HEAD
    for cell in run.cells:
        row = _row(axis, cell, y)
        rows.append(row)
        y += row.height + ROW_GAP
    kernels = tuple(
        (
            GUTTER + axis.before(k.first_us),
            GUTTER + axis.after(k.last_us + 1 if k.stopped else k.last_us),
        )
        for k in run.kernels
    )
    waits = [(a, b) for a, b in axis.gaps if b - a >= WAIT_US_MIN]
    gaps = [(GUTTER + axis.after(a), GUTTER + axis.before(b), b - a) for a, b in waits]
    first = min((s.started_us for s in run.attempts), default=run.opened_us)
    starts = [(GUTTER + axis.before(m), m) for m in (first, *(b for _, b in waits))]
    return Layout(
        height=y - ROW_GAP + FOOT,
        rows=tuple(rows),
        kernels=kernels,
        gaps=tuple(gaps),
        starts=tuple(starts),
    )


# ---- time ------------------------------------------------------------------------------


def _end_us(step: StepView, call: CallView) -> int:
    """When a call that was executed ended, or was last known to run."""
    if call.fate is Fate.RUNNING:
        return step.ended_us
    if call.fate in {Fate.IN_DOUBT, Fate.STOPPED} and not call.ms:
        return step.ended_us + 1
    return call.started_us + max(1, int(call.ms * 1_000))


def _spans(run: RunView) -> list[Span]:
    spans = []
    for step in run.attempts:
        spans.append(Span(step.started_us, step.ended_us, quiet=True))
        spans += [
            Span(c.started_us, _end_us(step, c))
            for c in step.calls
            if c.fate is not Fate.REPLAYED
        ]
        if step.fate is Fate.STOPPED:
            cut = step.ended_us
            spans.append(Span(cut, cut + 1, least=CUT_WIDTH))
    return spans


def _instants(run: RunView) -> list[Instant]:
    instants = []
    for step in run.attempts:
        instants += [Instant(at, REPLAY_WIDTH) for at in step.replays]
        instants += [
            Instant(at, SERVED_WIDTH * min(len(calls), BARS_MAX))
            for at, calls in _served(step)
        ]
    return instants


def _served(step: StepView) -> Iterator[tuple[int, list[CallView]]]:
    """Served calls, with the moment before which they are drawn."""
    waiting: list[CallView] = []
    for call in step.calls:
        if call.fate is Fate.REPLAYED:
            waiting.append(call)
        elif waiting and not call.parent:
            yield call.started_us, waiting
            waiting = []
    if waiting:
        yield step.ended_us, waiting


# ---- places ----------------------------------------------------------------------------


def _row(axis: Axis, cell: CellView, y: float) -> Row:
    groups = tuple(_group(axis, step) for step in cell.attempts)
    pills = tuple(
        Pill(
            x=GUTTER + axis.before(at),
            width=axis.granted(REPLAY_WIDTH),
            at_us=at,
            step=step,
        )
        for step in cell.attempts
        for at in step.replays
    )
    lanes = max(g.lanes for g in groups)
    return Row(y=y, lanes=lanes, cell=cell, groups=groups, pills=pills)


def _group(axis: Axis, step: StepView) -> Group:
    left = GUTTER + axis.before(step.started_us)
    ended = step.ended_us + 1 if step.fate is Fate.STOPPED else step.ended_us
    right = GUTTER + axis.after(ended)
    bars = [*_executed_bars(axis, step), *_served_bars(axis, step)]
    if len(bars) > BARS_MAX:
        bars = _together(sorted(bars, key=lambda b: b.x))
    return Group(x=left, width=max(4.0, right - left), step=step, bars=tuple(bars))


def _served_bars(axis: Axis, step: StepView) -> Iterator[Bar]:
    for at, calls in _served(step):
        room = axis.granted(SERVED_WIDTH * min(len(calls), BARS_MAX))
        width = room / len(calls)
        left = GUTTER + axis.before(at)
        if width < SERVED_WIDTH_MIN:
            yield _served_bar(left, room, calls)
        else:
            for nth, call in enumerate(calls):
                yield _served_bar(left + nth * width, width, [call])


def _served_bar(x: float, width: float, calls: Sequence[CallView]) -> Bar:
    return Bar(x=x, width=width, lane=0, fate=Fate.REPLAYED, calls=tuple(calls))


def _executed_bars(axis: Axis, step: StepView) -> Iterator[Bar]:
    executed = [c for c in step.calls if c.fate is not Fate.REPLAYED]
    lanes = _lanes(step, executed)
    for call in executed:
        left = GUTTER + axis.after(call.started_us)
        right = GUTTER + axis.before(_end_us(step, call))
        yield Bar(
            x=left,
            width=max(2.0, right - left),
            lane=lanes[call.id],
            fate=call.fate,
            calls=(call,),
            inner=call.depth > 0,
        )


def _lanes(step: StepView, calls: Sequence[CallView]) -> dict[str, int]:
    """The lane of each call: the first that is free, that of the enclosing call."""
    free_us: list[int] = []
    lanes: dict[str, int] = {}
    for call in sorted(calls, key=lambda c: (c.started_us, c.depth)):
        lane = lanes.get(call.parent, -1)
        if lane < 0:
            free = (n for n, at in enumerate(free_us) if at <= call.started_us)
            lane = min(next(free, len(free_us)), LANES_MAX - 1)
            free_us += [0] * (lane + 1 - len(free_us))
            free_us[lane] = _end_us(step, call)
        lanes[call.id] = lane
    return lanes


def _together(bars: Sequence[Bar]) -> list[Bar]:
    """Neighbours as one bar, so that at most `BARS_MAX` are drawn."""
    size = -(-len(bars) // BARS_MAX)
    return [_one(bars[n : n + size]) for n in range(0, len(bars), size)]


def _one(bars: Sequence[Bar]) -> Bar:
    left = min(b.x for b in bars)
    right = max(b.x + b.width for b in bars)
    return Bar(
        x=left,
        width=right - left,
        lane=0,
        fate=min((b.fate for b in bars), key=_WORST.index),
        calls=tuple(c for b in bars for c in b.calls),
    )
