"""How far a map is, under its cell in a real JupyterLab."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.ui.desk import IN_LAB, Desk, sit

pytestmark = IN_LAB

SETUP = """import os, threading
import nbdurable as nd

@nd.tool(effect="read")
def look(n):
    while n == 9 and not os.path.exists("gate"):
        threading.Event().wait(0.05)
    return n
"""

MAPS = """%%durable m
seen = nd.map(look, range(10), limit=2)
"""


def test_a_bar_is_drawn(desk: Desk, browser: Browser) -> None:
    """Nine of ten items are nine tenths of it; at the end it is full."""
    lab = sit(
        desk, browser, desk.notebook("maps/n.ipynb", SETUP, MAPS, "open('gate', 'w')")
    )
    try:
        lab.run(0, 1)
        bar = lab.cell(1).get_by_role("progressbar")
        expect(bar).to_have_attribute("aria-valuenow", "90")
        whole, part = bar.bounding_box(), bar.locator("div").bounding_box()
        assert whole is not None
        assert part is not None
        assert part["height"] >= 4
        assert part["width"] / whole["width"] == pytest.approx(0.9, abs=0.01)
        (desk.folder / "maps" / "gate").touch()
        expect(bar).to_have_attribute("aria-valuenow", "100")
    finally:
        lab.close()
