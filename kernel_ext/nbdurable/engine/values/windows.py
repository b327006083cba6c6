"""Looking through much memory without copying more than a little of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

WINDOW_BYTES: Final = 1 << 20
"""How much is copied at a time."""

OVERLAP_BYTES: Final = 1 << 14
"""What is seen once more with what follows: no secret is longer, at four bytes a
character."""


def windows(data: bytes | bytearray | memoryview) -> Iterator[bytes]:
    """Stretches of the bytes that overlap."""
    view = memoryview(data)
    for at in range(0, view.nbytes, WINDOW_BYTES):
        yield bytes(view[max(0, at - OVERLAP_BYTES) : at + WINDOW_BYTES])
