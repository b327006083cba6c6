"""Objects that calls side by side were given, and that one of them may change.

What an object holds when a call ends is what that call made of it, unless another call
had it at the same time: then nobody knows whose change is whose. Such an outcome isn't
kept, so that a replay never makes one call's change in the name of another. A call that
is made inside another one is a part of that one, and its changes are.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

_lock: Final = threading.RLock()
"""Re-entrant: a stream that the garbage collector closes in here ends its own call."""

_held: Final[dict[int, list[Holding]]] = {}
"""By the id of an object: who holds it now; they keep it alive."""


@dataclass(slots=True, eq=False)
class Holding:
    """What one call was given, while it is executed.

    Attributes:
        holder: Stands for the call.
        within: Stand for the calls that it is made in: what it changes, they change.
        ids: Ids of the objects, which stay theirs as long as the call holds them.
        shared: Whether another call has held one of them meanwhile.
    """

    holder: object
    within: Collection[object] = ()
    ids: Collection[int] = ()
    shared: bool = False
    _on: bool = field(default=False)

    def begin(self, ids: Collection[int]) -> None:
        """The call begins, perhaps once more."""
        self.end()
        with _lock:
            self.ids, self._on = tuple(ids), True
            for one in self.ids:
                others = _held.setdefault(one, [])
                for other in others:
                    if other.holder not in self.within:
                        other.shared = self.shared = True
                others.append(self)

    def end(self) -> None:
        """The call has ended. Idempotent."""
        with _lock:
            if not self._on:
                return
            self._on = False
            for one in self.ids:
                others = _held[one]
                others.remove(self)
                if not others:
                    del _held[one]
