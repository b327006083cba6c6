"""Chance as an argument: nothing here moves the random numbers that the user draws."""

from __future__ import annotations

import os
from typing import Protocol

_BITS = 53
"""What a float holds exactly."""


class Chance(Protocol):
    """A source of randomness. Tests hand in one that they know."""

    def fraction(self) -> float:
        """A number from 0 up to, and not including, 1."""
        ...


class SystemChance:
    """The operating system's randomness, which no seed of the user moves."""

    def fraction(self) -> float:
        """Evenly distributed.

        Example:
            >>> 0 <= SystemChance().fraction() < 1
            True
        """
        return (int.from_bytes(os.urandom(7), "little") >> (56 - _BITS)) / (1 << _BITS)


SYSTEM_CHANCE: Chance = SystemChance()
