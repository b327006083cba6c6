"""What a shell hands over when a durable cell is executed, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from nbdurable.engine.where.whereabouts import Facts
from nbdurable_store.records import Plain

Output = Mapping[str, Plain]
"""One output of a cell, as nbformat has it: stream, display_data, execute_result,
update_display_data, clear_output or error."""


Places = Callable[[Collection[str]], Mapping[str, int]]
"""The execution count of the cell that assigned or changed each name last, as far as the
shell knows."""


def no_places(_: Collection[str]) -> Mapping[str, int]:
    """A shell that doesn't know."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One execution of a durable cell.

    Attributes:
        name: The name that the user gave to the step, or "".
        raw: The cell as it was typed.
        transformed: After IPython's transformation; the magic line is a comment.
        cell_id: The front end's id of the cell, or "".
        tags: The cell's tags, as its front end sends them.
        count: The execution count.
        filename: The file name that the cell's code is compiled under.
        facts: What is known of the kernel now.
        fresh: Nothing recorded of this cell is served.
        files: Files that it reads are inputs.
        hidden: Names of the namespace that are not the user's.
        places: Where names were assigned last.
        ran: The cells that ran in this kernel, oldest first, as transformed.
    """

    name: str = ""
    raw: str
    transformed: str
    cell_id: str = ""
    tags: Collection[str] = ()
    count: int = 0
    filename: str = ""
    facts: Facts
    fresh: bool = False
    files: bool = True
    hidden: frozenset[str] = frozenset()
    places: Places = no_places
    ran: Callable[[], Sequence[str]] = tuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A step that was replayed as a whole; its variables are back already.

    Attributes:
        outputs: What the cell showed.
        has_result: Whether its last expression had a value.
        result: That value.
        lines: What to tell the user, one line each.
    """

    outputs: tuple[Output, ...] = ()
    has_result: bool = False
    result: object = field(default=None, repr=False)
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEnd:
    """How a cell ended, and what it left in the namespace.

    Attributes:
        outputs: What it showed.
        result: The value of its last expression.
        error: What it raised.
        bound: The values of the names that it may have made or changed.
        deleted: The names that it deleted.
    """

    outputs: Sequence[Output] = ()
    result: object = None
    error: BaseException | None = None
    bound: Mapping[str, object] = field(default_factory=dict)
    deleted: Sequence[str] = ()
