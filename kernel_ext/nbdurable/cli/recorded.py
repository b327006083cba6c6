"""Which run a notebook's file is checked against, wherever it was recorded. Pure.

A run knows its notebook by the path it had on the machine that recorded it. On another
machine that path leads elsewhere, so beside equal paths those count that end in the path
from the store's folder; last, the runs of kernels that nobody told their notebook.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import ClassVar

from nbdurable.engine.telling.reference import find_run
from nbdurable.engine.where.whereabouts import DEFAULT_NOTEBOOK, RunRow
from nbdurable.errors import DurableError, Remedy


@dataclass(kw_only=True, eq=False)
class NothingRecorded(DurableError):
    """A notebook of which no completed run is recorded.

    Attributes:
        notebook: Its path as it was typed.
        place: The store's folder.
        unfinished: Its runs that did not come to their end.
    """

    slug: ClassVar[str] = "nothing-recorded"
    notebook: str
    place: str
    unfinished: tuple[str, ...] = ()

    def fact(self) -> str:
        """Which notebook."""
        return f"{self.notebook} has no completed run in {self.place}."

    def detail(self) -> str:
        """What it has, and what was not done."""
        left = ", ".join(self.unfinished)
        told = [f"Not finished: {left}."] if left else []
        return "\n".join([*told, "Nothing was executed."])

    def remedies(self) -> tuple[Remedy, ...]:
        """Record one, or name one."""
        return (
            Remedy("record it", f'nbdurable check "{self.notebook}" --update'),
            Remedy("name a run", f'nbdurable check "{self.notebook}" --run RUN'),
            Remedy("see the runs", "nbdurable runs"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be checked.

    Attributes:
        typed: The notebook's path as it was typed.
        path: The same, absolute.
        place: The store's folder.
        run: The run that was named, or "".
    """

    typed: str
    path: Path
    place: Path
    run: str = ""


def of_notebook(rows: Sequence[RunRow], wanted: Wanted) -> list[RunRow]:
    """The runs of a notebook, latest first.

    Example:
        >>> row = RunRow(id="r", number=1, notebook="/home/anna/work/a/n.ipynb",
        ...              headless=True, opened_us=1, active_us=1)
        >>> here = Wanted(typed="a/n.ipynb", path=Path("/ci/work/a/n.ipynb"),
        ...               place=Path("/ci/work/.nbdurable"))
        >>> of_notebook([row], here) == [row]
        True
    """
    exact = [r for r in rows if r.notebook == str(wanted.path)]
    moved = [r for r in rows if _ends_alike(r.notebook, wanted)]
    untold = [r for r in rows if r.notebook == DEFAULT_NOTEBOOK]
    found = exact or moved or untold
    return sorted(found, key=lambda r: (r.opened_us, r.number), reverse=True)


def _ends_alike(notebook: str, wanted: Wanted) -> bool:
    """Whether a path ends in the notebook's path from the folder of the store."""
    root = wanted.place.parent
    inside = wanted.path.is_relative_to(root)
    parts = (wanted.path.relative_to(root) if inside else wanted.path).parts
    tail = parts if inside else parts[-1:]
    return PurePath(notebook).parts[-len(tail) :] == tail


def completed(rows: Sequence[RunRow], wanted: Wanted) -> RunRow:
    """The run that a notebook is checked against: the newest one that came to its end.

    Raises:
        NothingRecorded: There is none.
        RunUnknown: The run that was named is not there.
    """
    if wanted.run:
        return find_run(rows, wanted.run)
    found = of_notebook(rows, wanted)
    for row in found:
        if any((row.keys, row.names, row.cell_ids)) and not row.unfinished:
            return row
    unfinished = tuple(f"run {r.number}" for r in found)
    raise NothingRecorded(
        notebook=wanted.typed, place=str(wanted.place), unfinished=unfinished
    )


def to_update(rows: Sequence[RunRow], wanted: Wanted) -> RunRow | None:
    """The run in which a notebook is recorded again; None for a new one.

    Raises:
        RunUnknown: The run that was named is not there.
    """
    if wanted.run:
        return find_run(rows, wanted.run)
    found = of_notebook(rows, wanted)
    return found[0] if found else None
