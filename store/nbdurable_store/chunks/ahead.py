"""Chunks of a long buffer, cut and named by a thread while others are written.

Cutting, naming and writing take about as long as each other, and hashing and writing
let other threads run. So a long buffer takes half of the time, if both threads always
have something to do: chunks for which the writer waits are handed over as soon as they
are cut, and the writer names them itself. A short buffer isn't worth a thread.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Iterator
from typing import Final

from nbdurable_store.chunks.trees import id_of

AHEAD_BYTES_MIN: Final = 8 << 20
"""A thread costs a tenth of a millisecond; below this that is felt."""

BATCH: Final = 16
"""Chunks that change hands together, about 1 MB: each hand-over costs 10 µs."""

AHEAD_MAX: Final = 8
"""Batches that are cut and not yet written. They are views: no byte is copied."""

Named = tuple[memoryview, bytes]
"""A chunk, and its id."""

_Batch = tuple[list[memoryview], list[bytes] | None]
"""Chunks, and their ids if there was time to make them."""


def named_ahead(chunks: Iterator[memoryview]) -> Iterator[Named]:
    """The same chunks with their ids, in order.

    Example:
        >>> data = memoryview(b"ab")
        >>> [bytes(chunk) for chunk, _ in named_ahead(iter([data[:1], data[1:]]))]
        [b'a', b'b']
    """
    handed: queue.Queue[_Batch | BaseException | None] = queue.Queue(AHEAD_MAX)
    over = threading.Event()

    def work() -> None:
        try:
            while batch := list(itertools.islice(chunks, BATCH)):
                names = None if handed.empty() else [id_of(chunk) for chunk in batch]
                if not _hand(handed, (batch, names), over):
                    return
            _hand(handed, None, over)
        except BaseException as raised:  # noqa: BLE001  # raised where the chunks go
            _hand(handed, raised, over)

    worker = threading.Thread(target=work, name="nbdurable-ahead", daemon=True)
    worker.start()
    try:
        while (got := handed.get()) is not None:
            if isinstance(got, BaseException):
                raise got
            batch, names = got
            yield from zip(batch, names or map(id_of, batch), strict=True)
    finally:
        over.set()
        worker.join()


def _hand(
    handed: queue.Queue[_Batch | BaseException | None],
    batch: _Batch | BaseException | None,
    over: threading.Event,
) -> bool:
    """Hand a batch over; false if nobody takes it any more."""
    while not over.is_set():
        try:
            handed.put(batch, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
