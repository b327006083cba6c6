"""Executes a notebook in a real kernel, as a front end would, without one.

Cells are sent with their ids and tags, which nbclient alone doesn't do, so that a cell
finds its own history. Execution stops at the first cell that raises. Nothing is written
into the notebook's file.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Final

from nbdurable.cli.fileformat import nbformat
from nbdurable.errors import DurableError, PackageAbsent, Remedy

EXTENSION: Final = "--ext=nbdurable"
"""Loads nbdurable also where it isn't installed with its configuration."""

REPORT: Final = "__import__('nbdurable.kernel.checked', fromlist=['report']).report()"
"""What the kernel is asked at the end."""

_ANSI: Final = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]")

LOG_CHARS_MAX: Final = 2_000
"""Of what a kernel wrote before it died, its end is told."""


@dataclass(kw_only=True, eq=False)
class NotebookUnusable(DurableError):
    """A notebook that can't be executed.

    Attributes:
        notebook: Its path as it was typed.
        why: What stands in the way, as a sentence without its end.
    """

    slug: ClassVar[str] = "notebook-unusable"
    notebook: str
    why: str

    def fact(self) -> str:
        """Which notebook, and why."""
        return f"{self.notebook} can't be executed: {self.why}."

    def detail(self) -> str:
        """What was not done."""
        return "Nothing was executed, and no run was changed."

    def remedies(self) -> tuple[Remedy, ...]:
        """What there is."""
        return (
            Remedy("notebooks that have runs", "nbdurable runs"),
            Remedy("kernels that there are", "jupyter kernelspec list"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The cell at which execution stopped.

    Attributes:
        cell: Its place among the code cells, from 1.
        name: Name of what it raised, such as ``ValueError``.
        told: What it showed: a traceback, or an error of ours.
        line: The last line of that.
        left: How many code cells come after it.
    """

    cell: int
    name: str
    told: str
    line: str
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """How an execution ended.

    Attributes:
        cells: How many code cells were executed.
        failed: The one that raised, if one did.
        steps: What became of each step, as `nbdurable.engine.asking.checked` says it.
        refused: The calls that were refused, as fields of `CallNotRecorded`.
    """

    cells: int
    failed: Failed | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Document:
    """A notebook's file.

    Attributes:
        path: Where it is.
        node: What it holds.
        ids: The ids that its cells have in the file.
    """

    path: Path
    node: Any
    ids: frozenset[str]

    def code_cells(self) -> list[Any]:
        """The cells that are executed: those of code that aren't empty."""
        cells = self.node.cells
        return [c for c in cells if c.cell_type == "code" and c.source.strip()]


def opened(path: str) -> Document:
    """Read a notebook.

    Raises:
        NotebookUnusable: The file is not there, or is none.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        said = json.loads(text)
        node = nbformat().reads(text, as_version=4)
        ids = [c["id"] for c in said["cells"] if c.get("id")]
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise NotebookUnusable(notebook=path, why=why) from error
    except Exception as error:
        why = "it is no notebook of a format that is known here"
        raise NotebookUnusable(notebook=path, why=why) from error
    return Document(Path(path).absolute(), node, frozenset(ids))


def needs_nbclient(command: str) -> None:
    """What executes notebooks must be installed.

    Raises:
        PackageAbsent: It isn't.
    """
    if find_spec("nbclient") is None:
        raise PackageAbsent(command=command, package="nbclient")


def execute(
    document: Document, env: Mapping[str, str], *, ids: bool, log: Path
) -> Executed:
    """Execute a notebook in a fresh kernel, in its own folder.

    Args:
        document: The notebook.
        env: The kernel's environment.
        ids: Whether cells are sent with their ids.
        log: What the kernel's process writes to its real streams goes there.

    Raises:
        NotebookUnusable: No kernel could be started.
    """
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient

    client = NotebookClient(document.node, timeout=None, extra_arguments=[EXTENSION])
    client.reset_execution_trackers()
    try:
        with log.open("wb") as stream:
            places = {"cwd": str(document.path.parent), "env": dict(env)}
            with client.setup_kernel(**places, stdout=stream, stderr=stream):
                return _cells(client, document, ids=ids)
    except (NoSuchKernel, RuntimeError) as error:
        said = log.read_text(errors="replace")[-LOG_CHARS_MAX:] if log.exists() else ""
        why = " ".join(f"its kernel does not start: {error} {said}".split())
        raise NotebookUnusable(notebook=str(document.path), why=why) from error


def _cells(client: Any, document: Document, *, ids: bool) -> Executed:
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    cells = document.code_cells()
    for nth, cell in enumerate(cells, 1):
        about = {"tags": list(cell.metadata.get("tags", []))}
        known = {"cellId": cell.id} if ids and cell.get("id") in document.ids else {}
        client.kc.session.metadata = {**about, **known}
        left = len(cells) - nth
        try:
            client.execute_cell(cell, document.node.cells.index(cell))
        except CellExecutionError as error:
            failed = _failed(error, cell, nth, left)
            return _reported(client, document, nth, failed)
        except DeadKernelError:
            told = "the kernel's process ended"
            dead = Failed(cell=nth, name="", told=told, line=told, left=left)
            return Executed(cells=nth, failed=dead)
    return _reported(client, document, len(cells), None)


def _failed(error: Any, cell: Any, nth: int, left: int) -> Failed:
    line = f"{error.ename}: {str(error.evalue).partition(chr(10))[0]}"
    shown = [o for o in cell.outputs if o.output_type == "error"]
    told = "\n".join(shown[-1].traceback) if shown else line
    told = _ANSI.sub("", told)
    return Failed(cell=nth, name=error.ename, told=told, line=line, left=left)


def _reported(
    client: Any, document: Document, cells: int, failed: Failed | None
) -> Executed:
    from nbclient.util import ensure_async, run_sync

    async def ask() -> Any:
        client.kc.session.metadata = {}
        sent = client.kc.execute(
            "", silent=True, store_history=False, user_expressions={"said": REPORT}
        )
        return await client.async_wait_for_reply(await ensure_async(sent))

    reply = run_sync(ask)()
    said = reply["content"]["user_expressions"]["said"]
    if said["status"] != "ok":
        why = f"its kernel has no nbdurable ({said['ename']}: {said['evalue']})"
        raise NotebookUnusable(notebook=str(document.path), why=why)
    found = json.loads(ast.literal_eval(said["data"]["text/plain"]))
    return Executed(
        cells=cells, failed=failed, steps=found["steps"], refused=found["refused"]
    )
