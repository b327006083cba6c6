"""Which run a kernel is in, from facts and rows alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nbdurable.engine.telling.lines import run_line
from nbdurable.engine.where.whereabouts import (
    HOUR_US,
    Facts,
    RunRow,
    RunUnknownError,
    Step,
    choose,
    shown,
)

NOW_US = 1_000 * HOUR_US
LAB = Facts(start_dir="/home", interactive=True, notebook="/home/a.ipynb")
MOVED = Facts(start_dir="/home", interactive=True, notebook="/home/old.ipynb")
CRON = Facts(start_dir="/home", notebook="/home/a.ipynb")
STEP = Step(key=b"k", name="findings", cell_id="c1")


def row(**fields: object) -> RunRow:
    """A headless run that died an hour ago in findings."""
    died = RunRow(
        id="r1",
        number=1,
        notebook="/home/a.ipynb",
        headless=True,
        opened_us=NOW_US - 2 * HOUR_US,
        active_us=NOW_US - HOUR_US,
        unfinished=True,
        stopped_in="findings",
        keys=frozenset({b"k"}),
        names=frozenset({"findings"}),
        cell_ids=frozenset({"c1"}),
    )
    return replace(died, **fields)  # type: ignore[arg-type]  # fields of RunRow


@pytest.mark.parametrize(
    ("facts", "rows", "expected"),
    [
        (LAB, [], ("new", None, 1)),
        (LAB, [row()], ("continues", "r1", 1)),
        (LAB, [row(active_us=0, opened_us=0)], ("continues", "r1", 1)),
        (LAB, [row(closed=True)], ("new", None, 2)),
        (LAB, [row(notebook="/home/b.ipynb")], ("copy", None, 1)),
        (LAB, [row(notebook="/gone.ipynb")], ("renamed", "r1", 1)),
        (MOVED, [row(notebook="/home/b.ipynb")], ("continues", "r1", 1)),
        (LAB, [row(notebook="/x.ipynb", cell_ids=frozenset())], ("new", None, 1)),
        (CRON, [], ("new", None, 1)),
        (CRON, [row()], ("resumes", "r1", 1)),
        (CRON, [row(names=frozenset())], ("resumes", "r1", 1)),
        (CRON, [row(names=frozenset(), keys=frozenset())], ("new", None, 2)),
        (CRON, [row(active_us=NOW_US - 13 * HOUR_US)], ("new", None, 2)),
        (CRON, [row(closed=True)], ("new", None, 2)),
        (CRON, [row(alive=True)], ("new", None, 2)),
        (CRON, [row(headless=False)], ("resumes", "r1", 1)),
        (CRON, [row(headless=False, unfinished=False)], ("new", None, 2)),
        (CRON, [row(unfinished=False)], ("resumes", "r1", 1)),
        (replace(CRON, run="new"), [row()], ("new", None, 2)),
        (replace(CRON, run="r1"), [row(closed=True)], ("named", "r1", 1)),
        (replace(CRON, run="resume"), [row(active_us=0)], ("resumes", "r1", 1)),
        (replace(CRON, resume_hours=0.5), [row()], ("new", None, 2)),
        (replace(LAB, run="new"), [row()], ("new", None, 2)),
        (replace(CRON, notebook=""), [row()], ("new", None, 1)),
        (replace(CRON, notebook=""), [row(notebook="default")], ("resumes", "r1", 1)),
    ],
)
def test_the_run_follows_from_the_facts(
    facts: Facts, rows: list[RunRow], expected: tuple[str, str | None, int]
) -> None:
    """Interactive kernels continue, headless ones resume what died, or begin."""
    choice = choose(
        facts, rows, STEP, now_us=NOW_US, gone={"/gone.ipynb", MOVED.notebook}
    )
    run = choice.run.id if choice.run else None
    assert (choice.reason, run, choice.number) == expected


def test_the_newest_of_two_dead_runs_is_resumed() -> None:
    """Of several unfinished runs the newest counts."""
    rows = [row(), row(id="r2", number=2, opened_us=NOW_US - HOUR_US)]
    choice = choose(CRON, rows, STEP, now_us=NOW_US)
    assert choice.run is not None
    assert choice.run.id == "r2"


def test_an_unfinished_run_left_behind_is_named() -> None:
    """A new run says which unfinished one it leaves."""
    choice = choose(replace(CRON, run="new"), [row()], STEP, now_us=NOW_US)
    assert choice.left is not None
    assert choice.left.stopped_in == "findings"


def test_a_run_beside_another_kernel_is_told() -> None:
    """Two headless kernels on one notebook have two runs, and the second one says so."""
    choice = choose(CRON, [row(alive=True)], STEP, now_us=NOW_US)
    line = run_line(choice, NOW_US)
    assert line == "run 2 · new · run 1 is open in another kernel"
    ended = choose(CRON, [row(alive=True, closed=True)], STEP, now_us=NOW_US)
    assert run_line(ended, NOW_US) == "run 2 · new"


def test_an_unknown_run_is_an_error() -> None:
    """A run that the store doesn't have is never silently another one."""
    with pytest.raises(RunUnknownError):
        choose(replace(CRON, run="nope"), [row()], STEP, now_us=NOW_US)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], None),
        ([row(closed=True), row(id="r2", opened_us=NOW_US, closed=True)], "r2"),
        ([row(), row(id="r2", opened_us=NOW_US, closed=True)], "r1"),
        ([row(), row(id="r2", opened_us=NOW_US, parent="r1")], "r2"),
        ([row(), row(id="r2", opened_us=NOW_US, parent="r1", closed=True)], "r2"),
    ],
)
def test_what_is_looked_at_is_what_goes_on(
    rows: list[RunRow], expected: str | None
) -> None:
    """The open run, else the newest one; a run that was forked is gone back to by nobody."""
    found = shown(rows)
    assert (found.id if found else None) == expected
