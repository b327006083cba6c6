"""The page that ``%durable`` leaves in a notebook, in a real browser."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from nbdurable.engine.past.tally import Tally
from nbdurable.engine.where.moments import Now
from nbdurable.timeline.html import fragment
from nbdurable.timeline.model import run_view
from tests.stories import research
from tests.ui.conftest import Open

pytestmark = pytest.mark.needs("chromium")

ROWS = """() => [...document.querySelectorAll('.cell>summary')].map((row) => ({
  columns: [...row.children].map((one) => Math.round(one.getBoundingClientRect().left)),
  out: Math.max(...[...row.children].map((one) => one.scrollWidth - one.clientWidth)),
}))"""
"""Where the parts of each cell's row begin, and by how much one is cut off, pixels."""


@pytest.mark.parametrize("width", [680, 740, 1_100])
def test_the_rows_of_cells_are_a_table(show: Open, width: int) -> None:
    """Nothing in a cell's row is cut off, and each part is below that of the row before."""
    story = research()
    run = run_view(story.history(), Now(story.us), alive=story.alive, get=story.get)
    cell = run.cells[0]
    little = Tally(served=2, saved_usd=Decimal("0.00001"), saved_ms=400.0)
    step = dataclasses.replace(cell.latest, ms=400.0, tally=little)
    report = dataclasses.replace(
        cell, name="report", stale="PROMPT changed", total=little, attempts=(step,)
    )
    shown = fragment(dataclasses.replace(run, cells=(cell, report)))
    opened = show(f"<!doctype html><div>{shown}</div>", width)
    first, second = opened.page.evaluate(ROWS)
    assert first["columns"] == second["columns"]
    assert max(first["out"], second["out"]) <= 0
    assert opened.too_wide <= 0
