"""One kind of object that people keep in notebooks, and what must become of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Expected = Literal["equal", "rebuilt", "refused"]
"""What a restore in another kernel makes of it, without running the cell.

`equal`: the same type and value. `rebuilt`: made anew from a description (an open file,
a client, a logger), usable as before. `refused`: not back, named, with the reason.
"""

EQUAL = "type(it) is type(other) and bool(it == other)"
"""How most are compared."""


class Kind(NamedTuple):
    """One kind: `make` is a cell that binds `it`, `same` compares `it` with `other`.

    `it` is what came back; `other` is what the same cell makes in the other kernel.
    """

    library: str
    name: str
    make: str
    same: str = EQUAL
    expected: Expected = "equal"

    @property
    def id(self) -> str:
        """Library and name, unique in the list."""
        return f"{self.library}: {self.name}"
