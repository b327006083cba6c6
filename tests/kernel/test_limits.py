"""Time limits of calls and cells in a real kernel."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.kernel.errors import LimitUnusable
from nbdurable.kernel.limits import Limit
from nbdurable.kernel.options import parse
from nbdurable.testing import effects
from nbdurable.testing.account import read
from nbdurable.testing.kernel import Kernel
from nbdurable.testing.processes import Running, start
from nbdurable_store.clock import SYSTEM_CLOCK, SystemClock

TOOLS = """
import asyncio, time
import nbdurable as nd
from nbdurable.testing.effects import effect

@nd.tool(effect="write")
def pay(who): return effect("pay", who=who)

@nd.tool(effect="write", timeout=0.5)
def charge(who):
    print("charging", flush=True)
    return effect("pay", who=who)

@nd.tool(effect="read")
def look(): return effect("look")
"""

STOPPED_S_MAX = 20.0
"""The cells below would run for a minute."""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service in another process."""
    log = tmp_path_factory.mktemp("bank") / "bank.jsonl"
    with start("nbdurable.testing.effects", log) as running:
        yield running


@pytest.fixture
def kernel(tmp_path: Path, bank: Running) -> Iterator[Kernel]:
    """A kernel whose tools pay there."""
    bank.clear()
    with Kernel(tmp_path, env={effects.VARIABLE: bank.url}) as started:
        assert started.run(TOOLS).ok
        yield started


def paid(bank: Running, who: str) -> int:
    """How often somebody was paid."""
    seen = [a.more["args"] for a in read(bank.log) if a.path == "/effect"]
    return sum(args.get("who") == who for args in seen)


CELLS = {
    "sync": "time.sleep(60)",
    "busy": "while True: pass",
    "awaiting": "await asyncio.sleep(60)",
    "sync code of an awaiting cell": "await asyncio.sleep(0)\ntime.sleep(60)",
    "swallowing": (
        "while True:\n    try:\n        time.sleep(60)\n    except Exception:\n        pass"
    ),
}


@pytest.mark.parametrize("body", CELLS.values(), ids=CELLS)
@pytest.mark.slow
@pytest.mark.xdist_group("limits")
def test_a_cell_ends_at_its_limit(kernel: Kernel, body: str) -> None:
    """On time, in our form, with the line in which it was; and runs again."""
    began_s = SYSTEM_CLOCK.monotonic_s()
    ran = kernel.run(f"%%durable s --timeout 1s\nx = look()\n{body}")
    assert SYSTEM_CLOCK.monotonic_s() - began_s < STOPPED_S_MAX
    assert ran.reply["ename"] == "CellTimedOut"
    assert "s took longer than 1s" in ran.text
    assert "in line " in ran.text
    assert "nbdurable/" not in ran.text
    ran = kernel.run("%%durable s --timeout 60\nx = look()\ny = 1")
    assert ran.ok, ran.text
    assert "1 replayed" in ran.text
    assert kernel.run("time.sleep(1.2); 'still here'").ok


@pytest.mark.slow
@pytest.mark.xdist_group("limits")
def test_a_cell_in_time_is_left_alone(kernel: Kernel) -> None:
    """The limit of a cell that has ended interrupts nothing after it."""
    assert kernel.run("%%durable s --timeout 1s\nx = look()").ok
    ran = kernel.run("time.sleep(1.5)\n'on'")
    assert ran.ok, ran.text
    assert kernel.run("%%durable t --timeout=1s\nawait asyncio.sleep(0.1)").ok
    assert kernel.run("await asyncio.sleep(1.5)").ok


@pytest.mark.slow
@pytest.mark.xdist_group("limits")
def test_the_error_names_what_may_have_happened(kernel: Kernel, bank: Running) -> None:
    """A payment in flight at the limit is in doubt: its commands can be pasted."""
    bank.rule(do="hold", when="bea")
    ran = kernel.run("%%durable shop --timeout 2s\na = pay('abe')\nb = pay('bea')")
    assert ran.reply["ename"] == "CellTimedOut"
    (named,) = re.findall(r"May have happened: (\S+) pay\('bea'\)", ran.text)
    assert f"%durable resolve {named} --did-not" in ran.text
    assert kernel.run(f"%durable resolve {named} --happened 'paid'").ok
    ran = kernel.run("%%durable shop --timeout 2s\na = pay('abe')\nb = pay('bea')")
    assert ran.ok, ran.text
    assert (paid(bank, "abe"), paid(bank, "bea")) == (1, 1)
    assert "'paid'" in kernel.run("b").text


@pytest.mark.slow
@pytest.mark.xdist_group("limits")
def test_code_that_catches_its_end_pays_no_more(kernel: Kernel, bank: Running) -> None:
    """After the limit no further `write` starts, and the cell isn't complete."""
    bank.rule(do="hold", when="eva", times=1)
    cell = """%%durable all --timeout 2s
for who in ("eva", "fay"):
    try: pay(who)
    except BaseException as stop: print(type(stop).__name__)"""
    ran = kernel.run(cell)
    assert "KeyboardInterrupt\nCellTimedOut" in ran.text
    assert re.search(r"May have happened: all\.1@[0-9a-f]{6} pay\('eva'\)", ran.text)
    assert paid(bank, "fay") == 0

    kernel.run("%durable resolve all.1 --did-not")
    assert kernel.run(cell).ok
    assert (paid(bank, "eva"), paid(bank, "fay")) == (2, 1)


@pytest.mark.slow
@pytest.mark.xdist_group("limits")
def test_a_call_that_takes_too_long(kernel: Kernel, bank: Running) -> None:
    """The cell returns on time; the late receipt is told, and served afterwards."""
    bank.rule(do="hold", when="cat")
    ran = kernel.run("%%durable shop\nc = charge('cat')")
    assert ran.reply["ename"] == "TimedOut"
    assert "charging" in ran.text
    assert "charge('cat') had no result after 0.5 s." in ran.text
    bank.clear()
    kernel.wait_after(ran, lambda: "returned after all" in ran.text)
    ran = kernel.run("%%durable shop\nc = charge('cat')")
    assert ran.ok, ran.text
    assert paid(bank, "cat") == 1
    assert "pay-" in kernel.run("c").text


@pytest.mark.slow
@pytest.mark.xdist_group("limits")
def test_a_kernel_killed_after_a_limit_asks(kernel: Kernel, bank: Running) -> None:
    """Nothing came late: what timed out is in doubt in the next kernel, too."""
    bank.rule(do="hold", when="dan")
    cell = "%%durable shop\nc = charge('dan')"
    assert kernel.run(cell).reply["ename"] == "TimedOut"
    kernel.kill()
    bank.clear()
    kernel.restart()
    assert kernel.run(TOOLS).ok
    ran = kernel.run(cell)
    assert ran.reply["ename"] == "CallInDoubt"
    assert "It had no result after" in ran.text
    assert paid(bank, "dan") == 1


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("90s", 90), ("5m", 300), ("2h", 7200), ("45", 45), ("0.5s", 0.5), ("5min", 300)],
)
def test_a_duration_is_read(given: str, seconds: float) -> None:
    """Seconds, minutes and hours, with the name before or behind."""
    options = parse(f"findings --timeout {given} --quiet")
    assert (options.timeout_s, options.name, options.quiet) == (
        seconds,
        "findings",
        True,
    )
    assert parse(f"--timeout={given} findings").timeout_s == seconds


@pytest.mark.parametrize("given", ["", "soon", "-5m", "0", "1e9", "5d", "--quiet"])
def test_what_is_no_duration_is_refused(given: str) -> None:
    """The cell isn't run without the limit that somebody wanted."""
    with pytest.raises(LimitUnusable):
        parse(f"findings --timeout {given}")


class Told(SystemClock):
    """Time is over when a test says so."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait for the test, not for the time."""
        assert self.over.wait(60), timeout_s
        return event.is_set()


def interrupted(clock: Told) -> None:
    """Let the time be over, and wait for the signal: a long wait could begin after it."""
    clock.over.set()
    while True:
        threading.Event().wait(0.01)


def test_a_limit_counts_after_an_interrupt_that_was_caught() -> None:
    """Who caught somebody's own stop learns of the limit after it, and writes are stopped."""
    stopped: list[str] = []
    clock = Told()
    limit = Limit(1.0, lambda: stopped.append("over"), clock)
    with limit.watching():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert stopped == []
        with pytest.raises(KeyboardInterrupt):
            interrupted(clock)
    assert limit.fired
    assert stopped == ["over"]
