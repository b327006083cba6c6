"""A call without a record of its own, beside those that its cell made before. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nbdurable.engine.past import doubts, tries
from nbdurable.engine.past.belonging import Standing, every_holder, went_on
from nbdurable.engine.past.circumstances import (
    AGAIN,
    KEEP,
    Circumstances,
    circumstances,
    remembered,
    stands_in,
    writes_of,
)
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.edits import (
    Versions,
    closest,
    may_be_renamed,
    was_renamed,
)
from nbdurable.engine.past.history import CallPast, CallState, History, StepState
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.wanted import NOTHING, UNDIGESTIBLE, Match, Wanted


@dataclass(slots=True)
class Beside:
    """The calls of one attempt, beside those of the attempts before it.

    Attributes:
        history: The fold of the run.
        slot: The slot the attempt executes in.
        step: Id of the attempt.
        existing: Slots known to exist, with the digest of their present source.
        executing: Whether somebody executes a call at this moment.
        other_files: Whether a file that a recorded call read isn't as it was.
        data: The names that the attempt reads and that hold data, and no code.
        gone: Whether the cell can call no tool of this name any more.
        served: Ids of the calls that this attempt was served.
        claimed: Ids of the calls that calls of this attempt were taken for.
        stood_in: What each of them was taken for that is another call, as people read
            it, by the id of the recorded one.
        asked_model: Whether a model call newly executed in this attempt.
    """

    history: History
    slot: str
    step: str
    existing: Mapping[str, str]
    other_files: Callable[[CallPast], bool] = lambda _: False
    executing: Callable[[CallPast], bool] = lambda _: False
    data: Collection[str] = ()
    gone: Callable[[str], bool] = lambda _: False
    served: set[str] = field(default_factory=set)
    claimed: set[str] = field(default_factory=set)
    stood_in: dict[str, str] = field(default_factory=dict)
    asked_model: bool = False
    _where: Circumstances | None = None
    _writes: Mapping[str, Sequence[CallPast]] | None = None
    _suspects: Mapping[str, Sequence[CallPast]] | None = None
    _old_names: Collection[str] | None = None
    _versions: dict[str, Versions] = field(default_factory=dict)

    @property
    def where(self) -> Circumstances:
        """What the attempt differs in from those before it."""
        if self._where is None:
            self._where = circumstances(self.history, self.slot, self.step, self.data)
        return self._where

    @property
    def afresh(self) -> bool:
        """Whether this attempt begins afresh: nothing that is recorded is served."""
        reset = self.history.slot(self.slot).reset
        return reset is not None and not any(
            step.state is StepState.COMPLETED and step.ended_order > reset
            for step in self.history.attempts(self.slot)
        )

    def without(self, wanted: Wanted) -> Match:
        """What a call is that has no record of its own."""
        none = UNDIGESTIBLE if wanted.undigestible else NOTHING
        if wanted.policy.effect is not Effect.WRITE or wanted.policy.inner:
            return none
        for call in self._standing(wanted):
            if not self.was_served(call):
                return self._claims(self._about(Past.COMPLETED, call), wanted)
        found = self._other(wanted) or none
        done = found.past is Past.COMPLETED
        return self._claims(found, wanted) if done else found

    def _standing(self, wanted: Wanted) -> Iterator[CallPast]:
        """The calls of which a person said that they are what this cell calls now."""
        yield from stands_in(self.history, self.where, wanted.name)
        for name in self.old_names(wanted.name):
            for call in stands_in(self.history, self.where, name):
                if may_be_renamed(call, wanted):
                    yield call

    def old_names(self, tool: str) -> Iterator[str]:
        """Names of tools that made writes in this slot, and that it can't call now."""
        if self._old_names is None:
            self.writes_of(tool)
            self._old_names = [*filter(self.gone, self._writes or ())]
        return (name for name in self._old_names if name != tool)

    def by_earlier_version(self, wanted: Wanted) -> CallPast | None:
        """The write that a call is, if its tool had other parameters, or another name."""
        marks = wanted.marks()
        if marks is None:
            return None
        found = self._versions_of(wanted.name).earlier(marks)
        for name in self.old_names(wanted.name):
            found += (c for c in self.writes_of(name) if was_renamed(c, wanted))
        left = (c for c in found if c.id not in self.claimed and self._ended(c))
        return closest((c for c in left if not self._is_over(c)), wanted)

    def _ended(self, call: CallPast) -> bool:
        """Whether the code has seen what became of it."""
        if call.state is CallState.RAISED:
            return went_on(self.history, call)
        return call.state is CallState.COMPLETED

    def _versions_of(self, tool: str) -> Versions:
        found = self._versions.get(tool)
        if found is None:
            found = self._versions[tool] = Versions.of(self.writes_of(tool))
        return found

    def writes_of(self, tool: str) -> Sequence[CallPast]:
        """Those that earlier attempts of this slot made; looked for once."""
        if self._writes is None:
            self._writes = writes_of(self.history, self.where)
        return self._writes.get(tool, ())

    def _other(self, wanted: Wanted) -> Match | None:
        """Another call of the tool that this one may be, the worst first."""
        return (
            self._other_in_doubt(wanted)
            or self._renamed_in_doubt(wanted)
            or self._instead(wanted)
            or self._earlier_try(wanted)
        )

    def has_others(self, tool: str, parent: str) -> bool:
        """Whether another call of the tool may be what a new one is."""
        known = self.writes_of(tool) or self.suspects(tool) or self.where.open
        told = (self.slot, tool) in self.history.instead or any(self.old_names(tool))
        return bool(known) or told or tries.are_before(self.history, parent)

    def suspects(self, tool: str) -> Sequence[CallPast]:
        """Those of other slots that have no result; looked for once."""
        if self._suspects is None:
            self._suspects = doubts.suspects(self.history, self.slot)
        return self._suspects.get(tool, ())

    def _about(self, past: Past, call: CallPast) -> Match:
        """A call with other arguments; what stands in its place is taken over."""
        own = call.slot == self.slot
        return Match(past, call, Standing.OWN if own else Standing.FREE)

    def _claims(self, match: Match, wanted: Wanted) -> Match:
        assert match.call is not None
        self.claimed.add(match.call.id)
        self.stood_in[match.call.id] = wanted.text()
        return match

    def _other_in_doubt(self, wanted: Wanted) -> Match | None:
        if self.said(wanted, Past.OTHER_IN_DOUBT) == AGAIN:
            return None
        for call in self.writes_of(wanted.name):
            mine = call.id not in self.claimed
            if mine and doubts.may_have_happened(self.history, call):
                return Match(Past.OTHER_IN_DOUBT, call)
        for suspect in self.suspects(wanted.name):
            call = self.history.calls[suspect.id]
            if call.id not in self.claimed and self._is_doubt_elsewhere(call):
                return self._about(Past.OTHER_IN_DOUBT, call)
        for call in tries.in_doubt(self.history, wanted):
            if call.id not in self.claimed:
                return Match(Past.OTHER_IN_DOUBT, call)
        return None

    def _renamed_in_doubt(self, wanted: Wanted) -> Match | None:
        """A doubt of this slot whose tool is gone: this one may be that under a new name."""
        for name in self.old_names(wanted.name):
            past = Past.OTHER_IN_DOUBT
            if remembered(self.history, self.where, name, past) == AGAIN:
                continue
            for call in self.writes_of(name):
                mine = call.id not in self.claimed
                doubt = mine and doubts.may_have_happened(self.history, call)
                if doubt and may_be_renamed(call, wanted):
                    return Match(past, call)
        return None

    def _is_doubt_elsewhere(self, call: CallPast) -> bool:
        return (
            doubts.may_have_happened(self.history, call)
            and not doubts.is_asked_there(self.history, call, self.existing)
            and not self.executing(call)
        )

    def _instead(self, wanted: Wanted) -> Match | None:
        """A call of the tool that is left over, where a model has answered anew."""
        anew = self.asked_model and self.where.differs
        left = [
            call
            for call in self._asked_of(wanted)
            if (anew or call.id in self.where.open)
            and call.state is CallState.COMPLETED
            and self._said_instead(call) != AGAIN
            and not self._is_over(call)
        ]
        if not left:
            return None
        latest = self.history.steps.get(max(left, key=lambda c: c.order).step)
        used = latest.used if latest else ()
        first = min(left, key=lambda c: (c.id not in used, c.order))
        kept = self._said_instead(first) == KEEP
        return self._about(Past.COMPLETED if kept else Past.INSTEAD, first)

    def _said_instead(self, call: CallPast) -> str:
        return remembered(self.history, self.where, call.name, Past.INSTEAD)

    def _earlier_try(self, wanted: Wanted) -> Match | None:
        """What an earlier try of a call around this one made, and this one did not."""
        said = self.said(wanted, Past.EARLIER_TRY)
        for call in tries.completed(self.history, wanted) if said != AGAIN else ():
            if not self._is_over(call):
                return Match(Past.COMPLETED if said == KEEP else Past.EARLIER_TRY, call)
        return None

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

    def _is_over(self, call: CallPast) -> bool:
        """Whether this attempt was served it, or it is known to be no call of its own."""
        parted = (self.slot, call.id) in self.history.apart
        again = self.before_reset(call) and self.writes_again()
        undone = call.resolved == "undone"
        return parted or again or undone or self.was_served(call)

    def was_served(self, call: CallPast) -> bool:
        """Whether this attempt has claimed it, or was served what encloses it."""
        chain = every_holder(self.history, call)
        return call.id in self.claimed or any(c.id in self.served for c in chain)

    def said(self, wanted: Wanted, past: Past) -> str:
        """What a person said to this question, as long as that holds; or ""."""
        return remembered(self.history, self.where, wanted.name, past)

    def before_reset(self, call: CallPast) -> bool:
        """Whether a rerun was asked for since."""
        reset = self.history.slot(self.slot).reset
        return reset is not None and call.ended_order < reset

    def writes_again(self) -> bool:
        """Whether a person said that writes are made again in this rerun."""
        return self.history.slot(self.slot).kept_writes is False
