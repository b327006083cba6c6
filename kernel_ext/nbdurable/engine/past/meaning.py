"""What a recorded call says of one that is about to be made: its `Past`. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from nbdurable.engine.identity import keys
from nbdurable.engine.past import holding, parts
from nbdurable.engine.past.belonging import Standing, went_on, within
from nbdurable.engine.past.beside import Beside
from nbdurable.engine.past.circumstances import KEEP, remembered, stands_in
from nbdurable.engine.past.decide import DOUBTFUL, Past
from nbdurable.engine.past.history import CallPast, CallState
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.wanted import Wanted, comparable

_WRITE: Final = Effect.WRITE
_ENDED: Final = CallState.COMPLETED
_COMPLETED: Final = Past.COMPLETED
_OWN: Final = Standing.OWN
_UNKNOWN: Final = Standing.UNKNOWN
"""Looked up once: a member of an enum takes ten times as long as a name."""

_MADE_ANEW = {"did-not", "again", "undone", "dropped"}
"""How a call was settled that is made when it comes next."""

AGAIN: Final = {Past.RAISED_NOT_DONE, Past.RETRYING, Past.MADE_ANEW}
"""Pasts in which nothing happened that counts, wherever and whenever that was."""


@dataclass(slots=True)
class Meaning(Beside):
    """The calls of one attempt, and what recorded calls say of them."""

    _emptied: set[str] = field(default_factory=set)

    def past(self, call: CallPast, wanted: Wanted, standing: Standing) -> Past:
        """What this record says of the call."""
        plain = self._plain_past(call, wanted)
        if plain in AGAIN:
            later = plain is Past.RETRYING and self.before_reset(call)
            return Past.RAISED_NOT_DONE if later else plain
        write = wanted.policy.effect is _WRITE
        doubt = write and plain in DOUBTFUL
        if not doubt and self._is_afresh(call):
            return Past.AFRESH
        compared = comparable(call, wanted) or not self._is_rekeyed(call)
        if call.resolved != "keep" and not compared:
            return Past.REKEYED
        if wanted.undigestible and call.resolved != "keep":
            return Past.UNDIGESTIBLE_TWIN
        served = not doubt if write else plain is _COMPLETED
        if standing is _UNKNOWN and served:
            stranger = self._stranger(call)
            kept = self.said_of(call, stranger) == KEEP or self._is_told(call)
            return plain if kept else stranger
        if plain is _COMPLETED and standing is _OWN:
            return self._with_data(call, wanted)
        return plain

    def _is_told(self, call: CallPast) -> bool:
        """Whether a person said of a doubt that it is what this cell calls now."""
        told = stands_in(self.history, self.where, call.name, as_now=True)
        return any(each.id == call.id for each in told)

    def _is_afresh(self, call: CallPast) -> bool:
        """Whether a rerun of it was asked for, and nothing was said of that yet."""
        kept = self.here.kept_writes
        return call.resolved == "afresh" or (self.before_reset(call) and not kept)

    def _with_data(self, call: CallPast, wanted: Wanted) -> Past:
        """A completed call of this slot, in the light of what its cell reads now."""
        before = self.where.before
        if before is None or call.ended_order > before:
            return _COMPLETED
        kept = self._said_of_data(call, wanted) == KEEP
        return Past.COMPLETED if kept else Past.NEW_DATA

    def _said_of_data(self, call: CallPast, wanted: Wanted) -> str:
        """What a person said of other data, by the name that the call has as yet."""
        by_its = remembered(self.history, self.where, call.name, Past.NEW_DATA)
        return self.said(wanted, Past.NEW_DATA) or by_its

    def _plain_past(self, call: CallPast, wanted: Wanted) -> Past:
        if call.resolved in _MADE_ANEW:
            return Past.MADE_ANEW
        if call.state is _ENDED:
            return self._completed(call, wanted)
        if call.state is CallState.RAISED:
            return self._raised(call, wanted)
        return Past.CUT if call.fields.get("cut") and call.outcome else Past.IN_DOUBT

    def _is_rekeyed(self, call: CallPast) -> bool:
        """Whether its key was computed as it isn't any more."""
        return self.history.algorithm(call) != keys.ALGORITHM

    def _edited(self, call: CallPast, wanted: Wanted) -> bool:
        other = call.code != wanted.code and bool(call.code and wanted.code)
        if not other and call.key == wanted.key:
            return False
        if self._is_rekeyed(call):
            return False  # nobody can tell
        return not holding.is_same_version(self.history, self.slot, call, wanted)

    def _completed(self, call: CallPast, wanted: Wanted) -> Past:
        if self._edited(call, wanted) and not self._said_happened(call, wanted):
            return Past.EDITED
        if call.outcome is None:
            return Past.UNRECOVERABLE
        policy = wanted.policy
        emptied = call.id in self._emptied or (call.is_step and self._lent(call))
        if emptied and call.resolved != "keep":
            return Past.EMPTIED
        fixed = policy.stable or policy.model or policy.effect is not Effect.READ
        stale = not fixed and (wanted.new_write or self.other_files(call))
        if policy.inner and not parts.led_on(self.history, call):
            return Past.STALE
        return Past.STALE if stale else _COMPLETED

    def _said_happened(self, call: CallPast, wanted: Wanted) -> bool:
        """Whether a person said of a doubt that it happened, and it is this call.

        What it is now is known by its key, or because that was said beside this call.
        """
        happened = call.resolved == "happened"
        return happened and (call.key == wanted.key or self._is_told(call))

    def _lent(self, outer: CallPast) -> bool:
        """Whether a step may hold a result that a person gave back to its own call."""
        said = {
            n for (_, n, past) in self.history.answers if past == Past.STOOD_IN.name
        }
        return bool(said) and any(
            call.name in said
            and remembered(self.history, self.where, call.name, Past.STOOD_IN) == KEEP
            for call in within(self.history, outer.id)
        )

    def _raised(self, call: CallPast, wanted: Wanted) -> Past:
        types = wanted.policy.nothing_happened
        named = {f"{t.__module__}.{t.__qualname__}" for t in types}
        told = call.fields.get("not_done") or call.fields.get("type") in named
        if call.retrying and (told or wanted.policy.effect is not Effect.WRITE):
            return Past.RETRYING
        went, edited = went_on(self.history, call), self._edited(call, wanted)
        seen = went and call.outcome is not None
        if told and (not seen or edited or self._is_afresh(call)):
            return Past.RAISED_NOT_DONE
        if not went:
            return Past.RAISED_FATAL
        if edited:
            return Past.EDITED
        return Past.RAISED_SEEN if call.outcome else Past.UNRECOVERABLE

    def _stranger(self, call: CallPast) -> Past:
        """What a completed call of a slot is that may still exist."""
        return Past.FORKED if call.id in self.history.forked else Past.ELSEWHERE
