"""What a command did, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """What a command did, in words; shows itself at a prompt."""

    line: str

    def __str__(self) -> str:
        return self.line

    def __repr__(self) -> str:
        return self.line
