"""What a demo needs around it: two servers, the notebook's cells, kernels to kill."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbdurable.cli.fileformat import nbformat
from nbdurable.testing import account
from nbdurable.testing.account import Arrived
from nbdurable.testing.demo.moments import Server
from nbdurable.testing.effects import VARIABLE
from nbdurable.testing.kernel import Kernel
from nbdurable.testing.model_server.__main__ import environment
from nbdurable.testing.processes import Running, start
from nbdurable.testing.ran import Ran

NOTEBOOK = Path("example_notebooks") / "01_research_agent.ipynb"
LOOP = "findings"
"""Id of the cell with the agent loop."""
FIRST_DURABLE = LOOP
ANSWER = "import json; print(json.dumps([findings, report]))"
"""Shows the variables that the notebook is about."""
DELAY_MS = 25
"""A model that thinks this long makes the seconds saved visible, and a demo short."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell: its id in the notebook, and its source."""

    id: str
    source: str


@dataclass(slots=True)
class Stage:
    """The outside world of a demo, and the notebook.

    Attributes:
        folder: Where everything of this demo lies.
        notebook: The notebook's file.
        cells: Its code cells.
        servers: The model server and the process that counts effects.
    """

    folder: Path
    notebook: Path
    cells: Sequence[Cell]
    servers: dict[Server, Running]
    _marks: dict[Server, int] = field(default_factory=dict)

    def kernel(self, name: str) -> Kernel:
        """A kernel with a folder, and so a store, of its own."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        self.key_file.parent.mkdir(mode=0o700, exist_ok=True)
        return Kernel(
            folder,
            env={
                **environment(self.servers["model"].url),
                VARIABLE: self.servers["effects"].url,
                "NBDURABLE_KEY_FILE": str(self.key_file),
                "NBDURABLE_NOTEBOOK": str(self.notebook),
            },
        )

    @property
    def key_file(self) -> Path:
        """The signing key of the demo's stores; nobody's own key is used."""
        return self.folder / "key" / "key"

    def mark(self) -> None:
        """What arrives from now on belongs to the next run."""
        for server, running in self.servers.items():
            running.clear()
            running.wait_quiet()
            self._marks[server] = len(account.read(running.log))

    def since_mark(self) -> list[tuple[Server, Arrived]]:
        """What arrived since the mark at both servers, by time; all that was sent."""
        found: list[tuple[Server, Arrived]] = []
        for server, running in self.servers.items():
            arrived = account.read(running.log)[self._marks[server] :]
            found += [(server, a) for a in arrived]
        return sorted(found, key=lambda pair: pair[1].at_us)

    def hold(self, server: Server, n: int) -> None:
        """Hold the n-th request since the mark."""
        self.servers[server].rule(do="hold", at=self._marks[server] + n)


def run_cells(kernel: Kernel, cells: Sequence[Cell]) -> tuple[Cell, Ran] | None:
    """Run cells until one fails; gives that one."""
    for cell in cells:
        ran = kernel.run(cell.source, metadata={"cellId": cell.id})
        if not ran.ok:
            return cell, ran
    return None


def answer(kernel: Kernel) -> str:
    """What the notebook found out, from its variables."""
    return kernel.run(ANSWER).text


def code_cells(notebook: Path) -> list[Cell]:
    """The code cells of a notebook file."""
    cells = nbformat().read(notebook, as_version=4).cells
    return [Cell(c.id, c.source) for c in cells if c.cell_type == "code"]


@contextlib.contextmanager
def stage(folder: Path, notebook: Path) -> Iterator[Stage]:
    """The servers, running; they end with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        start(
            "nbdurable.testing.model_server",
            folder / "requests.jsonl",
            "--delay-ms",
            str(DELAY_MS),
        ) as model,
        start("nbdurable.testing.effects", folder / "effects.jsonl") as effects,
    ):
        servers: dict[Server, Running] = {"model": model, "effects": effects}
        yield Stage(folder, notebook.absolute(), code_cells(notebook), servers)
