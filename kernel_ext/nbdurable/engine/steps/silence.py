"""Says when a cell has worked for long and nothing of it is kept yet."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Final

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.telling.lines import nothing_kept
from nbdurable.engine.where.frames import outside

SILENCE_S: Final = 60.0
"""After so long without a record a restart would cost more than a glance at the screen."""


@contextlib.contextmanager
def watched(attempt: Attempt, notify: Callable[[str], None]) -> Iterator[None]:
    """The cell's code runs within; it is told of once, when it has been silent for long."""
    over = threading.Event()
    watcher = threading.Thread(
        target=_watch,
        args=(attempt, over, notify),
        name="nbdurable-silence",
        daemon=True,
    )
    with outside():
        watcher.start()
    try:
        yield
    finally:
        over.set()


def _watch(
    attempt: Attempt, over: threading.Event, notify: Callable[[str], None]
) -> None:
    clock = attempt.clock
    left_s = SILENCE_S
    while left_s > 0:
        if clock.wait(over, left_s):
            return
        left_s = attempt.recorded_s + SILENCE_S - clock.monotonic_s()
    if not over.is_set():
        notify(nothing_kept(attempt.step.name, SILENCE_S, len(attempt.used.calls)))
