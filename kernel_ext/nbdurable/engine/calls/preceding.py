"""The writes that precede a call, per scope: a `read` after a new one asks again."""

from __future__ import annotations

from dataclasses import dataclass

from nbdurable.engine.where.frames import Scopes, task_of


@dataclass(slots=True)
class ScopeState:
    """What happened in one scope of the attempt so far. Nobody changes one.

    Attributes:
        after: Logical id of its latest `write`, or "".
        new_write: Whether one newly executed before, in it, or inside it.
        itself: Whether one did before, or by its own code.
    """

    after: str = ""
    new_write: bool = False
    itself: bool = False


_BEFORE = {written: ScopeState("", written, written) for written in (False, True)}
"""Of a scope in which nothing has happened yet; thousands of items share them."""


class Preceding:
    """What happened in each scope. Not thread-safe, the attempt holds a lock.

    Example:
        >>> preceding = Preceding(Scopes())
        >>> preceding.wrote("", "a call's id")
        >>> preceding.state("").new_write
        True
    """

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._states: dict[str, ScopeState] = {}
        self._after_write: set[str] = set()

    def state(self, scope: str, parent: str = "") -> ScopeState:
        """What happened in a scope; what preceded a call precedes what it calls."""
        state = self._states.get(scope)
        if state is None:
            before = parent in self._after_write or self._written_before(scope)
            state = self._states[scope] = _BEFORE[before]
        return state

    def _written_before(self, scope: str) -> bool:
        """Whether code wrote anew before it began the task that a scope is of.

        Tasks side by side have worlds of their own: what one of them wrote is no past of
        the others.
        """
        if not scope:
            return False
        around = next(self._scopes.around(scope), "")
        return task_of(scope) != task_of(around) and self.state(around).itself

    def began(self, scope: str, call_id: str) -> None:
        """A call begins there: what has preceded it precedes what it calls."""
        if self.state(scope).new_write:
            self._after_write.add(call_id)

    def wrote(self, scope: str, call_id: str) -> None:
        """A `write` newly begins there."""
        self._states[scope] = ScopeState(call_id, new_write=True, itself=True)
        for around in self._scopes.around(scope):
            state = self.state(around)
            if not state.new_write:
                self._states[around] = ScopeState(state.after, True, state.itself)

    def served(self, scope: str, call_id: str) -> None:
        """A `write` of before stands there."""
        state = self.state(scope)
        self._states[scope] = ScopeState(call_id, state.new_write, state.itself)

    def afresh(self, call_id: str) -> None:
        """A call is about to be tried again: nothing has happened inside it."""
        for scope in [s for s in self._states if s.split("/")[0] == call_id]:
            del self._states[scope]
