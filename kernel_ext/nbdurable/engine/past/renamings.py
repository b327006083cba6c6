"""The calls of old names that are a tool's which has another name now. Pure.

What a tool's code would be under another name takes long to say, and a cell may have
made thousands of calls by that name: so it is said once for each version of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from nbdurable.engine.past.edits import has_the_code_of, was_renamed
from nbdurable.engine.past.history import CallPast, CallState
from nbdurable.engine.past.wanted import Wanted


@dataclass(slots=True)
class Renamings:
    """By old name and tool those that have its code, and those that may be settled yet."""

    _known: dict[tuple[str, str, str], tuple[list[CallPast], list[CallPast]]] = field(
        default_factory=dict
    )

    def of(
        self, old: str, calls: Iterable[CallPast], wanted: Wanted
    ) -> Iterable[CallPast]:
        """Those of the calls of an old name that a new call may be one of.

        Args:
            old: The old name.
            calls: All that were made by it; looked at once per tool.
            wanted: The call that is about to be made.
        """
        place = old, wanted.name, wanted.code
        if place not in self._known:
            self._known[place] = _sorted(calls, wanted)
        sure, open_ = self._known[place]
        return (*sure, *(call for call in open_ if was_renamed(call, wanted)))


def _sorted(
    calls: Iterable[CallPast], wanted: Wanted
) -> tuple[list[CallPast], list[CallPast]]:
    sure, open_ = list[CallPast](), list[CallPast]()
    alike: dict[object, bool] = {}
    for call in calls:
        if call.state is not CallState.COMPLETED or call.resolved:
            open_.append(call)
            continue
        version = call.code, frozenset(call.codes.items())
        if version not in alike:
            alike[version] = has_the_code_of(call, wanted)
        if alike[version]:
            sure.append(call)
    return sure, open_
