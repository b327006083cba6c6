"""What tells a front end whether a cell's text is still the one that ran."""

from __future__ import annotations

import contextlib
import json
import zlib
from typing import Final

from nbdurable.errors import DurableError
from nbdurable.timeline.previews import READ_BYTES_MAX, Get
from nbdurable_store.records import BlobRef

_HIDDEN: Final = "‹secret:"
"""In the place of a secret: such a text is not the one that was typed."""


def written(ref: BlobRef | None, get: Get | None) -> int:
    """CRC-32 of a cell's text as UTF-8: enough to see an edit, and any language has it.

    Args:
        ref: The text, as it was stored.
        get: How it is read.

    Returns:
        0 where the text isn't known.
    """
    if ref is None or get is None or ref.size > READ_BYTES_MAX:
        return 0
    with contextlib.suppress(DurableError, ValueError):
        text = json.loads(get(ref))
        if isinstance(text, str) and _HIDDEN not in text:
            return zlib.crc32(text.encode("utf-8", "replace"))
    return 0
