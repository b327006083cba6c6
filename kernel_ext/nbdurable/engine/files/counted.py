"""Which files count as inputs: those of people's work, not those of their machine."""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import cache
from pathlib import Path

_MACHINE = (
    "/dev", "/etc", "/lib", "/proc", "/run", "/sys", "/usr/lib", "/usr/local/lib",
    "/usr/local/share", "/usr/share", "/Library", "/System", "/opt/homebrew",
    "/private/etc",
)  # fmt: skip
"""Folders of the operating system."""

_ENVIRONMENT = ("bin", "etc", "include", "lib", "lib64", "share")
"""Folders of a Python environment; the notebook itself may lie beside them."""


def absolute(path: str) -> str:
    """A path from the root, without ``..``; of a link, the link."""
    return os.path.abspath(path)  # noqa: PTH100  # asked per open: Path takes ten times as long


class Counted:
    """Says of a path whether it counts.

    Args:
        root: The folder that the kernel started in.
        store: The store's folder, of which nothing counts.
    """

    def __init__(self, root: str, store: str) -> None:
        self._root = absolute(root)
        self._skipped = (*_environment(), *_folders([store]))
        self._homes = _folders([self._root, *_home()])

    def __call__(self, path: str) -> bool:
        """Whether a file at this absolute path counts."""
        if path.startswith(self._skipped):
            return False
        home = next((h for h in self._homes if path.startswith(h)), "/")
        hidden = "/." in f"/{path[len(home) :]}"
        return not hidden and _is_text(path)

    def named(self, path: str) -> str:
        """A path as it is recorded and shown: below the root without it."""
        return path.removeprefix(f"{self._root.rstrip('/')}/")

    def place(self, name: str) -> str:
        """The absolute path of a recorded name."""
        return str(Path(self._root, name))


def _home() -> list[str]:
    try:
        return [str(Path.home())]
    except RuntimeError:  # in a container whose user has none
        return []


@cache
def _environment() -> tuple[str, ...]:
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix}
    folders = [str(Path(p, name)) for p in sorted(prefixes) for name in _ENVIRONMENT]
    named = ("stdlib", "platstdlib", "purelib", "platlib")
    folders += [sysconfig.get_path(name) for name in named]
    return _folders([*_MACHINE, *folders])


def _folders(paths: list[str]) -> tuple[str, ...]:
    both = [found for p in paths for found in (absolute(p), str(Path(p).resolve()))]
    return tuple(dict.fromkeys(f"{path.rstrip('/')}/" for path in both))


def _is_text(path: str) -> bool:
    """Whether the journal can hold this name."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
