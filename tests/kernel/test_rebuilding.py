"""After `kill -9` a generator is made again, and no tool is called for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TOOLS = """import nbdurable as nd
from pathlib import Path
def happened(what):
    with Path("effects.txt").open("a") as f:
        f.write(what + "\\n")
@nd.tool(effect="read")
def search(q):
    happened(f"search {q}")
    return [q, q.upper()]
@nd.tool(effect="read")
async def ask(q):
    happened(f"ask {q}")
    return q * 2
@nd.tool
def pay(who):
    happened(f"pay {who}")
    return f"paid {who}"
"""
SYNC = """%%durable findings
hits = search("a")
receipt = pay("ann")
print("seen", len(hits))
import matplotlib.pyplot as plt
figure = plt.figure()
stream = (h for h in hits * 2); first = next(stream)
display({"text/plain": "shown"}, raw=True)
receipt
"""
ASYNC = """%%durable answers
answer = await ask("x")
async def parts():
    for c in answer:
        yield c
flow = parts(); first = await anext(flow)
print("asked")
"""
SHELL = """%%durable shell
names = !echo one two
lines = iter(names); more = (n for n in lines); x = next(more)
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel that has the tools."""
    with Kernel(tmp_path) as started:
        assert started.run(TOOLS).ok
        yield started


def _killed(kernel: Kernel) -> None:
    kernel.kill()
    kernel.restart()
    assert kernel.run(TOOLS).ok


def _effects(kernel: Kernel) -> list[str]:
    return (kernel.folder / "effects.txt").read_text().split("\n")[:-1]


def test_a_generator_is_back_after_a_kill(kernel: Kernel):
    """Outputs and result are the recorded ones, once; the rerun shows nothing."""
    first = kernel.run(SYNC)
    assert "not kept: stream" in first.text
    _killed(kernel)
    again = kernel.run(SYNC)
    assert again.ok, again.text
    assert "stream made again (its code ran, its 2 calls were served)" in again.text
    assert again.text.count("seen 2") == again.text.count("shown") == 1
    shown = [len(r.of_type("display_data", "execute_result")) for r in (first, again)]
    assert shown[0] >= shown[1]
    assert "'paid ann'" in again.text
    assert kernel.run("print(list(stream), first)").text == "['A', 'a', 'A'] a\n"
    assert _effects(kernel) == ["search a", "pay ann"]


def test_a_cell_that_awaits_is_awaited_again(kernel: Kernel):
    """An async generator of this loop, from a call that is served."""
    assert kernel.run(ASYNC).ok
    _killed(kernel)
    again = kernel.run(ASYNC)
    assert "flow made again (its code ran, its call was served)" in again.text
    assert again.text.count("asked") == 1
    assert kernel.run("print([c async for c in flow])").text == "['x']\n"
    assert _effects(kernel) == ["ask x"]


def test_a_shell_command_is_not_repeated(kernel: Kernel):
    """A process is an effect: the line says what is not back, and the command."""
    assert kernel.run(SHELL).ok
    _killed(kernel)
    again = kernel.run(SHELL)
    assert "nothing ran" in again.text
    assert "not back: more → %durable rebuild shell (repeats: !echo " in again.text
    assert kernel.run("print(x)").text == "one two\n"


def test_a_write_that_is_not_in_the_journal_stops_it(kernel: Kernel):
    """The cell ends with the reason; nothing was paid, the rest is back."""
    cell = """%%durable later
import os
if os.environ.get("MORE"):
    pay("eve")
numbers = (i for i in range(3)); n = next(numbers)
"""
    assert kernel.run(cell).ok
    _killed(kernel)
    kernel.run("import os; os.environ['MORE'] = '1'")
    again = kernel.run(cell)
    assert not again.ok
    assert "RebuildStopped: numbers of later could not be made again" in again.text
    assert "pay('eve') is not in the journal" in again.text
    assert not (kernel.folder / "effects.txt").exists()
    assert kernel.run("print(n)").text == "0\n"


def test_the_command_after_a_restore(kernel: Kernel):
    """`%durable restore` names it, `%durable rebuild` makes it, nothing is shown."""
    kernel.run("def double(x):\n    return x * factor\nfactor = 2\nrows = [1, 2, 3]")
    cell = """%%durable load
with open("log.txt", "a") as log:
    log.write("x")
rows.pop(0); print("loading")
receipt = pay("ann")
stream = (r for r in map(double, rows)); first = next(stream)
"""
    assert kernel.run(cell).ok
    kernel.kill()
    kernel.restart()
    restored = kernel.run("%durable restore").text
    assert "not back: stream → %durable rebuild load" in restored
    assert "nothing ran" not in restored
    assert kernel.complete("%durable rebuild ") == ["load"]
    done = kernel.run("%durable rebuild load")
    assert "load · stream made again (its code ran, its call was served)" in done.text
    assert "repeated: wrote log.txt" in done.text
    assert "loading" not in done.text
    assert kernel.run("print(list(stream), rows, first)").text == "[6] [2, 3] 4\n"
    assert _effects(kernel) == ["pay ann"]
    assert (kernel.folder / "log.txt").read_text() == "xx"


def test_an_awaiting_cell_is_allowed_by_the_command(kernel: Kernel):
    """Its loop is the kernel's, so its cell has to run."""
    cell = ASYNC + "open('log.txt', 'a').close()\n"
    assert kernel.run(cell).ok
    _killed(kernel)
    assert "not back: flow → %durable rebuild answers" in kernel.run(cell).text
    told = kernel.run("%durable rebuild answers").text
    assert "its cell awaits: run it, and flow is made again" in told
    assert "flow made again" in kernel.run(cell).text
    assert _effects(kernel) == ["ask x"]


SLOW = """%%durable slow
import os, time
receipt = pay("ann")
if os.environ.get("MORE"):
    print("sleeping", file=__import__("sys").__stderr__, flush=True)
    time.sleep(600)
kept = 1; numbers = (i for i in range(3)); n = next(numbers)
"""


def _in_the_middle(kernel: Kernel) -> Ran:
    """The code runs again, and sleeps behind its call."""
    assert kernel.run(SLOW).ok
    _killed(kernel)
    kernel.run("import os; os.environ['MORE'] = '1'")
    sent = kernel.send(SLOW)
    return kernel.wait_for(sent, lambda: "sleeping" in kernel.log)


def test_an_interrupted_rebuild_leaves_what_was_kept(kernel: Kernel):
    """The stop button ends the code; the other variables are back."""
    sent = _in_the_middle(kernel)
    kernel.interrupt()
    assert "KeyboardInterrupt" in kernel.wait(sent).text
    assert kernel.run("print(kept, 'numbers' in globals())").text == "1 False\n"


def test_a_kernel_killed_meanwhile_has_lost_nothing(kernel: Kernel):
    """Nothing was recorded of it, so the next kernel begins where this one did."""
    _in_the_middle(kernel)
    _killed(kernel)
    again = kernel.run(SLOW).text
    assert "numbers made again (its code ran, its call was served)" in again
    assert _effects(kernel) == ["pay ann"]
