"""Tasks, threads and pools that outlive their durable cell, in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran
from tests.kernel.notebook import lines_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("leftovers"),
]

TOOLS = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import nbdurable as nd
from nbdurable_store.clock import SYSTEM_CLOCK as clock
from nbdurable.testing.effects import effect

async def passed():
    while not Path("go").exists():
        await asyncio.sleep(0.01)

def wait():
    while not Path("go").exists():
        clock.sleep(0.01)

@nd.tool(effect="read")
async def ask(x):
    return effect("ask", x=x)

@nd.tool(effect="read")
def look(x):
    return effect("look", x=x)

@nd.tool(effect="write")
async def send(x):
    effect("send", x=x)
    await passed()
    return x

async def agent(*xs):
    for x in xs:
        got.append(await ask(x))
        await passed()
"""

AGENT = "%%durable s\ngot = []\nfor x in (10, 20): asyncio.create_task(agent(x, x + 1))"


def effects(folder: Path) -> int:
    """How many effects the tools had, counted in a file beside the store."""
    account = folder / "effects.jsonl"
    lines = account.read_text().splitlines() if account.exists() else []
    return sum('"tool"' in line for line in lines)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel with the tools of this page, on one run that goes on."""
    with Kernel(tmp_path, env={"NBDURABLE_NOTEBOOK": "/n.ipynb"}) as started:
        assert started.run(TOOLS).ok
        yield started


def begin(kernel: Kernel, cell: str) -> Ran:
    """Run a cell that leaves something running."""
    ran = kernel.run(cell, metadata={"cellId": "c1"})
    assert "still running" in ran.text, ran.text
    return ran


def finish(kernel: Kernel, ran: Ran) -> str:
    """Let everything go on, and give what is said of the step's end."""
    told = len(lines_of(ran))
    (kernel.folder / "go").touch()
    kernel.wait_after(ran, lambda: len(lines_of(ran)) > told)
    return lines_of(ran)[-1]


def again(kernel: Kernel) -> None:
    """A fresh kernel on the same run."""
    kernel.restart()
    assert kernel.run(TOOLS).ok


def test_tasks_go_on_and_the_step_ends_with_them(kernel: Kernel) -> None:
    """The prompt is back at once; the end is told under the cell, and then it replays."""
    ran = begin(kernel, AGENT)
    assert lines_of(ran)[-1] == "s · still running: 2 tasks"
    told = finish(kernel, ran)
    assert told.startswith("s · 4 calls ran")
    assert "not kept" not in told
    again(kernel)
    ran = kernel.run(AGENT, metadata={"cellId": "c1"})
    assert "nothing ran" in ran.text
    assert kernel.run("print(len(got))").text == "4\n"
    assert effects(kernel.folder) == 4


def test_a_kernel_killed_meanwhile_runs_the_step_again(kernel: Kernel) -> None:
    """Calls that had finished are served, whatever other cells ran since."""
    begin(kernel, AGENT)
    assert kernel.run("%%durable other\n1").ok
    while effects(kernel.folder) < 2:
        kernel.run("await asyncio.sleep(0.01)")
    kernel.kill()
    again(kernel)
    assert "stopped" in kernel.run("%durable").text
    ran = begin(kernel, AGENT)
    assert "4 calls: 2 replayed, 2 ran" in finish(kernel, ran)
    assert effects(kernel.folder) == 4


def test_what_a_task_prints_late_is_shown_and_not_recorded(kernel: Kernel) -> None:
    """Outputs are recorded until the cell's end."""
    cell = (
        "%%durable s\nprint('early')\nasync def talk():\n"
        "    await passed()\n    print('late', await ask(1))\n"
        "asyncio.create_task(talk())\nNone"
    )
    ran = begin(kernel, cell)
    finish(kernel, ran)
    kernel.wait_after(ran, lambda: "late" in ran.text)
    again(kernel)
    ran = kernel.run(cell, metadata={"cellId": "c1"})
    assert "early" in ran.text
    assert "late" not in ran.text


def test_what_a_failed_gather_leaves_goes_on(kernel: Kernel) -> None:
    """The cell has failed; its step ends when the others have, and loses none of them."""
    cell = (
        "%%durable s\ngot = []\nasync def bad():\n    await ask(1)\n    1 / 0\n"
        "await asyncio.gather(bad(), agent(2, 3))"
    )
    ran = begin(kernel, cell)
    assert ran.reply["ename"] == "ZeroDivisionError"
    assert "stopped by the error above" in lines_of(ran)[-1]
    assert "3 calls ran" in finish(kernel, ran)
    ran = kernel.run(cell.replace("1 / 0", "pass"), metadata={"cellId": "c1"})
    assert "3 replayed" in ran.text
    assert effects(kernel.folder) == 3


def test_functions_of_a_pool_without_shutdown(kernel: Kernel) -> None:
    """Pending futures are work of the step; an idle pool afterwards is not."""
    cell = (
        "%%durable s\npool = ThreadPoolExecutor(1)\n"
        "first = pool.submit(wait)\n"
        "more = [pool.submit(look, x) for x in range(3)]"
    )
    ran = begin(kernel, cell)
    assert "4 futures" in ran.text
    assert finish(kernel, ran).startswith("s · 3 calls ran")
    assert (
        "still running"
        not in kernel.run("%%durable t\npool.submit(look, 9).result()").text
    )


def test_an_interrupt_stops_the_cell_and_not_its_tasks(kernel: Kernel) -> None:
    """The stop button ends what awaits; a task of its own goes on, and is kept."""
    cell = (
        "%%durable s\ngot = []\nasyncio.create_task(agent(1, 2))\n"
        "while not got: await asyncio.sleep(0.01)\n"
        "print('on', flush=True)\nawait asyncio.sleep(60)"
    )
    ran = kernel.send(cell, metadata={"cellId": "c1"})
    kernel.wait_for(ran, lambda: "on" in ran.text)
    kernel.interrupt()
    assert kernel.wait(ran).reply["ename"] == "KeyboardInterrupt"
    assert "interrupted · 1 call ran · still running: 1 task" in ran.text
    assert "2 calls ran" in finish(kernel, ran)
    assert kernel.run("print(len(got))").text == "2\n"


def test_a_cancelled_task_runs_again(kernel: Kernel) -> None:
    """A write that was cancelled in the middle is in doubt, and is asked about."""
    cell = "%%durable s\nt = asyncio.create_task(send(1))\nNone"
    ran = begin(kernel, cell)
    while effects(kernel.folder) < 1:
        kernel.run("await asyncio.sleep(0.01)")
    kernel.run("t.cancel()")
    kernel.wait_after(ran, lambda: "interrupted" in ran.text)
    ran = begin(kernel, cell)
    kernel.wait_after(ran, lambda: "may or may not have happened" in ran.text)
    assert "waits for your answer" in ran.text
    assert kernel.run("%durable resolve s.1 --happened 1").ok
    assert effects(kernel.folder) == 1
    ran = begin(kernel, cell)
    kernel.wait_after(ran, lambda: "1 call replayed, none ran" in ran.text)
    assert effects(kernel.folder) == 1


def test_a_cell_run_again_at_once_pays_nothing_twice(kernel: Kernel) -> None:
    """Pressed twice: the second execution waits for the call of the first."""
    cell = "%%durable s\nt = asyncio.create_task(send(1))\nNone"
    first = begin(kernel, cell)
    while effects(kernel.folder) < 1:
        kernel.run("await asyncio.sleep(0.01)")
    second = begin(kernel, cell)
    assert "still running from before: 1 task" in second.text
    (kernel.folder / "go").touch()
    kernel.wait_after(second, lambda: "1 call replayed, none ran" in second.text)
    assert kernel.run("print(await t)").text == "1\n"
    assert effects(kernel.folder) == 1
    assert "interrupted" not in first.text


def test_an_orderly_shutdown_leaves_work_unfinished(kernel: Kernel) -> None:
    """Unfinished work is resumed by the next kernel; a connection's pump is no work."""
    begin(kernel, AGENT)
    while effects(kernel.folder) < 2:
        kernel.run("await asyncio.sleep(0.01)")
    pump = "%%durable pump\nasyncio.create_task(asyncio.sleep(1000))\na = look(5)"
    assert "still running" in kernel.run(pump, metadata={"cellId": "c2"}).text
    kernel.shutdown()
    kernel.stop()
    kernel.start()
    assert kernel.run(TOOLS).ok
    assert "nothing ran" in kernel.run(pump, metadata={"cellId": "c2"}).text
    ran = begin(kernel, AGENT)
    assert "4 calls: 2 replayed, 2 ran" in finish(kernel, ran)


def test_another_kernel_waits_for_what_a_cell_left_running(
    kernel: Kernel, tmp_path: Path
) -> None:
    """The run is busy until the step has ended, not only until its cell has."""
    ran = begin(kernel, AGENT)
    with Kernel(tmp_path, env={"NBDURABLE_NOTEBOOK": "/n.ipynb"}) as other:
        second = other.send("%%durable second\n1", metadata={"cellId": "c2"})
        other.wait_for(second, lambda: "waiting for process" in second.text)
        finish(kernel, ran)
        assert other.wait(second).ok
