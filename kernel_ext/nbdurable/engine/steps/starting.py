"""Sees what the code of a step starts, so that it belongs to the step.

A ContextVar set in the cell reaches its asyncio tasks, and neither new threads nor the
functions that are given to a thread pool. So three doors are watched, from the first
step of a process until its session closes: the task factory of the cell's event loop,
`threading.Thread.start` and `ThreadPoolExecutor.submit`. Code that belongs to no step
passes them as before. `sys.addaudithook` was rejected: it can't be taken back, it costs
at every event of the process, and it doesn't see functions in pools.
"""

from __future__ import annotations

import asyncio
import functools
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from nbdurable.engine.calls.leftovers import Leftover, Leftovers, Sort, was_taken
from nbdurable.engine.calls.whose import in_task, to_thread
from nbdurable.engine.where.frames import Frame, inside, outside, own_frame

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt

_start = threading.Thread.start
_submit: Callable[..., Future[Any]] = ThreadPoolExecutor.submit
_loops: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()

APPENDERS_MAX: Final = 16
"""Appends at a time from awaiting calls; they share syncs, so more gain nothing."""


class Appenders(ThreadPoolExecutor):
    """Threads of ours: what they do is no part of the step that asks for it."""

    def __init__(self) -> None:
        super().__init__(APPENDERS_MAX, thread_name_prefix="nbdurable-append")

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As ever, seen by nobody."""
        with outside():
            return _submit(self, fn, *args, **kwargs)


def watch() -> None:
    """Watch the doors of this process and of the running event loop. Idempotent."""
    if threading.Thread.start is _start:
        threading.Thread.start = _thread_start  # type: ignore[method-assign]
    if ThreadPoolExecutor.submit is _submit:
        ThreadPoolExecutor.submit = _pool_submit  # type: ignore[method-assign,assignment]
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    before = loop.get_task_factory()
    if not isinstance(before, _TaskFactory):
        loop.set_task_factory(_TaskFactory(before))
        _loops.add(loop)


def unwatch() -> None:
    """Put back what was there before, unless somebody wrapped ours. Idempotent."""
    if threading.Thread.start is _thread_start:
        threading.Thread.start = _start  # type: ignore[method-assign]
    if ThreadPoolExecutor.submit is _pool_submit:
        ThreadPoolExecutor.submit = _submit  # type: ignore[method-assign]
    while _loops:
        loop = _loops.pop()
        ours = loop.get_task_factory()
        if isinstance(ours, _TaskFactory):
            loop.set_task_factory(ours.before)


class _TaskFactory:
    """Makes tasks as before, and enters those that belong to a step."""

    def __init__(self, before: Callable[..., Any] | None) -> None:
        self.before = before

    def __call__(
        self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any
    ) -> Any:
        frame = own_frame(options.get("context"))
        left = None if frame is None else frame.attempt.leftovers.made(Sort.TASK)
        coro = in_task(coro)
        if self.before is not None:
            task = self.before(loop, coro, **options)
        else:
            task = asyncio.Task(coro, loop=loop, **options)
        if frame is not None and left is not None:
            left.taken = functools.partial(was_taken, task)
            frame.attempt.leftovers.begins(task, left)
            task.add_done_callback(frame.attempt.leftovers.task_ended)
        return task


@functools.wraps(_start)
def _thread_start(self: threading.Thread) -> None:
    frame = own_frame()
    if frame is None or self.ident is not None or _of_a_pool(self):
        return _start(self)
    to_thread()
    leftovers = frame.attempt.leftovers
    leftovers.begins(self, leftovers.made(Sort.THREAD, daemon=self.daemon))
    run = functools.partial(_run, self, self.run, replace(frame, thread=True))
    vars(self)["run"] = run
    try:
        return _start(self)
    except BaseException:
        del vars(self)["run"]
        leftovers.ends(self)
        raise


def _of_a_pool(thread: threading.Thread) -> bool:
    """A thread that manages a pool of processes: it lives as long as the pool."""
    return str(type(thread).__module__).startswith("concurrent.futures")


def _run(
    thread: threading.Thread, run: Callable[[], None], frame: Frame[Attempt]
) -> None:
    error: BaseException | None = None
    try:
        with inside(frame):
            run()
    except SystemExit:
        raise
    except BaseException as raised:
        error = raised
        raise
    finally:
        vars(thread).pop("run", None)
        frame.attempt.leftovers.ends(thread, error)


@functools.wraps(_submit)
def _pool_submit(
    self: ThreadPoolExecutor, fn: Any, /, *args: Any, **kwargs: Any
) -> Future[Any]:
    frame = own_frame()
    if frame is None:
        return _submit(self, fn, *args, **kwargs)
    if getattr(fn, "__module__", "") != "socket":  # that looks up an address
        to_thread()
    leftovers = frame.attempt.leftovers
    left = leftovers.made(Sort.FUTURE)
    leftovers.begins(left, left)
    try:
        with outside():  # a worker that this starts serves whoever comes
            future = _submit(self, _in_pool, frame, left, fn, args, kwargs)
    except BaseException:
        leftovers.ends(left)
        raise
    future.__class__ = _Future
    left.taken = functools.partial(getattr, future, "taken", False)
    future.add_done_callback(functools.partial(_perhaps_cancelled, leftovers, left))
    return future


class _Future(Future[Any]):
    """A function in a pool, which knows whether somebody took its outcome."""

    taken = False

    def result(self, timeout: float | None = None) -> Any:
        self.taken = True
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self.taken = True
        return super().exception(timeout)


def _perhaps_cancelled(
    leftovers: Leftovers, left: Leftover, future: Future[Any]
) -> None:
    """A function that was cancelled before its turn has ended too."""
    if future.cancelled():
        leftovers.ends(left)


def _in_pool(
    frame: Frame[Attempt],
    left: Leftover,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Ended here and not in a done callback: those come after who waits for it."""
    error: BaseException | None = None
    leftovers = frame.attempt.leftovers
    try:
        with inside(frame), leftovers.in_pool(left):
            return fn(*args, **kwargs)
    except BaseException as raised:
        error = raised
        raise
    finally:
        leftovers.ends(left, error)
