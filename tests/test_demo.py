"""`make demo`: a kernel dies in the middle of an agent, and nothing is paid twice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from nbdurable.testing.demo.acts import Undisturbed, perform, undisturbed
from nbdurable.testing.demo.stage import NOTEBOOK, Stage, run_cells, stage
from tests.kernel.notebook import lines_of
from tests.warm.kernels import IMPORTED

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
CALLS = 30
DURABLE_CELLS = 2
SEEDS = range(20)
LAST_LINE = re.compile(r"(\d+) calls: (\d+) replayed, (\d+) ran, (\d+) repeated")

pytestmark = pytest.mark.slow


class World(NamedTuple):
    """The servers, and what happens when nobody kills the kernel."""

    stage: Stage
    base: Undisturbed


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Servers and one undisturbed run, shared by all seeds.

    The kernels have imported openai; those of the command below import it in a cell.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        stage(tmp_path_factory.mktemp("demo"), ROOT / NOTEBOOK) as made,
    ):
        patch.setenv(IMPORTED, "openai")
        yield World(made, undisturbed(made))


def test_the_notebook_makes_thirty_calls(world: World) -> None:
    """Eighteen ask the model, twelve are tools; each is made once."""
    digests = [a.digest for _, a in world.base.arrivals]
    assert len(digests) == len(set(digests)) == CALLS


def test_the_whole_notebook_replays(world: World) -> None:
    """In a fresh kernel no cell of the example runs again: all it makes can be kept."""
    world.stage.mark()
    with world.stage.kernel("replayed") as kernel:
        assert run_cells(kernel, world.stage.cells) is None
        made = len(world.stage.since_mark())
        kernel.restart()
        told = [
            line
            for cell in world.stage.cells
            for line in lines_of(kernel.run(cell.source, metadata={"cellId": cell.id}))
        ]
    assert sum("nothing ran" in line for line in told) == DURABLE_CELLS
    assert len(world.stage.since_mark()) == made


@pytest.mark.parametrize("seed", SEEDS)
def test_no_acknowledged_call_is_repeated(world: World, seed: int) -> None:
    """Whenever the kernel dies, the rest is done once, with the same answer."""
    told: list[str] = []
    verdict = perform(world.stage, world.base, seed, told.append)
    assert verdict.failures() == [], "\n".join([*told, *verdict.facts()])
    match = LAST_LINE.fullmatch(verdict.last_line())
    assert match
    calls, replayed, ran, repeated = map(int, match.groups())
    assert (calls, repeated) == (CALLS, 0)
    assert replayed >= verdict.journaled.acknowledged > 0
    assert replayed + ran == CALLS


def test_the_demo_fails_when_the_journal_is_off(world: World) -> None:
    """Without the journal acknowledged calls are repeated, and the count shows it."""
    verdict = perform(world.stage, world.base, 0, print, journal=False)
    assert verdict.repeated > 0
    assert verdict.failures()


def test_the_command_prints_its_seed_and_its_verdict(tmp_path: Path) -> None:
    """`make demo SEED=7` ends with the one line, and names the page."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "nbdurable.testing.demo", "--seed", "7"),
            *("--folder", str(tmp_path / "demo")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert LAST_LINE.fullmatch(lines[-1])
    assert any("seed 7" in line for line in lines)
    (calls,) = (line for line in lines if line.startswith("calls: "))
    assert calls.endswith(" · 28 in findings, 2 in report")
    page = next(line for line in lines if line.startswith("page: "))
    assert "<html" in Path(page.removeprefix("page: ")).read_text().lower()
