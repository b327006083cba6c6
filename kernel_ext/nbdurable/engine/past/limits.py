"""How many calls of a tool at a time, and how many in how long. Pure."""

from __future__ import annotations

import re
from typing import Final

from nbdurable.errors import ToolRefused
from nbdurable_store.sharing.rates import MOMENTS_MAX, Rate

LIMIT_MAX: Final = 10_000
"""More at a time is no limit that a process can hold."""

_RATE: Final = re.compile(r"(\d{1,6})\s*/\s*(\d{1,6}(?:\.\d{1,3})?)?\s*(s|min|h|d)")

_UNITS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def limit(what: str, given: object) -> int:
    """How many at a time.

    Raises:
        ToolRefused: It is no number from 1 to `LIMIT_MAX`.

    Example:
        >>> limit("search: limit=", 4)
        4
    """
    if type(given) is not int or not 1 <= given <= LIMIT_MAX:
        raise ToolRefused(what=f"{what}{given!r} is no number from 1 to {LIMIT_MAX:,}")
    return given


def rate(what: str, given: object) -> Rate:
    """How many in how long.

    Raises:
        ToolRefused: It doesn't read like ``"60/min"``.

    Example:
        >>> rate("search: rate=", "60/min"), rate("search: rate=", "5/2s").window_s
        (Rate(starts=60, window_s=60.0), 2.0)
    """
    found = _RATE.fullmatch(given.strip()) if isinstance(given, str) else None
    if found is None:
        raise ToolRefused(what=f'{what}{given!r} is no rate such as "60/min", "5/s"')
    starts, window_s = int(found[1]), float(found[2] or 1) * _UNITS[found[3]]
    if not 1 <= starts <= MOMENTS_MAX or not window_s:
        raise ToolRefused(what=f"{what}{given!r} lets nothing through, or everything")
    return Rate(starts, window_s)
