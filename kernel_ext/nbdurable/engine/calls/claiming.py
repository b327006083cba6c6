"""Waiting for the right to execute in a run."""

from __future__ import annotations

from collections.abc import Callable

from nbdurable.engine.telling import lines
from nbdurable_store.clock import Clock
from nbdurable_store.errors import RunBusy
from nbdurable_store.protocol import Lease, Store

CLAIM_WAIT_S = 30.0
"""How long a cell waits for a run that another kernel executes in."""

CLAIM_SLICE_S = 0.2
"""How often it looks; also the latency of an interrupt."""


def claim(store: Store, run: str, clock: Clock, notify: Callable[[str], None]) -> Lease:
    """The right to execute in a run, once nobody else has it.

    Args:
        store: Where the run is.
        run: Its id.
        clock: What time it is.
        notify: Is told, once, whom this waits for.

    Raises:
        RunBusy: Another kernel executes in the run, and didn't end in time.
    """
    waited_s = 0.0
    while True:
        try:
            return store.claim(run)
        except RunBusy as busy:
            if waited_s >= CLAIM_WAIT_S:
                raise
            if not waited_s:
                notify(lines.waiting(busy.pid, busy.age_s))
        clock.sleep(CLAIM_SLICE_S)
        waited_s += CLAIM_SLICE_S
