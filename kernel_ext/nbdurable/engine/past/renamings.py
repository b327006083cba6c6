"""The calls of old names that are a tool's which has another name now. Pure.

What a tool's code would be under another name takes long to say, and a cell may have
made thousands of calls by that name: so it is said once for each version of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nbdurable.engine.past.edits import was_renamed
from nbdurable.engine.past.history import CallPast
from nbdurable.engine.past.wanted import Wanted


@dataclass(slots=True)
class Renamings:
    """By old name and tool those of its calls that were made with the tool's code."""

    _known: dict[tuple[str, str, str], Sequence[CallPast]] = field(default_factory=dict)

    def of(
        self, old: str, calls: Iterable[CallPast], wanted: Wanted
    ) -> Sequence[CallPast]:
        """Those of the calls of an old name that a new call may be one of.

        Args:
            old: The old name.
            calls: All that were made by it; looked at once per tool.
            wanted: The call that is about to be made.
        """
        place = old, wanted.name, wanted.code
        found = self._known.get(place)
        if found is None:
            found = self._known[place] = _renamed(calls, wanted)
        return found


def _renamed(calls: Iterable[CallPast], wanted: Wanted) -> list[CallPast]:
    found, alike = list[CallPast](), dict[object, bool]()
    for call in calls:
        version = call.code, frozenset(call.codes.items())
        if version not in alike:
            alike[version] = was_renamed(call, wanted)
        if alike[version]:
            found.append(call)
    return found
