"""Values that look as if they were drawn: another one each time, and meant to be no other.

Who asks a service for money sends a key along that is drawn anew whenever the code runs,
or the time. Two calls that differ in nothing but such values may be one that is made again.

A time looks as if it was read off a clock where it has seconds: people make appointments
for full minutes. Whether it is the present one doesn't count: a mark says the same of a
value at any time. Numbers of a counter, and whole numbers of seconds, look like any other.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Final

_DRAWN: Final = re.compile(
    r"([A-Za-z][A-Za-z0-9]{0,30}[-_:./])?("  # «order-», as people name their keys
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"  # a uuid
    r"|(?=[0-9a-zA-Z]*[0-9])(?=[0-9a-zA-Z]*[a-fA-F])([0-9a-f]{16,128}|[0-9A-F]{16,128})"
    r"|[0-9]{4}-?[01][0-9]-?[0-3][0-9][-T _]?[0-2][0-9]:?[0-5][0-9]:?"  # a time:
    r"(?!00(\.0*)?(?![0-9.]))[0-5][0-9](\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})?"
    r"|[1-3][0-9]{9}\.[0-9]{1,9})"  # seconds since 1970
    r"|(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_-]{20,128}"  # token_urlsafe
    r"|[0-7][0-9A-HJKMNP-TV-Z]{25}"  # a ULID
)

_SECONDS: Final = range(1_000_000_000, 4_000_000_000)
"""Since 1970, from 2001 to 2096: a float of them with a fraction is the time."""

LENGTH_MAX: Final = 128
"""A longer text is content."""


def looks_drawn(value: object) -> bool:
    """Whether a value is a uuid, a time off a clock, or a text that looks like one.

    Example:
        >>> looks_drawn(uuid.UUID(int=7)), looks_drawn("9f1c2e7ab04d4c55"), looks_drawn("ann")
        (True, True, False)
        >>> looks_drawn("1234567890123456"), looks_drawn("a-rather-long-name-of-a-file")
        (False, False)
        >>> looks_drawn("2026-11-29T00:25:12.1"), looks_drawn(1796000000.25), looks_drawn(12.5)
        (True, True, False)
        >>> looks_drawn("2026-11-29 10:00:00"), looks_drawn(dt.datetime(2026, 11, 29, 10, 30))
        (False, False)
    """
    if isinstance(value, str):
        return len(value) <= LENGTH_MAX and _DRAWN.fullmatch(value) is not None
    if isinstance(value, float):
        in_time = _SECONDS.start < value < _SECONDS.stop
        return in_time and not value.is_integer()
    if isinstance(value, dt.datetime):
        return bool(value.second or value.microsecond)
    return isinstance(value, uuid.UUID)
