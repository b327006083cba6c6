"""Which runs may go, what making them again costs, and a kernel whose run is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbdurable.engine.past.removal import aged, by_use, reason
from nbdurable.engine.past.worth import Worth, worth
from nbdurable.engine.where.whereabouts import RunRow
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.records import Kind, Record
from tests.engine.notebooks import Notebook
from tests.stories import Story, doubtful, research


def _begun(effect: str) -> Story:
    story = Story()
    story.opens()
    story.begins(story.step("review"), "send('ann')", effect=effect)
    story.dies()
    return story


def _failed(how: str, **fields: str) -> Story:
    story = Story()
    story.opens()
    story.fails(story.step("review"), how, **fields)
    story.dies()
    return story


def _pinned(*pins: bool) -> Story:
    story = research()
    for pinned in pins:
        story.append(Kind.RUN_PINNED, {"pinned": pinned}, subject=story.run)
    return story


@pytest.mark.parametrize(
    ("story", "why"),
    [
        (doubtful, "review.2 may have happened"),
        (lambda: _begun("write"), "review.1 may have happened"),
        (lambda: _failed("paused"), "review waits for you"),
        (lambda: _pinned(True), "it is pinned"),
        (lambda: _pinned(True, False), ""),
        (lambda: _begun("read"), ""),
        (lambda: _failed("raised"), ""),
        (research, ""),
    ],
    ids=["asked", "write", "paused", "pinned", "unpinned", "read", "raised", "open"],
)
def test_what_keeps_a_run(story: Callable[[], Story], why: str) -> None:
    """Pins, questions and doubts keep a run; errors and cut-off reads don't."""
    kept = reason(story().history(), {})
    assert (kept.why if kept else "") == why


def test_a_living_owner_keeps_its_run() -> None:
    """A run stays while a process lives that appended to it, whoever came later."""
    history = research().history()
    assert reason(history, {"another": 7}) is None
    kept = reason(history, {"kernel-1": 7})
    assert kept is not None
    assert kept.why == "process 7 has worked in it since it started"


def test_what_a_run_is_worth() -> None:
    """Each call counts once, though the kernel died in between and asked one again."""
    found = worth(research().history())
    assert found.calls == 30
    assert found.tokens == 16 * 775 + 760 + 13 * 720
    assert 0 < found.ms < 200_000
    assert str(found + Worth(calls=1, tokens=1)).startswith("31 calls, ")


def test_the_order_in_which_runs_go() -> None:
    """For age only what is old counts; for room closed runs go first."""

    def row(name: str, active_us: int, *, closed: bool) -> RunRow:
        return RunRow(
            id=name,
            number=1,
            notebook="n",
            headless=False,
            opened_us=0,
            active_us=active_us,
            closed=closed,
        )

    rows = [
        row("new", 9, closed=True),
        row("old", 1, closed=False),
        row("older", 0, closed=False),
        row("mid", 5, closed=True),
    ]
    assert [r.id for r in aged(rows, 5)] == ["older", "old"]
    assert [r.id for r in by_use(rows)] == ["mid", "new", "older", "old"]


def test_a_kernel_whose_run_was_removed_begins_another() -> None:
    """What it had loaded is not served any more, and one line says why."""
    world = World()
    notebook = Notebook(MemoryStore(world))
    notebook.plain("@tool(effect='read')\ndef call(x):\n    return world(x)")
    notebook.run("x = call('a')", "s")
    run = notebook.session.history.run
    other = MemoryStore(world)
    said = Record(kind=Kind.RUN_REMOVED, run=run, subject=run, at_us=1)
    other.append([said], sync=True)
    notebook.run("x = call('a')", "s")
    assert notebook.session.history.run != run
    assert len(notebook.world.effects) == 2
    assert any("run 1 was removed" in line for line in notebook.told)
