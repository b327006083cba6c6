"""Tells when a module is imported for the first time: ``import openai`` in a durable cell.

A finder stands first on ``sys.meta_path`` only while somebody waits for a module.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Then = Callable[[ModuleType], None]


class _Watcher(MetaPathFinder):
    def __init__(self) -> None:
        self.waiting: dict[str, Then] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002  # the finder's protocol
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Let the other finders find the module, and add our word to its loading."""
        then = self.waiting.pop(fullname, None)
        if not self.waiting and self in sys.meta_path:
            sys.meta_path.remove(self)
        if then is None:
            return None
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            _tell_after(spec.loader, then)
        return spec


def _tell_after(loader: Any, then: Then) -> None:
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        then(module)

    loader.exec_module = exec_module


_watcher = _Watcher()


def when_imported(name: str, then: Then) -> None:
    """Call ``then`` with the module once it has been imported."""
    _watcher.waiting[name] = then
    if _watcher not in sys.meta_path:
        sys.meta_path.insert(0, _watcher)


def forget_imports(*names: str) -> None:
    """Wait for these modules no more."""
    for name in names:
        _watcher.waiting.pop(name, None)
    if not _watcher.waiting and _watcher in sys.meta_path:
        sys.meta_path.remove(_watcher)
