"""A durable cell reads a thread as it stood when the cell first ran.

Run again against its recorded calls, a cell that found what its first execution added to
the thread would add to it once more: every turn of a chat would stand there twice. So
what the cell sees of a thread is drawn once, like `nd.now`. Once it has put a checkpoint
itself, what it reads is its own, and is read as it is: it goes on in a branch beside
the first one, and the newest branch is the thread.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from nbdurable.engine.calls.draws import DRAWS
from nbdurable.engine.calls.invoking import invoke
from nbdurable.engine.calls.promised import Ours
from nbdurable.engine.where.frames import current_frame

Seen = list[list[Any]]
"""Of each checkpoint: thread, namespace, id, and the records of its writes."""

_put: weakref.WeakKeyDictionary[object, set[tuple[str, str]]] = (
    weakref.WeakKeyDictionary()
)


@dataclass(frozen=True, eq=False)
class Pinned(Ours):
    """A look at a thread.

    Attributes:
        slot: The cell's. No other cell is served what this one saw, not even if it is
            gone: what it saw is older than what that one adds to.
    """

    kind: ClassVar[str] = "draw"
    slot: str = ""

    def counted(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """With the slot."""
        return {**arguments, "slot": self.slot}


def look(
    name: str, thread: str, namespace: str, asked: str, found: Callable[[], Seen]
) -> Seen:
    """What is there, or what the cell saw when it asked for the first time.

    Args:
        name: What was called.
        thread: The thread's id, or "" for all.
        namespace: The namespace.
        asked: What else was asked for, as text.
        found: Looks.
    """
    frame = current_frame()
    if frame is None or not is_on(thread, namespace):
        return found()

    def looked(thread: str, namespace: str, asked: str) -> Seen:
        del thread, namespace, asked
        return found()

    slot = frame.attempt.step.slot
    made = Pinned(fn=looked, name=f"DurableSaver.{name}", policy=DRAWS, slot=slot)
    seen: Seen = invoke(made, (thread, namespace, asked), {})
    return seen


def is_on(thread: str, namespace: str) -> bool:
    """Whether the code is in a cell that sees the thread as it stood."""
    frame = current_frame()
    if frame is None:
        return False
    return (thread, namespace) not in _put.get(frame.attempt, ())


def put(thread: str, namespace: str) -> None:
    """The cell that runs here has put a checkpoint of its own."""
    frame = current_frame()
    if frame is not None:
        _put.setdefault(frame.attempt, set()).add((thread, namespace))
