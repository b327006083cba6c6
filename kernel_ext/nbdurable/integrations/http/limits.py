"""How much of an exchange is kept, and how much of it is in memory at a time."""

from __future__ import annotations

from typing import Final

BODY_BYTES_MAX: Final = 64 << 20
"""A larger answer is passed on and not kept: a model's answer has some kilobytes, one
with pictures some megabytes. More is a download, an endless stream, or a bomb."""

SLICE_BYTES: Final = 1024
"""An encoded body is decoded in slices: what a bomb makes of one fits into memory."""

EVENT_BYTES_MAX: Final = 16 << 20
"""An event of a stream beyond this is not searched for a mark."""

HEADER_CHARS_MAX: Final = 8192
"""Of one header that is kept."""
