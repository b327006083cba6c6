"""nbformat, imported in a tenth of the time."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, Final

SLOW: Final = "rfc3987_syntax"
"""Compiles 38 grammars when it is imported, which takes 0.7 s.

jsonschema, which nbformat imports, tries it where it is installed (JupyterLab brings it)
for addresses in letters of any script, which no notebook's format has.
"""


def nbformat() -> Any:
    """The module; whoever wants the slow one itself can import it afterwards."""
    with _hidden(SLOW):
        import nbformat

    return nbformat


@contextlib.contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Let an import of a module fail, if nobody has imported it."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # as documented for this
    try:
        yield
    finally:
        del sys.modules[name]
