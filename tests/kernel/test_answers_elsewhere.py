"""A cell that waits is released soon, wherever its answer comes from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.timeline import history_of
from nbdurable_store import open as open_store
from tests.kernel.beside import WATCH, allowed_s
from tests.kernel.shells import asked, shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETUP = "import time\nimport nbdurable as nd"
SYNC = """%%durable review
ok = nd.approve("Send this?")
paid = nd.wait_for("paid")
at = time.time()
"""
AWAITED = SYNC.replace("= nd.", "= await nd.aio.")
CELL = {"cellId": "c1"}

Waits = Callable[[str], object]
"""Returns when the cell has said that a call waits."""

Answers = Callable[[Path, Waits], None]


def by_shell(folder: Path, waits: Waits) -> None:
    """Two commands, in processes of their own."""
    shell(folder, "approve", asked(folder))
    waits("review.2")
    shell(folder, "send", "paid", "17")


def by_kernel(folder: Path, waits: Waits) -> None:
    """Another notebook of the store, first without a run of its own, then with one."""
    with Kernel(folder, env={"NBDURABLE_NOTEBOOK": "/notebooks/b.ipynb"}) as other:
        other.run("import nbdurable as nd")
        question = asked(folder)
        assert question in other.run("%durable inbox").text
        told = other.run(f"%durable approve {question}").text
        assert "review.1 is answered" in told, told
        other.run("%%durable own\nx = 1")
        waits("review.2")  # before that it would be for this notebook's own run
        sent = other.run('nd.send("paid", 17)')
        assert sent.ok, sent.text


@pytest.mark.parametrize("cell", [SYNC, AWAITED], ids=["sync", "await"])
@pytest.mark.parametrize("answer", [by_shell, by_kernel])
def test_it_is_released_in_time(
    tmp_path: Path, cell: str, answer: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the moments that the journal holds: from the record of the answer on."""
    with Kernel(tmp_path, env={"NBDURABLE_NOTEBOOK": "/notebooks/a.ipynb"}) as kernel:
        kernel.run(SETUP)
        kernel.run(WATCH)
        ran = kernel.send(cell, metadata=CELL)

        def waits(call: str) -> object:
            return kernel.wait_for(ran, lambda: f"{call} waits" in ran.text)

        waits("review.1")
        answer(tmp_path, waits)
        assert kernel.wait(ran).ok, ran.text
        ok, paid, at = kernel.run("print(ok, paid, at)").text.split()
        allowed_us = allowed_s(kernel) * 1e6
    assert (ok, paid) == ("True", "17")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / ".kernel" / "data"))
    last_us = float(at) * 1e6
    for sent_us, taken_us in moments(tmp_path):
        assert taken_us - sent_us < allowed_us
        assert sent_us < last_us


def moments(folder: Path) -> list[tuple[int, int]]:
    """When each answer was sent, and when its call had it; microseconds."""
    store = open_store(folder / ".nbdurable", named=True)
    try:
        (run,) = {e.record.run for e in store.scan(frozenset({"signal.sent"}))[0]}
        history = history_of(store, run)
    finally:
        store.close()
    took = {c.fields.get("took"): c.ended_us for c in history.calls.values()}
    assert len(history.signals) == 2
    return [(s.at_us, took[s.id]) for s in history.signals.values()]
