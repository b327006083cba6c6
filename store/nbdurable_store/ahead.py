"""Chunks of a long buffer, cut and named by a thread while others are written.

Cutting and naming take about as long as writing, and hashing and writing both let other
threads run. So a long buffer takes two thirds of the time; a short one isn't worth a
thread.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Final

from nbdurable_store.trees import id_of

AHEAD_BYTES_MIN: Final = 8 << 20
"""A thread costs a tenth of a millisecond; below this that is felt."""

BATCH: Final = 16
"""Chunks that change hands together, about 1 MB: each hand-over costs 10 µs."""

AHEAD_MAX: Final = 8
"""Batches that are named and not yet written. They are views: no byte is copied."""

Named = tuple[memoryview, bytes]
"""A chunk, and its id."""


def named_ahead(chunks: Iterator[memoryview]) -> Iterator[Named]:
    """The same chunks with their ids, in order.

    Example:
        >>> data = memoryview(b"ab")
        >>> [bytes(chunk) for chunk, _ in named_ahead(iter([data[:1], data[1:]]))]
        [b'a', b'b']
    """
    handed: queue.Queue[list[Named] | BaseException] = queue.Queue(AHEAD_MAX)
    over = threading.Event()

    def work() -> None:
        try:
            batch: list[Named] = []
            for chunk in chunks:
                batch.append((chunk, id_of(chunk)))
                if len(batch) == BATCH:
                    if not _hand(handed, batch, over):
                        return
                    batch = []
            _hand(handed, batch, over)
            _hand(handed, [], over)
        except BaseException as raised:  # noqa: BLE001  # raised where the chunks go
            _hand(handed, raised, over)

    worker = threading.Thread(target=work, name="nbdurable-ahead", daemon=True)
    worker.start()
    try:
        while batch := handed.get():
            if isinstance(batch, BaseException):
                raise batch
            yield from batch
    finally:
        over.set()
        worker.join()


def _hand(
    handed: queue.Queue[list[Named] | BaseException],
    batch: list[Named] | BaseException,
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
