"""A call without a record of its own, beside those that its cell made before. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from nbdurable.engine.past import doubts, holding, tries
from nbdurable.engine.past.another import is_another
from nbdurable.engine.past.belonging import Standing
from nbdurable.engine.past.circumstances import (
    AGAIN,
    KEEP,
    stands_in,
)
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.edits import (
    Marks,
    closest,
    may_be_renamed,
    was_renamed,
)
from nbdurable.engine.past.forks import NOWHERE
from nbdurable.engine.past.history import CallPast, CallState
from nbdurable.engine.past.near import (
    NEAR_MAX,
    Left,
    is_nearer,
    near,
    no_longer_alike,
    place,
)
from nbdurable.engine.past.pasts import Order
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.renamings import Renamings
from nbdurable.engine.past.replaced import Replacing
from nbdurable.engine.past.versions import Versions
from nbdurable.engine.past.wanted import NOTHING, UNDIGESTIBLE, Match, Wanted


@dataclass(slots=True)
class Beside(Replacing):
    """The calls of one attempt, beside those of the attempts before it."""

    _versions: dict[str, Versions] = field(default_factory=dict)
    _unended: dict[str, Sequence[CallPast]] = field(default_factory=dict)
    _renamings: Renamings = field(default_factory=Renamings)
    _made: dict[tuple[str, tuple[str, ...]], Sequence[CallPast]] = field(
        default_factory=dict
    )

    def without(self, wanted: Wanted) -> Match:
        """What a call is that has no record of its own."""
        none = UNDIGESTIBLE if wanted.undigestible else NOTHING
        if wanted.policy.effect is not Effect.WRITE or wanted.policy.inner:
            return none
        return self._claimed(self._other(wanted), wanted) or none

    def in_its_place(self, wanted: Wanted) -> Match | None:
        """What another tool made since, where a write itself did not happen."""
        return self._claimed(self.replaced(wanted), wanted)

    def _standing(self, wanted: Wanted, *, as_now: bool) -> Iterator[CallPast]:
        """The calls of which a person said that they are what this cell calls now."""
        yield from stands_in(self.history, self.where, wanted.name, as_now=as_now)
        for name in self.old_names(wanted.name):
            for call in stands_in(self.history, self.where, name, as_now=as_now):
                if may_be_renamed(call, wanted):
                    yield call

    def by_earlier_version(self, wanted: Wanted) -> CallPast | None:
        """The write that a call is, if its tool had other parameters, or another name."""
        marks = wanted.marks()
        if marks is None:
            return None
        old = [*self.old_names(wanted.name)]
        same = closest(self._given_the_same(wanted, old), wanted)
        if same is not None:
            return same
        found = self._versions_of(wanted.name).earlier(marks)
        for name in old:
            found += self._renamings.of(name, self.writes_of(name), wanted)
        behind = self.behind.earlier(wanted, marks, old)
        free = closest(filter(self._is_free, found), wanted)
        free = free or closest(filter(self._asks_behind, behind), wanted)
        free = free or self._moved_here(wanted, marks)
        if free is not None or not self.stood_in:
            return free
        apart = self.history.apart
        taken = (c for c in (*found, *behind) if c.id in self.stood_in)
        return closest((c for c in taken if (self.slot, c.id) not in apart), wanted)

    def _moved_here(self, wanted: Wanted, marks: Marks) -> CallPast | None:
        """The write of another cell that a call is, if it was moved and its tool edited."""
        if not self.moved.calls:
            return None
        old = [*self.names_elsewhere(wanted.name)]
        found = self.moved.earlier(wanted, marks, old)
        return closest(filter(self._may_stand_here, found), wanted)

    def _may_stand_here(self, call: CallPast) -> bool:
        """Whether a write of another cell that its code saw is nobody's, or may be so."""
        if not self._is_free(call):
            return False
        standing = self.standing_of(call)
        if standing is not Standing.UNKNOWN:
            return standing is not Standing.TAKEN
        return self.said_of(call, Past.ELSEWHERE) != AGAIN

    def _given_the_same(self, wanted: Wanted, old: Iterable[str]) -> Iterator[CallPast]:
        """By an old name with the same arguments: they are found without a look at each."""
        for name in old:
            for call in self._by_arguments(name).like(wanted, name):
                here = call.id not in self.history.forked
                if here and self._is_free(call) and was_renamed(call, wanted):
                    yield call

    def _versions_of(self, tool: str) -> Versions:
        found = self._versions.get(tool)
        if found is None:
            found = self._versions[tool] = Versions.of(self.writes_of(tool))
        return found

    def _other(self, wanted: Wanted) -> Match | None:
        """Another call of the tool that this one may be, the worst first."""
        marks = wanted.marks()
        left = self._left_over(wanted, marks)
        if left is not None and left.kept:
            return self._about(Past.COMPLETED, left.call)
        doubt = self._other_in_doubt(wanted, marks)
        if doubt is not None and not (
            left and is_nearer(left, doubt.call, marks, self.where)
        ):
            return doubt
        other = self._renamed_in_doubt(wanted, marks) or self._instead(wanted)
        other = other or (left and self._made_before(left.call, wanted))
        return other or self.replaced(wanted)

    def has_others(self, tool: str, parent: str) -> bool:
        """Whether another call of the tool may be what a new one is."""
        known = self.writes_of(tool) or self.suspects(tool) or self.where.open
        told = (self.slot, tool) in self.history.instead or any(self.old_names(tool))
        told = told or tool in self.behind.calls or tool in self.moved.calls
        told = told or any(self.names_elsewhere(tool))
        return bool(known) or told or tries.are_before(self.history, parent)

    def _claimed(self, match: Match | None, wanted: Wanted) -> Match | None:
        """A call of another one that was found, taken if it is served."""
        if match is None or match.past is not Past.COMPLETED:
            return match
        assert match.call is not None
        self.claimed.add(match.call.id)
        self.stood_in[match.call.id] = wanted.text()
        return match

    def _other_in_doubt(self, wanted: Wanted, marks: Marks | None) -> Match | None:
        mine = (
            call
            for call in self._without_result(wanted.name)
            if doubts.may_have_happened(self.history, call)
            and self._may_be(call, wanted, marks)
        )
        first = itertools.islice(mine, NEAR_MAX)
        nearest = max(first, key=lambda c: near(c, marks).equal, default=None)
        if nearest is not None:
            return Match(Past.OTHER_IN_DOUBT, nearest)
        for suspect in self.suspects(wanted.name):
            call = self.history.calls[suspect.id]
            open_ = self._may_be(call, wanted, marks) and not self.executing(call)
            if open_ and doubts.is_asked_here(self.history, call, self.existing):
                return self._about(Past.OTHER_IN_DOUBT, call)
        for call in tries.in_doubt(self.history, wanted):
            if self._may_be(call, wanted, marks):
                return Match(Past.OTHER_IN_DOUBT, call)
        return None

    def _without_result(self, tool: str) -> Sequence[CallPast]:
        """The few of a slot's writes that a doubt can be; looked for once per tool."""
        found = self._unended.get(tool)
        if found is None:
            made = self.writes_of(tool)
            found = [call for call in made if call.state is not CallState.COMPLETED]
            self._unended[tool] = found
        return found

    def _may_be(self, doubt: CallPast, wanted: Wanted, marks: Marks | None) -> bool:
        """Whether nothing says that a doubt is another call than this one."""
        said = (self.history, self.where, doubt, marks, wanted.number)
        return doubt.id not in self.claimed and not is_another(*said)

    def _renamed_in_doubt(self, wanted: Wanted, marks: Marks | None) -> Match | None:
        """A doubt of this slot whose tool is gone: this one may be that under a new name."""
        for name in self.old_names(wanted.name):
            mine = (
                call
                for call in self._without_result(name)
                if doubts.may_have_happened(self.history, call)
                and may_be_renamed(call, wanted)
            )
            for call in itertools.chain(mine, self.behind.in_doubt(name, wanted)):
                if self._may_be(call, wanted, marks):
                    return self._about(Past.OTHER_IN_DOUBT, call)
        for name in self.names_elsewhere(wanted.name):
            for call in self.moved.in_doubt(name, wanted):
                open_ = self._may_be(call, wanted, marks) and not self.executing(call)
                if open_ and doubts.is_asked_here(self.history, call, self.existing):
                    return self._about(Past.OTHER_IN_DOUBT, call)
        return None

    def _instead(self, wanted: Wanted) -> Match | None:
        """A call of the tool that is left over, where a model has answered anew."""
        anew = self.asked_model and self.where.differs
        if not (anew or self.where.open):  # of thousands of calls none is looked at
            return None
        left = [
            call
            for call in self._asked_of(wanted)
            if (anew or call.id in self.where.open)
            and call.state is CallState.COMPLETED
            and self.said_of(call, Past.INSTEAD) != AGAIN
            and not self.is_over(call)
        ]
        if not left:
            return None
        latest = self.history.steps.get(max(left, key=lambda c: c.order).step)
        used = latest.used if latest else ()
        first = min(left, key=lambda c: (c.id not in used, c.order))
        kept = self.said_of(first, Past.INSTEAD) == KEEP
        return self._about(Past.COMPLETED if kept else Past.INSTEAD, first)

    def _left_over(self, wanted: Wanted, marks: Marks | None) -> Left | None:
        """The call that this one is nearest to, of those that are left over.

        They were made by earlier tries of a call around it, by attempts of the cell that
        began as this one did, or a person said that they are what is called now.
        """
        stands = [
            call
            for call in self._standing(wanted, as_now=False)
            if not self.was_served(call)
            and not (call.id in self.where.alike and no_longer_alike(call, marks))
        ]
        now = {call.id for call in self._standing(wanted, as_now=True)}
        here = self.history, self.slot
        told = {
            call.id
            for call in stands
            if call.id in now and holding.stands_for(*here, call, wanted)
        }
        tried = [*tries.completed(self.history, wanted)]
        anew = self.redrawn(wanted.name, marks)
        made = itertools.chain(tried, self._made_at(wanted), anew)
        open_ = (c for c in made if self._is_open(c, wanted.key))
        calls = {c.id: c for c in (*stands, *itertools.islice(open_, NEAR_MAX))}
        any_of = told | {call.id for call in tried}
        found = [
            Left(call, how, self._is_kept(call, wanted, told))
            for call in sorted(calls.values(), key=self._latest_first)
            if (how := near(call, marks)).alike or call.id in any_of
        ]
        return max(found, key=lambda it: (it.near.equal, it.kept), default=None)

    def _made_at(self, wanted: Wanted) -> Sequence[CallPast]:
        """What attempts that began as this one did made at its place in the cell.

        Looked for once per place: a cell of thousands of payments asks for each.
        """
        if not (wanted.ordered and self.where.again):
            return ()
        here = place(self.history, wanted.scope, wanted.parent)
        found = self._made.get((wanted.name, here))
        if found is None:
            found = [
                call
                for call in itertools.chain(
                    self.writes_of(wanted.name), self.behind.here(wanted.name)
                )
                if self.where.was_of(call)
                and call.state is CallState.COMPLETED
                and call.resolved not in tries.ANEW
                and place(self.history, call.scope, call.parent) == here
            ]
            found.sort(key=self._latest_first)
            self._made[wanted.name, here] = found
        return found

    def _is_open(self, call: CallPast, key: bytes) -> bool:
        """Whether this attempt was not served it, nor made another one beside it."""
        if call.id in self.claimed or self.passed.get(call.id, key) != key:
            return False
        return not self.is_settled(call)

    def _latest_first(self, call: CallPast) -> tuple[float, Order]:
        """Calls of the latest attempt first, in their order."""
        history, used = self.history, self.where.used.get(call.id)
        step = history.steps.get(call.step) or history.behind.get(call.step)
        at = used or (step.order if step else NOWHERE)
        return -at[0], call.order

    def _is_kept(self, call: CallPast, wanted: Wanted, told: Collection[str]) -> bool:
        """Whether a person said that its result is the one of the call made now."""
        rerun = self.before_reset(call) and holding.is_kept(self.here, call, wanted)
        kept = rerun or holding.is_same(self.history, self.where, call, wanted)
        return call.id in told or (kept and not self._is_another(call, wanted))

    def _made_before(self, call: CallPast, wanted: Wanted) -> Match | None:
        """What a call is beside which another one may be made."""
        if self._is_another(call, wanted):
            if self._is_another(call, wanted, whole=True):
                self.passed[call.id] = wanted.key
            return None
        unsaid = self.before_reset(call) and not self.here.kept_writes
        afresh = call.resolved == "afresh" or unsaid
        return self._about(Past.AFRESH if afresh else Past.EARLIER_TRY, call)

    def _asked_of(self, wanted: Wanted) -> list[CallPast]:
        """The calls of the tool in this slot, and those that were asked about here."""
        mine, old = self.writes_of(wanted.name), {*self.old_names(wanted.name)}
        known = {call.id for call in mine}
        ids = (i for i in self.where.open if i not in known)
        others = filter(None, map(self.history.calls.get, ids))
        return [
            *mine,
            *(
                call
                for call in others
                if call.name == wanted.name
                or (call.name in old and may_be_renamed(call, wanted))
            ),
        ]
