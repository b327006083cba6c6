"""Tools that yield: the completed stream is the result, and is yielded again.

Theory of operation. The call begins when the first value is asked for. Values are handed
on as they come; when the function has returned, all of them and what it returned are the
result. A stream that nobody reads to its end is cut: it has no result, as a call that was
interrupted has none. So has one that values were sent into, since nothing says that they
would be sent again. Code that goes on reading after its step has ended reads the plain
generator.
"""

from __future__ import annotations

import functools
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Mapping,
)
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.exchange import Begun, begin, begin_async
from nbdurable.engine.calls.invoking import may_run_outside, requested
from nbdurable.engine.calls.promised import Tool
from nbdurable.engine.calls.requests import CallRequest, Keep, Outcome, Put
from nbdurable.engine.calls.whose import in_sections, section
from nbdurable.engine.codec import Unstorable
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.identity.plain import ATOMS
from nbdurable.engine.where.frames import Frame, current_frame, inside
from nbdurable_store.records import BlobRef

VALUES, RETURNED = "values", "returned"
"""The keys of a stored stream."""


class Whole(NamedTuple):
    """A completed stream."""

    values: Iterable[Any]
    returned: Any = None


@dataclass(slots=True)
class Stream:
    """One call of such a tool, while it is read.

    Attributes:
        frame: The function runs within.
        request: The call.
    """

    frame: Frame[Attempt]
    request: CallRequest
    _values: list[object] = field(default_factory=list)
    _digests: list[bytes | None] = field(default_factory=list)
    _begun: Begun | None = None
    _spoken: bool = False

    def begin(self) -> Whole | None:
        """The recorded stream, if there is one; else the function may begin."""
        return self._reached(begin(self.frame, self._request()))

    async def begin_async(self) -> Whole | None:
        """The same, without blocking the event loop."""
        return self._reached(await begin_async(self.frame, self._request()))

    def _request(self) -> CallRequest:
        keep = functools.partial(self._kept, self.request.keep)
        return replace(self.request, keep=keep)

    def _reached(self, reached: Begun | Outcome) -> Whole | None:
        if isinstance(reached, Outcome):
            return _whole(reached.value)
        self._begun = reached
        self.frame = replace(reached.frame, quiet=False)
        self.frame.attempt.at_end(self._cut)
        return None

    def add(self, value: object) -> None:
        """The function yielded this."""
        self._values.append(value)
        self._digests.append(_digest(value))

    def sent(self, value: object) -> None:
        """Somebody sent this into the function."""
        self._spoken |= value is not None

    def end(self, outcome: Outcome) -> None:
        """The function ended, or is read no more; durable on return."""
        begun = self._forget()
        if begun is not None:
            begun.end(outcome)

    async def end_async(self, outcome: Outcome) -> None:
        """The same, without blocking the event loop."""
        begun = self._forget()
        if begun is not None:
            await begun.end_async(outcome)

    def returned(self, value: object) -> Outcome:
        """The stream is complete."""
        return Outcome({VALUES: self._values, RETURNED: value})

    def _cut(self) -> None:
        self.end(Outcome(raised=GeneratorExit("it was not read to its end")))

    def _forget(self) -> Begun | None:
        begun, self._begun = self._begun, None
        self.frame.attempt.closed(self._cut)
        return begun

    def _kept(self, keep: Keep, value: object, put: Put) -> BlobRef:
        if self._spoken:
            raise Unstorable(why="values were sent into it")
        pairs = zip(self._values, self._digests, strict=True)
        if any(before != _digest(v) for v, before in pairs):
            raise Unstorable(why="what it yielded was changed before its end")
        return keep(value, put)


def _digest(value: object) -> bytes | None:
    """Tells whether a yielded value is changed; one without a digest can't be told."""
    if type(value) in ATOMS:
        return None
    try:
        return digest(value)
    except Undigestible:
        return None


def _whole(value: object) -> Whole:
    """A stored stream; what a person or `on_doubt` says are its values alone."""
    if isinstance(value, Mapping) and value.keys() == {VALUES, RETURNED}:
        return Whole(value[VALUES], value[RETURNED])
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return Whole(value)
    return Whole([value])


def stream(
    made: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Generator[Any, Any, Any]:
    """Read a tool that yields; journaled if the code belongs to a durable cell."""
    found = _here(made, args, kwargs)
    inner = made.fn(*args, **kwargs)
    if found is None:
        return (yield from inner)
    reading = Stream(*found)
    whole = reading.begin()
    if whole is None:
        return (yield from _read(reading, inner))
    yield from whole.values
    return whole.returned


def _here(
    made: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Frame[Attempt], CallRequest] | None:
    """Where the call is made, and the call; None outside durable cells."""
    frame = current_frame()
    request = None if frame is None else requested(frame, made, args, kwargs)
    if frame is None or request is None:
        may_run_outside(made, args, kwargs)
        return None
    return frame, request


def _read(stream: Stream, inner: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    go_on: Callable[[], Any] = functools.partial(next, inner)
    try:
        while True:
            with inside(stream.frame), section(stream.request.whose):
                value = go_on()
            stream.add(value)
            try:
                sent = yield value
            except GeneratorExit:
                with inside(stream.frame), section(stream.request.whose):
                    inner.close()
                raise
            except BaseException as thrown:  # noqa: BLE001  # it is the function's
                sent, go_on = thrown, functools.partial(inner.throw, thrown)
            else:
                go_on = functools.partial(inner.send, sent)
            stream.sent(sent)
    except StopIteration as stop:
        stream.end(stream.returned(stop.value))
        return stop.value
    except BaseException as error:
        stream.end(Outcome(raised=error))
        raise


async def stream_async(
    made: Tool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> AsyncGenerator[Any, Any]:
    """What is to be read of a tool that yields and awaits."""
    found = _here(made, args, kwargs)
    inner: AsyncGenerator[Any, Any] = made.fn(*args, **kwargs)
    if found is None:
        return inner
    reading = Stream(*found)
    whole = await reading.begin_async()
    return _aread(reading, inner) if whole is None else _again(whole)


async def _again(whole: Whole) -> AsyncGenerator[Any, Any]:
    for value in whole.values:
        yield value


async def _aread(
    stream: Stream, inner: AsyncGenerator[Any, Any]
) -> AsyncGenerator[Any, Any]:
    go_on: Callable[[], Awaitable[Any]] = functools.partial(inner.asend, None)
    try:
        while True:
            with inside(stream.frame):
                value = await in_sections(go_on, stream.request.whose)
            stream.add(value)
            try:
                sent = yield value
            except GeneratorExit:
                with inside(stream.frame):
                    await in_sections(inner.aclose, stream.request.whose)
                raise
            except BaseException as thrown:  # noqa: BLE001  # it is the function's
                sent, go_on = thrown, functools.partial(inner.athrow, thrown)
            else:
                go_on = functools.partial(inner.asend, sent)
            stream.sent(sent)
    except StopAsyncIteration:
        await stream.end_async(stream.returned(None))
    except BaseException as error:
        await stream.end_async(Outcome(raised=error))
        raise


__all__ = ["Stream", "Whole", "stream", "stream_async"]
