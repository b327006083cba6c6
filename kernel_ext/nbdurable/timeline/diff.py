"""Two attempts or two runs, side by side: an object that shows what differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.where.moments import count
from nbdurable.timeline.look import STYLE
from nbdurable.timeline.markup import Content, element, render, style

MINUS: Final = "−"
"""Stands before what only the earlier side has."""

PLUS: Final = "+"
"""Stands before what only the later side has."""

PARTS: Final = ("code", "inputs", "values", "calls", "output", "end", "cost")
"""What is compared of a step, in the order in which it is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDiff:
    """How two attempts of a step differ; each line is one place.

    Attributes:
        name: What people call the step.
        only: The side that alone has it, or "".
        sign: `MINUS` or `PLUS` for that side, or "".
        code: Lines of the cell.
        inputs: What it was given.
        values: The variables that it made.
        calls: Arguments and answers of its calls, and the calls that one side lacks.
        output: What it showed.
        end: How it ended.
        cost: Tokens and time.
        equal: Calls that are the same on both sides.
    """

    name: str
    only: str = ""
    sign: str = ""
    code: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    cost: tuple[str, ...] = ()
    equal: int = 0

    @property
    def same(self) -> bool:
        """Whether nothing but the cost differs."""
        kept = (self.code, self.inputs, self.values, self.calls, self.output)
        return not (self.only or self.end or any(kept))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Diff:
    """What differs between two sides.

    Attributes:
        old: What the earlier side is called.
        new: What the later side is called.
        steps: Its steps.
    """

    old: str
    new: str
    steps: tuple[StepDiff, ...]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        return str(self)

    @property
    def head(self) -> str:
        """Both sides, each with the sign that stands before what it alone has."""
        return f"{MINUS} {self.old} → {PLUS} {self.new}"

    def _lines(self) -> Iterator[str]:
        yield self.head
        several = len(self.steps) > 1
        for step in self.steps:
            if several or step.same or step.only:
                yield f"  {step.name}: {_head(step)}" if several else f"  {_head(step)}"
            yield from _text(step, "    " if several else "  ")

    def _repr_html_(self) -> str:
        blocks = [_html(step) for step in self.steps]
        head = element("h1", self.head)
        return render(element("div", style(STYLE), head, blocks, class_="nbdurable"))


def _head(step: StepDiff) -> str:
    if step.only:
        return f"{step.sign} only in {step.only}"
    calls = f", {count(step.equal, 'equal call')}" if step.equal else ""
    return f"no difference{calls}" if step.same else "differs"


def _rows(step: StepDiff) -> Iterator[tuple[str, tuple[str, ...]]]:
    for part in PARTS:
        lines: tuple[str, ...] = getattr(step, part)
        if part == "calls" and lines and step.equal:
            lines = (*lines, count(step.equal, "equal call"))
        if lines and not (part == "cost" and step.only):
            yield part, lines


def _text(step: StepDiff, margin: str) -> Iterator[str]:
    width = max(map(len, PARTS))
    for part, lines in _rows(step):
        for nth, told in enumerate(lines):
            yield f"{margin}{('' if nth else part).ljust(width)}  {told}"


def _html(step: StepDiff) -> Content:
    rows = [
        (element("dt", part, class_="soft"), [element("dd", told) for told in lines])
        for part, lines in _rows(step)
    ]
    summary = element("summary", element("b", step.name), " ", _head(step))
    return element(
        "details", summary, element("dl", rows), class_="cell", open=not step.same
    )
