"""The stop button works at once, also while a cell awaits.

ipykernel cancels an awaiting cell from a SIGINT handler that doesn't wake the event
loop: the cell stops when the loop next has something to do, which may be never. While a
durable cell awaits, the handler here cancels it and wakes the loop. It does what
`asyncio.Runner` does: the cell sees `CancelledError` and can clean up, the user sees
`KeyboardInterrupt`. Code of the cell that runs without awaiting is interrupted in place.

Signals reach the main thread only; elsewhere nothing is installed.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Generator
from types import FrameType


class Interrupts:
    """SIGINT during one cell that runs as an asyncio task."""

    def __init__(self, runs_cell: object) -> None:
        """Remember where interrupting in place is safe.

        Args:
            runs_cell: Code object of the frame that catches whatever the cell raises.
        """
        self.fired = False
        self._runs_cell = runs_cell
        self._task: asyncio.Task[object] | None = None

    @contextlib.contextmanager
    def watching(self) -> Generator[None]:
        """Cancel the running task on SIGINT until the block ends."""
        self._task = _current_task()
        if self._task is None or not _in_main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            if before is not None:  # None: the handler wasn't installed from Python
                signal.signal(signal.SIGINT, before)

    def settle(self) -> None:
        """The cell has ended: what still runs in the task isn't cancelled any more."""
        if self.fired and self._task is not None:
            self._task.uncancel()

    def _on_signal(self, _signum: int, frame: FrameType | None) -> None:
        self.fired = True
        if self._executes(frame):
            raise KeyboardInterrupt
        assert self._task is not None
        self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    def _executes(self, frame: FrameType | None) -> bool:
        """Whether the interrupted code was called by the cell, not by the event loop."""
        while frame is not None:
            if frame.f_code is self._runs_cell:
                return True
            frame = frame.f_back
        return False


@contextlib.contextmanager
def in_place() -> Generator[None]:
    """Let SIGINT raise KeyboardInterrupt in a block that doesn't await."""
    if not _in_main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _current_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
