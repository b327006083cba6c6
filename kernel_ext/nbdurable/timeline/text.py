"""The run as text, as ``%durable`` prints it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from nbdurable.engine.past.fates import GLYPHS, Fate
from nbdurable.engine.telling.cost import cost, saved, unknown
from nbdurable.engine.telling.wording import line, listed
from nbdurable.engine.where.moments import count, duration, moment, since
from nbdurable.timeline.glance import spent_told
from nbdurable.timeline.views import AskView, CellView, RunView, StepView

STRIP_MAX: Final = 64
"""Signs of one cell; a longer history is told in numbers: ``▮×412``."""

NAMES_MAX: Final = 8
"""Kept names on one line."""

TRIED_MAX: Final = 3
"""Calls of one cell whose attempts are counted in a line."""

EMPTY: Final = """\
No durable cell has run yet. To begin:
  %%durable findings          first line of a cell: it becomes a step, nothing is paid twice
  @nd.tool(effect="read")     on a function: its calls inside a durable cell are journaled
  %durable restore            after a restart: the variables are back
  %%durable?                  the rest"""
"""What is said where there is no run."""


def text(run: RunView) -> str:
    """The run, a few lines per cell."""
    if not run.cells:
        return EMPTY
    blocks = [list(_head(run)), list(_asks(run)), _cells(run), list(_foot(run))]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _head(run: RunView) -> Iterator[str]:
    closed = "closed" if run.closed else ""
    forked = f"forked from {run.forked}" if run.forked else ""
    opened = f"run {run.number}, since {since(run.opened_us, run.now)}"
    yield line(run.title, opened, forked, closed, spent_told(run))
    total = run.total
    if total.served:
        calls = f"{count(total.served, 'call')} replayed, not paid again"
        yield line(calls, saved(total))
    for kernel in run.kernels:
        if kernel.stopped:
            yield f"{GLYPHS[Fate.STOPPED]} {kernel.stopped}"


def _asks(run: RunView) -> Iterator[str]:
    if run.asks:
        yield f"needs you ({len(run.asks)})"
    for ask in run.asks:
        yield from _ask(ask)


def _ask(ask: AskView) -> Iterator[str]:
    yield f"  {GLYPHS[ask.fate]} {ask.call} {ask.says}"
    width = max((len(means) for means, _ in ask.answers), default=0)
    for means, command in ask.answers:
        yield f"      {means.ljust(width)}  {command}"


def _cells(run: RunView) -> list[str]:
    rows = [_row(run, cell) for cell in run.cells]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines: list[str] = []
    for cell, row in zip(run.cells, rows, strict=True):
        name, told, took, when, back = row
        lines.append(
            f"  {_sign(cell)} {name.ljust(widths[0])}  {told.ljust(widths[1])}  "
            f"{took.rjust(widths[2])}  {when.ljust(widths[3])}  {back}".rstrip()
        )
        strip = _strip(cell)
        lines += [f"    {strip}"] if strip else []
        lines += [f"    {told}" for told in _tried(cell.latest)]
        lines += [f"    stale: {cell.stale}"] if cell.stale else []
    return lines


def _tried(step: StepView) -> list[str]:
    """Its calls that took several attempts, the most first."""
    tried = sorted((c for c in step.calls if c.tries > 1), key=lambda c: -c.tries)
    told = [f"{c.text}: {c.tries:,} attempts" for c in tried[:TRIED_MAX]]
    rest = len(tried) - len(told)
    return [*told, *([f"… and {count(rest, 'more call')}"] if rest else [])]


def _sign(cell: CellView) -> str:
    step = cell.latest
    return GLYPHS[Fate.REPLAYED if step.replays else step.fate]


def _row(run: RunView, cell: CellView) -> tuple[str, str, str, str, str]:
    step = cell.latest
    at_us = step.replays[-1] if step.replays else step.started_us
    return (
        cell.name,
        calls_told(step),
        duration(step.ms) if step.ms else "",
        moment(at_us, run.now),
        cost(cell.total),
    )


def calls_told(step: StepView) -> str:
    """What became of an attempt and its calls, in a few words."""
    tally = step.tally
    answers = f", {count(tally.answers, 'answer')}" if tally.answers else ""
    if step.replays:
        return f"replayed whole, {count(tally.calls, 'call') if tally.calls else 'no calls'}{answers}"
    fate = "answered" if step.answered else step.fate.value
    before = "" if step.fate is Fate.RAN else f"{fate}, "
    if not tally.calls:
        return f"{before}{answers.removeprefix(', ') or 'no calls'}"
    if not tally.served:
        return f"{before}{count(tally.ran, 'call')} ran{answers}"
    ran = f", {tally.ran:,} ran" if tally.ran else ""
    return f"{before}{tally.served:,} replayed{ran}{answers}"


def _strip(cell: CellView) -> str:
    """One sign per call, attempts apart."""
    attempts = [_signs(step) for step in cell.attempts]
    strip = " ".join(filter(None, ("".join(signs) for signs in attempts)))
    if len(strip) <= STRIP_MAX:
        return strip
    counted = " ".join(_counted(signs) for signs in attempts if signs)
    return counted if len(counted) <= STRIP_MAX else f"… {counted[2 - STRIP_MAX :]}"


def _call_signs(step: StepView) -> Iterator[str]:
    """One sign per call that counts; what an `nd.step` holds stands in brackets."""
    entered: list[int] = []
    for call in step.calls:
        while entered and call.depth <= entered[-1]:
            entered.pop()
            yield ")"
        if call.depth > len(entered):
            continue  # a tool made it
        if not call.is_step:
            yield GLYPHS[call.fate]
        elif call.fate is Fate.REPLAYED:
            yield f"({GLYPHS[call.fate]}×{call.held})"
        else:
            entered.append(call.depth)
            yield "("
    yield from ")" * len(entered)


def _signs(step: StepView) -> list[str]:
    signs = list(_call_signs(step))
    signs += [" " + GLYPHS[Fate.STOPPED]] if step.fate is Fate.STOPPED else []
    if not step.tally.calls:
        return signs
    return signs + [
        f" {GLYPHS[Fate.REPLAYED]}×{step.tally.calls}" for _ in step.replays
    ]


def _counted(signs: Sequence[str]) -> str:
    runs = ((sign, len(list(same))) for sign, same in itertools.groupby(signs))
    return " ".join(f"{sign}×{n}" if n > 1 else sign for sign, n in runs).strip()


def _foot(run: RunView) -> Iterator[str]:
    if run.kept:
        names = listed([kept.name for kept in run.kept], NAMES_MAX)
        yield line(f"kept: {names}", "after a restart: %durable restore")
    yield from map(unknown, run.unpriced)
    seen = {c.fate for s in run.attempts for c in s.calls}
    words = {Fate.IN_DOUBT: "may have happened"}
    shown = [f for f in Fate if f in seen and f is not Fate.STOPPED]
    if len(shown) > 1:
        yield "  ".join(f"{GLYPHS[f]} {words.get(f, f.value)}" for f in shown)
