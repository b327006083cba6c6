"""Where requests are journaled: the one method through which each library sends.

`install` is called at the first durable attempt of a process and `remove` when the
extension is unloaded. A library that isn't imported yet is reached when it is; one that
nobody imports costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from nbdurable.integrations.http import switch
from nbdurable.integrations.http.sending import HOSTS
from nbdurable.integrations.imports import forget_imports, when_imported

DOORS = {
    "httpx": "httpx_doors",
    "httpx2": "httpx_doors",
    "requests.adapters": "requests_doors",
    "botocore.httpsession": "botocore_doors",
    "aiohttp.client": "aiohttp_doors",
}
"""The module of each library that has its classes, and the module here that knows it."""


def install() -> None:
    """Journal requests from now on. Idempotent."""
    switch.turn(on=True)
    for name in DOORS:
        module = sys.modules.get(name)
        if module is not None and not _loading(module):
            _open(module)
        else:
            when_imported(name, _open)


def remove() -> None:
    """Journal nothing any more, and put back what nobody has replaced since."""
    switch.turn(on=False)
    forget_imports(*DOORS)
    switch.put_back()
    HOSTS.clear()


def _open(module: ModuleType) -> None:
    doors = importlib.import_module(
        f"nbdurable.integrations.http.{DOORS[module.__name__]}"
    )
    doors.open_doors(module)


def _loading(module: ModuleType) -> bool:
    return bool(getattr(module.__spec__, "_initializing", False))
