"""A notebook without Jupyter: cells are compiled and executed under a session."""

from __future__ import annotations

import ast
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbdurable.engine.calls.tool import tool
from nbdurable.engine.identity.parsing import parsed
from nbdurable.engine.steps.cells import Cell, Replayed
from nbdurable.engine.steps.rebuilding import Rebuilding
from nbdurable.engine.steps.session import Session
from nbdurable.engine.steps.step import begin
from nbdurable.engine.where.whereabouts import Facts
from nbdurable_store.backends.memory import MemoryStore
from nbdurable_store.protocol import Store

HIDDEN = frozenset({"__builtins__", "tool", "effects"})


class World:
    """Counts what happened outside, whatever kernel did it."""

    def __init__(self) -> None:
        self.effects: list[str] = []
        self.gate, self.inside = threading.Event(), threading.Event()
        self.refused: set[object] = set()
        self.refused_with: type[BaseException] = KeyboardInterrupt

    def __reduce__(self) -> tuple[object, ...]:
        """Its identity is that of a service: what happened there doesn't count."""
        return World, ()

    def __call__(self, effect: str) -> str:
        """Let something happen; its answer shows what was asked."""
        self.effects.append(effect)
        return f"{effect}#{self.effects.count(effect)}"

    def wait(self) -> None:
        """Let nothing happen until the test opens the gate."""
        self.inside.set()
        assert self.gate.wait(60)


@dataclass
class Notebook:
    """Cells run one after the other in one kernel; `restart` begins another kernel."""

    store: Store = field(default_factory=MemoryStore)
    world: World = field(default_factory=World)
    interactive: bool = True
    environ: Mapping[str, str] = field(default_factory=dict)
    root: Path = Path("/")
    path: str = ""

    def __post_init__(self) -> None:
        self.count = 0
        self.result: object = None
        self.restart()

    def restart(self) -> None:
        """A fresh kernel on the same store: no variables, nothing known."""
        self.told: list[str] = []
        self.session = Session(
            notify=self.told.append, environ=self.environ, store=self.store
        )
        self.namespace: dict[str, object] = {
            "__name__": "__main__",
            "tool": tool,
            "world": self.world,
        }

    def plain(self, source: str) -> None:
        """Run a cell that isn't durable."""
        self.count += 1
        filename = f"<plain {self.count}>"
        self.session.sources.add(filename, source)
        exec(compile(source, filename, "exec"), self.namespace)  # it is a notebook

    @property
    def facts(self) -> Facts:
        """What this kernel knows of itself."""
        return Facts(
            start_dir=str(self.root), interactive=self.interactive, notebook=self.path
        )

    def run(
        self,
        source: str,
        name: str = "",
        cell_id: str = "",
        *,
        fresh: bool = False,
        files: bool = True,
        dies: bool = False,
    ) -> str:
        """Run a durable cell; gives the lines it told, joined.

        With ``dies`` the kernel dies when its code has run, before that is recorded.

        Raises:
            BaseException: Whatever the cell raises.
        """
        self.count += 1
        filename = f"<cell {self.count}>"
        cell = Cell(
            name=name,
            raw=source,
            transformed=source,
            cell_id=cell_id,
            count=self.count,
            filename=filename,
            facts=self.facts,
            fresh=fresh,
            files=files,
            hidden=HIDDEN | {"world"},
        )
        done = begin(self.session, cell, self.namespace)
        if isinstance(done, Rebuilding):
            done = self.rebuilt(done)
        if isinstance(done, Replayed):
            self.result = done.result
            return "\n".join(done.lines)
        self.result = None
        try:
            with done.active():
                self.result = self.execute(source, filename)
        except BaseException as error:
            self.told += done.fail(error, (), self.told.extend)
            raise
        if dies:
            return ""
        return "\n".join(done.complete((), self.result, self.told.extend))

    def rebuilt(self, code: Rebuilding) -> Replayed:
        """Run the code of a step again, as a shell does."""
        try:
            with code.active():
                self.execute(code.source, code.filename)
        except BaseException as error:  # the step decides what becomes of it
            return code.end(error)
        return code.end()

    def execute(self, source: str, filename: str) -> object:
        """Run code; gives the value of its last expression."""
        tree = parsed(source)
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr):
            exec(compile(tree, filename, "exec"), self.namespace)  # it is a notebook
            return None
        head = ast.Module(tree.body[:-1], [])
        exec(compile(head, filename, "exec"), self.namespace)  # it is a notebook
        return eval(  # it is a notebook
            compile(ast.Expression(last.value), filename, "eval"), self.namespace
        )
