"""What is known of the calls of runs, for who lists them; read a little at a time.

Theory of operation. Of a run two things may be asked: what it waits for, and whether it has
a call of a tool, by a model, with a text. For the first only the calls that wait are read;
for the second all are read once, and what is kept of them is words. Both are read on from
where they were read to. A look has a time, and a run that is not read when it is over stays
unknown: who asks again gets further, and whoever else asks meanwhile is answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from nbdurable.engine.past import fields, forks
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pasts import CallPast
from nbdurable.timeline.around import tool_of
from nbdurable.timeline.requests import Find
from nbdurable_store import lifecycle
from nbdurable_store.clock import Clock
from nbdurable_store.protocol import START, Cursor, Store
from nbdurable_store.records import Entry

LOOK_S: Final = 0.25
"""How long one answer reads calls: less than people notice. One run is read in any case."""

LOOKS_MAX: Final = 200
"""Runs whose calls are read for one question about tools, models or calls: the latest."""

WAITS_MAX: Final = 2 * LOOKS_MAX
"""Runs of which it is remembered what waits in them."""

WORDS_BYTES_MAX: Final = 32 << 20
"""Of larger runs only the answer to the latest question is remembered, no words."""

TEXT_BYTES: Final = 150
"""What a text takes in memory beside its characters."""

WAIT: Final = "wait"
"""The field of a call's start that says what it waits for."""

Asked = tuple[str, str, str]
"""Parts of the names of a tool and a model, and of a call as it was written."""


@dataclass(eq=False)
class _Waits:
    """The steps of a run, and its calls that wait."""

    history: History
    cursor: Cursor = START
    at_s: float | None = None


@dataclass(eq=False)
class _Words:
    """What was called in a run: texts by tool and model; None where they are too many."""

    cursor: Cursor = START
    at_s: float | None = None
    texts: dict[tuple[str, str], dict[str, None]] | None = field(default_factory=dict)
    bytes: int = 0
    going: dict[str, CallPast] = field(default_factory=dict)
    fits: bool = False


@dataclass(eq=False)
class Looked:
    """The calls of a store's runs.

    Attributes:
        store: The store.
        clock: What time it is.
    """

    store: Store
    clock: Clock
    _waits: dict[str, _Waits] = field(init=False, default_factory=dict)
    _words: dict[str, _Words] = field(init=False, default_factory=dict)
    _asked: Asked = field(init=False, default=("", "", ""))
    _until_s: float = field(init=False, default=0.0)
    _read: int = field(init=False, default=0)

    def begin(self) -> None:
        """A look begins: so much time is there from now on."""
        self._until_s, self._read = self.clock.monotonic_s() + LOOK_S, 0

    def waits(self, run: str, at_s: float) -> History | None:
        """A run's steps and its calls that wait, as they are; None where time is over.

        Args:
            run: Id of the run.
            at_s: When the list was made: what was read then is still true.
        """
        known = self._waits.get(run) or _Waits(History(run))
        if known.at_s != at_s:
            if not self._may():
                return None
            entries, after = self._entries(run, known.cursor, known.history, WAIT)
            known.history.apply(e for e in entries if _may_wait(known.history, e))
            known.cursor, known.at_s = after, at_s
            if len(self._waits) >= WAITS_MAX:
                self._waits.clear()
            self._waits[run] = known
        return known.history

    def made(self, run: str, at_s: float, asked: Find) -> bool | None:
        """Whether a run has a call that is asked for; None where time is over.

        Args:
            run: Id of the run.
            at_s: When the list was made.
            asked: What is asked for.
        """
        wanted = (asked.tool.casefold(), asked.model.casefold(), asked.call.casefold())
        if wanted != self._asked:
            self._asked = wanted
            self._words = {r: w for r, w in self._words.items() if w.texts is not None}
        known = self._words.get(run) or _Words()
        if known.at_s != at_s:
            if not self._may():
                return None
            self._gone_on(run, known)
            known.at_s = at_s
            self._words[run] = known
            self._make_room(run)
        return known.fits if known.texts is None else _fits(known.texts, wanted)

    def _gone_on(self, run: str, known: _Words) -> None:
        """Take what is new of a run; what is kept of it are words."""
        history = History(run)
        history.calls = known.going
        entries, known.cursor = self._entries(run, known.cursor, history)
        history.apply(entries)
        texts = known.texts if known.texts is not None else {}
        for call in history.calls.values():
            place = (
                tool_of(call).casefold(),
                fields.text(call.fields, "model").casefold(),
            )
            text = call.text.casefold()
            if text not in (found := texts.setdefault(place, {})):
                found[text] = None
                known.bytes += len(text) + TEXT_BYTES
        known.going = {c.id: c for c in history.calls.values() if not c.finished}
        known.fits |= _fits(texts, self._asked)

    def _entries(
        self, run: str, after: Cursor, history: History, calls_with: str = ""
    ) -> tuple[tuple[Entry, ...], Cursor]:
        self._read += 1
        read = self.store.read
        entries, cursor = read(run, after, calls_with=calls_with)
        if after == START:
            forks.begin(
                history, entries, lambda parent: read(parent, calls_with=calls_with)[0]
            )
        return entries, cursor

    def _make_room(self, run: str) -> None:
        """Drop words where they are too many: of the largest run, as of the one just read."""
        kept = {r: w.bytes for r, w in self._words.items() if w.texts is not None}
        if sum(kept.values()) > WORDS_BYTES_MAX:
            largest = max(kept, key=kept.__getitem__)
            for dropped in {run, largest}:
                words = self._words[dropped]
                words.fits = words.texts is not None and _fits(words.texts, self._asked)
                words.texts = None

    def _may(self) -> bool:
        return not self._read or self.clock.monotonic_s() < self._until_s


def _fits(texts: dict[tuple[str, str], dict[str, None]], asked: Asked) -> bool:
    tool, model, call = asked
    return any(
        tool in place[0] and model in place[1] and (not call or _has(found, call))
        for place, found in texts.items()
    )


def _has(texts: dict[str, None], part: str) -> bool:
    return any(part in text for text in texts)


def _may_wait(history: History, entry: Entry) -> bool:
    """Whether an entry says anything of who waits for what: of most calls none does."""
    record = entry.record
    about_call = record.kind in lifecycle.CALL_KINDS
    return not about_call or record.subject in history.calls or WAIT in record.fields
