"""Where long bytes are cut: by what they hold, so that a change moves no other cut.

The boundaries are part of what makes two saves share their chunks, so they must not
change with a version of the library: a golden test pins them. `pyfastcdc` is compiled,
cuts 4 GB/s, and has a version in pure Python with the same cuts for platforms without
a wheel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

CHUNK_BYTES_MIN: Final = 1 << 14
CHUNK_BYTES: Final = 1 << 16
"""On average. Smaller chunks share more and cost more: each is named by 41 bytes in a
list and 41 in a directory."""

CHUNK_BYTES_MAX: Final = 1 << 18
"""Also what stays in one chunk without being cut."""


def cut(data: memoryview, *, few: bool = True) -> Iterator[memoryview]:
    """Stretches of the bytes, in order; none if there are none.

    Args:
        data: The bytes.
        few: Whether few bytes are one stretch; not so for the rest of what was cut.
    """
    if len(data) <= (CHUNK_BYTES_MAX if few else CHUNK_BYTES_MIN):
        if data:
            yield data
        return
    from pyfastcdc import FastCDC  # lazy: few values are long

    cutter = FastCDC(
        avg_size=CHUNK_BYTES, min_size=CHUNK_BYTES_MIN, max_size=CHUNK_BYTES_MAX
    )
    for chunk in cutter.cut_buf(data):
        yield data[chunk.offset : chunk.offset + chunk.length]
