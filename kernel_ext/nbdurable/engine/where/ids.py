"""Names of runs, step attempts and calls: random, short, and an argument."""

from __future__ import annotations

import os
from typing import Protocol

ID_BYTES = 6
"""48 random bits: a store of a million calls has a 0.2 % chance of one collision in
all, and within a run (where ids are looked up) practically none."""


class Ids(Protocol):
    """A source of fresh ids. Tests hand in one that counts."""

    def new(self) -> str:
        """An id that was not handed out before; letters and digits."""
        ...


AT_ONCE = 64
"""So many are drawn together: asking the system takes longer than all the rest."""


class RandomIds:
    """Ids from the operating system's randomness, which no seed of the user moves."""

    def __init__(self) -> None:
        self._drawn: list[str] = []
        if hasattr(os, "register_at_fork"):  # a child must not hand out the same ones
            os.register_at_fork(after_in_child=self._drawn.clear)

    def new(self) -> str:
        """Twelve hexadecimal digits."""
        try:
            return self._drawn.pop()
        except IndexError:
            digits, each = os.urandom(ID_BYTES * AT_ONCE).hex(), 2 * ID_BYTES
            new, *rest = (digits[at : at + each] for at in range(0, len(digits), each))
            self._drawn += rest
            return new


RANDOM_IDS: Ids = RandomIds()
