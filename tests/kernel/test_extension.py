"""The extension is turned on and off without a trace, and costs little where it idles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from tests.kernel.notebook import kinds_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("extension"),
]

SURFACE = """
def surface():
    import asyncio, concurrent.futures, threading
    ip = get_ipython()
    manager = ip.input_transformer_manager
    names = ("run_ast_nodes", "showtraceback")
    return (
        [name for name in names if name in vars(ip)],
        "send_multipart" in vars(ip.kernel.iopub_thread),
        [f.__name__ for f in manager.line_transforms],
        ["durable" in m for m in ip.magics_manager.magics.values()],
        threading.Thread.start.__module__,
        concurrent.futures.ThreadPoolExecutor.submit.__module__,
        asyncio.get_running_loop().get_task_factory(),
    )
"""


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel that starts without the extension."""
    with Kernel(tmp_path, extension=False) as kernel:
        assert kernel.run(SURFACE).ok
        yield kernel


def test_unloading_restores_everything_that_was_patched(plain: Kernel):
    """After `%unload_ext` the shell has the same methods as before `%load_ext`."""
    before = plain.run("surface()").text
    assert plain.run("%load_ext nbdurable").ok
    assert plain.run("surface()").text != before
    assert plain.run("%%durable\n1").ok
    assert plain.run("%unload_ext nbdurable").ok
    assert plain.run("surface()").text == before
    assert "not found" in plain.run("%%durable\n1").text


def test_loading_twice_is_loading_once(plain: Kernel):
    """Load, load again, reload and import don't wrap a wrapper."""
    assert plain.run("%load_ext nbdurable\nloaded = surface()").ok
    assert plain.run("%load_ext nbdurable\n%reload_ext nbdurable\nimport nbdurable").ok
    assert "True" in plain.run("surface() == loaded").text
    ran = plain.run("%%durable\nprint('once')")
    assert ran.text.count("once") == 1
    assert kinds_of(ran) == ["status"]


def test_an_import_turns_it_on(tmp_path: Path):
    """A notebook that begins with the import needs no magic."""
    without = {"NBDURABLE_AUTOLOAD": None}
    with Kernel(tmp_path, extension=False, env=without) as kernel:
        assert kernel.run("import nbdurable as nd").ok
        assert kinds_of(kernel.run("%%durable\nx = 1")) == ["status"]


def test_somebody_elses_wrapper_survives_unloading(plain: Kernel):
    """Another extension that wrapped our method keeps its place, ours is inert."""
    wrap = (
        "ip = get_ipython()\nours = ip.run_ast_nodes\n"
        "async def theirs(*args, **kwargs):\n"
        "    print('theirs')\n    return await ours(*args, **kwargs)\n"
        "ip.run_ast_nodes = theirs"
    )
    assert plain.run("%load_ext nbdurable").ok
    assert plain.run(wrap).ok
    assert plain.run("%unload_ext nbdurable").ok
    assert "theirs" in plain.run("print('cell')").text
    assert plain.run("print('cell')").text.count("cell") == 1


def test_nothing_is_created_before_the_first_durable_cell(plain: Kernel):
    """Neither loading nor looking makes a store."""
    plain.run("%load_ext nbdurable\nimport nbdurable as nd\nnd.tool")
    plain.run("%durable status")
    plain.run("undefined_name")
    assert not (plain.folder / ".nbdurable").exists()
    assert plain.run("%%durable\nx = 1").ok
    assert (plain.folder / ".nbdurable").exists()


def test_cells_import_nothing_that_shows_runs(plain: Kernel):
    """That is a fifth of what a first cell costs; it comes when a run is shown."""
    imported = "import sys; print('nbdurable.timeline' in sys.modules)"
    cell = "%%durable\nimport nbdurable as nd\n@nd.tool\ndef f(x): return x\nf(1)"
    assert plain.run("%load_ext nbdurable").ok
    assert plain.run(cell).ok
    assert plain.run(imported).text.strip() == "False"
    assert plain.run("%durable").ok
    assert plain.run(imported).text.strip() == "True"


def test_functions_act_on_the_kernel_without_any_magic(plain: Kernel):
    """`nd.restore` works in the first cell of a fresh kernel."""
    assert plain.run("%load_ext nbdurable").ok
    assert plain.run("%%durable first\nx = [1, 2]").ok
    plain.kill()
    plain.restart()
    assert plain.run("%load_ext nbdurable\nimport nbdurable as nd\nnd.restore('x')").ok
    assert "[1, 2]" in plain.run("x").text


OVERHEAD = """
import statistics, time
ip = get_ipython()
ours, theirs = vars(ip)["run_ast_nodes"], type(ip).run_ast_nodes.__get__(ip)
def cost(run_ast_nodes):
    ip.run_ast_nodes = run_ast_nodes
    began = time.process_time()
    for _ in range(200):
        ip.run_cell("x = 1")
    return (time.process_time() - began) / 200 * 1e6
from nbdurable.kernel import runner
token = runner._inside_cell.set(False)  # measured as cells of their own
pairs = [(cost(ours), cost(theirs)) for _ in range(15)]
runner._inside_cell.reset(token)
ip.run_ast_nodes = ours
print(min(a for a, _ in pairs) - min(b for _, b in pairs))
"""


def test_a_plain_cell_costs_next_to_nothing(plain: Kernel):
    """At most 50 µs more than without the extension, in interleaved rounds."""
    assert plain.run("%load_ext nbdurable").ok
    extra_us = float(plain.run(OVERHEAD).text)
    assert extra_us <= 50
