"""The engine as a shell sees it."""

from __future__ import annotations

import ast
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from nbdurable.engine.steps.cells import Cell, Output, Replayed
from nbdurable.errors import DurablePause

Tell = Callable[[tuple[str, ...]], None]
"""Shows lines to the user."""


class Attempt(Protocol):
    """A step that runs now. Exactly one of `complete`, `fail` ends its cell.

    A step that goes on after its cell tells ``later`` how it ended, from any thread.
    """

    def active(self) -> AbstractContextManager[object]:
        """The cell's code runs within."""
        ...

    def doubts(self) -> tuple[str, ...]:
        """Its calls that may have happened: ``STEP.CALL``, and the call."""
        ...

    def stop(self, pause: DurablePause) -> None:
        """From now on no further `write` starts, also where the code goes on."""
        ...

    def complete(
        self, outputs: Sequence[Output], result: object, later: Tell
    ) -> tuple[str, ...]:
        """The cell ended; gives the lines to show."""
        ...

    def fail(
        self, error: BaseException, outputs: Sequence[Output], later: Tell
    ) -> tuple[str, ...]:
        """The cell raised; gives the lines to show."""
        ...


@runtime_checkable
class Rebuilding(Protocol):
    """A step that is replayed while its code runs again for a variable.

    Attributes:
        source: The code.
        filename: The file name to compile it under.
    """

    source: str
    filename: str

    def active(self) -> AbstractContextManager[object]:
        """The code runs within, unseen."""
        ...

    def end(self, error: BaseException | None = None) -> Replayed:
        """The code ended, or raised; the step is replayed.

        Raises:
            DurablePause: It did not make the variable.
            KeyboardInterrupt: It was interrupted.
        """
        ...


class Engine(Protocol):
    """Durable execution in this process."""

    def begin(
        self, cell: Cell, namespace: MutableMapping[str, object]
    ) -> Replayed | Rebuilding | Attempt:
        """Replay a cell's step, or begin an attempt of it.

        Raises:
            DurableError: The store can't be used.
            DurablePause: Somebody has to decide first.
        """
        ...

    def touch(self, nodes: list[ast.AST]) -> None:
        """A cell of these nodes is about to run; it may use names that wait."""
        ...

    def named(self) -> str:
        """Id of the run that the kernel is in, or ""."""
        ...

    def kept(self, name: str) -> str:
        """Where a name is kept, such as ``findings, Tue 18:02``, or ""."""
        ...

    def close(self) -> None:
        """Seal what is open, and undo what was installed elsewhere."""
        ...
