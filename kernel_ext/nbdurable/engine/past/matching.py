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

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Final, NamedTuple

from nbdurable.engine.identity import keys
from nbdurable.engine.past import doubts, parts
from nbdurable.engine.past.belonging import (
    Standing,
    every_holder,
    holders,
    standing_of,
    was_inside,
)
from nbdurable.engine.past.circumstances import AGAIN
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.history import CallPast, CallState, History
from nbdurable.engine.past.meaning import AGAIN as NOTHING_HAPPENED
from nbdurable.engine.past.meaning import Meaning
from nbdurable.engine.past.pasts import STAYING
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.past.renamings import Renamings
from nbdurable.engine.past.wanted import Match, Wanted, same_arguments

_WRITE: Final = Effect.WRITE
_ENDED: Final = CallState.COMPLETED
_OWN: Final = Standing.OWN
_UNKNOWN: Final = Standing.UNKNOWN
"""Looked up once: a member of an enum takes ten times as long as a name, and a served
call is compared with thirty."""

_order = attrgetter("order")
_OURS = {keys.ALGORITHM}

Rank = tuple[bool, Standing, bool, bool, bool, bool]
"""How well a record fits, lower is better: taken in this attempt, standing, other code,
enclosing call, scope in it, preceding `write`."""

_NONE: Final[list[CallPast]] = []
"""Nobody changes it: thousands of keys share it."""

BEST: Rank = (False, Standing.OWN, False, False, False, False)


FEW: Final = 8
"""Records of one key that are looked at for each call: that takes less than to know of them."""


class _Known(NamedTuple):
    """What came of looking at all records of a key.

    Attributes:
        alike: For which calls that holds.
        rank: How good the best one was; None if none was offered.
        after: What preceded any of them.
    """

    alike: object
    rank: Rank | None
    after: frozenset[str]


@dataclass(slots=True)
class Matcher(Meaning):
    """Matches the calls of one attempt; not thread-safe, the attempt holds a lock."""

    _open: dict[bytes, list[CallPast]] = field(default_factory=dict)
    _known: dict[bytes, _Known] = field(default_factory=dict)

    def unheard(self, key: bytes, tool: str, policy: Policy, parent: str = "") -> bool:
        """Whether no record can be this call, or stand for it."""
        history = self.history
        if key in history.by_key or not history.algorithms <= _OURS:
            return False
        write = policy.effect is _WRITE and not policy.inner
        if write and self.has_others(tool, parent):
            return False
        self._open.setdefault(key, _NONE)  # what is recorded later is not looked at
        return True

    def match(self, wanted: Wanted) -> Match:
        """The best record for this call; it is not offered again in this attempt."""
        candidates = self._candidates(wanted.key)
        best = self._best(candidates, wanted)
        if best is not None and self._is_to_be_made(candidates[best[1]], wanted):
            best = self._best_that_may_have(candidates, wanted) or best
        if best is None and self.history.algorithms - {keys.ALGORITHM}:
            found = self._rekeyed(wanted)
            if found is not None:
                return found
        if best is None or self._is_to_be_made(candidates[best[1]], wanted):
            since = self._made_since(wanted, unknown=best is None)
            if since is not None:
                return since
        if best is None:
            return self.without(wanted)
        (taken, standing, _, _, _, _), index = best
        call = candidates.pop(index)
        if taken:
            return Match(Past.STOOD_IN, call, standing)
        return self._each_time(call, wanted, standing)

    def _made_since(self, wanted: Wanted, *, unknown: bool) -> Match | None:
        """What its tool made as it was meanwhile, of a call that did not happen.

        Args:
            wanted: The call.
            unknown: Whether it has no record: then `without` looks what may stand for it.
        """
        earlier = self.by_earlier_version(wanted)
        if earlier is None:
            return None if unknown else self.in_its_place(wanted)
        if earlier.id in self.claimed:
            return Match(Past.STOOD_IN, earlier)
        return self._each_time(earlier, wanted, self.standing_of(earlier))

    def _is_to_be_made(self, call: CallPast, wanted: Wanted) -> bool:
        """Whether a `write` did not happen; it may have since, while its tool was edited."""
        if call.state is _ENDED or call.resolved in {"again", "undone"}:
            return False
        write = wanted.policy.effect is _WRITE and not wanted.policy.inner
        return write and self._plain_past(call, wanted) in NOTHING_HAPPENED

    def _each_time(self, call: CallPast, wanted: Wanted, standing: Standing) -> Match:
        """The record, unless a person said that other data is another call."""
        found = self._matched(call, wanted, standing)
        if found.past is Past.NEW_DATA and self._said_of_data(call, wanted) == AGAIN:
            return replace(self.without(wanted), apart=call.id)
        return found

    def _best(
        self, candidates: Sequence[CallPast], wanted: Wanted
    ) -> tuple[Rank, int] | None:
        """The best of these, and where it stands.

        Of thousands of equal ones all may be as good as the first, or none may be
        offered: after all were looked at once, nothing better is looked for.
        """
        known = self._known.get(wanted.key)
        limit = BEST
        if known is not None and known.alike == self._alike(wanted):
            if known.rank is None:
                return None
            limit = (*known.rank[:-1], wanted.after not in known.after)
        best: tuple[Rank, int] | None = None
        for index, call in enumerate(candidates):
            rank = self._rank(call, wanted)
            if rank is not None and (best is None or rank < best[0]):
                best = rank, index
                if rank <= limit:
                    return best
        few = len(candidates) <= FEW or wanted.policy.inner
        if not (few or any(c.inner or was_inside(c) for c in candidates)):
            after = frozenset(call.after for call in candidates)
            self._known[wanted.key] = _Known(
                self._alike(wanted), best and best[0], after
            )
        return best

    def _alike(self, wanted: Wanted) -> object:
        """Calls of one key that are equal in this find the records equally good.

        But for what came before them. A record that was taken is worse from then on; how
        good another one is that was made in no other call changes by none of this attempt.
        """
        policy, place = wanted.policy, (wanted.code, wanted.parent, wanted.scope)
        return self.history.remarks, policy.effect, policy.inner, place

    def _best_that_may_have(
        self, candidates: Sequence[CallPast], wanted: Wanted
    ) -> tuple[Rank, int] | None:
        """The best of this cell's that may have happened: it is no other one's equal.

        A cell tries again by itself, or a call did not happen and did so by another
        name: what is made once more would be made twice.
        """
        found: tuple[Rank, int] | None = None
        for index, call in enumerate(candidates):
            rank = self._rank(call, wanted)
            own = rank is not None and not rank[0] and rank[1] is _OWN
            if own and not self._is_to_be_made(call, wanted):
                assert rank is not None
                found = min(found or (rank, index), (rank, index))
        return found

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
        self._known.clear()
        self._made.clear()
        self._given.clear()
        self._unended.clear()
        for call in calls:
            self.served.discard(call.id)
            self.claimed.discard(call.id)
            found = self._candidates(call.key)
            self._open[call.key] = [*(c for c in found if c.id != call.id), call]

    def renew(self, history: History) -> None:
        """Match with a fold that was made anew; what was taken stays taken."""
        known = self.history.calls
        if history is self.history:
            return
        self.history, self.here = history, history.slot(self.slot)
        self._writes = self._suspects = self._old_names = self._behind = None
        self._moved = self._other_names = self._recent = None
        self._known.clear()
        self._versions.clear()
        self._made.clear()
        self._given.clear()
        self._unended.clear()
        self._renamings = Renamings()
        for key, found in self._open.items():
            left = {call.id for call in found}
            ids = dict.fromkeys(history.by_key.get(key, ()))
            there = (history.calls[i] for i in ids if i in left or i not in known)
            mine = (c for c in there if c.step != self.step)
            self._open[key] = sorted(mine, key=_order)

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

    def _came_with_another(self, call: CallPast) -> bool:
        return any(o.id in self.served for o in every_holder(self.history, call))


def _ids(calls: Iterable[CallPast]) -> Iterator[str]:
    return (call.id for call in calls)
