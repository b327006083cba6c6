"""Which attempt the running code belongs to, and in which scope of it.

A ContextVar set in the cell reaches tasks, `to_thread` and callbacks. Threads of a
`ThreadPoolExecutor` don't inherit it: they belong to the only active attempt of the
process, and to none when several are active.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

A = TypeVar("A")
"""An attempt; this module doesn't look into it."""


@dataclass(frozen=True, slots=True)
class Frame(Generic[A]):
    """Where in an attempt the code is.

    Attributes:
        attempt: The attempt of the step.
        parent: Logical id of the enclosing call, or "".
        quiet: Inside a seam that already journals this exchange.
    """

    attempt: A
    parent: str = ""
    quiet: bool = False


@dataclass(slots=True)
class Scopes:
    """Numbers the asyncio tasks of an attempt by the order of their first call."""

    main: weakref.ref[asyncio.Task[object]] | None = None
    tasks: weakref.WeakKeyDictionary[asyncio.Task[object], str] = field(
        default_factory=weakref.WeakKeyDictionary
    )
    count: int = 0

    def scope(self, frame: Frame[Any]) -> str:
        """The scope of a call made here: the enclosing call, then the task."""
        task = running_task()
        if task is None or (self.main is not None and task is self.main()):
            return frame.parent
        if task not in self.tasks:
            self.count += 1
            self.tasks[task] = f"task {self.count}"
        return f"{frame.parent}/{self.tasks[task]}"


_frame: ContextVar[Frame[Any] | None] = ContextVar("nbdurable_frame", default=None)
_active: list[Frame[Any]] = []
_lock = threading.Lock()


def running_task() -> asyncio.Task[object] | None:
    """The asyncio task that runs in this thread, if any."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def current_frame() -> Frame[Any] | None:
    """The frame the calling code belongs to, or None outside durable cells."""
    frame = _frame.get()
    if frame is not None:
        return frame
    if not _active or threading.current_thread() is threading.main_thread():
        return None
    with _lock:
        return _active[0] if len(_active) == 1 else None


@contextlib.contextmanager
def active(frame: Frame[Any]) -> Iterator[None]:
    """The attempt's cell runs within."""
    token = _frame.set(frame)
    with _lock:
        _active.append(frame)
    try:
        yield
    finally:
        with _lock:
            _active.remove(frame)
        _frame.reset(token)


@contextlib.contextmanager
def inside(frame: Frame[Any]) -> Iterator[None]:
    """A call's function runs within."""
    token = _frame.set(frame)
    try:
        yield
    finally:
        _frame.reset(token)
