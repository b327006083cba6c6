"""`nd.now`, `nd.random`, `nd.uuid4`: what is drawn from the world, drawn once.

A draw is a call that is told from others by its label, or else by the statement it stands
in: moved, it keeps its value; another statement draws another one.
"""

from __future__ import annotations

import ast
import functools
import secrets
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType
from typing import Any, ClassVar, Final, TypeVar

from blake3 import blake3

from nbdurable.engine.calls.invoking import invoke
from nbdurable.engine.calls.promised import Ours
from nbdurable.engine.identity.normal import normal_form
from nbdurable.engine.identity.sources import Sources
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.where.frames import current_frame

T = TypeVar("T")

DRAWS: Final = Policy(effect=Effect.READ, stable=True)
"""A new write changes nothing about what was drawn."""

BITS: Final = 53
"""As many as a float between 0 and 1 has."""

STATEMENT_MAX: Final = 200
"""Characters of a statement that are shown as what a draw is told by."""


@dataclass(frozen=True, eq=False)
class Draw(Ours):
    """A draw at one place.

    Attributes:
        place: What it is told by.
    """

    kind: ClassVar[str] = "draw"
    place: str = ""

    def counted(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Its place, instead of how that is shown."""
        return {**arguments, "at": self.place}


def now(label: str = "") -> datetime:
    """The time, with the machine's zone; in a durable cell it is the same ever after.

    Args:
        label: Tells this draw from others; the statement it stands in by default.

    Example:
        >>> now().tzinfo is not None
        True
    """
    frame = current_frame()
    clock = None if frame is None else frame.attempt.clock

    def drawn(at: str) -> datetime:
        del at
        utc = datetime.now(UTC) if clock is None else _moment(clock.now_us())  # noqa: TID251  # outside durable cells there is no clock of ours
        return utc.astimezone()

    return _drawn(drawn, "nd.now", label, sys._getframe(1))  # noqa: SLF001


def random(label: str = "") -> float:
    """A number from 0 up to 1; in a durable cell it is the same ever after.

    The global generators of `random` and numpy are left alone.

    Args:
        label: Tells this draw from others; the statement it stands in by default.

    Example:
        >>> 0 <= random() < 1
        True
    """

    def drawn(at: str) -> float:
        del at
        return float(secrets.randbits(BITS)) / (1 << BITS)

    return _drawn(drawn, "nd.random", label, sys._getframe(1))  # noqa: SLF001


def uuid4(label: str = "") -> uuid.UUID:
    """A random UUID; in a durable cell it is the same ever after.

    Args:
        label: Tells this draw from others; the statement it stands in by default.

    Example:
        >>> uuid4().version
        4
    """

    def drawn(at: str) -> uuid.UUID:
        del at
        return uuid.UUID(bytes=secrets.token_bytes(16), version=4)

    return _drawn(drawn, "nd.uuid4", label, sys._getframe(1))  # noqa: SLF001


def _moment(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1_000_000, UTC)


def _drawn(drawn: Callable[[str], T], name: str, label: str, here: FrameType) -> T:
    frame = current_frame()
    shown, place = label, label
    if not label and frame is not None:
        shown, place = _statement(frame.attempt.home.sources, here)
    made = Draw(fn=drawn, name=name, policy=DRAWS, place=place)
    value: T = invoke(made, (shown,), {})
    return value


def _statement(sources: Sources, here: FrameType) -> tuple[str, str]:
    """The statement that runs there, as it is shown, and what stands for it."""
    filename = here.f_code.co_filename
    if not sources.holds(filename):
        name = here.f_code.co_qualname
        return name, name
    return _told(sources.module(filename), here.f_lineno)


@functools.lru_cache(maxsize=256)
def _told(module: ast.Module, line: int) -> tuple[str, str]:
    found: ast.stmt | None = None
    for node in ast.walk(module):
        if isinstance(node, ast.stmt) and _spans(node, line):
            found = node  # breadth first: the last one is the innermost
    if found is None:
        return f"line {line}", f"line {line}"
    shown = ast.unparse(found).partition("\n")[0][:STATEMENT_MAX]
    return shown, blake3(normal_form(found)).hexdigest()


def _spans(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)
