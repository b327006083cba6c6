"""Spares Python's collector of garbage what was there before a map began.

A map makes thousands of objects, and for so many new ones the collector goes through all
that there are, again and again: a tenth of the time of a quick map, and more in a notebook
that holds much. What was there before is set aside while maps run (`gc.freeze`). Objects
are still freed when nobody refers to them; only rings of old ones wait for the map's end.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator
from typing import Final

OTHERS_MIN: Final = 10_000
"""Objects set aside by somebody else, who wants them to stay there. Some versions of
Python begin with a few hundred of their own."""


class _Maps:
    """The maps that run in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = set[object]()
        self._ours = False

    def begins(self, mine: object) -> None:
        """One more."""
        with self._lock:
            alone = not self._running
            self._running.add(mine)
            if alone and gc.get_freeze_count() < OTHERS_MIN:
                self._ours = True
                gc.freeze()

    def ends(self, mine: object) -> None:
        """One less, wherever its beginning or an earlier end of it was interrupted."""
        with self._lock:
            self._running.discard(mine)
            if not self._running and self._ours:
                gc.unfreeze()
                self._ours = False


_MAPS: Final = _Maps()


@contextlib.contextmanager
def sparing() -> Iterator[None]:
    """Set aside what there is, until the last map that runs at this time has ended.

    Example:
        >>> with sparing():
        ...     gc.get_freeze_count() > 1000
        True
    """
    mine = object()
    try:
        _MAPS.begins(mine)
        yield
    finally:
        try:
            _MAPS.ends(mine)
        except KeyboardInterrupt:
            _MAPS.ends(mine)
            raise
