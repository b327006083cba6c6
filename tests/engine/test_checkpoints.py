"""Checkpoints: a long loop goes on from what it kept, and from nobody else's."""

from __future__ import annotations

import threading

import pytest

from nbdurable_store.clock import SystemClock
from tests.engine.notebooks import Notebook

SETUP = """
import nbdurable as nd
stop = lambda epoch: None
"""

TRAIN = """
state = nd.last_checkpoint({"epoch": 0, "weights": 0.0})
for epoch in range(state["epoch"], 5):
    stop(epoch)
    world(f"epoch {epoch}")
    state = {"epoch": epoch + 1, "weights": state["weights"] + rate}
    nd.checkpoint(state)
"""


def begun(nb: Notebook, rate: float = 0.5) -> None:
    """A kernel in which the loop runs into nothing."""
    nb.plain(SETUP)
    nb.plain(f"rate = {rate}")


def killed(nb: Notebook, source: str, at: int) -> None:
    """Run the cell until it is stopped in this epoch, and begin another kernel."""
    nb.namespace["stop"] = Stop(at)
    with pytest.raises(KeyboardInterrupt):
        nb.run(source, name="train")
    nb.restart()


class Stop:
    """Interrupts an epoch; which one doesn't count."""

    def __init__(self, at: int = -1) -> None:
        self.at = at

    def __reduce__(self) -> tuple[object, ...]:
        """Any is as good as another."""
        return Stop, ()

    def __call__(self, epoch: int) -> None:
        """Stop in this epoch."""
        if epoch == self.at:
            raise KeyboardInterrupt


@pytest.fixture
def notebook() -> Notebook:
    """A notebook whose loop is stopped in its epoch 3."""
    nb = Notebook()
    begun(nb)
    killed(nb, TRAIN, at=3)
    begun(nb)
    nb.namespace["stop"] = Stop()
    return nb


def epochs(nb: Notebook) -> list[str]:
    """What was trained, in all kernels."""
    return [effect.removeprefix("epoch ") for effect in nb.world.effects]


def test_a_loop_goes_on_from_its_last_checkpoint(notebook: Notebook) -> None:
    """No epoch is trained twice, and the result is that of an undisturbed run."""
    notebook.run(TRAIN, name="train")
    assert epochs(notebook) == ["0", "1", "2", "3", "4"]
    assert notebook.namespace["state"] == {"epoch": 5, "weights": 2.5}


@pytest.mark.parametrize("change", ["the code", "an input"])
def test_what_changed_begins_again(notebook: Notebook, change: str) -> None:
    """An edited loop, or one with another input, never goes on from the old one."""
    source = TRAIN
    if change == "an input":
        notebook.plain("rate = 1.0")
    else:
        source = TRAIN.replace('["weights"] + rate', '["weights"] - rate')
    notebook.run(source, name="train")
    assert epochs(notebook) == ["0", "1", "2", "0", "1", "2", "3", "4"]


def test_a_finished_loop_leaves_no_checkpoint(notebook: Notebook) -> None:
    """Run afresh it begins at the beginning."""
    notebook.run(TRAIN, name="train")
    notebook.run(TRAIN, name="train", fresh=True)
    assert epochs(notebook)[5:] == ["0", "1", "2", "3", "4"]


TOOL = """
@tool(effect="read")
def fit(rate):
    state = nd.last_checkpoint({"epoch": 0, "weights": 0.0})
    for epoch in range(state["epoch"], 5):
        stop(epoch)
        world(f"epoch {epoch}")
        state = {"epoch": epoch + 1, "weights": state["weights"] + rate}
        nd.checkpoint(state)
    return state["weights"]
"""


def test_a_tool_goes_on_from_its_own(notebook: Notebook) -> None:
    """A checkpoint inside a call is that call's, and not that of another one."""
    notebook.world.effects.clear()
    notebook.plain(TOOL)
    killed(notebook, "a, b = fit(1.0), fit(2.0)", at=3)
    begun(notebook)
    notebook.namespace["stop"] = Stop()
    notebook.plain(TOOL)
    notebook.run("a, b = fit(1.0), fit(2.0)", name="train")
    assert epochs(notebook) == ["0", "1", "2", "3", "4"] * 2
    assert (notebook.namespace["a"], notebook.namespace["b"]) == (5.0, 10.0)


def test_every_saves_at_most_so_often(notebook: Notebook) -> None:
    """Checkpoints in quick succession cost one."""
    notebook.run("for i in range(50): nd.checkpoint(i, every=3600)", name="many")
    entries = notebook.store.read(notebook.session.history.run)[0]
    kept = [e for e in entries if e.record.kind == "step.checkpoint"]
    assert len(kept) == 3 + 1


def test_what_cannot_be_kept_is_said(notebook: Notebook) -> None:
    """The loop goes on, and the user is told."""
    begun_generator = "g = (i for i in [1, 2])\nnext(g)\n"
    notebook.run(f"{begun_generator}nd.checkpoint(g)", name="odd")
    assert any("a checkpoint is not kept" in line for line in notebook.told)


def test_long_silence_is_told_once() -> None:
    """A cell that works for a minute without a record says what a restart would cost."""
    nb = Notebook()
    told, clock = threading.Event(), Minutes()
    nb.session.clock = clock
    nb.session.notify = lambda line: (nb.told.append(line), told.set())
    nb.namespace["wait"] = told.wait
    nb.run("wait(30)", name="train")
    silence = [line for line in nb.told if "without a record" in line]
    (line,) = silence
    assert line == (
        "train · 60 s without a record: a restart would begin this cell again"
        " · keep what it has: nd.checkpoint(value)"
    )


class Minutes(SystemClock):
    """A clock on which a wait is over at once, and has taken its time."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def monotonic_s(self) -> float:
        """The machine's, and what was waited for."""
        return super().monotonic_s() + self.passed_s

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Let the time pass."""
        self.passed_s += timeout_s
        return event.is_set()
