"""Two durable cells at once, one of them in a subshell: each has its own calls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = pytest.mark.slow

TOOLS = """
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import nbdurable as nd
from nbdurable.testing.effects import effect
from nbdurable_store.clock import SYSTEM_CLOCK as clock

@nd.tool
def pay(who):
    effect("pay", who=who)
    while who == "ann" and Path("hang").exists():
        clock.sleep(0.05)
    return f"receipt of {who}"
"""
CELLS = {
    "c1": "%%durable one\na = [pay('ann'), pay('bob')]",
    "c2": "%%durable two\nwith ThreadPoolExecutor(2) as pool:\n"
    "    b = list(pool.map(pay, ['cid', 'dan']))",
}


def paid(folder: Path) -> list[str]:
    """Who was paid, sorted."""
    log = folder / "effects.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return sorted(json.loads(x)["args"]["who"] for x in lines if '"tool"' in x)


def test_each_cell_has_its_own_calls(tmp_path: Path) -> None:
    """Threads of a pool among them; after a kill neither pays again."""
    (tmp_path / "hang").touch()
    with Kernel(tmp_path) as kernel:
        assert kernel.run(TOOLS).ok
        session = kernel.client.session
        kernel.client.control_channel.send(session.msg("create_subshell_request", {}))
        subshell = kernel.client.get_control_msg(timeout=60)["content"]["subshell_id"]
        first = kernel.send(CELLS["c1"], metadata={"cellId": "c1"})
        kernel.wait_for(first, lambda: paid(tmp_path) == ["ann"])
        content = {"code": CELLS["c2"], "silent": False, "store_history": True}
        message = session.msg("execute_request", content, metadata={"cellId": "c2"})
        message["header"]["subshell_id"] = subshell
        kernel.client.shell_channel.send(message)
        kernel.wait_for(first, lambda: paid(tmp_path) == ["ann", "cid", "dan"])
        assert not first.done
        (tmp_path / "hang").unlink()
        kernel.wait_for(first, lambda: first.done)
        assert paid(tmp_path) == ["ann", "bob", "cid", "dan"]
        kernel.kill()
        kernel.restart()
        assert kernel.run(TOOLS).ok
        for cell, source in CELLS.items():
            assert kernel.run(f"{source}\nmore = 1", metadata={"cellId": cell}).ok
        assert kernel.run("print(a, b)").text.count("receipt") == 4
    assert paid(tmp_path) == ["ann", "bob", "cid", "dan"]
