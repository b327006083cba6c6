"""The store of this process, for code outside of durable cells.

A shell says how it is opened; where there is none, as in a script, it is the one that a
kernel started here would have.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nbdurable.engine.where.folders import place_of
from nbdurable.engine.where.frames import current_frame
from nbdurable.engine.where.whereabouts import Facts

if TYPE_CHECKING:
    from nbdurable_store.protocol import Store

_openers: list[Callable[[], Store]] = []
_opened: dict[str, Store] = {}
_lock = threading.Lock()


def attach(opened: Callable[[], Store]) -> None:
    """Let a shell say which store it is."""
    _openers[:] = [opened]


def detach() -> None:
    """Forget the shell."""
    _openers.clear()


def present() -> Store:
    """The store of the durable cell that runs here, else that of this process.

    Raises:
        DurableError: It can't be opened.
    """
    frame = current_frame()
    if frame is not None:
        store: Store = frame.attempt.store
        return store
    if _openers:
        return _openers[0]()
    named = os.environ.get("NBDURABLE_STORE", "")
    facts = Facts(start_dir=str(Path.cwd()), store=named)
    return opened(place_of(facts), named=bool(named))


def opened(place: str, *, named: bool = True) -> Store:
    """The store in a folder, opened once per process.

    Args:
        place: The folder.
        named: The user named it, so it is used even on a network file system.
    """
    from nbdurable_store import open as open_store  # lazy: shells import this module

    path = os.path.realpath(place)
    with _lock:
        if path not in _opened:
            _opened[path] = open_store(place, named=named)
            atexit.register(_opened[path].close)
        return _opened[path]
