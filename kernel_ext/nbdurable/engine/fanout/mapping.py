"""`nd.map`: one journaled call per item, many at a time, results in order.

Each item is a call in a scope of its own, matched by content like any other: an item that
was inserted, moved or left out changes nothing for the others. A plain function is made
an `nd.step`, so that it holds the calls in it.

The threads here drive the journal; where an executor is given, it runs the function, and
threads wait for it. What the function calls over there is not journaled: it is elsewhere.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures.process import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.driving import run_sync
from nbdurable.engine.calls.invoking import requested
from nbdurable.engine.calls.nested import step
from nbdurable.engine.calls.promised import Tool
from nbdurable.engine.calls.wrapping import tool_of
from nbdurable.engine.codec import shipped
from nbdurable.engine.fanout.executors import begun_once, repeats, result_of
from nbdurable.engine.fanout.failures import Failed, MapFailed
from nbdurable.engine.fanout.progress import Progress
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.values import previews
from nbdurable.engine.where.frames import Frame, current_frame, inside
from nbdurable.errors import NotDone, ToolRefused

LIMIT: Final = 8
"""Items at a time: what services of models usually allow, and what a screen can show."""

TOLD_EVERY_S: Final = 0.25
"""How often the line of progress is drawn again."""

OnError = Literal["continue", "stop"]


@dataclass(slots=True, eq=False)
class Map:
    """One map that is under way."""

    made: Tool
    fixed: tuple[tuple[Any, ...], dict[str, Any]]
    frame: Frame[Attempt]
    executor: Executor | None
    progress: Progress
    number: int
    failures: list[Failed] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def item(self, index: int, item: object) -> object:
        """Call the function with one item, in a scope of its own."""
        frame, args, kwargs = self.place(index, item)
        with self.counted() as begins, inside(frame):

            def perform() -> object:
                begins()
                return self._elsewhere(args, kwargs)

            request = requested(frame, self.made, args, kwargs)
            if request is None:
                return perform()
            return run_sync(frame, request, perform)

    def place(
        self, index: int, item: object
    ) -> tuple[Frame[Attempt], tuple[Any, ...], dict[str, Any]]:
        """Where an item's call is made, and with what."""
        frame = replace(self.frame, place=f"map {self.number}.{index}")
        return frame, (*self.fixed[0], item), self.fixed[1]

    @contextlib.contextmanager
    def counted(self) -> Iterator[Callable[[], None]]:
        """One item is under way; it says when it is executed and not served."""
        clock = self.frame.attempt.clock
        began_s: float | None = None

        def begins() -> None:
            nonlocal began_s
            if began_s is None:
                self.progress.begins()
            began_s = clock.monotonic_s()

        failed = True
        try:
            yield begins
            failed = False
        finally:
            took = None if began_s is None else (clock.monotonic_s() - began_s) * 1000
            self.progress.ended(took, failed=failed)

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """It tells how far its calls are; they don't tell it one by one."""
        parked = self.frame.attempt.home.parked
        parked.maps += 1
        try:
            yield
        finally:
            parked.maps -= 1

    def tell(self, limit: int, *, last: bool = False) -> None:
        """Show how far it is."""
        attempt = self.frame.attempt
        name = f"{attempt.step.name} map {self.number}"
        parked, now_s = attempt.home.parked, attempt.clock.monotonic_s()
        again = tuple(parked.again.values())
        waiting = [(why, until_s - now_s) for why, until_s in again]
        parked.progress(name, self.progress.line(limit, waiting), last)

    def _elsewhere(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        if self.executor is None:
            return self.made.fn(*args, **kwargs)
        fn: Callable[..., Any] = self.made.fn
        if isinstance(self.executor, ProcessPoolExecutor):
            try:
                fn, args, kwargs = shipped(fn, args, kwargs)
            except Exception as refused:  # it never left, whatever a pickler raises
                told = f"it can't be sent to another process: {refused}"
                raise NotDone(told) from refused
        write = self.made.policy.effect is Effect.WRITE
        once = write and repeats(self.executor)
        if once:
            fn = begun_once(fn)
        try:
            future = self.executor.submit(fn, *args, **kwargs)
        except RuntimeError as refused:  # broken or shut down: nothing was begun
            raise NotDone(str(refused)) from refused
        return result_of(future, once=once) if write else future.result()


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
    mapping = Map(
        made, fixed, frame, executor, Progress(total), next(frame.attempt.maps)
    )
    with mapping.shown():
        results = _Driver(mapping, limit, stop=on_error == "stop").run(iter(items))
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


Ended = tuple[int, object, object, BaseException | None]
"""An item that is over: its place, itself, its result, what it raised."""


class _Driver:
    """Keeps so many items under way, and tells how far it is.

    Workers take items from one queue and put what became of them into another: what an
    item costs here doesn't depend on how many are under way.
    """

    def __init__(self, mapping: Map, limit: int, *, stop: bool) -> None:
        self._mapping, self._limit, self._stop = mapping, limit, stop
        self._work: queue.SimpleQueue[tuple[int, object] | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        self._under_way = 0
        self._told_s = 0.0
        self._results: dict[int, object] = {}

    def run(self, items: Iterator[object]) -> dict[int, object]:
        """The results by place; None stands for an item that failed."""
        pool = ThreadPoolExecutor(self._limit, thread_name_prefix="nd.map")
        try:
            self._feed(pool, items)
            while self._under_way:
                self._collect()
        finally:
            self._mapping.over.set()
            for _ in range(self._limit):
                self._work.put(None)
            # an idle worker has only to return: one that is left is told as running
            pool.shutdown(wait=not self._under_way)
            self._mapping.tell(self._limit, last=True)
        return self._results

    def _feed(self, pool: ThreadPoolExecutor, items: Iterator[object]) -> None:
        try:
            for index, item in enumerate(items):
                if self._stop and self._mapping.failures:
                    return
                if index < self._limit:
                    pool.submit(contextvars.copy_context().run, self._worker)
                self._work.put((index, item))
                self._under_way += 1
                while self._under_way >= 2 * self._limit:
                    self._collect()
        except Exception:
            while self._under_way:  # what is under way is not lost with the iterator
                self._collect()
            raise

    def _worker(self) -> None:
        while (taken := self._work.get()) is not None:
            if self._mapping.over.is_set():
                return
            index, item = taken
            try:
                result, error = self._mapping.item(index, item), None
            except BaseException as raised:  # noqa: BLE001  # told to whoever collects
                result, error = None, raised
            self._ended.put((index, item, result, error))

    def _collect(self) -> None:
        try:
            ended = self._ended.get(timeout=TOLD_EVERY_S)
        except queue.Empty:
            self._mapping.tell(self._limit)
            return
        self._under_way -= 1
        index, item, result, error = ended
        if error is not None and not isinstance(error, Exception):
            raise error
        self._results[index] = result
        if error is not None:
            told = previews.value_text(item)
            self._mapping.failures.append(Failed(index, told, error))
        now_s = self._mapping.frame.attempt.clock.monotonic_s()
        if now_s - self._told_s >= TOLD_EVERY_S:
            self._told_s = now_s
            self._mapping.tell(self._limit)


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
