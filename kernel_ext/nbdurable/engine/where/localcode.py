"""What identity has to know of the world: the sources of local files.

Identity is pure, so a session hands these functions in.
"""

from __future__ import annotations

import linecache
import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TypeAlias

import nbdurable_store

_Found: TypeAlias = tuple[str | None, Sequence[str]]
"""A module's file, and where its submodules are."""

_INSTALLED = (
    *(
        f"{Path(sysconfig.get_path(name)).resolve()}/"
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
    ),
    *(
        f"{Path(sys.modules[ours].__path__[0])}/"
        for ours in (__name__.partition(".")[0], nbdurable_store.__name__)
    ),
)
"""Folders whose code counts by its version; ours also where it is a checkout."""

_SITES = ("/site-packages/", "/dist-packages/")
"""Folders of packages, wherever they are: of the user, of ``PYTHONPATH``."""


def source_of(filename: str) -> str | None:
    """The source of a cell that IPython compiled, or of a local module.

    Args:
        filename: As code objects carry it.

    Returns:
        ``None`` for installed code, and where there is no source.
    """
    if filename.startswith("<frozen") or _installed(filename):
        return None
    linecache.checkcache(filename)
    return "".join(linecache.getlines(filename)) or None


def cells_met() -> list[str]:
    """File names of all cells whose text is known, those put back too; latest first."""
    entries = reversed([*linecache.cache.items()])
    # A file's entry has a time.
    return [name for name, entry in entries if len(entry) == 4 and entry[1] is None]


def _installed(filename: str) -> bool:
    path = str(Path(filename).absolute())
    return path.startswith(_INSTALLED) or any(site in path for site in _SITES)


def module_file(name: str) -> str | None:
    """The file of a module's source, found without importing anything.

    Args:
        name: Its full name.

    Returns:
        ``None`` if there is none: a name in a module, a package without a file.
    """
    path: Sequence[str] | None = None
    parts = name.split(".")
    file: str | None = None
    for place in range(1, len(parts) + 1):
        found = _found(".".join(parts[:place]), path)
        if found is None:
            return None
        file, path = found
    return file


def _found(name: str, path: Sequence[str] | None) -> _Found | None:
    loaded = sys.modules.get(name)
    if loaded is not None:
        return getattr(loaded, "__file__", None), getattr(loaded, "__path__", [])
    try:
        spec = PathFinder.find_spec(name, path)
    except (ImportError, OSError, ValueError):
        return None
    if spec is None:
        return None
    file = spec.origin if spec.has_location else None
    return file, spec.submodule_search_locations or []
