"""Retries and keys from outside: a real kernel is killed, another process counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.testing import effects
from nbdurable.testing.account import Arrived, read
from nbdurable.testing.kernel import Kernel, KernelDiedError
from nbdurable.testing.processes import Running, start

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("retries"),
]

TOOLS = """
import nbdurable as nd, urllib.error
from nbdurable.testing.effects import effect

class Busy(Exception): pass

@nd.tool(retry=nd.Retry(attempts=4, wait=0.05, max_wait={max_wait}, jitter=0, on=Busy), on_doubt={on_doubt!r})
def pay(who, amount):
    try:
        return effect("pay", who=who, amount=amount, key=nd.idempotency_key())
    except urllib.error.HTTPError as refused:
        raise Busy(refused.code) from refused
"""


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Running]:
    """A service in another process that counts payments and their keys."""
    with start("nbdurable.testing.effects", tmp_path / "bank.jsonl") as running:
        yield running


@pytest.fixture
def kernel(tmp_path: Path, bank: Running) -> Iterator[Kernel]:
    """A kernel whose tools pay there."""
    with Kernel(tmp_path, env={effects.VARIABLE: bank.url}) as started:
        yield started


def tools(kernel: Kernel, on_doubt: str = "ask", max_wait: float = 60) -> None:
    """Define the tools in a fresh kernel."""
    assert kernel.run(TOOLS.format(on_doubt=on_doubt, max_wait=max_wait)).ok


def seen(bank: Running) -> list[Arrived]:
    """The payments that arrived, in order."""
    return [a for a in read(bank.log) if a.path == "/effect"]


def keys(bank: Running) -> list[str]:
    """The keys that arrived, in order."""
    return [a.more["args"]["key"] for a in seen(bank)]


def test_a_refused_payment_is_tried_again_under_one_key(
    kernel: Kernel, bank: Running
) -> None:
    """Two refusals, then it is taken: three requests of one key, one result."""
    tools(kernel)
    bank.rule(do="fail", times=2, status=503)
    ran = kernel.run("%%durable shop\nx = pay('ann', 3)\ny = pay('ann', 3)")
    assert ran.ok, ran.text
    first, again, taken, other = keys(bank)
    assert first == again == taken != other
    kernel.kill()
    kernel.restart()
    tools(kernel)
    assert kernel.run("%%durable shop\nx = pay('ann', 3)\ny = pay('ann', 3)").ok
    assert len(keys(bank)) == 4


def test_a_kernel_killed_in_a_wait_goes_on_with_it(
    kernel: Kernel, bank: Running
) -> None:
    """The second attempt is made by the next kernel, and not before its time."""
    tools(kernel)
    bank.rule(do="fail", status=429, retry_after_ms=8_000)
    cell = "%%durable shop\nx = pay('ann', 3)"
    ran = kernel.send(cell)
    kernel.wait_for(ran, lambda: "attempt 2 of 4 in 8" in ran.text)
    kernel.kill()
    kernel.restart()
    tools(kernel)
    ran = kernel.run(cell)
    assert ran.ok, ran.text
    first, second = seen(bank)
    assert second.at_us - first.at_us >= 7_900_000
    assert first.more == second.more
    assert "attempt" in kernel.run("nd.why('shop.1')").text


def test_a_kernel_killed_in_a_payment_asks_or_sends_its_key(
    kernel: Kernel, bank: Running
) -> None:
    """In flight at the kill: nothing is sent unasked; with `retry` under the same key."""
    tools(kernel)
    bank.rule(do="hold")
    cell = "%%durable shop\nx = pay('ann', 3)"
    kernel.send(cell)
    assert bank.wait_held()
    kernel.kill()
    bank.clear()
    kernel.restart()
    tools(kernel)
    ran = kernel.run(cell)
    assert ran.reply["ename"] == "CallInDoubt"
    assert len(keys(bank)) == 1
    kernel.restart()
    tools(kernel, on_doubt="retry")
    ran = kernel.run("%%durable shop\nz = 1  # edited\nx = pay('ann', 3)")
    assert ran.ok, ran.text
    first, second = keys(bank)
    assert first == second


POINTS = {
    "started.synced#2": True,
    "effect.done#2": True,
    "raised.synced#1": False,
    "raised.synced#2": False,
    "result.durable#1": True,
    "completed.synced#1": False,
}
"""Moments of a call whose third attempt is taken, and whether it is in doubt then."""


CASES = [
    *((point, "ask") for point in POINTS),
    *((point, "retry") for point, doubtful in POINTS.items() if doubtful),
]


@pytest.mark.parametrize(("point", "on_doubt"), CASES)
def test_a_series_killed_at_any_moment(
    tmp_path: Path, bank: Running, point: str, on_doubt: str
) -> None:
    """Whatever the kernel died in: one key, and no request beyond a doubt unasked."""
    cell = "%%durable shop\nx = pay('ann', 3)"
    bank.rule(do="fail", times=2, status=503)
    deadly = {effects.VARIABLE: bank.url, "NBDURABLE_KILLPOINTS": f"{point}=kill"}
    with Kernel(tmp_path, env=deadly) as kernel:
        tools(kernel, on_doubt)
        with pytest.raises(KernelDiedError):
            kernel.run(cell)
    before = len(keys(bank))
    with Kernel(tmp_path, env={effects.VARIABLE: bank.url}) as kernel:
        tools(kernel, on_doubt)
        ran = kernel.run(cell)
        if POINTS[point] and on_doubt == "ask":
            assert ran.reply["ename"] == "CallInDoubt"
            assert len(keys(bank)) == before
            return
        assert ran.ok, ran.text
        assert "pay-" in kernel.run("x").text
    repeated = POINTS[point] and before == 3
    assert len(keys(bank)) == (4 if repeated else 3)
    assert len(set(keys(bank))) == 1


def test_the_stop_button_ends_a_wait(kernel: Kernel, bank: Running) -> None:
    """A wait of an hour ends at once, and the cell can be run again."""
    tools(kernel, max_wait=4_000)
    bank.rule(do="fail", status=429, retry_after_ms=3_600_000)
    ran = kernel.send("%%durable shop\nx = pay('ann', 3)")
    kernel.wait_for(ran, lambda: "attempt 2 of 4 in 60 min" in ran.text)
    kernel.interrupt()
    kernel.wait(ran, timeout_s=20)
    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert len(keys(bank)) == 1


def test_the_stop_button_ends_a_wait_that_is_awaited(
    kernel: Kernel, bank: Running
) -> None:
    """The same in a cell that awaits; the loop goes on meanwhile."""
    tools(kernel, max_wait=4_000)
    kernel.run(
        "import asyncio\n"
        "@nd.tool(effect='read', retry=nd.Retry(wait=3600, max_wait=3600))\n"
        "async def look():\n    raise OSError\n"
        "async def tick():\n    await asyncio.sleep(0.5)\n    print('ticked')"
    )
    ran = kernel.send("%%durable look\nawait asyncio.gather(look(), tick())")
    kernel.wait_for(ran, lambda: "ticked" in ran.text and "in 60 min" in ran.text)
    kernel.interrupt()
    kernel.wait(ran, timeout_s=20)
    assert ran.reply["ename"] == "KeyboardInterrupt"
