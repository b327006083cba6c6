"""The picture of a run as one SVG file, for a README or a chat.

It says what the head of the page says: the notebook, what was not paid again, how many
calls were replayed and ran, and the lanes. It asks the network for nothing and follows
the reader's light or dark setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from nbdurable.engine.past.fates import GLYPHS, Fate
from nbdurable.engine.where.moments import count, since
from nbdurable.timeline.glance import legend, saved_told, shares
from nbdurable.timeline.lanes import CHAR, css_class, lanes, summary
from nbdurable.timeline.layout import WIDTH, layout
from nbdurable.timeline.look import STYLE
from nbdurable.timeline.markup import Markup, element, style
from nbdurable.timeline.views import RunView

MARGIN: Final = 28.0
HEAD: Final = 150.0
"""Height above the lanes: names, numbers, the shares."""

WIDE_CHAR: Final = 7.1
"""Mean width of a character at the size of the legend."""

FOOT: Final = 34.0
"""Height below them: what the signs mean."""


def picture(run: RunView) -> str:
    """The run as an SVG document."""
    tall = layout(run).height
    width, height = WIDTH + 2 * MARGIN, HEAD + tall + FOOT + MARGIN
    inner = [
        *_head(run),
        *_shares(shares(run), 74.0),
        *_stops(run),
        lanes(run, linked=False, box=(0.0, HEAD, WIDTH, tall)),
        *_legend(run, HEAD + tall + 24),
    ]
    drawn = element(
        "svg",
        style(STYLE),
        element("title", f"{run.title} · run {run.number}"),
        element("desc", summary(run)),
        element("rect", width=width, height=height, rx=10, class_="paper"),
        element(
            "g",
            *inner,
            class_="lanes",
            transform=f"translate({MARGIN:.0f} {MARGIN - 6:.0f})",
        ),
        xmlns="http://www.w3.org/2000/svg",
        class_="nbdurable picture",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=width,
        height=height,
        role="img",
    )
    return f"{drawn}\n"


def _text(x: float, y: float, class_: str, text: str, **more: object) -> Markup:
    return element("text", text, x=x, y=y, class_=class_, **more)


def _head(run: RunView) -> Iterator[Markup]:
    kernels = count(len(run.kernels), "kernel")
    opened = f"run {run.number}, since {since(run.opened_us, run.now)} · {kernels}"
    yield _text(0, 24, "title", run.title)
    yield _text(0, 48, "under", opened)
    if run.total.served:
        calls = count(run.total.served, "call")
        says = " replayed, not paid again"
        yield element(
            "text",
            element("tspan", calls, class_="many"),
            element("tspan", says, class_="says"),
            x=WIDTH,
            y=26,
            text_anchor="end",
        )
        yield _text(WIDTH, 48, "under", saved_told(run.total), text_anchor="end")


def _shares(shown: Sequence[tuple[Fate, int]], y: float) -> Iterator[Markup]:
    total = sum(number for _, number in shown)
    least = 12 * CHAR
    room = WIDTH - least * len(shown)
    x = 0.0
    for fate, number in shown:
        width = least + room * number / total
        label = f"{GLYPHS[fate]} {number:,} {fate.value}"
        yield element(
            "g",
            element("rect", x=x, y=y, width=width - 3, height=26, rx=5),
            _text(x + 10, y + 17, "share", label),
            class_=f"bar {css_class(fate)}",
        )
        x += width


def _stops(run: RunView) -> Iterator[Markup]:
    """The last time that a kernel stopped, in words; the picture shows them all."""
    told = [kernel.stopped for kernel in run.kernels if kernel.stopped]
    if told:
        more = f" · {count(len(told) - 1, 'earlier stop')}" if len(told) > 1 else ""
        sign = element("tspan", f"{GLYPHS[Fate.STOPPED]} ", class_="sign stopped")
        yield element("text", sign, told[-1] + more, x=0, y=124, class_="says")


def _legend(run: RunView, y: float) -> Iterator[Markup]:
    x = 0.0
    for fate, told in legend(run):
        stopped = fate is Fate.STOPPED
        sign = "" if fate is Fate.RAN else GLYPHS[fate]
        yield element(
            "g",
            None if stopped else element("rect", x=x, y=y - 11, width=18, height=14, rx=3),
            _text(x + 9, y, "sign stopped" if stopped else "glyph", sign, text_anchor="middle"),
            class_=f"bar {css_class(fate)}",
        )  # fmt: skip
        yield _text(x + 25, y, "under", told)
        x += 25 + len(told) * WIDE_CHAR + 22
