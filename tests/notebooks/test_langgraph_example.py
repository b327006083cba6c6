"""The example notebook with LangGraph, in real kernels, killed between two answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from nbdurable.testing.demo.stage import Stage, run_cells, stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NOTEBOOK = Path(__file__).parents[2] / "example_notebooks" / "03_langgraph.ipynb"
SHOW = "print(report, receipt)"
MODEL_CALLS = 7
SIDE_BY_SIDE = 3
"""Topics: as many answers may be waited for when the kernel is killed."""


@dataclass
class Seen:
    """What one run of the notebook showed, and what reached the servers.

    Attributes:
        answer: The report and the receipt of its letter.
        asked: Requests to the model.
        sent: Letters.
    """

    answer: str
    asked: int
    sent: int


def _counted(world: Stage, answer: str) -> Seen:
    servers = [server for server, _ in world.since_mark()]
    return Seen(answer, servers.count("model"), servers.count("effects"))


def test_a_killed_graph_goes_on(tmp_path: Path) -> None:
    """Killed while it waits for answers, it asks for those again and for nothing else."""
    with stage(tmp_path, NOTEBOOK) as world:
        world.mark()
        with world.kernel("undisturbed") as kernel:
            assert run_cells(kernel, world.cells) is None
            undisturbed = _counted(world, kernel.run(SHOW).text)
        assert (undisturbed.asked, undisturbed.sent) == (MODEL_CALLS, 1)

        world.mark()
        world.hold("model", MODEL_CALLS - 1)
        with world.kernel("killed") as kernel:
            *before, report, letter, run, why = world.cells
            assert run_cells(kernel, before) is None
            kernel.send(report.source, metadata={"cellId": report.id})
            assert world.servers["model"].wait_held()
            kernel.kill()
            kernel.restart()
            world.servers["model"].clear()
            assert run_cells(kernel, [*before, report, letter]) is None
            killed = _counted(world, kernel.run(SHOW).text)
            assert killed.answer == undisturbed.answer
            assert MODEL_CALLS < killed.asked <= MODEL_CALLS + SIDE_BY_SIDE
            assert killed.sent == 1
            shown = kernel.run(run.source).text
            assert "report" in shown
            assert kernel.run(why.source).ok
