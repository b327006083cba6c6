"""The plain function that stands for a tool.

It loads nothing but doors that every process finds by their name: so cloudpickle, dill
and loky take such functions along.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Awaitable, Callable
from typing import Any, Final

from nbdurable.engine.calls.generators import stream, stream_async
from nbdurable.engine.calls.invoking import invoke, invoke_async
from nbdurable.engine.calls.promised import Tool
from nbdurable.engine.codec import TOOL_MARK


def wrapped(made: Tool) -> Any:
    """The plain function whose calls go through the journal inside durable cells."""
    wrapper = _door(made)
    setattr(wrapper, TOOL_MARK, made.options)
    _made[wrapper] = made
    return wrapper


_made: Final[weakref.WeakKeyDictionary[Callable[..., Any], Tool]] = (
    weakref.WeakKeyDictionary()
)
"""By the function that stands for it; not among its attributes: those are pickled."""


def tool_of(fn: Callable[..., Any]) -> Tool | None:
    """What a function stands for, if its calls are journaled."""
    return _made.get(fn) if inspect.isfunction(fn) else None


def living() -> list[Tool]:
    """Whatever somebody still holds a function of that stands for it."""
    return [*_made.values()]


def _door(made: Tool) -> Any:
    fn = made.fn
    if inspect.isasyncgenfunction(fn):
        return _async_stream(made)
    if inspect.iscoroutinefunction(fn):

        @functools.wraps(fn)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return await invoke_async(made, args, kwargs)

        return awaited
    if inspect.isgeneratorfunction(fn):

        @functools.wraps(fn)
        def yielding(*args: Any, **kwargs: Any) -> Any:
            return (yield from stream(made, args, kwargs))

        return yielding

    @functools.wraps(fn)
    def plain(*args: Any, **kwargs: Any) -> Any:
        return invoke(made, args, kwargs)

    return plain


def _async_stream(made: Tool) -> Any:
    """What ``yield from`` would be, if there were one."""

    @functools.wraps(made.fn)
    async def yielding(*args: Any, **kwargs: Any) -> Any:
        reading = await stream_async(made, args, kwargs)
        go_on: Callable[[], Awaitable[Any]] = functools.partial(reading.asend, None)
        try:
            while True:
                value = await go_on()
                try:
                    sent = yield value
                except GeneratorExit:
                    raise
                except BaseException as thrown:  # noqa: BLE001  # it is the function's
                    go_on = functools.partial(reading.athrow, thrown)
                else:
                    go_on = functools.partial(reading.asend, sent)
        except StopAsyncIteration:
            return
        finally:
            await reading.aclose()

    return yielding
