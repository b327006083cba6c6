"""Values that look as if they were drawn: another one each time, and meant to be no other.

Who asks a service for money sends a key along that is drawn anew whenever the code runs.
Two calls that differ in nothing but such values may be one that is made again.
"""

from __future__ import annotations

import re
import uuid
from typing import Final

_DRAWN: Final = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"  # a uuid
    r"|(?=.*[0-9])(?=.*[a-fA-F])([0-9a-f]{16,128}|[0-9A-F]{16,128})"  # token_hex
    r"|(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_-]{20,128}"  # token_urlsafe
    r"|[0-7][0-9A-HJKMNP-TV-Z]{25}"  # a ULID
)

LENGTH_MAX: Final = 128
"""A longer text is content."""


def looks_drawn(value: object) -> bool:
    """Whether a value is a uuid, or a text that looks like a random token.

    Example:
        >>> looks_drawn(uuid.UUID(int=7)), looks_drawn("9f1c2e7ab04d4c55"), looks_drawn("ann")
        (True, True, False)
        >>> looks_drawn("1234567890123456"), looks_drawn("a-rather-long-name-of-a-file")
        (False, False)
    """
    if isinstance(value, str):
        return len(value) <= LENGTH_MAX and _DRAWN.fullmatch(value) is not None
    return isinstance(value, uuid.UUID)
