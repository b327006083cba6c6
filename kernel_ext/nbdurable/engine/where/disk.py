"""How much room a store takes, told where somebody may want to know."""

from __future__ import annotations

from typing import Final

from nbdurable.engine.where.moments import size
from nbdurable_store.clock import Clock
from nbdurable_store.folder.survey import folder_bytes

LARGE_BYTES: Final = 1_000_000_000
"""From here on people look for what fills their disk."""

LOOK_S: Final = 60.0
"""How often a kernel looks: a store of 10,000 files takes 30 ms to be measured."""

COMMAND: Final = "!nbdurable gc"


def large(place: str) -> str:
    """What is said of a large store, with what makes it smaller; "" of others.

    Example:
        >>> large("/no/such/store")
        ''
    """
    length = folder_bytes(place)
    return f"{size(length)}, see what can go: {COMMAND}" if length > LARGE_BYTES else ""


class SizeLine:
    """Tells a kernel once that its store is large.

    Args:
        clock: Says when to look again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told = False
        self._next_s = float("-inf")

    def once(self, place: str) -> str:
        """The line, or "" if it was told, the store isn't large, or nobody looked."""
        now_s = self._clock.monotonic_s()
        if self._told or now_s < self._next_s:
            return ""
        self._next_s = now_s + LOOK_S
        told = large(place)
        self._told = bool(told)
        return f"the store takes {told}" if told else ""
