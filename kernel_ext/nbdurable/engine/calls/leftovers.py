"""What the code of a step starts beside its cell: tasks, threads, functions in pools.

Theory of operation. `starting` sees each of them begin and end, and enters it here. The
cell's end is the step's end only when nothing here counts any more; else the last one
that ends it calls what `follow` was given. An exception that nobody took by then ends
the step as it ends a cell, if what raised it had made a call.

A daemon thread counts once it has made a call: a server that the cell starts is no work
of the step, and Python itself doesn't wait for it either.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from nbdurable.engine.where.frames import running_task
from nbdurable.errors import DurablePause, Remedy


class Sort(StrEnum):
    """What runs beside a cell; the value is the word on screen."""

    TASK = "task"
    THREAD = "thread"
    FUTURE = "future"


def _never() -> bool:
    return False


@dataclass(slots=True, eq=False)
class Leftover:
    """Something that code of a step started.

    Attributes:
        sort: What it is.
        maker: What started it, or None for the cell.
        daemon: Nobody waits for it unless it makes a call.
        called: It made a call, or something that it started did.
        ended: It runs no more.
        error: What it ended with.
        taken: Whether somebody took that; nobody takes the exception of a thread.
    """

    sort: Sort
    maker: Leftover | None = None
    daemon: bool = False
    called: bool = False
    ended: bool = False
    error: BaseException | None = None
    taken: Callable[[], bool] = _never

    @property
    def counts(self) -> bool:
        """Whether the step isn't over before this is."""
        return self.called or not self.daemon

    @property
    def on_its_own(self) -> bool:
        """Whether nobody in the step is left who may wait for it."""
        return self.maker is None or self.maker.ended


@dataclass(kw_only=True, eq=False)
class Overtaken(DurablePause):
    """A call of a task or thread whose step another execution has taken over.

    Attributes:
        step: The step it belongs to.
        why: What happened meanwhile, as a sentence without its end.
        call: The tool that was called.
    """

    slug: ClassVar[str] = "overtaken"
    step: str
    why: str
    call: str = "a further call"

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.call} was not made, because {self.why}."

    def detail(self) -> str:
        """Where it comes from."""
        return (
            f"It comes from a task or thread that {self.step} had left running.\n"
            "What that had finished is recorded, and is served when the cell runs."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Don't leave it running."""
        return (
            Remedy("wait for it in the cell", "await asyncio.gather(*tasks)"),
            Remedy("or end it before", "task.cancel()"),
        )


class Lingering(Protocol):
    """A step whose cell has ended and which has not."""

    def overtake(self, why: str) -> str:
        """End it as it stands; tells what it left running, which makes no more calls."""
        ...

    def close(self) -> None:
        """The kernel ends in an orderly way."""
        ...


class Leftovers:
    """What one attempt has running beside its cell. Its methods are thread-safe.

    Attributes:
        overtaken: Why it makes no further call, or "".
    """

    def __init__(self) -> None:
        self.overtaken = ""
        self._raised: list[Leftover] = []
        self._lock = threading.Lock()
        self._running: dict[object, Leftover] = {}
        self._in_pool: dict[int, Leftover] = {}
        self._done: Callable[[], None] | None = None

    def made(self, sort: Sort, *, daemon: bool = False) -> Leftover:
        """Something is about to be started by the running code."""
        return Leftover(sort, self._current(), daemon)

    def begins(self, what: object, left: Leftover) -> None:
        """It runs, or waits to run, from now on.

        Args:
            what: The task or thread; the leftover itself for a function in a pool.
            left: What was `made` of it.
        """
        with self._lock:
            self._running[what] = left

    def ends(self, what: object, error: BaseException | None = None) -> None:
        """It runs no more; the last one that counts ends the step, in this thread."""
        with self._lock:
            left = self._running.pop(what, None)
            if left is None:
                return
            left.ended = True
            if error is not None:
                left.error = error
                self._raised.append(left)
            done = None if self._counted() else self._done
            if done is not None:
                self._done = None
        if done is not None:
            done()

    def task_ended(self, task: asyncio.Task[Any]) -> None:
        """Done callback of a task.

        The cell, and who else waits for a task, may cancel it; a task that is cancelled
        after the cell, with nobody to wait for it, is work that was cut off.
        """
        left = self._running.get(task)
        error = _exception(task)
        if task.cancelled() and left is not None and left.on_its_own and self._done:
            error = asyncio.CancelledError()
        self.ends(task, error)

    @property
    def errors(self) -> list[BaseException]:
        """What those ended with that had made calls, where nobody took it."""
        with self._lock:
            raised = [x for x in self._raised if x.called and not x.taken()]
        return [x.error for x in raised if x.error is not None]

    @contextlib.contextmanager
    def in_pool(self, left: Leftover) -> Iterator[None]:
        """This thread of a pool executes its function."""
        thread = threading.get_ident()
        before = self._in_pool.get(thread)
        self._in_pool[thread] = left
        try:
            yield
        finally:
            if before is None:
                del self._in_pool[thread]
            else:
                self._in_pool[thread] = before

    def may_go_on(self, step: str, tool: str) -> None:
        """Refuse the calls of an attempt that another one has taken over from.

        Raises:
            Overtaken: It has been.
        """
        if self.overtaken:
            raise Overtaken(step=step, why=self.overtaken, call=tool)

    def called(self, step: str, tool: str) -> None:
        """The running code makes a call: whoever led to it takes part in the step.

        Raises:
            Overtaken: Another attempt has taken over.
        """
        if self.overtaken:
            self.may_go_on(step, tool)
        if not self._running and not self._in_pool:
            return  # the cell itself, and nothing beside it
        left = self._current()
        while left is not None and not left.called:
            left.called = True
            left = left.maker

    def follow(self, done: Callable[[], None]) -> bool:
        """The cell has ended: call this once when nothing counts any more.

        Returns:
            False if nothing counts now; then it is not called.
        """
        with self._lock:
            if not self._counted():
                return False
            self._done = done
            return True

    def forget(self) -> bool:
        """Call nothing any more; False if it was called already, or nobody follows."""
        with self._lock:
            done, self._done = self._done, None
            return done is not None

    @property
    def running(self) -> bool:
        """Whether anything runs beside the cell."""
        return bool(self._running)

    @property
    def took_part(self) -> bool:
        """Whether any of those that run has made a call."""
        with self._lock:
            return any(left.called for left in self._running.values())

    def counted(self) -> Counter[str]:
        """How many of each sort run; those that another one waits for aren't counted."""
        with self._lock:
            return Counter(x.sort.value for x in self._counted() if x.on_its_own)

    def _counted(self) -> list[Leftover]:
        return [left for left in self._running.values() if left.counts]

    def _current(self) -> Leftover | None:
        task = running_task()
        found = self._running.get(task) if task is not None else None
        if found is None:
            found = self._in_pool.get(threading.get_ident())
        return found or self._running.get(threading.current_thread())


def _exception(task: asyncio.Task[Any]) -> BaseException | None:
    """A task's exception, not taken: `Task.exception` would take it."""
    return getattr(task, "_exception", None)


def was_taken(task: asyncio.Task[Any]) -> bool:
    """Whether somebody took a task's exception, as asyncio sees it."""
    return _exception(task) is not None and not getattr(task, "_log_traceback", True)
