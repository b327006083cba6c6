"""How much memory a run takes in a kernel that executes it all day."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from nbdurable.engine.past.history import History
from nbdurable_store.journal.frames import decode_entry
from nbdurable_store.records import Entry, Kind

CALLS = 5_000
CALL_BYTES_MAX = 1_200
"""What is remembered of a call: what matching asks, and where its result stands."""

STARTED = (
    '{"kind":"%s","run":"run-1","step":"step-1","subject":"%032x","key":"%064x",'
    '"at":%d,"fields":{"n":%d,"attempt":1,"name":"search","effect":"read","kind":"tool",'
    '"code":"1234567890abcdef1234567890abcdef","text":"search(\'page %d\')",'
    '"scope":"step-1/scope","after":"1234567890abcdef1234567890abcdef"},"refs":[],"tick":%d}'
)
COMPLETED = (
    '{"kind":"%s","run":"run-1","step":"step-1","subject":"%032x","key":"",'
    '"at":%d,"fields":{"attempt":1,"ms":12.5},"refs":[["json","%064x",5,"%064x",""]],"tick":%d}'
)


def entries() -> Iterator[Entry]:
    """A long run, as it is read from a store: each text is an object of its own."""
    for n in range(1, CALLS + 1):
        at = 1_790_000_000_000_000 + n
        tick = 10_000 + 2 * n
        started = STARTED % (Kind.CALL_STARTED, n, n, at, n, n, tick)
        yield decode_entry("kernel-1", 2 * n, started.encode(), 0)
        completed = COMPLETED % (Kind.CALL_COMPLETED, n, at, n, n, tick + 1)
        yield decode_entry("kernel-1", 2 * n + 1, completed.encode(), 0)


@pytest.mark.slow
def test_a_call_takes_little_memory() -> None:
    """What repeats from call to call is kept once; what can be read again isn't kept."""
    gc.collect()
    history = History("run-1")
    tracemalloc.start()
    try:
        for entry in entries():
            history.apply((entry,))
        del entry
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(history.calls) == CALLS
    assert held / CALLS < CALL_BYTES_MAX
