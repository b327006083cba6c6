"""A map that is under way: where its items' calls are made, and how many there are."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.driving import run_sync
from nbdurable.engine.calls.invoking import requested
from nbdurable.engine.calls.leftovers import Overtaken
from nbdurable.engine.calls.promised import Tool
from nbdurable.engine.codec import shipped
from nbdurable.engine.fanout.executors import (
    answer_of,
    begun_once,
    never_raising,
    repeats,
    result_of,
)
from nbdurable.engine.fanout.failures import Failed
from nbdurable.engine.fanout.progress import Progress
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.where.frames import Frame, inside, placed
from nbdurable.errors import DurablePause, NotDone


@dataclass(slots=True, eq=False)
class Map:
    """One map that is under way.

    Attributes:
        made: What is called.
        fixed: What it is given besides the item.
        frame: Where the map is.
        executor: What runs the function, or None for threads of this process.
        progress: How far it is.
        number: Which one of its step it is, from 1.
        stop: Whether the first failure ends it.
        failures: Which items failed, by now.
        over: Set when no other item is begun.
    """

    made: Tool
    fixed: tuple[tuple[Any, ...], dict[str, Any]]
    frame: Frame[Attempt]
    executor: Executor | None
    progress: Progress
    number: int
    stop: bool = False
    failures: list[Failed] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def ends(self, error: BaseException) -> bool:
        """Whether what an item raised ends the map: an interrupt does.

        A pause doesn't: where somebody has to decide about an item, no further `write`
        begins in the attempt, but the others may be looked up, and ask what they have to
        ask. That comes to an end where it is known how many there are.
        """
        if self.stop or isinstance(error, Exception):
            return self.stop
        goes_on = isinstance(error, DurablePause) and not isinstance(error, Overtaken)
        return not goes_on or self.progress.total is None

    def item(self, index: int, item: object) -> object:
        """Call the function with one item, in a scope of its own."""
        frame, args, kwargs = self.place(index, item)
        with self.counted() as begins, inside(frame):

            def perform() -> object:
                begins()
                return self.elsewhere(args, kwargs)

            request = requested(frame, self.made, args, kwargs)
            if request is None:
                return perform()
            return run_sync(frame, request, perform)

    def place(
        self, index: int, item: object
    ) -> tuple[Frame[Attempt], tuple[Any, ...], dict[str, Any]]:
        """Where an item's call is made, and with what."""
        frame = placed(self.frame, f"map {self.number}.{index}")
        return frame, (*self.fixed[0], item), self.fixed[1]

    @contextlib.contextmanager
    def counted(self) -> Iterator[Callable[[], None]]:
        """One item is under way; it says when it is executed and not served."""
        counted, failed = Counted(self), True
        try:
            yield counted.begins
            failed = False
        finally:
            counted.ended(failed=failed)

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
        line = self.progress.line(limit, waiting)
        parked.progress(name, line, last, self.progress.share)

    def elsewhere(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        """What the function gives, where the executor runs it."""
        if self.executor is None:
            return self.made.fn(*args, **kwargs)
        fn: Callable[..., Any] = self.made.fn
        if isinstance(self.executor, ProcessPoolExecutor):
            try:
                fn, args, kwargs = shipped(fn, args, kwargs)
            except Exception as refused:  # it never left, whatever a pickler raises
                told = f"it can't be sent to another process: {refused}"
                raise NotDone(told) from refused
        again = repeats(self.executor)
        if self.made.policy.effect is Effect.WRITE:
            future = self._sent(begun_once(fn) if again else fn, args, kwargs)
            return result_of(future, once=again)
        if again:
            return answer_of(self._sent(never_raising(fn), args, kwargs))
        return self._sent(fn, args, kwargs).result()

    def _sent(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        assert self.executor is not None
        try:
            return self.executor.submit(fn, *args, **kwargs)
        except RuntimeError as refused:  # broken or shut down: nothing was begun
            raise NotDone(str(refused)) from refused


class Counted:
    """One item of a map, as its progress counts it."""

    __slots__ = ("_began_s", "_clock", "_progress")

    def __init__(self, mapping: Map) -> None:
        self._clock, self._progress = mapping.frame.attempt.clock, mapping.progress
        self._began_s: float | None = None

    def begins(self) -> None:
        """It is executed and not served, perhaps once more."""
        if self._began_s is None:
            self._progress.begins()
        self._began_s = self._clock.monotonic_s()

    def ended(self, *, failed: bool) -> None:
        """It is over."""
        took = None
        if self._began_s is not None:
            took = (self._clock.monotonic_s() - self._began_s) * 1000
        self._progress.ended(took, failed=failed)
