"""Kernels killed at random moments, again and again, for as long as one wishes.

`make soak MINUTES=30` runs it; each round prints its seed, and `SEED=n` repeats one.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from nbdurable.testing.kernel import Kernel, KernelDiedError
from nbdurable_store.clock import SYSTEM_CLOCK
from nbdurable_store.killpoints import CALL_POINTS, STEP_POINTS, STORE_POINTS
from tests.crash.kills import CALLS, CELLS, Story

ROUND_S = 60.0
"""A round has this long at most."""

KILLS_MAX = 4
"""Kernels killed in one round before it may end."""

POINTS = sorted(
    CALL_POINTS
    | STEP_POINTS
    | {p for p in STORE_POINTS if p.startswith(("record.", "segment.", "blob."))}
)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_random_kills(story: Callable[[str, str], Story]) -> None:
    """Every round ends with the right results, and each write happened once."""
    minutes = float(os.environ.get("NBDURABLE_SOAK_MINUTES", "0"))
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    until_s = SYSTEM_CLOCK.monotonic_s() + minutes * 60
    rounds = 0
    while rounds == 0 or SYSTEM_CLOCK.monotonic_s() < until_s:
        print(f"round {rounds}, SEED={seed + rounds}", flush=True)
        _round(story, random.Random(seed + rounds))
        rounds += 1


def _round(story: Callable[[str, str], Story], chance: random.Random) -> None:
    effect, cell = chance.choice(["write", "read"]), chance.choice(sorted(CELLS))
    told = story(effect, cell)
    told.folder = told.folder / str(told.size)
    told.folder.mkdir()
    told.padding = chance.choice([0, 100_000])
    kills = chance.randint(1, KILLS_MAX)
    for _ in range(kills):
        with told.kernel(f"{chance.choice(POINTS)}#{chance.randint(1, 4)}=kill") as k:
            try:
                _until_answered(told, k)
            except KernelDiedError:
                continue
    with told.kernel() as kernel:
        _until_answered(told, kernel)
        assert told.results(kernel) == [told.receipt(i) for i in range(CALLS)]
    counted = told.counted()
    assert set(counted) == set(range(CALLS))
    most = 1 if effect == "write" else 1 + kills
    assert max(counted.values()) <= most, counted


def _until_answered(told: Story, kernel: Kernel) -> None:
    """Run the cell; answer each question by looking at the account."""
    for _ in range(CALLS + 1):
        ran = told.run(kernel)
        if ran.ok:
            return
        assert "may or may not have happened" in ran.text, ran.text
        told.settle(kernel, ran.text)
    raise AssertionError("more questions than calls")
