"""A kernel is killed while tasks or threads go on after their cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbdurable.testing.kernel import Kernel, KernelDiedError
from nbdurable.testing.ran import Ran
from tests.crash.kills import CALLS, Story

pytestmark = pytest.mark.slow

TASK = """
async def work():
    for i in range(3): r.append(await acall(i))
r = []
asyncio.create_task(work(), name="left")
None
"""

THREAD = """
def work():
    for i in range(3): r.append(call(i))
r = []
Thread(target=work, name="left").start()
"""

POOL = """
pool, r = ThreadPoolExecutor(1), []
def work(i): r.append(call(i))
for i in range(3): pool.submit(work, i)
"""

LEFT = {
    "task": (
        TASK,
        "await asyncio.gather(*[t for t in asyncio.all_tasks() if t.get_name() == 'left'])",
    ),
    "thread": (THREAD, "[t.join() for t in enumerate() if t.name == 'left']"),
    "pool": (POOL, "pool.shutdown()"),
}
"""The same three calls, left to something; and how another cell waits for that."""

POINTS = {
    "started.synced#2": (1, True),
    "completed.synced#2": (2, False),
    "step.ended.before": (3, False),
    "step.ended.synced": (3, False),
}
"""Moments: how many calls have happened then, and whether the next one is in doubt."""


def run(kernel: Kernel, left: str) -> Ran:
    """Run a cell, and wait in another one for what it left running."""
    cell, wait = LEFT[left]
    assert kernel.run("from threading import Thread, enumerate").ok
    ran = kernel.run(f"%%durable s\n{cell}")
    kernel.run(wait)
    return ran


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("point", POINTS)
def test_killed_while_something_goes_on(
    story: Callable[[str, str], Story], left: str, point: str
) -> None:
    """Run again, nothing that was acknowledged happens twice, and nothing is missing."""
    told = story("write", left)
    with told.kernel(f"{point}=kill") as kernel:
        told.tools(kernel)
        with pytest.raises(KernelDiedError):
            run(kernel, left)
    happened, in_doubt = POINTS[point]
    assert told.counted() == dict.fromkeys(range(happened), 1)
    with told.kernel() as kernel:
        told.tools(kernel)
        assert run(kernel, left).ok
        if in_doubt:
            told.settle(kernel, "%durable resolve s.2 ")
            run(kernel, left)
        assert told.results(kernel) == [told.receipt(i) for i in range(CALLS)]
    assert told.counted() == dict.fromkeys(range(CALLS), 1)
