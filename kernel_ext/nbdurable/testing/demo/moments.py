"""When the kernel dies: drawn from a seed, told in a sentence. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Server = Literal["model", "effects"]

EARLIEST = 3
"""The first arrivals are no middle of a loop."""
HELD_SHARE = 0.6
"""How often the call that just arrived has no answer when the kernel dies."""
LATE_MS_MAX = 12
"""A kernel that got its answer dies this much later at most: in the few milliseconds
around one call lie its journal writes and the beginning of the next call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When the kernel is killed.

    Attributes:
        arrival: After how many arrivals outside, both servers counted together.
        server: Where the last of them arrived.
        n: Its number at that server.
        late_ms: How long after its answer, or None while it still waits for it.
    """

    arrival: int
    server: Server
    n: int
    late_ms: float | None

    def told(self) -> str:
        """The moment in words.

        Example:
            >>> Moment(arrival=9, server="model", n=5, late_ms=None).told()
            'when request 5 has reached the model server and waits for its answer'
        """
        where = (
            f"request {self.n} has reached the model server"
            if self.server == "model"
            else f"effect {self.n} has been counted"
        )
        if self.late_ms is None:
            return f"when {where} and waits for its answer"
        return f"{self.late_ms:.1f} ms after the answer, when {where}"


def draw(seed: int, order: Sequence[Server]) -> Moment:
    """Draw a moment inside a loop whose calls arrive outside in this order."""
    arrival = EARLIEST + int(_share(seed, "arrival") * (len(order) - EARLIEST))
    held = _share(seed, "held") < HELD_SHARE
    server = order[arrival - 1]
    return Moment(
        arrival=arrival,
        server=server,
        n=order[:arrival].count(server),
        late_ms=None if held else round(_share(seed, "late") * LATE_MS_MAX, 1),
    )


def _share(seed: int, what: str) -> float:
    """A number in [0, 1), the same for the same seed on every machine."""
    digest = hashlib.sha256(f"{seed}/{what}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
