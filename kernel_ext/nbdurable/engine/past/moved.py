"""The writes of other cells, beside a new call of a tool that was edited. Pure.

Theory of operation. A cell is split, or its calls are moved to another one, and their
tool is edited before they run there. They have other keys by then, and the cell has no
history that says anything. So a call without a record is held against what other cells
have made by an earlier version of its tool, as far as that may stand here by now: the
cell that made it does without it, or nobody knows whether that cell still exists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from nbdurable.engine.past.edits import ByArguments, Marks, was_renamed
from nbdurable.engine.past.history import CallPast, History
from nbdurable.engine.past.pasts import STAYING
from nbdurable.engine.past.renamings import Renamings
from nbdurable.engine.past.versions import Versions
from nbdurable.engine.past.wanted import Wanted


@dataclass(slots=True)
class Moved:
    """What other cells made, as seen from one cell.

    Attributes:
        calls: The writes by tool, in order.
    """

    calls: Mapping[str, list[CallPast]]
    _versions: dict[str, Versions] = field(default_factory=dict)
    _renamings: Renamings = field(default_factory=Renamings)
    _given: dict[str, ByArguments] = field(default_factory=dict)

    @classmethod
    def of(cls, history: History, slot: str) -> Moved:
        """Look for them, once for all calls of an attempt.

        Args:
            history: The fold of the run.
            slot: The slot of the cell.
        """
        found: dict[str, list[CallPast]] = {}
        for call in history.calls.values():
            other = call.slot != slot and call.id not in history.forked
            if other and call.writes and call.kind not in STAYING:
                found.setdefault(call.name, []).append(call)
        return cls(found)

    def earlier(
        self, wanted: Wanted, marks: Marks, old_names: Collection[str]
    ) -> Iterator[CallPast]:
        """What was made by the tool of a call when that was another one.

        Args:
            wanted: A call that is about to be made.
            marks: The marks of its arguments.
            old_names: Names of tools that may be its tool's old ones.
        """
        yield from self._versions_of(wanted.name).earlier(marks)
        for name in old_names:
            yield from self._renamings.of(name, self.calls.get(name, ()), wanted)

    def in_doubt(self, tool: str, wanted: Wanted) -> Iterator[CallPast]:
        """What was made by a tool of another name, and has the code of a new call."""
        made = self.calls.get(tool, ())
        return (call for call in made if was_renamed(call, wanted))

    def by_arguments(self, tool: str) -> ByArguments:
        """What was made by a tool, by what it was given; looked at once."""
        found = self._given.get(tool)
        if found is None:
            found = self._given[tool] = ByArguments.of(self.calls.get(tool, ()))
        return found

    def _versions_of(self, tool: str) -> Versions:
        found = self._versions.get(tool)
        if found is None:
            found = self._versions[tool] = Versions.of(self.calls.get(tool, ()))
        return found
