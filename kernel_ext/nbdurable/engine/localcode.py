"""What identity has to know of the world: sources of local files, versions of modules.

Identity is pure, so a session hands these functions in.
"""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import linecache
import sysconfig
from pathlib import Path

from nbdurable.errors import NotDone
from nbdurable_store.errors import DurableError

_INSTALLED = (
    *(
        f"{Path(sysconfig.get_path(name)).resolve()}/"
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
    ),
    *(f"{Path(inspect.getfile(error)).parent}/" for error in (NotDone, DurableError)),
)
"""Folders whose code counts by its version; ours also where it is a checkout."""


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


def _installed(filename: str) -> bool:
    return str(Path(filename).absolute()).startswith(_INSTALLED)


def version_of(module: str) -> str:
    """Distribution and version that a module belongs to, or ""."""
    top = module.partition(".")[0]
    names = _distributions().get(top, [])
    return ", ".join(f"{n} {importlib.metadata.version(n)}" for n in sorted(set(names)))


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())
