"""Answers views for the run that the kernel is in, whichever that is by now.

When the kernel goes on in another run, forked or new, the views are told that one from its
beginning.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from nbdurable.kernel.where import told

if TYPE_CHECKING:
    from nbdurable.engine.steps.session import Session
    from nbdurable.timeline.once import Once
    from nbdurable.timeline.protocol import Message, Refused, Told
    from nbdurable.timeline.source import Source


class Found:
    """What answers one view.

    Args:
        session: The engine of this kernel, if it has one by now; any thread asks.
        look: Lets the main thread look for a run.
        once: Knows what was asked for before.
        greeting: What there is to say of a notebook that has no run, by now.
    """

    def __init__(
        self,
        session: Callable[[], Session | None],
        look: Callable[[], None],
        once: Once,
        greeting: Callable[[], Refused | None] = lambda: None,
    ) -> None:
        from nbdurable.timeline.handed import Handed

        self._session, self._look, self._once = session, look, once
        self._source: Source | None = None
        self._left: Source | None = None
        self._opened: Source | None = None
        self._opening: object = None
        self._greeting = greeting
        self._greeted: Refused | None = None
        self._handed = Handed()
        self._lock = threading.Lock()

    def hear(self, said: object) -> Sequence[Message]:
        """What to answer to what a view says."""
        fields: Mapping[str, object] = said if isinstance(said, dict) else {}
        opening = fields.get("type") in {"open", "watch"}
        with self._lock:
            source = self._current()
            if opening:
                self._opening, self._opened = said, source
        place = str(fields.get("notebook") or "")
        moved = opening and bool(place) and told(place)
        if opening and (source is None or moved):
            self._look()
        if source is not None:
            return self._heard(source, said, opening=opening)
        act = fields.get("type") == "act"
        return self._act(fields) if act else self._nothing(fields)

    def _heard(
        self, source: Source, said: object, *, opening: bool
    ) -> Sequence[Message]:
        try:
            return source.hear(said)
        except BaseException:
            if opening:
                self._opened = None  # so that `poll` opens it
            raise

    def poll(self) -> Sequence[Message]:
        """What changed; all of it where the kernel is in another run by now."""
        with self._lock:
            source, opening = self._current(), self._opening
            if opening is None:
                return []
            late: list[Message] = [*self._handed.late()]
            if source is None:
                return [*late, *self._greet()]
            known, self._opened = self._opened is source, source
        late += self._left.late() if self._left is not None else []
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

    def _greet(self) -> Sequence[Message]:
        """Whose notebook this is, if it has no run and that is news."""
        before, self._greeted = self._greeted, self._greeting()
        news = self._greeted if self._greeted != before else None
        return [news] if news is not None else []

    def _act(self, said: Mapping[str, object]) -> Sequence[Message]:
        """There is one thing to do without a run: to go on from another notebook's."""
        from nbdurable.kernel import acts
        from nbdurable.timeline.greeting import BRANCH
        from nbdurable.timeline.handed import Wanted
        from nbdurable.timeline.requests import named

        if said.get("what") != BRANCH:
            return self._nothing(said)
        about, ask = str(said.get("about")), named(said)

        def do() -> Told | Refused:
            wanted = Wanted(what=BRANCH, about=about, run="")
            return self._handed.to(acts.asked, wanted, ask)

        return [self._once.answer(ask, do)]

    def _nothing(self, said: Mapping[str, object]) -> Sequence[Message]:
        from nbdurable.timeline.protocol import Refused
        from nbdurable.timeline.requests import named
        from nbdurable.timeline.snapshots import NOTHING

        self._greeted = self._greeting()
        nothing = self._greeted or Refused(about="", line=NOTHING)
        return [dataclasses.replace(nothing, to=named(said))]
