"""Whose change it is, where an argument changes while its call awaits or yields.

Theory of operation. What a call changes of its arguments is put back when it is served
(`given`); what the notebook's other code changes meanwhile must not be: that code runs
again, and would do it twice. Between two awaits the function has the thread for itself.
So the arguments are looked at whenever its code goes on and whenever it gives way: what
differs where it goes on, others did; what differs where it gives way, the function did.
The tasks that it starts count as the function: they are looked at in the same way.

What it gives to threads can't be told apart from what others do. A look costs what the
arguments are big; it is no longer taken where it would cost more than a tenth of the
call's time. Where nobody else runs, nobody looks.
"""

from __future__ import annotations

import asyncio
import functools
import time
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, Final

SHARE_MAX: Final = 0.1
"""How much of a call's time the looks may take."""

LOOKS_S_MIN: Final = 0.02
"""So much of it they may always take, in seconds: short calls are looked at whole."""


class Whose:
    """The changes of one call's arguments, by who made them.

    Attributes:
        own: The function changed something, or one of its tasks did.
        others: Other code did.
        unknown: Either did.
        early: Other code did before the function began.
        tired: It is no longer looked at.
        put_back: A replay puts back all that has changed.
    """

    __slots__ = (
        "_began_s", "_depth", "_last", "_look", "_looks_s", "_now_s", "_threads",
        "early", "others", "own", "put_back", "tired", "unknown",
    )  # fmt: skip

    def __init__(
        self, look: Callable[[], bytes], now_s: Callable[[], float] = time.perf_counter
    ) -> None:
        """Nothing has changed.

        Args:
            look: A digest of the arguments as they are now.
            now_s: How long the call lasts by now, from any moment on, in seconds.
        """
        self._look, self._now_s = look, now_s
        self._last: bytes | None = None
        self._depth = 0
        self._looks_s = self._began_s = 0.0
        self._threads = False
        self.own = self.others = self.unknown = self.early = False
        self.tired = self.put_back = False

    def begins(self) -> None:
        """The call begins with what the arguments are now. Idempotent."""
        if not self._began_s:
            self._began_s, self._last = self._now_s(), self._look()

    def function_begins(self) -> None:
        """The function is about to begin."""
        before, self.others = self.others, False
        self._compare(own=False)
        self.early |= self.others
        self.others |= before

    def goes_on(self) -> None:
        """Code of the function runs from here on."""
        if not self._depth:
            self._compare(own=False)
        self._depth += 1

    def gives_way(self) -> None:
        """It runs no more, for now."""
        self._depth -= 1
        if not self._depth:
            self._compare(own=True)

    def threads(self) -> None:
        """It gives something to a thread."""
        self._threads = True

    @property
    def only_others(self) -> bool:
        """Whether the function surely changed nothing."""
        return self.others and not (self.own or self.unknown)

    @property
    def mixed(self) -> bool:
        """Whether what the arguments are now isn't what the function made of them."""
        return self.unknown or (self.others and self.own)

    def told(self, name: str) -> str:
        """What people should know of it, as a part of the step's line; or ""."""
        if self.early:
            return f"{name} began when other code had changed what it was given"
        if self.tired and self.put_back:
            return f"{name} was given too much to tell its changes from those of others"
        return ""

    def _compare(self, *, own: bool) -> None:
        if self._last is None or self.tired:
            return
        lasts_s = self._now_s() - self._began_s
        if self._looks_s > max(LOOKS_S_MIN, SHARE_MAX * lasts_s):
            self.tired = True
            return
        # By the processor's clock: a look that other programs hold up costs no more.
        began_s = time.thread_time()
        now = self._look()
        self._looks_s += time.thread_time() - began_s
        if now != self._last:
            self._last = now
            self.own |= own
            self.unknown |= not own and self._threads
            self.others |= not own and not self._threads


_watching: ContextVar[tuple[Whose, ...]] = ContextVar("nbdurable_whose", default=())
"""Those of the calls that the running code is inside of."""


def to_thread() -> None:
    """The running code gives something to a thread."""
    for whose in _watching.get():
        whose.threads()


def in_task(coroutine: Any) -> Any:
    """What the running code makes a task of, looked at as a part of its calls."""
    watching = _watching.get()
    if not watching or not asyncio.iscoroutine(coroutine):
        return coroutine
    return _Looked(coroutine, watching)


class _Looked(Coroutine[Any, Any, Any]):
    """A coroutine as it is, for whoever asks, but for the looks when it is carried on.

    No ``async def`` around it: one that is cancelled before it begins would leave the
    inner one unawaited.
    """

    def __init__(self, inner: Any, watching: tuple[Whose, ...]) -> None:
        self._inner = inner
        self._watching = watching

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()  # type: ignore[no-any-return]  # a coroutine's

    def send(self, value: Any) -> Any:
        """Carry it on with a value."""
        return self._carried_on(self._inner.send, value)

    def throw(self, *error: Any) -> Any:
        """Carry it on with an exception."""
        return self._carried_on(self._inner.throw, *error)

    def close(self) -> None:
        """End it."""
        self._carried_on(self._inner.close)

    def _carried_on(self, how: Callable[..., Any], *args: Any) -> Any:
        for whose in self._watching:
            whose.goes_on()
        try:
            return how(*args)
        finally:
            for whose in self._watching:
                whose.gives_way()


async def awaited(perform: Callable[[], Awaitable[object]], whose: Whose) -> object:
    """Await a call's function, and look before and after each of its sections."""
    whose.function_begins()
    return await in_sections(perform, whose)


async def in_sections(
    perform: Callable[[], Awaitable[Any]], whose: Whose | None
) -> object:
    """Await a part of a function; with None nobody looks."""
    if whose is None:
        return await perform()
    token = _watching.set((*_watching.get(), whose))
    try:
        return await sections(perform(), whose)
    finally:
        _watching.reset(token)


class section:  # noqa: N801  # a context manager, used like `inside`
    """One stretch of a function that yields; with None nobody looks."""

    __slots__ = ("_token", "_whose")

    def __init__(self, whose: Whose | None) -> None:
        self._whose = whose

    def __enter__(self) -> None:
        if self._whose is not None:
            self._token = _watching.set((*_watching.get(), self._whose))
            self._whose.goes_on()

    def __exit__(self, *_: object) -> None:
        if self._whose is not None:
            self._whose.gives_way()
            _watching.reset(self._token)


@types.coroutine
def sections(awaitable: Awaitable[Any], whose: Whose) -> Generator[Any, Any, Any]:
    """What ``yield from`` would be, if it told when code goes on and gives way."""
    inner: Any = awaitable.__await__()
    go_on: Callable[[], Any] = functools.partial(next, inner)
    while True:
        whose.goes_on()
        try:
            given = go_on()
        except StopIteration as stop:
            return stop.value
        finally:
            whose.gives_way()
        try:
            sent = yield given
        except GeneratorExit:
            with section(whose):
                inner.close()
            raise
        except BaseException as thrown:  # noqa: BLE001  # it is the function's
            go_on = functools.partial(inner.throw, thrown)
        else:
            go_on = functools.partial(inner.send, sent)
