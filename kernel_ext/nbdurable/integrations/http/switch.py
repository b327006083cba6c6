"""Methods of other people's classes, replaced while model calls are journaled.

If another library has replaced the same method in between, its replacement stays and
ours, underneath it, does nothing any more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from nbdurable.engine.calls import frozen
from nbdurable.engine.where.frames import Frame, current_frame

_state = {"on": False}
_replaced: Final[dict[tuple[type[Any], str], tuple[Any, Any]]] = {}

Make = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Makes our method from the one that is there."""


def turn(*, on: bool) -> None:
    """Let the replaced methods journal, or do nothing."""
    _state["on"] = on


def frame_here() -> Frame[Any] | None:
    """Where the calling code is, if it is to be journaled."""
    frame = current_frame() if _state["on"] else None
    return None if frame is None or frame.quiet else frame


def is_refused_outside() -> bool:
    """Whether a request outside of durable cells is to be refused: frozen mode is on."""
    return _state["on"] and frozen.is_on() and current_frame() is None


def replace(cls: type[Any], name: str, make: Make) -> None:
    """Put our method in the place of one that is there. Idempotent."""
    if (cls, name) not in _replaced:
        original = getattr(cls, name)
        ours = functools.wraps(original)(make(original))
        _replaced[cls, name] = original, ours
        setattr(cls, name, ours)


def put_back() -> None:
    """Put every method back where nobody has replaced it since."""
    for (cls, name), (original, ours) in list(_replaced.items()):
        if cls.__dict__.get(name) is ours:
            setattr(cls, name, original)
            del _replaced[cls, name]
