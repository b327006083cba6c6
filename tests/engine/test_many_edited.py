"""A cell of very many payments, edited: each new one is held against few of the old."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType

import pytest

from nbdurable.engine.past.inuse import both_in_use
from tests.engine.notebooks import Notebook

PAY = "@tool\ndef pay(x): return world(f'pay {x}')\n"
REFUND = "@tool\ndef refund(x): return world(f'refund {x}')\n"

FEW, MANY = 60, 240
GROWTH_MAX = 1.25 * MANY / FEW
"""Of the work for all calls, where that of one call doesn't grow with them."""


def counted(work: Callable[[], object]) -> Counter[object]:
    """How often each function of Python was called in there."""
    calls: Counter[object] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        calls[frame.f_code] += event == "call"

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def edited(tools: str, then: str, calls: int) -> Counter[object]:
    """What an attempt calls whose cell has made so many payments before its edit."""
    nb = Notebook()
    nb.plain(tools)
    nb.run(f"for x in range({calls}): pay(x)", "s", "c1")
    work = counted(
        lambda: nb.run(f"for x in range({calls}): {then}(x + 1000)", "s", "c1")
    )
    assert len(nb.world.effects) == 2 * calls
    return work


@pytest.mark.slow
def test_other_payments_are_not_held_against_each_of_before() -> None:
    """Of those that have completed none is looked at."""
    few, many = (edited(PAY, "pay", calls).total() for calls in (FEW, MANY))
    assert many < GROWTH_MAX * few


@pytest.mark.slow
def test_two_tools_of_one_cell_are_looked_for_once() -> None:
    """Whether both are in use is a matter of all calls of the run."""
    work = edited(PAY + REFUND, "refund", FEW)
    assert work[both_in_use.__code__] == 1
