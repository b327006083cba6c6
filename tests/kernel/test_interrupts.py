"""The stop button ends a durable cell promptly, wherever it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran
from nbdurable_store.clock import SYSTEM_CLOCK

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("interrupts"),
]

PROMPT_S = 5.0
"""Measured: 0.2 s. The cells below would run for a minute."""

CELLS = {
    "sync": "time.sleep(60)",
    "busy": "while True: pass",
    "awaiting": "await asyncio.sleep(60)",
    "sync code of an awaiting cell": "await asyncio.sleep(0)\ntime.sleep(60)",
    "gathered": "await asyncio.gather(asyncio.sleep(60), asyncio.sleep(60))",
    "in a task group": (
        "async with asyncio.TaskGroup() as group:\n"
        "    group.create_task(asyncio.sleep(60))"
    ),
    "in a thread": "await asyncio.to_thread(quit_event.wait, 60)",
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One kernel for all: an interrupted cell leaves nothing behind."""
    with Kernel(tmp_path_factory.mktemp("interrupts")) as started:
        setup = (
            "import asyncio, signal, threading, time\nquit_event = threading.Event()"
        )
        assert started.run(setup).ok
        yield started


def stopped(kernel: Kernel, code: str) -> tuple[Ran, float]:
    """Run a cell that prints «on», interrupt it then, and say how long it took to end."""
    ran = kernel.send(code)
    kernel.wait_for(ran, lambda: "on" in ran.text)
    began_s = SYSTEM_CLOCK.monotonic_s()
    kernel.interrupt()
    kernel.wait(ran)
    return ran, SYSTEM_CLOCK.monotonic_s() - began_s


@pytest.mark.parametrize("body", CELLS.values(), ids=CELLS)
def test_an_interrupt_ends_the_cell_as_keyboard_interrupt(kernel: Kernel, body: str):
    """Promptly, with the user's own line, and the cell runs again afterwards."""
    ran, took_s = stopped(kernel, f"%%durable\nprint('on', flush=True)\n{body}")
    assert ran.reply["ename"] == "KeyboardInterrupt"
    (error,) = ran.of_type("error")
    assert error["ename"] == "KeyboardInterrupt"
    assert took_s < PROMPT_S
    assert "nbdurable/" not in ran.text
    kernel.run("quit_event.set(); quit_event = threading.Event()")


def test_cleaning_up_is_finished_before_the_cell_ends(kernel: Kernel):
    """An awaiting cell sees CancelledError, so `finally` and `async with` may await."""
    said_once_the_cell_awaits = (
        "asyncio.get_running_loop().call_soon(lambda: print('on', flush=True))"
    )
    body = (
        f"{said_once_the_cell_awaits}\ntry:\n    await asyncio.sleep(60)\n"
        "finally:\n    await asyncio.sleep(0.01)\n    print('cleaned')"
    )
    ran, _ = stopped(kernel, f"%%durable\n{body}")
    assert "cleaned" in ran.text
    assert ran.reply["ename"] == "KeyboardInterrupt"


def test_a_cell_that_cancels_itself_is_not_taken_for_interrupted(kernel: Kernel):
    """Without a signal, CancelledError stays what it is."""
    ran = kernel.run("%%durable\nawait asyncio.sleep(0)\nraise asyncio.CancelledError")
    assert ran.reply["ename"] == "CancelledError"


def test_signal_handlers_are_back_afterwards(kernel: Kernel):
    """Durable cells leave SIGINT as they found it, for plain cells too."""
    stopped(kernel, "%%durable\nprint('on', flush=True)\nawait asyncio.sleep(60)")
    shown = kernel.run("signal.getsignal(signal.SIGINT) is signal.default_int_handler")
    assert "True" in shown.text
    ran, _ = stopped(kernel, "print('on', flush=True)\ntime.sleep(60)")
    assert ran.reply["ename"] == "KeyboardInterrupt"
