"""Who executes a call that has no outcome yet: this kernel, another one, or nobody."""

from __future__ import annotations

from typing import Final

from nbdurable.engine.calls.home import Home
from nbdurable.engine.past.pasts import CallPast, CallState
from nbdurable.engine.telling import lines
from nbdurable_store.errors import DurableError, RunBusy

_OVER: Final = frozenset({CallState.COMPLETED, CallState.INTERRUPTED})
"""In these nobody is executing a call. One that raised may be tried again."""


class Owners:
    """The processes that append to the store, as an attempt sees them."""

    def __init__(self, home: Home) -> None:
        self._home, self._store = home, home.store

    def executing(self, call: CallPast) -> bool:
        """Whether somebody is executing this call now."""
        if call.state in _OVER:
            return False
        if call.retrying:  # in another process nobody waits for it any more
            return call.owner == self._store.owner and call.id in self._home.executing
        if call.finished:
            return False
        if call.owner == self._store.owner:
            return call.id in self._home.executing
        return any(o.alive and o.id == call.owner for o in self._store.owners())

    def wait_told(self, call: CallPast) -> None:
        """Say whom this call waits for."""
        age_s = (self._home.clock.now_us() - call.started_us) / 1_000_000
        self._home.tell_once(lines.waiting_for(call.text, self._pid(call), age_s))

    def busy(self, call: CallPast, waited_s: float) -> DurableError:
        """The error after a wait that took too long."""
        run = self._home.history.run
        return RunBusy(run=run, pid=self._pid(call), age_s=waited_s)

    def _pid(self, call: CallPast) -> int:
        return next((o.pid for o in self._store.owners() if o.id == call.owner), 0)
