"""What was asked for twice is done once.

A view that isn't answered asks again, maybe by another comm: the first request may have
been lost, or only its answer.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from nbdurable.timeline.protocol import Refused, Told
from nbdurable.timeline.told import File

ANSWERS_MAX: Final = 256
"""Answers that are remembered: a view gives a request up after a minute, and people click."""


class Once:
    """The answers that were given last, for all views of a kernel or a server."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Told | Refused] = OrderedDict()
        self._lock = threading.Lock()

    def answer(
        self, ask: str, do: Callable[[], Told | Refused | File]
    ) -> Told | Refused | File:
        """What was answered to a request; where it is new, do it.

        A request that comes while it is being done waits for the answer.

        Args:
            ask: What tells the request from others; "" is always new.
            do: Does what is asked.
        """
        if not ask:
            return do()
        with self._lock:
            known = self._answers.get(ask)
            if known is not None:
                return known
            made = dataclasses.replace(do(), to=ask)
            if not isinstance(made, File):  # it is large, and making it changes nothing
                self._answers[ask] = made
            while len(self._answers) > ANSWERS_MAX:
                self._answers.popitem(last=False)
            return made
