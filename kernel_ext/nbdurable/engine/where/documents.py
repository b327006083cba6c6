"""What a notebook's file says of durable runs: its cells, and the runs of its outputs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

BYTES_MAX: Final = 100_000_000
"""Larger files aren't read: that takes seconds, and it is only asked who made them."""

OURS: Final = "nbdurable"
"""The key of our metadata in an output."""


@dataclass(frozen=True, slots=True)
class Document:
    """A notebook's file.

    Attributes:
        cells: Ids of its cells.
        shown: Of each cell the runs that its outputs name: pairs of their ids.
    """

    cells: frozenset[str] = frozenset()
    shown: frozenset[tuple[str, str]] = frozenset()


def document(path: str) -> Document:
    """What the file says; nothing where there is none that can be read.

    Example:
        >>> document("no-such.ipynb").cells
        frozenset()
    """
    with contextlib.suppress(OSError, ValueError, RecursionError):  # nested too deep
        file = Path(path)
        if path and file.stat().st_size <= BYTES_MAX:
            return read(json.loads(file.read_bytes()))
    return Document()


def is_there(path: str) -> bool:
    """Whether a notebook's file exists; one in a folder that is locked may.

    Example:
        >>> is_there("no-such.ipynb"), is_there("x" * 300)
        (False, False)
    """
    try:
        return Path(path).exists()
    except PermissionError:
        return True
    except (OSError, ValueError):  # no file can have such a name
        return False


def read(found: object) -> Document:
    """The same of what a file holds, whatever that is."""
    cells = [*_objects(found, "cells")]
    shown = {
        (_text(cell, "id"), _text(_within(_within(output, "metadata"), OURS), "run"))
        for cell in cells
        for output in _objects(cell, "outputs")
    }
    return Document(
        cells=frozenset(filter(None, (_text(cell, "id") for cell in cells))),
        shown=frozenset(pair for pair in shown if pair[1]),
    )


def _objects(found: object, name: str) -> Iterator[Mapping[str, Any]]:
    inside = found.get(name) if isinstance(found, Mapping) else None
    for one in inside if isinstance(inside, list) else ():
        if isinstance(one, Mapping):
            yield one


def _within(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inside = found.get(name)
    return inside if isinstance(inside, Mapping) else {}


def _text(found: Mapping[str, Any], name: str) -> str:
    text = found.get(name)
    return text if isinstance(text, str) else ""
