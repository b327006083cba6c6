"""The run as HTML without a script: for the notebook, and for who reads a page so.

It asks the network for nothing. The fragment leaves arguments, results and tracebacks
out: it is saved in the notebook, where they don't belong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nbdurable.engine.past.fates import GLYPHS, Fate
from nbdurable.engine.telling.cost import of_call
from nbdurable.engine.telling.wording import listed
from nbdurable.engine.where.dollars import dollars
from nbdurable.engine.where.moments import count, duration, moment, since
from nbdurable.timeline.glance import legend, saved_told, shares, spent_told
from nbdurable.timeline.lanes import anchor, css_class, lanes
from nbdurable.timeline.look import STYLE
from nbdurable.timeline.markup import Content, Markup, element, style
from nbdurable.timeline.text import calls_told
from nbdurable.timeline.views import (
    AskView,
    CallView,
    CellView,
    Preview,
    RunView,
    StepView,
)

PICTURE_CALLS_MAX: Final = 5_000
"""Calls of a run that are drawn without a script: more take seconds to lay out."""

ROWS_MAX: Final = 500
"""Calls of one attempt in the list; more make a page that nobody scrolls through."""


def fragment(run: RunView) -> str:
    """The run for a cell of a notebook."""
    return element("div", style(STYLE), body(run, full=False), class_="nbdurable")


def body(run: RunView, *, full: bool) -> list[Content]:
    """All that is said of a run; in ``full``, with its values."""
    if not run.cells:
        return [_header(run), element("p", "No durable cell has run yet.")]
    return [
        _header(run),
        _share(run),
        list(_stops(run)),
        list(_asks(run)),
        element("h2", "Timeline"),
        *_picture(run, linked=full),
        element("h2", "Cells"),
        [_cell(run, cell, full=full) for cell in run.cells],
        list(_kept(run)),
        _footer(run) if full else None,
    ]


def _picture(run: RunView, *, linked: bool) -> Iterator[Markup]:
    calls = sum(len(step.calls) for step in run.attempts)
    if calls > PICTURE_CALLS_MAX:
        how = element("code", "nbdurable timeline RUN --html FILE")
        yield element("p", f"{count(calls, 'call')} are not drawn here: ", how)
        return
    yield element("div", lanes(run, linked=linked), class_="picture")
    yield _legend(run)


# ---- at first glance ---------------------------------------------------------------------


def _header(run: RunView) -> Markup:
    kernels = count(len(run.kernels), "kernel")
    parts = [f"run {run.number}, since {since(run.opened_us, run.now)}", kernels]
    parts += [f"forked from {run.forked}"] if run.forked else []
    parts += ["closed"] if run.closed else []
    parts += [told] if (told := spent_told(run)) else []
    return element(
        "header",
        element(
            "div",
            element("h1", run.title, title=run.notebook),
            element("p", " · ".join(parts), class_="soft"),
        ),
        _hero(run),
    )


def _hero(run: RunView) -> Markup | None:
    total = run.total
    if not total.served:
        return None
    saved = saved_told(total)
    return element(
        "div",
        element("b", count(total.served, "call")),
        " replayed, not paid again",
        element("p", saved, class_="soft") if saved else None,
        class_="hero",
    )


def _share(run: RunView) -> Markup | None:
    """How many calls of the latest attempts were replayed, ran, are in doubt."""
    shown = shares(run)
    if not shown:
        return None
    return element(
        "div",
        [
            element(
                "span",
                f"{GLYPHS[fate]} {number:,} {fate.value}",
                class_=css_class(fate),
                style=f"flex:{number} 1 0",
            )
            for fate, number in shown
        ],
        class_="share",
        role="img",
        aria_label=listed([f"{number} {fate.value}" for fate, number in shown]),
    )


def _stops(run: RunView) -> Iterator[Markup]:
    """What happened to the kernels, in words."""
    for kernel in run.kernels:
        if kernel.stopped:
            sign = element("span", GLYPHS[Fate.STOPPED], class_="sign stopped")
            yield element("p", sign, f" {kernel.stopped}", class_="told stop")


def _asks(run: RunView) -> Iterator[Markup]:
    if run.asks:
        yield element("h2", f"Needs you ({len(run.asks)})")
    yield from map(_ask, run.asks)


def _ask(ask: AskView) -> Markup:
    answers = [
        (element("dt", means), element("dd", element("code", command)))
        for means, command in ask.answers
    ]
    return element(
        "div",
        element("b", f"{GLYPHS[ask.fate]} ", class_=f"sign {css_class(ask.fate)}"),
        element("code", ask.call),
        f" {ask.says}",
        element("dl", answers),
        class_="ask",
    )


def _legend(run: RunView) -> Markup:
    return element(
        "div",
        [
            element(
                "span",
                element(
                    "i",
                    "" if fate is Fate.RAN else GLYPHS[fate],
                    class_=css_class(fate),
                ),
                told,
            )
            for fate, told in legend(run)
        ],
        class_="legend",
    )


def _kept(run: RunView) -> Iterator[Markup]:
    if run.kept:
        yield element("h2", "Kept")
        yield element(
            "div",
            [
                element("span", element("code", kept.name), title=f"from {kept.step}")
                for kept in run.kept
            ],
            class_="kept",
        )
        text = "After a restart they are back with "
        yield element("p", text, element("code", "%durable restore"), class_="soft")


def _footer(run: RunView) -> Markup:
    told = f"Drawn by nbdurable, {moment(run.now.us, run.now)}, from run {run.id}."
    return element("footer", told)


# ---- cells and calls ---------------------------------------------------------------------


def _cell(run: RunView, cell: CellView, *, full: bool) -> Markup:
    step = cell.latest
    fate = Fate.REPLAYED if step.replays else step.fate
    tally = step.tally
    took = [duration(step.ms)] if step.ms else []
    took += [dollars(tally.usd)] if tally.usd else []
    summary = element(
        "summary",
        element("span", GLYPHS[fate], class_=f"sign {css_class(fate)}"),
        element("b", cell.name),
        element(
            "span",
            calls_told(step),
            element("span", " · stale", title=cell.stale) if cell.stale else None,
            class_="soft",
        ),
        element("span", " · ".join(took), class_="num wide"),
        element(
            "span",
            saved_told(cell.total),
            class_="num saved wide",
        ),
    )
    attempts = [
        _attempt(run, a, full=full, only=len(cell.attempts) == 1)
        for a in reversed(cell.attempts)
    ]
    stale = element("p", f"stale: {cell.stale}", class_="told") if cell.stale else None
    return element(
        "details",
        summary,
        element("div", stale, attempts, class_="inside"),
        class_="cell",
    )


def _attempt(run: RunView, step: StepView, *, full: bool, only: bool) -> list[Content]:
    head = f"Attempt {step.attempt}, {moment(step.started_us, run.now)}"
    shown = step.calls[:ROWS_MAX]
    rest = len(step.calls) - len(shown)
    return [
        None if only else element("p", head, class_="attempt-head", id=anchor(step)),
        [element("p", told, class_="soft told") for told in step.why],
        element("p", step.error, class_="sign error told") if step.error else None,
        [_call(step, call, full=full) for call in shown],
        element("p", f"… and {count(rest, 'more call')}", class_="soft")
        if rest
        else None,
        list(_values(("code", step.source), ("output", step.outputs)))
        if full
        else None,
        element("p", f"not kept: {listed(step.unsaved)}", class_="soft told")
        if step.unsaved
        else None,
    ]


def _call(step: StepView, call: CallView, *, full: bool) -> Markup:
    summary = element(
        "summary",
        element("span", GLYPHS[call.fate], class_=f"sign {css_class(call.fate)}"),
        element("span", call.number, class_="soft num"),
        element("code", call.text, title=call.why),
        element("span", of_call(call.usd, call.tokens), class_="soft num wide",
                title=f"{call.tokens:,} tokens" if call.tokens else None),
        element("span", duration(call.ms) if call.ms else "", class_="num"),
        style=f"padding-left:{6 + 20 * call.depth}px" if call.depth else None,
    )  # fmt: skip
    about = element("div", list(_about(call, full=full)), class_="about")
    return element(
        "details",
        summary,
        about,
        class_="call",
        id=anchor(step, call) if full else None,
    )


def _about(call: CallView, *, full: bool) -> Iterator[Content]:
    yield element("p", f"{call.reference} {call.why}", class_="told")
    facts = [call.effect, f"attempt {call.attempt}"]
    facts += [call.model] if call.model else []
    yield element("p", " · ".join(facts), class_="soft told")
    yield from (element("p", told, class_="soft told") for told in call.attempts)
    if call.error:
        yield element("p", call.error, class_="sign error told")
    if full:
        yield from _values(
            ("arguments", call.arguments),
            ("result", call.result),
            ("traceback", call.trace),
        )
        yield element("p", "key ", element("code", call.key), class_="soft")


def _values(*values: tuple[str, Preview | None]) -> Iterator[Content]:
    for title, preview in values:
        if preview is not None:
            note = f" ({preview.note})" if preview.note else ""
            yield element("h3", f"{title}{note}")
            yield element("pre", preview.text) if preview.text else None
