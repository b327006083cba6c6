"""What the author of a tool promised about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from nbdurable.engine.past.retry import Retry, Types
from nbdurable.errors import DurableError, TimedOut
from nbdurable_store.sharing.rates import Rate


class Effect(StrEnum):
    """What a call does to the world."""

    WRITE = "write"
    READ = "read"
    PURE = "pure"


class OnDoubt(StrEnum):
    """What to do with a `write` that may or may not have happened."""

    ASK = "ask"
    RETRY = "retry"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The promises of one tool.

    Attributes:
        effect: What the call does to the world.
        declared: False when the author said nothing and `write` is our assumption.
        on_doubt: An `OnDoubt`, or a function of the call's arguments that finds out.
        not_done: Exception types whose raising says that nothing happened.
        stable: A `read` whose answer a new `write` doesn't change.
        retry: When it is tried again, if it is.
        timeout_s: How long one attempt may take, seconds; None for no limit.
        limit: How many calls of it at a time, over all kernels on the store.
        rate: How many in how long, over all kernels on the store.
        undo: Takes back what a call did, given its result, and those of its arguments that
            it names.
        model: A model call: it is served again even after a new `write`.
        inner: A part of the `write` tool's call that it is made in: what may have
            happened of it may have happened of that, so it asks nothing of its own.
    """

    effect: Effect = Effect.WRITE
    declared: bool = True
    on_doubt: OnDoubt | Callable[..., object] = OnDoubt.ASK
    not_done: tuple[type[BaseException], ...] = ()
    stable: bool = False
    retry: Retry | None = None
    timeout_s: float | None = None
    limit: int | None = None
    rate: Rate | None = None
    undo: Callable[..., object] | None = None
    model: bool = False
    inner: bool = False

    def limits(self) -> str:
        """Its limits as people read them."""
        rate = self.rate
        parts = [
            f"{self.limit} at a time" if self.limit is not None else "",
            f"{rate.starts:,} in {rate.window_s:g} s" if rate is not None else "",
        ]
        return ", ".join(filter(None, parts))

    @property
    def nothing_happened(self) -> Types:
        """Exception types that say so, beside `nd.NotDone`.

        What a tool that changes nothing is tried again after says nothing else: the code
        that saw the last of them sees it again.
        """
        retried = self.retry is not None and self.effect is Effect.WRITE
        return (*self.not_done, *(self.retry.types if retried and self.retry else ()))

    def tries_again(self, error: BaseException, *, not_done: bool) -> bool:
        """Whether a call may be made once more after this.

        Args:
            error: What it raised.
            not_done: Whether that says that nothing happened.
        """
        if self.retry is None or not isinstance(error, Exception):
            return False
        if not_done:
            return True
        if self.effect is Effect.WRITE:
            return False
        if self.retry.types:
            return isinstance(error, self.retry.types)
        return isinstance(error, TimedOut) or not isinstance(error, DurableError)
