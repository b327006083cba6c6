"""Whether bytes occur in bytes, as quickly as this machine can say.

Everything that can spell a text is searched for some twenty short texts before it is
stored, so this is most of what storing texts costs.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Final

LONG_BYTES_MIN: Final = 1 << 12
"""In fewer bytes Python's own search is as quick as calling another one."""

_CLASSES: Final = bytes([0]) + b"a" * 127 + b"b" * 128
_WIDE: Final = (b"a\0a\0a", b"a\0\0\0a\0\0\0a")

Search = Callable[[bytes, int, bytes, int], int | None]


def occurs(sought: bytes, data: bytes) -> bool:
    """Whether bytes occur in bytes.

    Example:
        >>> occurs(b"sk-", b"risk-free"), occurs(b"sk-", b"risk free" * 1000)
        (True, False)
    """
    search = None if len(data) < LONG_BYTES_MIN else _search()
    if search is None:
        return sought in data
    return search(data, len(data), sought, len(sought)) is not None


def spells_wide(data: bytes) -> bool:
    """Whether there may be ASCII text of two or four bytes a character.

    Three characters are enough to say so: nothing that is sought is shorter.

    Example:
        >>> spells_wide("sk-".encode("utf-16")), spells_wide("sk-".encode("utf-32"))
        (True, True)
        >>> spells_wide(b"sk-"), spells_wide(bytes(100))
        (False, False)
    """
    if b"\0" not in data:
        return False
    classes = data.translate(_CLASSES)
    return any(occurs(shape, classes) for shape in _WIDE)


@functools.cache
def _search() -> Search | None:
    """The C library's search: three times as quick as Python's for short texts."""
    if sys.platform != "linux":
        return None
    import ctypes  # lazy: 8 ms

    try:
        found = ctypes.CDLL(None).memmem
    except (OSError, AttributeError):
        return None
    found.restype = ctypes.c_void_p
    sizes = ctypes.c_char_p, ctypes.c_size_t
    found.argtypes = [*sizes, *sizes]
    search: Search = found
    return search
