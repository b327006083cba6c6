"""A call in whose place another tool is called now. Pure.

Theory of operation. A tool is renamed and edited at once: neither its name nor its code
says that it is the old one. What it is given does: a write with equal arguments is left
over, made by a tool that its cell can't call any more. It may stand in another cell by
now; equal arguments are common there, so it counts only where its own cell does without
it, and no cell calls the old tool any more.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from nbdurable.engine.past import holding, tries
from nbdurable.engine.past.belonging import Standing, code_saw, standing_of
from nbdurable.engine.past.circumstances import AGAIN, KEEP, answered
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.edits import ByArguments
from nbdurable.engine.past.history import CallPast, CallState
from nbdurable.engine.past.inuse import is_in_use
from nbdurable.engine.past.trying import Trying
from nbdurable.engine.past.wanted import Match, Wanted


@dataclass(slots=True)
class Replacing(Trying):
    """The calls of one attempt, beside those of tools that are called no more."""

    _given: dict[str, ByArguments] = field(default_factory=dict)

    def standing_of(self, call: CallPast) -> Standing:
        """To whom a recorded call belongs that was made by an earlier version of a tool."""
        if call.id in self.history.forked:
            return Standing.UNKNOWN
        if call.slot == self.slot:
            return Standing.OWN
        return standing_of(self.history, call, self.slot, self.existing)

    def _is_free(self, call: CallPast, *, going: bool = False) -> bool:
        if call.id in self.claimed:  # of thousands that is all that is asked
            return False
        return (going or code_saw(self.history, call)) and not self.is_over(call)

    def _asks_behind(self, call: CallPast) -> bool:
        """Whether a fork asks about what its parent completed, or is making now."""
        again = self.said_of(call, Past.FORKED) == AGAIN
        return not again and self._is_free(call, going=self.executing(call))

    def _about(self, past: Past, call: CallPast) -> Match:
        """A call with other arguments; what stands in its place is taken over."""
        own = call.slot == self.slot
        return Match(past, call, Standing.OWN if own else Standing.FREE)

    def _is_another(
        self, call: CallPast, wanted: Wanted, *, whole: bool = False
    ) -> bool:
        """Whether a person said that what is made now is made beside it."""
        two = (self.history, self.where, call, wanted)
        if holding.is_another(*two, whole=whole):
            return True
        said = answered(self.history, self.where, wanted.name, Past.INSTEAD)
        beside = said and said.until and call.ended_order < said.until
        return bool(beside) or self.is_done_again(call) or self._is_let_be(call)

    def _is_let_be(self, call: CallPast) -> bool:
        """Whether a person said that what a parent of the fork paid is another one."""
        forked = call.id in self.history.forked
        return forked and self.said_of(call, Past.FORKED) == AGAIN

    def replaced(self, wanted: Wanted) -> Match | None:
        """A call with equal arguments whose tool is gone: this one may be in its place.

        Its tool was renamed and edited, or another tool is called instead.
        """
        for call in itertools.chain(self._left_here(wanted), self._left_there(wanted)):
            if call.resolved in tries.ANEW or self._is_another(call, wanted):
                continue
            said = self.said_of(call, Past.REPLACED)
            if said != AGAIN:
                past = Past.COMPLETED if said == KEEP else Past.REPLACED
                return replace(self._about(past, call), renewed=said == KEEP)
        return None

    def _left_here(self, wanted: Wanted) -> Iterator[CallPast]:
        """What this cell made, or a parent of its fork behind the place."""
        for name in self.old_names(wanted.name):
            if self.together(name, wanted.name):
                continue
            made = self._by_arguments(name)
            for call in (*made.like(wanted, name), *made.given_values_of(wanted)):
                stands = call.state is CallState.COMPLETED and self._is_free(call)
                if stands and (
                    call.id not in self.history.forked or self._asks_behind(call)
                ):
                    yield call

    def _left_there(self, wanted: Wanted) -> Iterator[CallPast]:
        """What another cell made, and does without, by a tool that no cell calls now."""
        for name in self.names_elsewhere(wanted.name):
            made = self.moved.by_arguments(name).given_values_of(wanted)
            if not made or is_in_use(self.history, name):
                continue
            for call in made:
                stands = call.state is CallState.COMPLETED and self._is_free(call)
                if stands and self.standing_of(call) is Standing.FREE:
                    yield call

    def _by_arguments(self, tool: str) -> ByArguments:
        found = self._given.get(tool)
        if found is None:
            made = itertools.chain(self.writes_of(tool), self.behind.here(tool))
            found = self._given[tool] = ByArguments.of(made)
        return found
