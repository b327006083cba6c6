"""Which recorded call a new call is, by content. Pure.

Theory of operation. A call is first looked for in the history of its own slot,
whatever the cell's text was then; after that among the free calls of the run; last
among calls of slots of which nobody knows whether they still exist. Records with equal
keys are told apart by preference: same code (two functions may have one name), same
enclosing call, same scope in it, same preceding `write`, then order. A record is served
at most once per attempt: one that was kept for a call with other arguments is taken.
A call made inside another one belongs to whom that one belongs: served, the outer call
stands for it, and it is nobody else's. What the chosen record says of the call is its
`Past`, the input of `decide`.

A call without a record may still stand for one with other arguments: `circumstances`.

Keys of another version of their algorithm say nothing. Calls recorded under such keys
are compared by their kept arguments, which are bytes and no digests; where that decides
nothing a `write` of the same tool may be the recorded one, and somebody is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Final

from nbdurable.engine.identity import keys
from nbdurable.engine.past import doubts, holding, parts
from nbdurable.engine.past.belonging import (
    Standing,
    every_holder,
    holders,
    standing_of,
    was_inside,
    went_on,
    within,
)
from nbdurable.engine.past.beside import Beside
from nbdurable.engine.past.circumstances import AGAIN, KEEP, remembered, stands_in
from nbdurable.engine.past.decide import DOUBTFUL, Past
from nbdurable.engine.past.history import CallPast, CallState, History
from nbdurable.engine.past.pasts import STAYING
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.past.renamings import Renamings
from nbdurable.engine.past.wanted import (
    Match,
    Wanted,
    comparable,
    same_arguments,
)

_WRITE: Final = Effect.WRITE
_ENDED: Final = CallState.COMPLETED
_COMPLETED: Final = Past.COMPLETED
_OWN: Final = Standing.OWN
_UNKNOWN: Final = Standing.UNKNOWN
"""Looked up once: a member of an enum takes ten times as long as a name, and a served
call is compared with thirty."""

_order = attrgetter("order")
_OURS = {keys.ALGORITHM}

Rank = tuple[bool, Standing, bool, bool, bool, bool]
"""How well a record fits, lower is better: taken in this attempt, standing, other code,
enclosing call, scope in it, preceding `write`."""

_MADE_ANEW = {"did-not", "again", "undone", "dropped"}
"""How a call was settled that is made when it comes next."""

_AGAIN = {Past.RAISED_NOT_DONE, Past.RETRYING, Past.MADE_ANEW}
"""Pasts in which nothing happened that counts, wherever and whenever that was."""

BEST: Rank = (False, Standing.OWN, False, False, False, False)


@dataclass(slots=True)
class Matcher(Beside):
    """Matches the calls of one attempt; not thread-safe, the attempt holds a lock."""

    _open: dict[bytes, list[CallPast]] = field(default_factory=dict)
    _emptied: set[str] = field(default_factory=set)

    def unheard(self, key: bytes, tool: str, policy: Policy, parent: str = "") -> bool:
        """Whether no record can be this call, or stand for it."""
        history = self.history
        if key in history.by_key or not history.algorithms <= _OURS:
            return False
        write = policy.effect is _WRITE and not policy.inner
        if write and self.has_others(tool, parent):
            return False
        self._open.setdefault(key, [])  # what is recorded later is not looked at
        return True

    def match(self, wanted: Wanted) -> Match:
        """The best record for this call; it is not offered again in this attempt."""
        candidates = self._candidates(wanted.key)
        best = self._best(candidates, wanted)
        if best is None and self.history.algorithms - {keys.ALGORITHM}:
            found = self._rekeyed(wanted)
            if found is not None:
                return found
        if best is None or self._is_to_be_made(candidates[best[1]], wanted):
            earlier = self.by_earlier_version(wanted)
            if earlier is not None and earlier.id in self.claimed:
                return Match(Past.STOOD_IN, earlier)
            if earlier is not None:
                return self._each_time(earlier, wanted, self.standing_of(earlier))
        if best is None:
            return self.without(wanted)
        (taken, standing, _, _, _, _), index = best
        call = candidates.pop(index)
        if taken:
            return Match(Past.STOOD_IN, call, standing)
        return self._each_time(call, wanted, standing)

    def _is_to_be_made(self, call: CallPast, wanted: Wanted) -> bool:
        """Whether a `write` did not happen; it may have since, while its tool was edited."""
        if call.state is _ENDED or call.resolved in {"again", "undone"}:
            return False
        write = wanted.policy.effect is _WRITE and not wanted.policy.inner
        nothing = {Past.RAISED_NOT_DONE, Past.MADE_ANEW}
        return write and self._plain_past(call, wanted) in nothing

    def _each_time(self, call: CallPast, wanted: Wanted, standing: Standing) -> Match:
        """The record, unless a person said that other data is another call."""
        found = self._matched(call, wanted, standing)
        if found.past is Past.NEW_DATA and self._said_of_data(call, wanted) == AGAIN:
            return replace(self.without(wanted), apart=call.id)
        return found

    def _best(
        self, candidates: Iterable[CallPast], wanted: Wanted
    ) -> tuple[Rank, int] | None:
        """The best of these, and where it stands."""
        best: tuple[Rank, int] | None = None
        for index, call in enumerate(candidates):
            rank = self._rank(call, wanted)
            if rank is not None and (best is None or rank < best[0]):
                best = rank, index
            if rank == BEST:
                break
        return best

    def _matched(self, call: CallPast, wanted: Wanted, standing: Standing) -> Match:
        self.claimed.add(call.id)
        if was_inside(call):
            here = (
                set()
                if call.parent != wanted.parent
                else set(_ids(holders(self.history, call)))
            )
            self._emptied.update(set(_ids(every_holder(self.history, call))) - here)
        renewed = call.key != wanted.key and not self._is_rekeyed(call)
        past = self.past(call, wanted, standing)
        return Match(past, call, standing, "", renewed)

    def reopen(self, calls: Iterable[CallPast]) -> None:
        """Offer calls again: of this attempt, if what encloses them is tried again.

        And those that other runs have made meanwhile.
        """
        self._suspects = self._where = self._recent = None
        self._made.clear()
        self._given.clear()
        self._unended.clear()
        for call in calls:
            self.served.discard(call.id)
            self.claimed.discard(call.id)
            found = self._candidates(call.key)
            found[:] = [*(c for c in found if c.id != call.id), call]

    def renew(self, history: History) -> None:
        """Match with a fold that was made anew; what was taken stays taken."""
        known = self.history.calls
        if history is self.history:
            return
        self.history, self.here = history, history.slot(self.slot)
        self._writes = self._suspects = self._old_names = self._behind = None
        self._moved = self._other_names = self._recent = None
        self._versions.clear()
        self._made.clear()
        self._given.clear()
        self._unended.clear()
        self._renamings = Renamings()
        for key, found in self._open.items():
            left = {call.id for call in found}
            ids = dict.fromkeys(history.by_key.get(key, ()))
            there = (history.calls[i] for i in ids if i in left or i not in known)
            found[:] = sorted((c for c in there if c.step != self.step), key=_order)

    def _candidates(self, key: bytes) -> list[CallPast]:
        found = self._open.get(key)
        if found is None:
            calls = self.history.calls
            ids = self.history.by_key.get(key, ())
            known = map(calls.__getitem__, dict.fromkeys(ids))
            found = [c for c in known if c.step != self.step]
            if len(found) > 1:
                found.sort(key=_order)
            self._open[key] = found
        return found

    def _rekeyed(self, wanted: Wanted) -> Match | None:
        """The record that a call probably is, among those of another algorithm."""
        ranked = [
            (
                (not same_arguments(call, wanted), call.text != wanted.text(), *rank),
                call,
            )
            for call in self._of_other_algorithms(wanted.name)
            if (rank := self._rank(call, wanted)) is not None
        ]
        if not ranked:
            return None
        (different, _, _, standing, *_), call = min(
            ranked, key=lambda r: (r[0], r[1].order)
        )
        policy = wanted.policy
        if different and (policy.inner or policy.effect is not Effect.WRITE):
            return None
        return self._matched(call, wanted, Standing(standing))

    def _of_other_algorithms(self, name: str) -> list[CallPast]:
        return [
            call
            for call in self.history.calls.values()
            if call.name == name
            and call.step != self.step
            and call.id not in self.claimed
            and self.history.algorithm(call) != keys.ALGORITHM
        ]

    def _rank(self, call: CallPast, wanted: Wanted) -> Rank | None:
        if call.inner or wanted.policy.inner:
            if not parts.offered(self.history, call, wanted):
                return None
            standing = _OWN  # its tool's call is being made here
        else:
            standing = standing_of(self.history, call, self.slot, self.existing)
        gone = standing is not _OWN and (
            standing is Standing.TAKEN or call.kind in STAYING
        )
        if gone or not self._offered(call, wanted, standing):
            return None
        other_code = call.code != wanted.code
        return (
            call.id in self.claimed,
            standing,
            other_code,
            call.parent != wanted.parent,
            call.scope != wanted.scope,
            call.after != wanted.after,
        )

    def _offered(self, call: CallPast, wanted: Wanted, standing: Standing) -> bool:
        if (self.slot, call.id) in self.history.apart:
            return False
        if was_inside(call) and self._came_with_another(call):
            return False
        write = wanted.policy.effect is _WRITE
        if self.before_reset(call) and not (write and self._asks_after_rerun(call)):
            return False
        if standing is not _UNKNOWN:
            return True
        completed = call.state is _ENDED
        if completed and write:
            return self.said(wanted, self._stranger(call)) != AGAIN
        return completed or write

    def _asks_after_rerun(self, call: CallPast) -> bool:
        """Whether a write of before a rerun asks: all may be made again but doubts."""
        return not self.writes_again() or doubts.may_have_happened(self.history, call)

    def _stranger(self, call: CallPast) -> Past:
        """What a completed call of a slot is that may still exist."""
        return Past.FORKED if call.id in self.history.forked else Past.ELSEWHERE

    def _came_with_another(self, call: CallPast) -> bool:
        return any(o.id in self.served for o in every_holder(self.history, call))

    def past(self, call: CallPast, wanted: Wanted, standing: Standing) -> Past:
        """What this record says of the call."""
        plain = self._plain_past(call, wanted)
        if plain in _AGAIN:
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
        if told:
            return Past.RAISED_NOT_DONE
        if not went_on(self.history, call):
            return Past.RAISED_FATAL
        if self._edited(call, wanted):
            return Past.EDITED
        return Past.RAISED_SEEN if call.outcome else Past.UNRECOVERABLE


def _ids(calls: Iterable[CallPast]) -> Iterator[str]:
    return (call.id for call in calls)
