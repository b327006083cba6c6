"""Which attempt the running code belongs to, and in which scope of it.

A ContextVar set in the cell reaches tasks and callbacks, and by `starting` the threads
that code of the cell starts and the functions that it gives to a thread pool. Any other
thread belongs to the only active attempt of the process, and to none when several are
active. So does a thread that outlives the step which started it, such as one of
`multiprocessing.pool.ThreadPool`, as long as a later cell runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import weakref
from collections.abc import Iterator
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

A = TypeVar("A")
"""An attempt; this module doesn't look into it."""


@dataclass(slots=True, eq=False)
class Frame(Generic[A]):
    """Where in an attempt the code is. Nobody changes one: `replace` it.

    No named tuple: each call looks into it ten times, and that takes three times as long.

    Attributes:
        attempt: The attempt of the step.
        parent: Logical id of the enclosing call, or "".
        quiet: Inside a seam that already journals this exchange.
        thread: Inherited from whoever started the thread.
        covered: What happens here is journaled by an enclosing call: one that is more
            than an `nd.step`.
        place: The item of a map that the code works on, or "".
        inner: Logical id and attempt of the `write` tool's call whose function this is:
            what it asks over HTTP is a part of that call. ("", 0) anywhere else.
        holders: Stand for the enclosing calls where they hold what they were given.
    """

    attempt: A
    parent: str = ""
    quiet: bool = False
    thread: bool = False
    covered: bool = False
    place: str = ""
    inner: tuple[str, int] = ("", 0)
    holders: tuple[object, ...] = ()


def placed(frame: Frame[A], place: str) -> Frame[A]:
    """The same, where code works on an item of a map; `replace` takes six times as long."""
    return Frame(
        frame.attempt,
        frame.parent,
        frame.quiet,
        frame.thread,
        frame.covered,
        place,
        frame.inner,
        frame.holders,
    )


Task: TypeAlias = asyncio.Task[object]

COUNTED_NAME = re.compile(r"Task-(\d+)")
"""The name of a task that nobody named; the number says when it was made."""


@dataclass(slots=True, eq=False)
class Scopes:
    """The scopes of an attempt: its asyncio tasks, by the order of their creation.

    Whichever of the tasks in a `gather` is the first to call, the first call finds all
    of them waiting, and all get their numbers then. A named task is its name. Tasks that
    were there before the cell are none of its own.
    """

    main: weakref.ref[Task] | None = None
    tasks: weakref.WeakKeyDictionary[Task, str] = field(
        default_factory=weakref.WeakKeyDictionary
    )
    roots: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, str] = field(
        default_factory=weakref.WeakKeyDictionary
    )
    count: int = 0
    _around: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """The cell's code begins in the task that runs now."""
        task = running_task()
        if task is not None:
            self.main = weakref.ref(task)
            self.roots[task.get_loop()] = ""
            self.tasks.update((t, "") for t in asyncio.all_tasks(task.get_loop()))

    def alone(self) -> bool:
        """Whether the task that runs now is the cell's, or the only one of its loop."""
        task = running_task()
        if task is None or (self.main is not None and task is self.main()):
            return True
        return len(asyncio.all_tasks(task.get_loop())) == 1

    def scope(self, frame: Frame[Any]) -> str:
        """The scope of a call made here: the enclosing call, then the task."""
        task = running_task()
        if task is None or (self.main is not None and task is self.main()):
            return self._within(_outer(frame) if frame.place else frame.parent, "")
        if task not in self.tasks:
            self._number(task)
        root = self.roots[task.get_loop()]
        return self._within(_inner(frame, self.tasks[task]), _inner(frame, root))

    def around(self, scope: str) -> Iterator[str]:
        """The scopes in which this one was entered, from inside out."""
        seen = {scope}
        while (scope := self._around.get(scope, scope)) not in seen:
            seen.add(scope)
            yield scope

    def _within(self, scope: str, root: str) -> str:
        """Note what was entered before in this context, else the loop's first task."""
        scopes, outer = _entered.get()
        if scopes is self and outer == scope:
            return scope
        if scope and scope not in self._around:
            self._around[scope] = (outer if scopes is self else "") or root
        _entered.set((self, scope))
        return scope

    def _number(self, task: Task) -> None:
        loop = task.get_loop()
        alive = asyncio.all_tasks(loop) | {task}
        for new in sorted((t for t in alive if t not in self.tasks), key=_made):
            counted = COUNTED_NAME.fullmatch(new.get_name())
            self.count += counted is not None
            name = str(self.count) if counted else repr(new.get_name())
            self.tasks[new] = f"task {name}"
            self.roots.setdefault(loop, self.tasks[new])


def _inner(frame: Frame[Any], task: str) -> str:
    outer = _outer(frame)
    return f"{outer}/{task}" if task else outer


def _outer(frame: Frame[Any]) -> str:
    return f"{frame.parent}/{frame.place}" if frame.place else frame.parent


def in_order(frame: Frame[Any], thread: int) -> bool:
    """Whether the code of this scope makes its calls one after the other.

    The items of a map and asyncio tasks have scopes of their own. Threads that code of
    the cell starts share the one they were started in: nobody knows which is first.

    Args:
        frame: Where the code is.
        thread: The thread of the cell's own code.
    """
    if frame.place:
        return True
    return not frame.thread and (bool(frame.parent) or thread == threading.get_ident())


def task_of(scope: str) -> str:
    """The task that a scope is of, or "" for that of the cell.

    Example:
        >>> task_of("a call's id/task 2"), task_of("a call's id")
        ('task 2', '')
    """
    task = scope.rpartition("/")[2]
    return task if task.startswith("task ") else ""


def _made(task: Task) -> tuple[bool, int]:
    """When it was made; of a named one that isn't known."""
    counted = COUNTED_NAME.fullmatch(task.get_name())
    return counted is None, int(counted[1]) if counted else 0


_entered: ContextVar[tuple[Scopes | None, str]] = ContextVar(
    "nbdurable_scope", default=(None, "")
)
"""The scope of the latest call in this context: tasks made here begin within it."""


_frame: ContextVar[Frame[Any] | None] = ContextVar("nbdurable_frame", default=None)
_active: list[Frame[Any]] = []
_lock = threading.Lock()


def running_task() -> asyncio.Task[object] | None:
    """The asyncio task that runs in this thread, if any."""
    # One of asyncio's exported names; an exception for each call would cost 0.4 µs.
    loop = asyncio._get_running_loop()  # noqa: SLF001
    return None if loop is None else asyncio.current_task(loop)


def own_frame(context: Context | None = None) -> Frame[Any] | None:
    """The frame that this code inherited, or that of another context."""
    return _frame.get() if context is None else context.get(_frame)


def current_frame() -> Frame[Any] | None:
    """The frame the calling code belongs to, or None outside durable cells."""
    frame = _frame.get()
    if frame is not None and not (frame.thread and frame.attempt.ended):
        return frame
    if not _active or threading.current_thread() is threading.main_thread():
        return frame
    with _lock:
        return _active[0] if len(_active) == 1 else frame


def undecided() -> tuple[Frame[Any], ...]:
    """The steps of which this code may belong to one, where nobody knows to which.

    That of a thread which no code of theirs has started, while several run.
    """
    if len(_active) < 2 or _frame.get() is not None:
        return ()
    if threading.current_thread() is threading.main_thread():
        return ()
    with _lock:
        return tuple(_active)


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
def outside() -> Iterator[None]:
    """What is started within belongs to no step."""
    token = _frame.set(None)
    try:
        yield
    finally:
        _frame.reset(token)


enter, leave = _frame.set, _frame.reset
"""What `inside` does, for what happens once per call."""


class inside:  # noqa: N801  # a context manager, used like `contextlib.suppress`
    """A call's function runs within. A class: a generator takes three times as long."""

    __slots__ = ("_frame", "_token")

    def __init__(self, frame: Frame[Any]) -> None:
        self._frame = frame

    def __enter__(self) -> None:
        self._token = _frame.set(self._frame)

    def __exit__(self, *_: object) -> None:
        _frame.reset(self._token)
