"""The door through which every cell goes: durable ones to the engine, others untouched.

The runner wraps `shell.run_ast_nodes`, the one function that sync and awaiting cells
pass with their compiled nodes and their `ExecutionResult`. So there is one path for
both, and tracebacks, the last expression, ``;``, magics and the reply's status stay
IPython's own. For a sync cell the wrapper never suspends: IPython drives it without an
event loop.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from nbdurable.kernel.defects import contained
from nbdurable.kernel.execution import Execution, Parts
from nbdurable.kernel.lines import say
from nbdurable.kernel.transform import PLAIN, Marking, read
from nbdurable.kernel.where import tags

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

OFF = "durable cells are off in this kernel, so this cell ran unprotected: %durable on"

_inside_cell: ContextVar[bool] = ContextVar("nbdurable_inside_cell", default=False)
"""Set while a cell runs, so that a cell run by a cell (``%%capture``) is plain."""


class Runner:
    """Installed on a shell until `close`.

    Attributes:
        on: Whether durable cells are durable; `%durable off` sets it.
    """

    def __init__(self, shell: InteractiveShell, parts: Parts) -> None:
        self.on = True
        self._shell = shell
        self._parts = parts
        self._closed = False
        self._run: Any = shell.run_ast_nodes
        shell.run_ast_nodes = self.run_ast_nodes  # type: ignore[method-assign]

    def close(self) -> None:
        """Put IPython's own method back, unless somebody wrapped ours."""
        self._closed = True
        if vars(self._shell).get("run_ast_nodes") == self.run_ast_nodes:
            del self._shell.run_ast_nodes

    async def run_ast_nodes(
        self,
        nodelist: list[Any],
        cell_name: str,
        *args: Any,
        result: Any = None,
        **kwargs: Any,
    ) -> Any:
        """IPython's `run_ast_nodes`, durable where the cell says so."""

        async def run() -> Any:
            return await self._run(nodelist, cell_name, *args, **kwargs, result=result)

        if self._closed or _inside_cell.get():
            return await run()
        with contained("names that wait can't be loaded"):
            self._parts.engine.touch(nodelist)
        marking = self._marking(result)
        token = _inside_cell.set(True)
        try:
            if not marking.durable:
                return await run()
            execution = Execution(self._shell, self._parts, result, marking.line)
            return await execution.run(run, filename=cell_name, empty=not nodelist)
        finally:
            _inside_cell.reset(token)

    def _marking(self, result: Any) -> Marking:
        """What the cell says; a defect of ours leaves other people's cells alone."""
        marking = PLAIN
        with contained("a cell can't be looked at"):
            info = result.info
            if not info.silent:
                marking = read(info.raw_cell, tags(self._shell, info))
            if marking.durable and not self.on:
                marking = Marking(warning=OFF)
            say(self._shell, marking.warning, "warning")
        return marking
