"""A call without a record of its own, beside those that its cell made before. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from nbdurable.engine.past.belonging import every_holder, went_on
from nbdurable.engine.past.circumstances import (
    AGAIN,
    KEEP,
    Circumstances,
    circumstances,
    in_doubt,
    remembered,
    stands_in,
    writes_of,
)
from nbdurable.engine.past.decide import Past
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
        other_files: Whether a file that a recorded call read isn't as it was.
        data: The names that the attempt reads and that hold data, and no code.
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
    data: Collection[str] = ()
    served: set[str] = field(default_factory=set)
    claimed: set[str] = field(default_factory=set)
    stood_in: dict[str, str] = field(default_factory=dict)
    asked_model: bool = False
    _where: Circumstances | None = None
    _writes: Mapping[str, Sequence[CallPast]] | None = None

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
        for call in stands_in(self.history, self.where, wanted.name):
            if not self.was_served(call):
                return self._claims(Match(Past.COMPLETED, call), wanted)
        found = self._other_in_doubt(wanted) or self._instead(wanted) or none
        done = found.past is Past.COMPLETED
        return self._claims(found, wanted) if done else found

    def writes_of(self, tool: str) -> Sequence[CallPast]:
        """Those that earlier attempts of this slot made; looked for once."""
        if self._writes is None:
            self._writes = writes_of(self.history, self.where)
        return self._writes.get(tool, ())

    def _claims(self, match: Match, wanted: Wanted) -> Match:
        assert match.call is not None
        self.claimed.add(match.call.id)
        self.stood_in[match.call.id] = wanted.text()
        return match

    def _other_in_doubt(self, wanted: Wanted) -> Match | None:
        if self.said(wanted, Past.OTHER_IN_DOUBT) == AGAIN:
            return None
        for call in self.writes_of(wanted.name):
            if call.id not in self.claimed and self._in_doubt(call):
                return Match(Past.OTHER_IN_DOUBT, call)
        return None

    def _in_doubt(self, call: CallPast) -> bool:
        """Whether it may have happened, also where the code caught what it raised.

        An attempt that ended without another result after that did not go on from it.
        """
        if in_doubt(self.history, call):
            return True
        raised = call.state is CallState.RAISED and not call.fields.get("not_done")
        return raised and not call.resolved and not went_on(self.history, call)

    def _instead(self, wanted: Wanted) -> Match | None:
        """A call of the tool that is left over, where a model has answered anew."""
        said = self.said(wanted, Past.INSTEAD)
        anew = self.asked_model and self.where.differs
        left = [
            call
            for call in self.writes_of(wanted.name)
            if (anew or call.id in self.where.open)
            and call.state is CallState.COMPLETED
            and said != AGAIN
            and not self._is_over(call)
        ]
        if not left:
            return None
        latest = self.history.steps.get(max(left, key=lambda c: c.order).step)
        used = latest.used if latest else ()
        first = min(left, key=lambda c: (c.id not in used, c.order))
        return Match(Past.COMPLETED if said == KEEP else Past.INSTEAD, first)

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
