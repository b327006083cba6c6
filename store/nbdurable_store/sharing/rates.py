"""A rate: so many in so long. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

MOMENTS_MAX: Final = 100_000
"""More starts in one window are no rate that anybody allows."""


class Rate(NamedTuple):
    """So many starts in so long.

    Attributes:
        starts: How many.
        window_s: In how long, seconds.
    """

    starts: int
    window_s: float
