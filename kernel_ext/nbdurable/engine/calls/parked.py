"""What this process knows of the calls that wait in it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from nbdurable.engine.past.waits import Waiting

Dismiss = Callable[[str], None]
"""Puts one line, of how it ended, in the place of a question that was shown."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that has come up in this process.

    Attributes:
        waiting: The call that waits.
        shown: What is shown with it: the value itself, for a rich display.
    """

    waiting: Waiting
    shown: object


def nobody(_: Asked) -> None:
    """Nothing can show it: it is answered from elsewhere."""


def untold(name: str, line: str, last: bool, share: float | None) -> None:  # noqa: FBT001
    """Nobody looks at how far something is."""
    del name, line, last, share


@dataclass(slots=True, eq=False)
class Parked:
    """The waits of one process.

    Attributes:
        ask: Shows a question; gives what takes it away again.
        progress: Shows how far something is that takes long: its name, a line,
            whether it is the last one, and what share is done, if that is known.
        untils: By logical call, when its wait ends, on this process's own clock: a clock
            that is set doesn't move a deadline within the life of a kernel.
        again: By logical call that is tried again later: why, and when, seconds on this
            process's own clock.
        maps: How many maps run: they tell for their calls how far those are.
        listening: Set when something was sent from this process.
        claims: By signal, the logical call that took it and hasn't ended yet: two waits
            for one name never get the same one.
    """

    ask: Callable[[Asked], Dismiss | None] = nobody
    progress: Callable[[str, str, bool, float | None], None] = untold
    untils: dict[str, float] = field(default_factory=dict)
    again: dict[str, tuple[str, float]] = field(default_factory=dict)
    maps: int = 0
    listening: set[threading.Event] = field(default_factory=set)
    claims: dict[str, str] = field(default_factory=dict)

    def heard(self) -> None:
        """Something was sent: whoever waits looks at once."""
        for event in tuple(self.listening):
            event.set()
