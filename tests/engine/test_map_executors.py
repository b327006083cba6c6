"""Executors that die, refuse or can't be sent a call: what wasn't begun is simply called."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

import nbdurable_store
from nbdurable.engine.fanout.failures import MapFailed
from nbdurable.engine.past import settle
from nbdurable.errors import CallInDoubt
from tests.engine.notebooks import Notebook

PAY = """
import os, pathlib, threading
import nbdurable as nd

@tool(effect="write")
def pay(n):
    if n == "die":
        os._exit(1)
    with open(pathlib.Path(folder) / "paid", "a") as file:
        file.write(f"{n}\\n")
    return n
"""

SELL = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

forking = multiprocessing.get_context("fork")

@tool(effect="read")
def price(n):
    return n + 1

@tool(effect="write")
def sell(n):
    return pay(price(n))
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    """A notebook whose payments are written into a file."""
    nb = Notebook()
    nb.namespace["folder"] = str(tmp_path)
    nb.plain(PAY)
    return nb


def paid(nb: Notebook) -> list[str]:
    """What was paid, in order."""
    path = Path(str(nb.namespace["folder"])) / "paid"
    return sorted(path.read_text().split()) if path.exists() else []


def pay(nb: Notebook, items: str, pool: Executor) -> None:
    """Pay these over there."""
    nb.namespace["pool"] = pool
    nb.run(f"made = nd.map(pay, {items}, limit=2, executor=pool)", name="m")


def test_an_executor_that_is_shut_down(notebook: Notebook) -> None:
    """Nothing was begun: each item says so, nothing is in doubt, the next one pays."""
    gone = ThreadPoolExecutor(1)
    gone.shutdown()
    with pytest.raises(MapFailed, match="cannot schedule new futures"):
        pay(notebook, "[1, 2, 3]", gone)
    assert settle.questions(notebook.session.history) == []
    with ThreadPoolExecutor(1) as pool:
        pay(notebook, "[1, 2, 3]", pool)
    assert paid(notebook) == ["1", "2", "3"]


@pytest.mark.parametrize("item", ["threading.Lock()", "(n for n in 'ab')"])
def test_an_item_that_cannot_be_sent(notebook: Notebook, item: str) -> None:
    """It failed before it left: it may not have happened, and nobody is asked."""
    with ProcessPoolExecutor(1) as pool, pytest.raises(MapFailed, match="be sent"):
        pay(notebook, f"[1, {item}]", pool)
    assert settle.questions(notebook.session.history) == []
    assert paid(notebook) == ["1"]


@pytest.mark.slow
def test_a_worker_process_that_dies(notebook: Notebook) -> None:
    """What it held may have happened; what came after was not begun and is paid later."""
    with ProcessPoolExecutor(1) as pool, pytest.raises(MapFailed) as failed:
        pay(notebook, "[1, 'die', 3, 4, 5, 6]", pool)
    names = {f.index: type(f.error).__name__ for f in failed.value.failed}
    assert names[1] == "WorkerDied"
    asked = [q.call.text for q in settle.questions(notebook.session.history)]
    assert "pay('die')" in asked
    assert len(asked) <= 2, "no more than were under way"
    assert paid(notebook) == ["1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", ["not_done=Exception", "retry=nd.Retry(on=RuntimeError)"]
)
def test_a_death_is_no_error_of_the_tool(notebook: Notebook, options: str) -> None:
    """Whatever its errors say, of a payment whose worker died nobody knows."""
    notebook.plain(PAY.replace('effect="write"', f'effect="write", {options}'))
    with ProcessPoolExecutor(1) as pool, pytest.raises(MapFailed):
        pay(notebook, "['die']", pool)
    (asked,) = settle.questions(notebook.session.history)
    assert asked.call.text == "pay('die')"
    with ProcessPoolExecutor(1) as pool, pytest.raises(CallInDoubt):
        pay(notebook, "['die']", pool)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_worker_is_in_no_cell(tmp_path: Path) -> None:
    """What a function calls over there isn't journaled, and is called."""
    nb = Notebook(store=nbdurable_store.open(tmp_path / "store"))
    nb.namespace["folder"] = str(tmp_path)
    nb.plain(f"{PAY}\n{SELL}")
    nb.run(
        "with ProcessPoolExecutor(1, mp_context=forking) as pool:\n"
        "    sold = nd.map(sell, [1, 2, 3], limit=2, executor=pool)",
        name="m",
    )
    nb.store.close()
    assert nb.namespace["sold"] == [2, 3, 4]
    assert paid(nb) == ["2", "3", "4"]
