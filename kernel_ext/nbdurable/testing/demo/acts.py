"""The demo itself: an undisturbed run, then one whose kernel is killed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nbdurable.engine.past.history import History
from nbdurable.engine.values.previews import shorten
from nbdurable.testing.account import Arrived
from nbdurable.testing.demo import journals
from nbdurable.testing.demo.moments import Moment, Server, draw
from nbdurable.testing.demo.stage import (
    LOOP,
    Cell,
    Stage,
    answer,
    run_cells,
)
from nbdurable.testing.demo.verdict import Journaled, Verdict
from nbdurable.testing.effects import receipt
from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran
from nbdurable_store.clock import SYSTEM_CLOCK

OFF = Cell("off", "%durable off")
"""With this cell the notebook runs as if nbdurable were not there."""

LINE_CHARS_MAX = 100
"""How much of an error is quoted."""

Say = Callable[[str], None]


class DemoFailed(Exception):  # the end of a demo, not an error of ours
    """The demo could not go on; the message says where."""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What happens when nobody kills the kernel.

    Attributes:
        answer: What the notebook found out.
        arrivals: What arrived outside, by time, with the server it arrived at.
        in_loop: How many of them belong to the agent loop.
    """

    answer: str
    arrivals: Sequence[tuple[Server, Arrived]]
    in_loop: int

    @property
    def order(self) -> list[Server]:
        """Where the calls of the loop arrived, one after the other."""
        return [server for server, _ in self.arrivals[: self.in_loop]]


def undisturbed(stage: Stage) -> Undisturbed:
    """Run the notebook once in a store of its own."""
    stage.mark()
    before, rest = _split(stage.cells)
    with stage.kernel("undisturbed") as kernel:
        _run(kernel, before)
        _run(kernel, rest[:1])
        in_loop = len(stage.since_mark())
        _run(kernel, rest[1:])
        return Undisturbed(answer(kernel), stage.since_mark(), in_loop)


def perform(
    stage: Stage, base: Undisturbed, seed: int, say: Say, *, journal: bool = True
) -> Verdict:
    """Kill a kernel at the moment a seed draws, run all cells again, and count.

    Args:
        stage: The servers and the notebook.
        base: The undisturbed run.
        seed: What the moment is drawn from.
        say: Told what is being done, line by line.
        journal: False switches nbdurable off, to see the demo fail.
    """
    moment = draw(seed, base.order)
    folder = f"seed-{seed}" if journal else f"seed-{seed}-off"
    say(f"seed {seed}: the kernel dies {moment.told()}")
    stage.mark()
    before, rest = _split(stage.cells)
    extra = [] if journal else [OFF]
    with stage.kernel(folder) as kernel:
        _run(kernel, [*before, *extra])
        _kill(stage, kernel, rest[0], moment)
        say(f"killed kernel {kernel.pid} with SIGKILL in the agent loop")
        first = stage.since_mark()
        past = _history(stage, folder)
        was = Journaled(
            acknowledged=journals.acknowledged(past), in_doubt=journals.in_doubt(past)
        )
        at_us = SYSTEM_CLOCK.now_us()
        kernel.restart()
        say(f"started kernel {kernel.pid}, running all cells again")
        _run(kernel, [*before, *extra])
        was = replace(was, settled=_go_on(stage, kernel, rest, was.in_doubt, say))
        said = answer(kernel)
    found = _history(stage, folder)
    tally = journals.since(found, at_us)
    return Verdict(
        undisturbed=[a for _, a in base.arrivals],
        before=[a for _, a in first],
        after=[a for _, a in stage.since_mark()[len(first) :]],
        journaled=replace(
            was,
            replayed=tally.served,
            ran=tally.ran,
            saved_tokens=tally.saved_tokens,
            saved_ms=tally.saved_ms,
            cells=journals.by_cell(found),
        ),
        same_answer=said == base.answer,
    )


def _split(cells: Sequence[Cell]) -> tuple[Sequence[Cell], Sequence[Cell]]:
    at = next(i for i, cell in enumerate(cells) if cell.id == LOOP)
    return cells[:at], cells[at:]


def _run(kernel: Kernel, cells: Sequence[Cell]) -> None:
    failed = run_cells(kernel, cells)
    if failed is not None:
        cell, ran = failed
        told = f"cell {cell.id} failed:\n{ran.text}"
        raise DemoFailed(told)


def _kill(stage: Stage, kernel: Kernel, loop: Cell, moment: Moment) -> None:
    server = stage.servers[moment.server]
    stage.hold(moment.server, moment.n)
    ran = kernel.send(loop.source, metadata={"cellId": loop.id})
    if not server.wait_held():
        kernel.wait(ran)
        told = f"the loop ended before {moment.told()}:\n{ran.text}"
        raise DemoFailed(told)
    if moment.late_ms is not None:
        server.release()
        SYSTEM_CLOCK.sleep(moment.late_ms / 1000)
    kernel.kill()
    for one in stage.servers.values():
        one.clear()
        one.wait_quiet()


def _go_on(
    stage: Stage, kernel: Kernel, cells: Sequence[Cell], doubt: str, say: Say
) -> str:
    """Run cells; settle a question as a user would. Gives how it was settled."""
    failed = run_cells(kernel, cells)
    if failed is None:
        return "it only reads, so it was asked again" if doubt else ""
    cell, ran = failed
    arrived = [a for server, a in stage.since_mark() if server == "effects"]
    command, told = settlement(ran.text, arrived[-1])
    say(f"cell {cell.id} stopped: {shorten(_first_line(ran), LINE_CHARS_MAX)}")
    say(f"the account of effects says that {told}: {command}")
    _run(kernel, [Cell("settle", command), *cells[cells.index(cell) :]])
    return f"may have happened; the account says that {told}"


def settlement(told: str, last: Arrived) -> tuple[str, str]:
    """What to type after an error that asks, given the last effect that was counted.

    Raises:
        DemoFailed: The error asks nothing.
    """
    asked = re.search(r"%durable resolve (\S+) --happened", told)
    tool = re.search(r"CallInDoubt: (\w+)\(", told)
    if asked is None or tool is None:
        failed = f"the fresh kernel failed:\n{told}"
        raise DemoFailed(failed)
    if last.more.get("tool") != tool[1]:
        return f"%durable resolve {asked[1]} --did-not", "it did not happen"
    value = json.dumps(receipt(tool[1], last.digest))
    return f"%durable resolve {asked[1]} --happened {value}", "it happened"


def _first_line(ran: Ran) -> str:
    lines = [line for line in ran.text.splitlines() if "CallInDoubt" in line]
    return lines[0].strip() if lines else ""


def _history(stage: Stage, folder: str) -> History | None:
    store = stage.folder / folder / ".nbdurable"
    return journals.history_of(store, stage.key_file)


def store_of(stage: Stage, seed: int) -> Path:
    """The store of a killed run."""
    return stage.folder / f"seed-{seed}" / ".nbdurable"
