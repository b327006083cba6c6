"""The example with two providers, in real kernels: killed, and nobody is asked twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.testing import account
from nbdurable.testing.kernel import Kernel
from nbdurable.testing.model_server import ModelServer
from nbdurable.testing.model_server.__main__ import environment
from tests.warm.kernels import IMPORTED

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "example_notebooks" / "02_two_providers.ipynb"
CELLS = [
    "".join(cell["source"])
    for cell in json.loads(EXAMPLE.read_text())["cells"]
    if cell["cell_type"] == "code"
]
SHOW = "print(draft, opinion, prices, facts, sep='|')"
REQUESTS = 5
"""A draft, an opinion, two of the agent, the facts."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    """A fake model server."""
    with ModelServer(tmp_path / "requests.jsonl") as running:
        yield running


def asked(server: ModelServer) -> int:
    """How many requests reached the server."""
    return len(account.read(server.account.path))


def run(kernel: Kernel, cells: list[str]) -> str:
    """Run cells; all they showed."""
    ran = [kernel.run(cell) for cell in cells]
    assert all(r.ok for r in ran), "\n".join(r.text for r in ran)
    return "".join(r.text for r in ran)


def test_all_cells_run_and_replay(tmp_path: Path, server: ModelServer) -> None:
    """Replayed as steps and, edited, as calls: equal values and no request."""
    edited = [f"{c}\nedited = 1" if c.startswith("%%durable") else c for c in CELLS]
    with Kernel(tmp_path, env=environment(server.url)) as kernel:
        shown = run(kernel, CELLS)
        assert "not recorded" not in shown
        assert "durable cells are on" in shown
        first = kernel.run(SHOW).text
        assert asked(server) == REQUESTS
        for cells in (CELLS, edited):
            kernel.kill()
            kernel.restart()
            run(kernel, cells)
            assert kernel.run(SHOW).text == first
    assert asked(server) == REQUESTS


@pytest.mark.parametrize("finished", range(2, len(CELLS) - 1))
def test_a_kernel_that_is_killed_anywhere_asks_nothing_twice(
    tmp_path: Path, server: ModelServer, finished: int
) -> None:
    """Some cells ran, the kernel died, all cells run again.

    These kernels have imported the SDKs; those above import them in a cell.
    """
    env = {**environment(server.url), IMPORTED: "openai anthropic"}
    with Kernel(tmp_path, env=env) as kernel:
        run(kernel, CELLS[:finished])
        kernel.kill()
        kernel.restart()
        run(kernel, CELLS)
    assert asked(server) == REQUESTS
