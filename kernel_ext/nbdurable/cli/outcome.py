"""What a check found, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from nbdurable.cli.answers import Answer
from nbdurable.cli.headless import Executed
from nbdurable.cli.recorded import Wanted
from nbdurable.cli.shell import answers, typed
from nbdurable.engine.asking.checked import RAN, REPLAYED, STOPPED
from nbdurable.engine.calls.refusing import CallNotRecorded
from nbdurable.engine.past.fates import GLYPHS, Fate
from nbdurable.engine.telling.wording import both, line, listed
from nbdurable.engine.where.moments import count
from nbdurable.errors import Remedy
from nbdurable_store.form import tell

DIFFERS: Final = 1
"""The exit code of a check that found something."""

SIGNS: Final = {REPLAYED: Fate.REPLAYED, RAN: Fate.RAN, STOPPED: Fate.ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What a notebook was executed against.

    Attributes:
        wanted: What was asked for.
        number: Number of the run, or 0 for a new one.
        update: Whether new calls were allowed.
    """

    wanted: Wanted
    number: int
    update: bool = False


Step = Mapping[str, Any]


def answer(done: Executed, against: Against) -> Answer:
    """The answer to a check.

    Args:
        done: How the execution ended.
        against: What it was executed against.
    """
    fine = not (done.failed or any(map(_is_wrong(against), done.steps)))
    fine = fine and not done.refused
    data = {
        "fine": fine,
        "run": against.number,
        "updated": against.update,
        "cells": done.cells,
        "steps": done.steps,
        "refused": done.refused,
        "failed": asdict(done.failed) if done.failed else None,
    }
    text = "\n".join(_lines(done, against, fine=fine))
    return Answer(text, data, 0 if fine else DIFFERS)


def _is_wrong(against: Against) -> Any:
    """Whether a step stands against the check: stopped, or other values of one code."""

    def wrong(step: Step) -> bool:
        differs = bool(step["differs"]) and not step["edited"]
        return step["how"] == STOPPED or (differs and not against.update)

    return wrong


def _lines(done: Executed, against: Against, *, fine: bool) -> Iterator[str]:
    run = f"run {against.number}" if against.number else "a new run"
    does = "recorded in" if against.update else "against"
    yield f"{against.wanted.typed} {does} {run}"
    width = max((len(s["name"]) for s in done.steps), default=0)
    for step in done.steps:
        yield from _step(step, width, against)
    yield from _refused(done, against)
    if done.failed and not done.refused:
        yield from (
            "",
            f"cell {done.failed.cell} raised:",
            answers(done.failed.told, ""),
        )
    yield ""
    yield _verdict(done, against, fine=fine)


def _step(step: Step, width: int, against: Against) -> Iterator[str]:
    sign = GLYPHS[SIGNS[step["how"]]]
    calls = _calls(step)
    head = f"  {sign} {step['name'].ljust(width)}  "
    if step["how"] == REPLAYED:
        yield head + line("replayed, nothing ran", calls)
        return
    why = "new" if step["new"] else "its code changed" if step["edited"] else ""
    how = "ran" if step["how"] == RAN else _stopped(step)
    yield head + line(how, calls, why)
    margin = " " * (width + 6)
    yield from (f"{margin}{told}" for told in step["because"])
    ours = "with its code" if step["edited"] else "with the same code"
    if step["differs"] and not against.update:
        yield f"{margin}other values {ours}:"
        yield from (f"{margin}  {told}" for told in step["differs"])
    if step["not_compared"]:
        yield f"{margin}not compared: {listed(step['not_compared'])}"
    if step["effects"]:
        yield f"{margin}seen and not prevented: {listed(step['effects'])}"


def _stopped(step: Step) -> str:
    """How a step stopped; a call that was refused is told below."""
    refused = step["type"].endswith(f".{CallNotRecorded.__name__}")
    return "stopped" if refused else f"stopped: {step['message']}"


def _calls(step: Step) -> str:
    return _told(step["served"], step["ran"])


def _told(served: int, ran: int) -> str:
    parts = [f"{count(served, 'call')} served"] if served else []
    parts += [f"{count(ran, 'call')} made"] if ran else []
    return both(parts)


def _refused(done: Executed, against: Against) -> Iterator[str]:
    for fields in done.refused:
        error = _error(fields)
        remedies = tuple(
            Remedy(r.when, _command(r.command, against)) for r in error.remedies()
        )
        name = type(error).__name__
        yield ""
        yield tell(name, error.fact(), error.detail(), remedies[:-1], error.slug)


def _error(fields: Mapping[str, Any]) -> CallNotRecorded:
    return CallNotRecorded(**{**fields, "differs": tuple(fields["differs"])})


def _command(command: str, against: Against) -> str:
    named = command.replace("NOTEBOOK", f'"{against.wanted.typed}"')
    return typed(named)


def _verdict(done: Executed, against: Against, *, fine: bool) -> str:
    served, ran = (
        sum(s["served"] for s in done.steps),
        sum(s["ran"] for s in done.steps),
    )
    calls = _told(served, ran) + ("" if ran or against.update else ", none made")
    calls = calls.removeprefix(", ")
    left = done.failed.left if done.failed else 0
    behind = f"{count(left, 'cell')} behind it not executed" if left else ""
    if fine:
        told = "recorded" if against.update else "fine"
        return line(told, count(done.cells, "cell"), calls)
    if against.update:
        return line("stopped", calls, behind, "what was done is recorded")
    return line("differs", calls, behind)
