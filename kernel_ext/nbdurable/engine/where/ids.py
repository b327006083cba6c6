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


class RandomIds:
    """Ids from the operating system's randomness, which no seed of the user moves."""

    def new(self) -> str:
        """Twelve hexadecimal digits."""
        return os.urandom(ID_BYTES).hex()


RANDOM_IDS: Ids = RandomIds()
