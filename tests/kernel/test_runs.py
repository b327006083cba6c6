"""Which run a kernel is in, seen from a real kernel: nights, restarts, two kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = pytest.mark.slow

TOOLS = """
import nbdurable as nd
from nbdurable.testing.effects import effect

@nd.tool(effect="read")
def look(x):
    return effect("look", x=x)
"""
CELL = "%%durable findings\nfound = look(1)"
NOTEBOOK = {"NBDURABLE_NOTEBOOK": "/notebooks/nightly.ipynb"}


def effects(folder: Path) -> int:
    """How many effects the tools had, counted in a file beside the store."""
    account = folder / "effects.jsonl"
    lines = account.read_text().splitlines() if account.exists() else []
    return sum('"tool"' in line for line in lines)


def night(folder: Path, *cells: str, kill: bool = False, **env: str) -> str:
    """One headless execution of the notebook; gives what it said."""
    said = []
    with Kernel(folder, env={**NOTEBOOK, **env}) as kernel:
        said = [kernel.run(cell).text for cell in (TOOLS, CELL, *cells)]
        if kill:
            kernel.kill()
        else:
            kernel.shutdown()
    return "\n".join(said)


def test_a_nightly_notebook_starts_afresh_each_night(tmp_path: Path) -> None:
    """A run that finished is closed by an orderly shutdown, and not served again."""
    assert "run 1 · new" in night(tmp_path)
    assert "run 2 · new" in night(tmp_path)
    assert effects(tmp_path) == 2


def test_a_night_that_died_is_resumed(tmp_path: Path) -> None:
    """A run that was killed goes on in the next kernel."""
    night(tmp_path, kill=True)
    said = night(tmp_path)
    assert "run 1 · resumes" in said
    assert "nothing ran" in said
    assert effects(tmp_path) == 1


def test_a_night_that_failed_is_resumed(tmp_path: Path) -> None:
    """An error in a durable cell leaves the run unfinished."""
    night(tmp_path, "%%durable more\n1 / 0")
    assert "stopped in more" in night(tmp_path)
    assert effects(tmp_path) == 1


def test_a_new_run_can_be_asked_for(tmp_path: Path) -> None:
    """`NBDURABLE_RUN=new` leaves the dead run and names it."""
    night(tmp_path, kill=True)
    said = night(tmp_path, NBDURABLE_RUN="new")
    assert "run 2 · new · run 1" in said
    assert effects(tmp_path) == 2


def test_an_unknown_run_is_refused(tmp_path: Path) -> None:
    """A run that isn't there is never silently another one; the kernel lives on."""
    said = night(tmp_path, "print('alive')", NBDURABLE_RUN="nope")
    assert "ReferenceUnknown" in said
    assert "alive" in said
    assert effects(tmp_path) == 0


def test_an_interactive_notebook_goes_on_with_its_run(tmp_path: Path) -> None:
    """Cell ids make a kernel interactive: its run stays open over a clean shutdown."""
    cell = {"cellId": "c1"}
    with Kernel(tmp_path, env=NOTEBOOK) as kernel:
        kernel.run(TOOLS)
        kernel.run(CELL, metadata=cell)
        kernel.shutdown()
    with Kernel(tmp_path, env=NOTEBOOK) as kernel:
        kernel.run(TOOLS)
        assert "\nrun 1, 1 step" in kernel.run("%durable status").text
        said = kernel.run(CELL, metadata=cell).text
        assert "run 1, since" in said
        assert "nothing ran" in said
        kernel.run("%durable new")
        assert ", closed\n" in kernel.run("%durable status").text
        assert "run 2 · new" in kernel.run(CELL, metadata=cell).text
    assert effects(tmp_path) == 2


def test_a_directory_change_changes_nothing(tmp_path: Path) -> None:
    """The store is where the kernel started, whatever the cells do."""
    (tmp_path / "sub").mkdir()
    with Kernel(tmp_path, env=NOTEBOOK) as kernel:
        kernel.run(TOOLS + "\nimport os\nos.chdir('sub')")
        assert kernel.run(CELL).ok
    assert (tmp_path / ".nbdurable").is_dir()
    assert not (tmp_path / "sub" / ".nbdurable").exists()


def test_two_kernels_work_on_one_store(tmp_path: Path) -> None:
    """Two notebooks with one store run at the same time, each in its own run."""
    one = Kernel(tmp_path, env={"NBDURABLE_NOTEBOOK": "/one.ipynb"})
    two = Kernel(tmp_path, env={"NBDURABLE_NOTEBOOK": "/two.ipynb"})
    with one, two:
        for kernel in (one, two):
            assert kernel.run(TOOLS).ok
        running = [
            k.send("%%durable s\nr = [look(i) for i in range(50)]") for k in (one, two)
        ]
        for kernel, ran in zip((one, two), running, strict=True):
            assert "50 calls ran" in kernel.wait(ran).text
    assert effects(tmp_path) == 100


def test_a_second_kernel_on_a_busy_run_waits(tmp_path: Path) -> None:
    """A cell waits while another kernel executes in its run, says so, and goes on."""
    waiting = (
        "%%durable first\nfrom pathlib import Path\n"
        "from nbdurable_store.clock import SYSTEM_CLOCK as clock\n"
        "print('in')\nwhile not Path('go').exists():\n    clock.sleep(0.05)"
    )
    env = {**NOTEBOOK, "NBDURABLE_RUN": ""}
    with Kernel(tmp_path, env=env) as one, Kernel(tmp_path, env=env) as two:
        first = one.send(waiting, metadata={"cellId": "c1"})
        one.wait_for(first, lambda: "in" in first.text)
        second = two.send("%%durable second\n1", metadata={"cellId": "c2"})
        two.wait_for(second, lambda: "waiting for process" in second.text)
        assert f"process {one.pid}" in second.text
        (tmp_path / "go").touch()
        assert one.wait(first).ok
        assert two.wait(second).ok


def test_a_waiting_cell_is_interrupted_at_once(tmp_path: Path) -> None:
    """Interrupting the wait for a busy run frees the kernel."""
    busy = (
        "%%durable first\nfrom nbdurable_store.clock import SYSTEM_CLOCK as clock\n"
        "print('in')\nclock.sleep(60)"
    )
    with Kernel(tmp_path, env=NOTEBOOK) as one, Kernel(tmp_path, env=NOTEBOOK) as two:
        first = one.send(busy, metadata={"cellId": "c1"})
        one.wait_for(first, lambda: "in" in first.text)
        second = two.send("%%durable second\n1", metadata={"cellId": "c2"})
        two.wait_for(second, lambda: "waiting for process" in second.text)
        two.interrupt()
        assert two.wait(second, timeout_s=10).reply["ename"] == "KeyboardInterrupt"
        assert two.run("print('alive')").text.strip() == "alive"


def test_a_changed_input_is_told_with_its_cell(tmp_path: Path) -> None:
    """The line says which cell assigned the name that changed."""
    with Kernel(tmp_path) as kernel:
        kernel.run("PROMPT = 'a'")
        kernel.run("%%durable findings\nanswer = PROMPT * 2")
        kernel.run("PROMPT = 'b'")
        said = kernel.run("%%durable findings\nanswer = PROMPT * 2").text
    assert "PROMPT changed (cell 3)" in said


def test_a_fork_is_the_run_from_then_on(tmp_path: Path) -> None:
    """`%durable fork` in a notebook: the list of runs and the next kernel know it."""
    with Kernel(
        tmp_path, env={**NOTEBOOK, "NBDURABLE_KEY_FILE": f"{tmp_path}/key"}
    ) as kernel:
        kernel.run(TOOLS)
        kernel.run(CELL, metadata={"cellId": "one"})
        kernel.run("%%durable more\nmore = look(2)", metadata={"cellId": "two"})
        told = kernel.run("%durable fork --at findings").text
        assert "run 2 · forked from run 1 at findings · not in it: more" in told
        assert "forked from run 1 at findings" in kernel.run("print(nd.run())").text
        kernel.kill()
        kernel.restart()
        kernel.run(TOOLS)
        again = kernel.run(CELL, metadata={"cellId": "one"}).text
        assert "run 2, since" in again
        assert "nothing ran" in again
        kernel.run("%%durable more\nmore = look(2)", metadata={"cellId": "two"})
    assert effects(tmp_path) == 3
