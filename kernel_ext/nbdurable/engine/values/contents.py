"""Digests of big buffers, by the quickest way that this machine has proved to work."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from nbdurable.engine.identity.canonical import hashed
from nbdurable.engine.identity.forms import Content

if TYPE_CHECKING:
    from nbdurable.engine.values.unchanged import Unchanged


@cache
def _unchanged(process: int) -> Unchanged | None:
    """What this process knows of its arrays; none where pages can't be watched."""
    del process  # a child has pages of its own
    # Late: it loads ctypes, which nobody needs who has no big arrays.
    from nbdurable.engine.values.pages import working
    from nbdurable.engine.values.unchanged import Unchanged

    pages = working()
    return None if pages is None else Unchanged(pages)


def digest_of(content: Content) -> bytes:
    """The digest of a big buffer, which is read only if it may have been written.

    Example:
        >>> import numpy as np
        >>> from nbdurable.engine.identity.canonical import digest
        >>> a = np.arange(3_000_000)
        >>> before = digest(a, contents=digest_of)
        >>> a[7] = 0
        >>> digest(a, contents=digest_of) == before
        False
    """
    if content.array is None:
        return hashed(content)
    unchanged = _unchanged(os.getpid())
    return hashed(content) if unchanged is None else unchanged(content)
