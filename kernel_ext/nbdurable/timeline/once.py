"""What was asked for twice is done once.

A view that isn't answered asks again, maybe by another comm: the first request may have
been lost, or only its answer.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from nbdurable.timeline.protocol import Refused, Told
from nbdurable.timeline.told import File

ANSWERS_MAX: Final = 256
"""Answers that are remembered: a view gives a request up after a minute, and people click."""


Answer = Told | Refused | File


class Once:
    """The answers that were given last, for all views of a kernel or a server."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Told | Refused] = OrderedDict()
        self._doing: dict[str, Future[Answer]] = {}
        self._lock = threading.Lock()

    def answer(self, ask: str, do: Callable[[], Answer]) -> Answer:
        """What was answered to a request; where it is new, do it.

        A request that comes while it is being done waits for the answer; other requests
        don't.

        Args:
            ask: What tells the request from others; "" is always new.
            do: Does what is asked.
        """
        if not ask:
            return do()
        with self._lock:
            if (known := self._answers.get(ask)) is not None:
                return known
            doing, mine = self._doing.get(ask), Future[Answer]()
            if doing is None:
                self._doing[ask] = mine
        if doing is not None:
            return doing.result()
        try:
            made = dataclasses.replace(do(), to=ask)
        except BaseException as failed:
            self._over(ask, None)
            mine.set_exception(failed)
            raise
        self._over(ask, made)
        mine.set_result(made)
        return made

    def _over(self, ask: str, made: Answer | None) -> None:
        """Remember an answer, unless it is large and making it changes nothing."""
        with self._lock:
            self._doing.pop(ask)
            if isinstance(made, Told | Refused):
                self._answers[ask] = made
            while len(self._answers) > ANSWERS_MAX:
                self._answers.popitem(last=False)
