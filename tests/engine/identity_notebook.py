"""A notebook without Jupyter: cells are kept, run, and have a step key."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from nbdurable.engine.identity.code import call_code_digest
from nbdurable.engine.identity.inputs import Inputs, read_inputs
from nbdurable.engine.identity.sources import Sources
from nbdurable.engine.where.localcode import module_file, source_of


class Notebook:
    """The namespace of a kernel and the sources of its cells."""

    def __init__(
        self, version: str = "1.0", load: Callable[[str], str | None] | None = None
    ) -> None:
        self.module = types.ModuleType("__main__")
        self.names = self.module.__dict__
        self.version = version
        self.sources = Sources(load or self._load, self._version_of, find=module_file)
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


def key_of(state: Any, folder: Path, packages: Collection[str]) -> bytes:
    """The step key of a cell after the setup ran, in a folder with its files."""
    write(state.files, folder)
    write({"fakelib.py": "def double(x):\n    return 2 * x\n"}, folder)
    forget(packages)
    sys.path.insert(0, str(folder))
    try:
        notebook = Notebook(state.version, lambda f: _local(f, folder))
        notebook.run(state.setup)
        found = notebook.inputs(state.cell)
    finally:
        sys.path.remove(str(folder))
    assert not found.undigestible, found.undigestible
    return found.key


def _local(filename: str, folder: Path) -> str | None:
    inside = filename.startswith(str(folder)) and not filename.endswith("fakelib.py")
    return source_of(filename) if inside else None


def write(files: Any, folder: Path) -> None:
    """Put files into a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def forget(packages: Collection[str]) -> None:
    """Let the next import find what the files say now."""
    sys.dont_write_bytecode = True
    for name in [n for n in sys.modules if n.partition(".")[0] in packages]:
        del sys.modules[name]
    importlib.invalidate_caches()
