"""Facts about this kernel for the question «Where am I?»; the engine chooses by them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from nbdurable.engine.where.documents import is_there
from nbdurable.engine.where.whereabouts import RESUME_HOURS, Facts

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

VSCODE_CELL = "vscode-notebook-cell"
"""Scheme of VS Code's cell ids; their path is the notebook's."""


def request(shell: InteractiveShell) -> Mapping[str, Any]:
    """Metadata of the running request: cell id, tags; empty in a terminal."""
    kernel = getattr(shell, "kernel", None)
    parent = kernel.get_parent("shell") if kernel is not None else {}
    return parent.get("metadata") or {}


def tags(shell: InteractiveShell, info: Any) -> list[str]:
    """The cell's tags. IPython before 9 doesn't hand them on; the request has them.

    Args:
        shell: Where the cell runs.
        info: IPython's `ExecutionInfo`.
    """
    meta = getattr(info, "cell_meta", None) or request(shell)
    found = meta.get("tags")
    return [t for t in found if isinstance(t, str)] if isinstance(found, list) else []


def facts(shell: InteractiveShell) -> Facts:
    """What is known now."""
    env = os.environ
    cell_id = request(shell).get("cellId")
    start = str(getattr(shell, "starting_dir", "") or Path.cwd())
    return Facts(
        start_dir=start,
        interactive=bool(cell_id) or _at_a_terminal(shell),
        store=env.get("NBDURABLE_STORE", ""),
        notebook=env.get("NBDURABLE_NOTEBOOK", "")
        or notebook(shell.user_ns, env, cell_id, start),
        run=env.get("NBDURABLE_RUN", ""),
        resume_hours=hours(env.get("NBDURABLE_RESUME", "")),
    )


def _at_a_terminal(shell: InteractiveShell) -> bool:
    """Whether a person types in plain IPython; no cell ids say so there."""
    return getattr(shell, "kernel", None) is None and sys.stdin.isatty()


def notebook(
    namespace: Mapping[str, Any],
    env: Mapping[str, str],
    cell_id: str | None,
    start_dir: str,
) -> str:
    """The notebook's path as far as the front end says, or "".

    Rules in order: VS Code's variable, the path in VS Code's cell ids, and what
    jupyter-server sets when it starts the kernel (stale after a rename).
    """
    candidates = (
        namespace.get("__vsc_ipynb_file__"),
        _path_of_cell(cell_id),
        env.get("JPY_SESSION_NAME"),
        namespace.get("__session__"),
    )
    said = next((c for c in candidates if isinstance(c, str) and c), "")
    return moved(os.path.normpath(Path(start_dir) / said), _told[-1]) if said else ""


_told = [""]


def told(path: str) -> bool:
    """Remember where the notebook is, as a front end of ours says; whether that is news.

    Args:
        path: Its path below the server's folder, or "".
    """
    news, _told[:] = path != _told[-1], [path]
    return news


def moved(said: str, path: str) -> str:
    """Where a notebook is by now: where it was, unless it is gone from there.

    Args:
        said: Where it was when the kernel started.
        path: Its path below the server's folder as it is now, or "".
    """
    below = PurePosixPath(path.strip("/"))
    if not path or ".." in below.parts or is_there(said):
        return said
    found = (folder / below for folder in Path(said).parents)
    return next((str(place) for place in found if place.is_file()), said)


def hours(text: str) -> float:
    """`NBDURABLE_RESUME`: a number of hours; the default for anything else."""
    with contextlib.suppress(ValueError):
        return max(0.0, float(text))
    return RESUME_HOURS


def _path_of_cell(cell_id: str | None) -> str:
    if not cell_id or not cell_id.startswith(VSCODE_CELL):
        return ""
    return unquote(urlsplit(cell_id).path)
