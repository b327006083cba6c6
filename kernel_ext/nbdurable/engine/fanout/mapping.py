"""`nd.map`: one journaled call per item, many at a time, results in order.

Each item is a call in a scope of its own, matched by content like any other: an item that
was inserted, moved or left out changes nothing for the others. A plain function is made
an `nd.step`, so that it holds the calls in it.

A conductor and its threads drive the journal (`conducting`); where an executor is given,
it runs the function, and threads wait for it. What the function calls over there is not journaled: it is elsewhere.
"""

from __future__ import annotations

import functools
import inspect
import queue
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final, Literal

from nbdurable.engine.calls.nested import step
from nbdurable.engine.calls.promised import Tool
from nbdurable.engine.calls.wrapping import tool_of
from nbdurable.engine.fanout.carrying import Call
from nbdurable.engine.fanout.conducting import Conductor
from nbdurable.engine.fanout.failures import Failed, MapFailed
from nbdurable.engine.fanout.items import Map
from nbdurable.engine.fanout.progress import Progress
from nbdurable.engine.fanout.sparing import sparing
from nbdurable.engine.values import previews
from nbdurable.engine.where.frames import current_frame
from nbdurable.errors import ToolRefused

LIMIT: Final = 8
"""Items at a time: what services of models usually allow, and what a screen can show."""

TOLD_EVERY_S: Final = 0.25
"""How often the line of progress is drawn again."""

FIRST_S: Final = 0.02
"""So long threads may wait for the first items to be recorded, which takes a fifth of it."""

TAKEN: Final = 4
"""So many times the limit are taken of the items: those that run, those that are begun or
being recorded beside them, and those that are next."""

OnError = Literal["continue", "stop"]


def map(  # noqa: A001  # it is `nd.map`
    fn: Callable[..., Any],
    items: Iterable[Any],
    *,
    limit: int = LIMIT,
    executor: Executor | None = None,
    on_error: OnError = "continue",
) -> list[Any]:
    """Call a function with each item, many at a time; one journaled call per item.

    After a restart, or when some failed, only what has no result is run again.

    Args:
        fn: A tool, an `nd.step`, a plain function (recorded like an `nd.step`), or a
            `functools.partial` of one.
        items: What it is called with, one at a time; taken as it is needed.
        limit: How many at a time.
        executor: What runs the function: any `concurrent.futures` executor; threads of
            this process by default.
        on_error: ``continue``: every item is tried, and one error names all failures.
            ``stop``: after the first failure no other item is begun.

    Returns:
        The results, in the order of the items.

    Raises:
        MapFailed: Items failed.
        ToolRefused: ``fn`` is no function, or an option is none.

    Example:
        >>> map(lambda text: text.upper(), ["a", "b"])
        ['A', 'B']
    """
    made, fixed = function(fn)
    checked(limit, on_error)
    if executor is not None and not callable(getattr(executor, "submit", None)):
        told = previews.value_text(executor)
        raise ToolRefused(what=f"executor={told} is no executor: it has no submit()")
    frame = current_frame()
    total = len(items) if isinstance(items, Sized) else None
    if frame is None:
        return _plainly(made, fixed, items, limit, executor)
    number, stop = next(frame.attempt.maps), on_error == "stop"
    mapping = Map(made, fixed, frame, executor, Progress(total), number, stop)
    with mapping.shown():
        results = _Driver(mapping, limit).run(iter(items))
    return results_of(mapping, results)


def checked(limit: object, on_error: object) -> None:
    """See that the options make a map.

    Raises:
        ToolRefused: They don't.
    """
    counted = type(limit) is int and limit >= 1
    if not counted or on_error not in {"continue", "stop"}:
        raise ToolRefused(what=f"limit={limit!r}, on_error={on_error!r} makes no map")


def results_of(mapping: Map, results: dict[int, object]) -> list[Any]:
    """The results in order.

    Raises:
        MapFailed: Items failed.
    """
    if mapping.failures:
        mapping.failures.sort(key=lambda f: f.index)
        raise MapFailed(
            function=mapping.made.name,
            failed=tuple(mapping.failures),
            total=len(results),
            step=mapping.frame.attempt.step.name,
        )
    return [results[n] for n in sorted(results)]


class _Driver:
    """Hands items to a conductor, collects what came of them, and tells how far it is."""

    def __init__(self, mapping: Map, limit: int) -> None:
        self._mapping, self._limit = mapping, limit
        self._conductor = Conductor(mapping, limit)
        self._under_way = self._workers = 0
        self._told_s, self._since_s = 0.0, self._now_s()
        self._results: dict[int, object] = {}
        self._pause: BaseException | None = None

    def run(self, items: Iterator[object]) -> dict[int, object]:
        """The results by place; None stands for an item that failed."""
        with sparing():
            return self._run(items)

    def _run(self, items: Iterator[object]) -> dict[int, object]:
        conductor = self._conductor
        pool = ThreadPoolExecutor(self._limit + 2, thread_name_prefix="nd.map")
        try:
            pool.submit(conductor.run)
            pool.submit(conductor.sync)
            self._feed(pool, items)
            while self._under_way:
                self._collect()
        finally:
            conductor.close()
            # an idle worker has only to return: one that is left is told as running
            pool.shutdown(wait=not self._under_way)
            self._mapping.tell(self._limit, last=True)
        if self._pause is not None:
            raise self._pause
        return self._results

    def _feed(self, pool: ThreadPoolExecutor, items: Iterator[object]) -> None:
        self._employ(pool, 1)
        try:
            for index, item in enumerate(items):
                if self._mapping.over.is_set():
                    break
                self._conductor.add(Call(self._mapping, index, item))
                self._under_way += 1
                if self._may_employ(index + 1):
                    self._employ(pool, index + 1)
                while self._under_way >= TAKEN * self._limit:
                    self._collect()
        except Exception:
            self._employ(pool, self._under_way)
            while self._under_way:  # what is under way is not lost with the iterator
                self._collect()
            raise
        self._employ(pool, self._under_way)

    def _may_employ(self, items: int) -> bool:
        """Whether so many items have their threads now, and not when there are more.

        Each thread that starts wants the lock twice, and would wait for it while the
        first items are begun. Who gives items slowly keeps nobody waiting.
        """
        first = self._conductor.first
        if items == first:
            self._conductor.filled.wait(FIRST_S)
        return items >= first or self._now_s() - self._since_s > FIRST_S

    def _employ(self, pool: ThreadPoolExecutor, items: int) -> None:
        """Have a thread for each of so many items, up to the limit."""
        while self._workers < min(items, self._limit):
            self._workers += 1
            pool.submit(self._conductor.work)

    def _now_s(self) -> float:
        return self._mapping.frame.attempt.clock.monotonic_s()

    def _collect(self) -> None:
        try:
            ended = self._conductor.ended.get(timeout=TOLD_EVERY_S)
        except queue.Empty:
            self._mapping.tell(self._limit)
            return
        if isinstance(ended, BaseException):
            raise ended
        self._under_way -= len(ended)
        for call in ended:
            self._note(call)
        now_s = self._now_s()
        if now_s - self._told_s >= TOLD_EVERY_S:
            self._told_s = now_s
            self._mapping.tell(self._limit)

    def _note(self, call: Call) -> None:
        if call.dropped:
            return
        error = call.error
        if error is not None and self._mapping.ends(error):
            self._conductor.close()
        if error is not None and not isinstance(error, Exception):
            # Somebody has to decide first; what the others do is recorded before.
            self._pause = self._pause or error
            return
        self._results[call.index] = call.value
        if error is not None:
            told = previews.value_text(call.item)
            self._mapping.failures.append(Failed(call.index, told, error))


def function(
    fn: Callable[..., Any], *, awaited: bool = False
) -> tuple[Tool, tuple[tuple[Any, ...], dict[str, Any]]]:
    """What is called for each item, and what it is given besides.

    Raises:
        ToolRefused: It makes no tool, or belongs to the other one of the two maps.
    """
    if isinstance(fn, functools.partial):
        made, (args, kwargs) = function(fn.func, awaited=awaited)
        return made, ((*args, *fn.args), {**kwargs, **fn.keywords})
    made_of = tool_of(fn) or tool_of(step(fn))
    assert made_of is not None, "a step is a tool"
    if inspect.iscoroutinefunction(made_of.fn) != awaited:
        other = "is async: await nd.aio.map" if not awaited else "isn't async: nd.map"
        raise ToolRefused(what=f"{made_of.name} {other}(…)")
    return made_of, ((), {})


def _plainly(
    made: Tool,
    fixed: tuple[tuple[Any, ...], dict[str, Any]],
    items: Iterable[Any],
    limit: int,
    executor: Executor | None,
) -> list[Any]:
    """Outside durable cells it is the plain map of an executor."""
    run = functools.partial(made.fn, *fixed[0], **fixed[1])
    if executor is not None:
        return list(executor.map(run, items))
    with ThreadPoolExecutor(limit) as pool:
        return list(pool.map(run, items))
