"""`nd.aio.map`: the same map, with a coroutine per item instead of a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sized
from typing import Any

from nbdurable.engine.calls.driving import run_async
from nbdurable.engine.calls.invoking import requested
from nbdurable.engine.fanout.failures import Failed
from nbdurable.engine.fanout.items import Map
from nbdurable.engine.fanout.mapping import (
    LIMIT,
    TOLD_EVERY_S,
    OnError,
    checked,
    function,
    results_of,
)
from nbdurable.engine.fanout.progress import Progress
from nbdurable.engine.values import previews
from nbdurable.engine.where.frames import current_frame, inside


async def map_awaited(
    fn: Callable[..., Any],
    items: Iterable[Any],
    *,
    limit: int = LIMIT,
    on_error: OnError = "continue",
) -> list[Any]:
    """As `nd.map`, for a function that is awaited.

    Raises:
        MapFailed: Items failed.
        ToolRefused: ``fn`` is no function, or an option is none.
    """
    made, fixed = function(fn, awaited=True)
    checked(limit, on_error)
    frame = current_frame()
    if frame is None:
        return await _plainly(fn, items, limit)
    total = len(items) if isinstance(items, Sized) else None
    number = next(frame.attempt.maps)
    mapping = Map(made, fixed, frame, None, Progress(total), number, on_error == "stop")
    driver = _Driver(mapping, limit)
    with mapping.shown():
        results = await driver.run(items)
    return results_of(mapping, results)


class _Driver:
    """Keeps so many tasks under way, and tells how far it is."""

    def __init__(self, mapping: Map, limit: int) -> None:
        self._mapping, self._limit = mapping, limit
        self._tasks: dict[asyncio.Task[object], tuple[int, object]] = {}
        self._results: dict[int, object] = {}
        self._pause: BaseException | None = None
        self._over = False

    async def run(self, items: Iterable[object]) -> dict[int, object]:
        """The results by place; None stands for an item that failed."""
        try:
            await self._feed(items)
            await self._drain()
            if self._pause is not None:
                raise self._pause
        except BaseException:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            raise
        finally:
            self._mapping.tell(self._limit, last=True)
        return self._results

    async def _feed(self, items: Iterable[object]) -> None:
        try:
            for index, item in enumerate(items):
                if self._over:
                    return
                coroutine = _item(self._mapping, index, item)
                task = asyncio.create_task(coroutine, name=f"item {index}")
                self._tasks[task] = index, item
                while len(self._tasks) >= self._limit:
                    await self._collect()
        except Exception:
            await self._drain()  # what is under way is not lost with the iterator
            raise

    async def _drain(self) -> None:
        while self._tasks:
            await self._collect()

    async def _collect(self) -> None:
        done, _ = await asyncio.wait(
            self._tasks, timeout=TOLD_EVERY_S, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            index, item = self._tasks.pop(task)
            if task.cancelled():
                raise asyncio.CancelledError
            error = task.exception()
            self._over |= error is not None and self._mapping.ends(error)
            if error is not None and not isinstance(error, Exception):
                # Somebody has to decide first; what the others do is recorded before.
                self._pause = self._pause or error
                continue
            self._results[index] = None if error else task.result()
            if error is not None:
                told = previews.value_text(item)
                self._mapping.failures.append(Failed(index, told, error))
        self._mapping.tell(self._limit)


async def _item(mapping: Map, index: int, item: object) -> object:
    """Await the function with one item, in a scope of its own."""
    frame, args, kwargs = mapping.place(index, item)
    with mapping.counted() as begins, inside(frame):

        async def perform() -> object:
            begins()
            return await mapping.made.fn(*args, **kwargs)

        request = requested(frame, mapping.made, args, kwargs)
        if request is None:
            return await perform()
        return await run_async(frame, request, perform)


async def _plainly(
    fn: Callable[..., Any], items: Iterable[object], limit: int
) -> list[Any]:
    """Outside durable cells nothing is journaled."""
    room = asyncio.Semaphore(limit)

    async def one(item: object) -> object:
        async with room:
            return await fn(item)

    return list(await asyncio.gather(*map(one, items)))
