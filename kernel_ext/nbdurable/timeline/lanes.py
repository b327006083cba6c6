"""The picture of a run as inline SVG. Colours come from the style sheet by class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nbdurable.engine.past.fates import GLYPHS, Fate
from nbdurable.engine.telling.cost import of_call
from nbdurable.engine.where.moments import Now, count, duration, local, moment
from nbdurable.timeline.layout import (
    BAR,
    CAPTION,
    HEAD,
    LANE,
    WIDTH,
    Bar,
    Group,
    Layout,
    Pill,
    Row,
    layout,
)
from nbdurable.timeline.markup import Markup, element
from nbdurable.timeline.views import CallView, KernelView, RunView, StepView

CHAR: Final = 6.1
"""Mean width of a character at the size of captions; a text that doesn't fit is left
out, because half a word says nothing."""

SIGN_WIDTH: Final = 7.0
"""Bars that are narrower carry no sign."""

KERNEL_Y: Final = 36.0
"""Where the line of a kernel's life is drawn; above it stand its marks."""

NAME_CHARS_MAX: Final = 17
"""Characters of a cell's name beside its row."""


def css_class(fate: Fate) -> str:
    """The class that colours a fate."""
    return fate.value.replace(" ", "-")


def anchor(step: StepView, call: CallView | None = None) -> str:
    """The id of an attempt or a call in the page."""
    return f"a-{step.id}-{call.id}" if call else f"a-{step.id}"


def lanes(
    run: RunView,
    *,
    linked: bool,
    box: tuple[float, float, float, float] | None = None,
) -> Markup:
    """The picture of a run.

    Args:
        run: The run.
        linked: Whether bars lead to the rows of calls below, as in a page.
        box: Place and size within another picture; none in a page, which decides.
    """
    x, y, width, height = box or (None, None, None, None)
    plan = layout(run)
    pieces = [
        _definitions(),
        list(_kernels(run, plan)),
        [_row(row, run.now, linked=linked) for row in plan.rows],
        list(_gaps(plan)),
        list(_starts(plan, run.now)),
        list(_stops(run, plan)),
    ]
    return element(
        "svg",
        *pieces,
        class_="lanes",
        x=x,
        y=y,
        width=width,
        height=height,
        viewBox=f"0 0 {WIDTH:.0f} {plan.height:.0f}",
        role="img",
        aria_label=summary(run),
        preserveAspectRatio="xMinYMin meet",
    )


def summary(run: RunView) -> str:
    """The picture in words, for those who don't see it."""
    parts = [
        f"{cell.name}, attempt {step.attempt}: {step.fate.value}, "
        f"{step.tally.served} calls replayed, {step.tally.ran} ran"
        for cell in run.cells
        for step in cell.attempts
    ]
    parts += [kernel.stopped for kernel in run.kernels if kernel.stopped]
    return ". ".join(parts) or "Nothing has run yet"


def _definitions() -> Markup:
    hatch = element("path", d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", class_="hatch")
    dots = element("path", d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", class_="dots")
    same = {"patternUnits": "userSpaceOnUse", "width": 6, "height": 6}
    return element(
        "defs",
        element("pattern", hatch, id="nbd-hatch", **same),
        element("pattern", dots, id="nbd-doubt", **same),
    )


def _text(x: float, y: float, text: str, class_: str, anchor_: str = "start") -> Markup:
    anchor = None if anchor_ == "start" else anchor_
    return element("text", text, x=x, y=y, class_=class_, text_anchor=anchor)


# ---- kernels and time -------------------------------------------------------------------


def _kernels(run: RunView, plan: Layout) -> Iterator[Markup]:
    y = KERNEL_Y
    for kernel, (left, right) in zip(run.kernels, plan.kernels, strict=True):
        alive = " alive" if kernel.alive else ""
        yield element("line", x1=left, x2=right, y1=y, y2=y, class_=f"kernel{alive}")
        label = f"kernel {kernel.number}"
        if right - left > len(label) * CHAR:
            yield _text(left, y - 6, label, "small")


def _stops(run: RunView, plan: Layout) -> Iterator[Markup]:
    """Marks where a kernel stopped in the middle of a step."""
    bottom = plan.height - 30
    for kernel, (_, x) in zip(run.kernels, plan.kernels, strict=True):
        if kernel.stopped:
            label = _stop_label(kernel, run.now)
            end = "end" if x + len(label) * CHAR > WIDTH else "start"
            yield element(
                "g",
                element("title", kernel.stopped),
                element("line", x1=x, x2=x, y1=12, y2=bottom, class_="cut"),
                element("circle", cx=x, cy=11, r=9, class_="stop"),
                _text(x, 15, GLYPHS[Fate.STOPPED], "scissors", "middle"),
                _text(x - 14 if end == "end" else x + 14, 15, label, "stopped", end),
                class_="kernel-stop",
            )


def _stop_label(kernel: KernelView, now: Now) -> str:
    return f"kernel stopped {local(kernel.last_us, now):%H:%M}"


def _gaps(plan: Layout) -> Iterator[Markup]:
    free = 0.0
    for left, right, length_us in plan.gaps:
        middle, told = (left + right) / 2, duration(length_us / 1_000)
        half = len(told) * CHAR / 2
        fits = middle - half > free
        free = middle + half if fits else free
        yield element(
            "g",
            element("title", f"nothing ran for {told}"),
            element(
                "rect",
                x=left,
                y=HEAD - 6,
                width=right - left,
                height=plan.height - HEAD - 24,
                class_="gap",
            ),
            _text(middle, plan.height - 4, told, "tiny", "middle") if fits else None,
        )


def _starts(plan: Layout, now: Now) -> Iterator[Markup]:
    free = 0.0
    for x, at_us in plan.starts:
        label = f"{local(at_us, now):%H:%M:%S}"
        width = len(label) * CHAR
        at = min(x, WIDTH - width)
        bottom = plan.height - 30
        yield element("line", x1=x, x2=x, y1=HEAD - 6, y2=bottom, class_="tick")
        if at >= free:
            yield _text(at, plan.height - 18, label, "small")
            free = at + width


# ---- cells -------------------------------------------------------------------------------


def _row(row: Row, now: Now, *, linked: bool) -> Markup:
    step = row.cell.latest
    fate = Fate.REPLAYED if step.replays else step.fate
    name = row.cell.name
    shown = name if len(name) <= NAME_CHARS_MAX else f"{name[: NAME_CHARS_MAX - 1]}…"
    label = [
        element("title", name),
        _text(0, row.y + CAPTION + 13, GLYPHS[fate], f"sign {css_class(fate)}"),
        _text(18, row.y + CAPTION + 13, shown, "name"),
    ]
    return element(
        "g",
        element("g", *label),
        element("line", x1=0, x2=WIDTH, y1=row.y - 6, y2=row.y - 6, class_="rule"),
        [_group(row, group, linked=linked) for group in row.groups],
        [_pill(row, pill, now) for pill in row.pills],
    )


def _group(row: Row, group: Group, *, linked: bool) -> Markup:
    bars = [_bar(row, group, bar, linked=linked) for bar in group.bars]
    fits = next((c for c in _captions(group) if len(c) * CHAR <= group.width), "")
    return element(
        "g",
        element("title", "\n".join((f"{group.step.name}, attempt {group.step.attempt}", *group.step.why))),
        element("rect", x=group.x - 3, y=row.y + CAPTION - 3, rx=5, class_="attempt",
                width=group.width + 6, height=group.lanes * LANE + 3),
        _text(group.x, row.y + 11, fits, "small") if fits else None,
        bars,
    )  # fmt: skip


def _captions(group: Group) -> Iterator[str]:
    """What stands above an attempt, the longest first."""
    tally = group.step.tally
    parts = [f"{tally.served:,} replayed"] if tally.served else []
    parts += [f"{tally.ran:,} ran"] if tally.ran else []
    parts += [count(tally.answers, "answer")] if tally.answers else []
    asked = "asked you" if group.step.fate is Fate.WAITING else ""
    calls = " · ".join(filter(None, (", ".join(parts), asked)))
    if calls:
        saved = duration(tally.saved_ms)
        if tally.saved_ms >= 1:
            yield f"{calls} · saved {saved}"
        yield calls
    else:
        yield duration(group.step.ms)


def _bar(row: Row, group: Group, bar: Bar, *, linked: bool) -> Markup:
    y = row.y + CAPTION + bar.lane * LANE
    width = max(1.2, bar.width - (1.5 if bar.width > 5 else 0.4))
    if bar.inner:
        place = {"x": bar.x + 2, "y": y + BAR - 6, "width": max(1.0, width - 4)}
        drawn = [element("rect", **place, height=4, rx=2)]
    else:
        drawn = [
            element("rect", x=bar.x, y=y, width=width, height=BAR, rx=4),
            *_sign(bar, width, y + BAR / 2 + 4),
        ]
    class_ = f"bar {css_class(bar.fate)}{' inner' if bar.inner else ''}"
    told = element("title", _told(bar))
    if linked and len(bar.calls) == 1:
        to = f"#{anchor(group.step, bar.calls[0])}"
        return element("a", told, *drawn, href=to, class_=class_)
    return element("g", told, *drawn, class_=class_)


def _sign(bar: Bar, width: float, y: float) -> Iterator[Markup]:
    """What stands in a bar: the name where there is room, else the sign."""
    label = _bar_label(bar)
    if len(label) * CHAR + 12 <= width:
        yield _text(bar.x + 6, y, label, "label")
    elif bar.fate is not Fate.RAN and width >= SIGN_WIDTH:
        yield _text(bar.x + width / 2, y, GLYPHS[bar.fate], "glyph", "middle")


def _bar_label(bar: Bar) -> str:
    first = bar.calls[0]
    name = first.name if len(bar.calls) == 1 else f"{len(bar.calls)} calls"
    return name if bar.fate is Fate.RAN else f"{GLYPHS[bar.fate]} {name}"


def _told(bar: Bar) -> str:
    """What is told when the pointer rests on a bar."""
    if len(bar.calls) > 1:
        return f"{count(len(bar.calls), 'call')}, {bar.fate.value}"
    call = bar.calls[0]
    took = f", {duration(call.ms)}" if call.ms else ""
    cost = of_call(call.usd, call.tokens)
    paid = f", {cost}" if cost else ""
    return f"{call.reference}  {call.text}\n{call.fate.value}{took}{paid}\n{call.why}"


def _pill(row: Row, pill: Pill, now: Now) -> Markup:
    y = row.y + CAPTION
    calls = pill.step.tally.calls
    label = f"{GLYPHS[Fate.REPLAYED]} {calls:,}" if calls else GLYPHS[Fate.REPLAYED]
    told = f"{pill.step.name}: replayed whole, {moment(pill.at_us, now)}, nothing ran"
    middle = pill.x + pill.width / 2
    wide = pill.width > 50
    return element(
        "g",
        element("title", told),
        element(
            "rect",
            x=pill.x + 3,
            y=y,
            width=max(3.0, pill.width - 6),
            height=BAR,
            rx=BAR / 2,
        ),
        _text(middle, y + 14, label, "glyph", "middle") if pill.width > 30 else None,
        _text(middle, row.y + 11, "replayed", "above", "middle") if wide else None,
        class_=f"bar {css_class(Fate.REPLAYED)}",
    )
