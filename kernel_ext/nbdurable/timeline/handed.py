"""What is handed to a kernel, and what it tells of it: at once, or by and by.

Each request has an answer of its own, so what a kernel tells late of one is never taken for
the answer to another.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nbdurable.timeline.protocol import Refused, Told

Tell = Callable[[Told | Refused], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a kernel is asked to do.

    Attributes:
        what: The word for it, one of `IN_KERNEL`.
        about: The step, the call, or "" for the run.
        run: Id of the run that the view showed, "" if there was none: the kernel may be in
            another one when it gets to it.
    """

    what: str
    about: str
    run: str


Kernel = Callable[[Wanted, Tell], None]
"""Does something in the kernel, and tells the result."""

ASKED: Final = "asked for: it is done as soon as no cell is in the way"


class Handed:
    """The requests of one view that a kernel has, until it told what came of them."""

    def __init__(self) -> None:
        self._late: list[Told | Refused] = []
        self._lock = threading.Lock()

    def to(self, kernel: Kernel, wanted: Wanted, ask: str) -> Told | Refused:
        """Hand something to a kernel; the answer to its request.

        Args:
            kernel: The kernel.
            wanted: What is to be done, and to what.
            ask: What tells the request from others.
        """
        now: list[Told | Refused] = []
        waits = True

        def tell(told: Told | Refused) -> None:
            with self._lock:
                into = now if waits else self._late
                into.append(dataclasses.replace(told, to=ask))

        kernel(wanted, tell)
        with self._lock:
            waits = False
        return now[0] if now else Told(about=wanted.about, line=ASKED)

    def late(self) -> list[Told | Refused]:
        """What was told since the last time."""
        with self._lock:
            late, self._late = self._late, []
        return late
