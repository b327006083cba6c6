"""The writes that a fork's parent made behind the place, beside a new call. Pure.

Theory of operation. Such a `write` stands in no slot of the fork: the attempt that made
it is no part of its history (`forks`). An equal call is found by its key. After an edit
of the tool's parameters it is held against all that the parent made with others, in
whatever cell, and so it is after an edit of its name alone: a cell may have another id
in the fork. Where more was edited, only what this cell made there says anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from nbdurable.engine.past.doubts import may_have_happened
from nbdurable.engine.past.edits import Marks, may_be_renamed, was_renamed
from nbdurable.engine.past.history import CallPast, History
from nbdurable.engine.past.pasts import STAYING
from nbdurable.engine.past.renamings import Renamings
from nbdurable.engine.past.versions import Versions
from nbdurable.engine.past.wanted import Wanted


@dataclass(slots=True)
class Behind:
    """What the parents of a fork made behind it, as seen from one of its cells.

    Attributes:
        history: The fold of the fork.
        slot: The slot of the cell.
        taken: How often something of a parent had been taken by then.
        calls: The writes by tool, those that the fork has taken over by now among them.
        mine: Ids of the calls that the present attempt has taken over as other ones.
    """

    history: History
    slot: str
    taken: int
    calls: Mapping[str, list[CallPast]]
    mine: Collection[str]
    _versions: dict[str, Versions] = field(default_factory=dict)
    _renamings: Renamings = field(default_factory=Renamings)

    @classmethod
    def of(cls, history: History, slot: str, mine: Collection[str]) -> Behind:
        """Look for them: once for all calls of an attempt, and if a parent goes on."""
        found: dict[str, list[CallPast]] = {}
        own = (i for i in mine if history.calls[i].step in history.behind)
        for call in map(history.calls.__getitem__, {*history.forked, *own}):
            if call.writes and call.kind not in STAYING:
                found.setdefault(call.name, []).append(call)
        for calls in found.values():
            calls.sort(key=lambda call: call.order)
        return cls(history, slot, history.taken, found, mine)

    @property
    def is_current(self) -> bool:
        """Whether nothing was taken from a parent since."""
        return self.taken == self.history.taken

    def tools(self) -> Iterator[str]:
        """Names of the tools that were called there."""
        return (name for name in self.calls if any(self.of_tool(name)))

    def here(self, tool: str) -> Iterator[CallPast]:
        """What this cell made there with a tool, but for what the fork took over before."""
        return filter(self.is_here, self.of_tool(tool))

    def of_tool(self, tool: str) -> Iterator[CallPast]:
        """What any cell made there with a tool, but for what the fork took over before."""
        return filter(self._counts, self.calls.get(tool, ()))

    def is_here(self, call: CallPast) -> bool:
        """Whether this cell made it."""
        step = self.history.behind.get(call.step)
        return step is not None and step.slot == self.slot

    def in_doubt(self, tool: str, wanted: Wanted) -> Iterator[CallPast]:
        """What was made there with a tool of another name, and may be a new call."""
        for call in self.of_tool(tool):
            if not may_have_happened(self.history, call):
                continue
            if self.is_here(call):
                if may_be_renamed(call, wanted):
                    yield call
            elif was_renamed(call, wanted):
                yield call

    def earlier(
        self, wanted: Wanted, marks: Marks, old_names: Collection[str]
    ) -> list[CallPast]:
        """What was made there by the tool of a call when that was another one.

        Args:
            wanted: A call that is about to be made.
            marks: The marks of its arguments.
            old_names: Names of tools that its cell can't call now.
        """
        found = self._versions_of(wanted.name).earlier(marks)
        forked = [*filter(self._counts, found)]
        for name in old_names:
            renamed = self._renamings.of(name, self.calls.get(name, ()), wanted)
            forked += (c for c in renamed if c.id in self.history.forked)
        return forked

    def _counts(self, call: CallPast) -> bool:
        """Whether it says something: it isn't the fork's own, or only since this attempt."""
        return call.id in self.history.forked or call.id in self.mine

    def _versions_of(self, tool: str) -> Versions:
        found = self._versions.get(tool)
        if found is None:
            found = self._versions[tool] = Versions.of(self.calls.get(tool, ()))
        return found
