"""What the author of a tool promised about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


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
        model: A model call: it is served again even after a new `write`.
    """

    effect: Effect = Effect.WRITE
    declared: bool = True
    on_doubt: OnDoubt | Callable[..., object] = OnDoubt.ASK
    not_done: tuple[type[BaseException], ...] = ()
    stable: bool = False
    model: bool = False
