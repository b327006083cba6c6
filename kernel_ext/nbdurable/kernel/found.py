"""Answers views for the run that the kernel is in, whichever that is by now.

When the kernel goes on in another run, forked or new, the views are told that one from its
beginning.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbdurable.engine.steps.session import Session
    from nbdurable.timeline.once import Once
    from nbdurable.timeline.protocol import Message
    from nbdurable.timeline.source import Source


class Found:
    """What answers one view.

    Args:
        session: The engine of this kernel, if it has one by now; any thread asks.
        look: Lets the main thread look for a run.
        once: Knows what was asked for before.
    """

    def __init__(
        self,
        session: Callable[[], Session | None],
        look: Callable[[], None],
        once: Once,
    ) -> None:
        self._session, self._look, self._once = session, look, once
        self._source: Source | None = None
        self._left: Source | None = None
        self._opened: Source | None = None
        self._opening: object = None
        self._lock = threading.Lock()

    def hear(self, said: object) -> Sequence[Message]:
        """What to answer to what a view says."""
        with self._lock:
            source = self._current()
            if isinstance(said, dict) and said.get("type") in {"open", "watch"}:
                self._opening, self._opened = said, source
        if source is not None:
            return source.hear(said)
        self._look()
        return self._nothing()

    def poll(self) -> Sequence[Message]:
        """What changed; all of it where the kernel is in another run by now."""
        with self._lock:
            source, opening = self._current(), self._opening
            if source is None or opening is None:
                return []
            known, self._opened = self._opened is source, source
        late = self._left.late() if self._left is not None else []
        return [*late, *(source.poll() if known else source.hear(opening))]

    def _current(self) -> Source | None:
        session = self._session()
        if session is None or not session.run_id:
            return None
        if self._source is None or self._source.run != session.run_id:
            self._left, self._source = self._source, self._of(session)
        return self._source

    def _of(self, session: Session) -> Source:
        from nbdurable.kernel.talk import source_of

        return source_of(session, session.run_id, self._once)

    def _nothing(self) -> Sequence[Message]:
        from nbdurable.timeline.protocol import Refused
        from nbdurable.timeline.snapshots import NOTHING

        return [Refused(about="", line=NOTHING)]
