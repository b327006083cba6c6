"""A notebook without Jupyter: cells are kept, run, and have a step key."""

from __future__ import annotations

import sys
import types

from nbdurable.engine.identity.code import call_code_digest
from nbdurable.engine.identity.inputs import Inputs, read_inputs
from nbdurable.engine.identity.sources import Sources


class Notebook:
    """The namespace of a kernel and the sources of its cells."""

    def __init__(self, version: str = "1.0") -> None:
        self.module = types.ModuleType("__main__")
        self.names = self.module.__dict__
        self.version = version
        self.sources = Sources(self._load, self._version_of)
        self.files: dict[str, str] = {}
        self._count = 0

    def _load(self, filename: str) -> str | None:
        return self.files.get(filename)

    def local_module(self, name: str, source: str) -> None:
        """A module beside the notebook."""
        module = types.ModuleType(name)
        module.__file__ = f"/local/{name}.py"
        self.files[module.__file__] = source
        sys.modules[name] = module
        exec(
            compile(source, module.__file__, "exec", dont_inherit=True), module.__dict__
        )  # an import

    def run(self, cell: str) -> None:
        """Run a cell."""
        self._count += 1
        filename = f"<cell {self._count}>"
        self.sources.add(filename, cell)
        exec(compile(cell, filename, "exec", dont_inherit=True), self.names)  # a cell

    def inputs(self, cell: str) -> Inputs:
        """The inputs of a cell that doesn't run."""
        return read_inputs(
            cell,
            self.names,
            self.sources,
        )

    def _version_of(self, module: str) -> str:
        return f"{module.partition('.')[0]} {self.version}"

    def code(self, name: str) -> bytes:
        """The code digest of the calls of a tool."""
        return call_code_digest(self.names[name], self.sources)


def key_of(setup: str, cell: str, *, version: str = "1.0", module: str = "") -> bytes:
    """The step key of a cell after another one ran."""
    notebook = Notebook(version)
    if module:
        notebook.local_module("loose", module)
    notebook.run(setup)
    found = notebook.inputs(cell)
    assert not found.undigestible, found.undigestible
    return found.key
