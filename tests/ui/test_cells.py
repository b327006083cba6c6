"""The way between the panel and the notebook's cells, and what stands beside the cells."""

from __future__ import annotations

import os
import re
import signal

import pytest
from playwright.sync_api import Locator, expect

from tests.ui.desk import IN_LAB, Desk, Sit, Sitting, until
from tests.ui.notebooks import FINDINGS, GATED, REVIEW, SETUP

pytestmark = IN_LAB

LONG = "\n".join(f"print({n})" for n in range(60))
"""A cell that pushes the next one out of sight."""

APPS = pytest.mark.parametrize("app", ["lab/tree", "notebooks"])


def badge(lab: Sitting, number: int) -> Locator:
    """What stands under a cell's code."""
    return lab.cell(number).locator(".nbd-badge")


@APPS
def test_from_the_panel_to_a_cell(sitting: Sit, app: str) -> None:
    """A row, a call's details and a bar lead to the cell, which takes the focus."""
    lab = sitting(SETUP, FINDINGS, LONG, "%%durable later\nlast = search('x')", app=app)
    lab.run(0, 1, 3)
    expect(lab.panel).to_contain_text("All 7 calls as a list")
    cell = lab.cell(1)
    lab.panel.get_by_role("button", name="go to the cell findings").click()
    expect(cell).to_be_in_viewport()
    expect(cell).to_have_class(re.compile("jp-mod-active"))
    expect(lab.panel.locator("tr[aria-current=true]")).to_contain_text("findings")
    lab.panel.get_by_text("All 7 calls as a list").click()
    rows = lab.panel.locator(".list .row")
    expect(rows.locator("visible=true").and_(lab.panel.locator(".here"))).to_have_count(
        6
    )
    rows.last.click()
    lab.panel.get_by_role("button", name="go to the cell", exact=True).click()
    expect(lab.cell(3)).to_have_class(re.compile("jp-mod-active"))
    expect(lab.cell(3)).to_be_in_viewport()
    lab.panel.locator("canvas").first.press("Home")
    lab.panel.locator("canvas").first.press("c")
    expect(cell).to_have_class(re.compile("jp-mod-active"))
    inside = "document.activeElement.closest('.jp-Notebook') !== null"
    assert lab.page.evaluate(inside)
    assert lab.ours == []


@APPS
def test_from_a_cell_to_its_calls(sitting: Sit, app: str) -> None:
    """By the palette, by keys and by its badge a cell leads to what it did."""
    lab = sitting(SETUP, FINDINGS, "%%durable later\nlast = search('x')", app=app)
    lab.run(0, 1, 2)
    expect(lab.panel).to_contain_text("All 7 calls as a list")
    details = lab.panel.locator(".details")
    lab.cell(1).locator(".cm-content").click()
    lab.command("Show This Cell in the Durable Run")
    expect(details.locator("h3").first).to_contain_text("findings")
    lab.cell(2).locator(".cm-content").click()
    lab.page.keyboard.press("Alt+Shift+C")
    expect(details.locator("h3").first).to_contain_text("later")
    badge(lab, 1).click()
    expect(details.locator("h3").first).to_contain_text("findings")
    expect(lab.panel.locator("tr[aria-current=true]")).to_contain_text("findings")
    lab.cell(0).locator(".cm-content").click()
    lab.page.keyboard.press("Alt+Shift+C")
    expect(lab.panel).to_contain_text("has no step in this run yet")
    assert lab.ours == []


@APPS
def test_badges_live(sitting: Sit, app: str) -> None:
    """Beside a cell stands how it is, live, and whether a change makes it run again."""
    lab = sitting(SETUP, FINDINGS, "topic = 'sheet'", app=app)
    expect(lab.page.locator(".nbd-badge")).to_have_count(0)
    lab.run(0, 1)
    expect(badge(lab, 1)).to_contain_text("fresh · 6 calls ran · replays, free")
    name = "findings is fresh · 6 calls ran · replays, free"
    expect(lab.page.get_by_role("button", name=name)).to_be_visible()
    lab.run(1)
    expect(badge(lab, 1)).to_contain_text("replayed whole, 6 calls")
    lab.run(2)
    expect(badge(lab, 1)).to_contain_text("stale because topic changed")
    expect(badge(lab, 1)).to_contain_text("will run")
    lab.shot(f"badge-stale-{app.partition('/')[0]}")
    lab.cell(1).locator(".cm-content").click()
    lab.page.keyboard.press("Control+End")
    lab.page.keyboard.type("x = 1")
    lab.cell(0).locator(".cm-content").click()
    lab.run(0)
    expect(badge(lab, 1)).to_contain_text("edited · will run")
    expect(badge(lab, 0)).to_have_count(0)
    assert lab.ours == []


def test_badges_while_the_panel_is_shut(sitting: Sit) -> None:
    """Badges need no panel; what waits and what is in doubt says so, and a kill removes none."""
    lab = sitting(SETUP, FINDINGS, REVIEW, GATED)
    lab.tab.click()
    expect(lab.panel).to_be_hidden()
    lab.run(0, 1)
    expect(badge(lab, 1)).to_contain_text("fresh · 6 calls ran")
    lab.run(2)
    expect(badge(lab, 2)).to_contain_text("waits for your answer")
    lab.tab.click()
    lab.panel.get_by_role("button", name="yes: nd.approve").click()
    lab.tab.click()
    expect(badge(lab, 2)).to_contain_text("fresh · 1 answer")
    lab.run(3)
    expect(badge(lab, 3)).to_contain_text("running")
    os.kill(lab.pid(), signal.SIGKILL)
    lab.accept()
    expect(badge(lab, 3)).to_contain_text("in doubt: a call may have happened")
    expect(badge(lab, 1)).to_contain_text("fresh · 6 calls ran")
    lab.shot("badges")
    assert lab.ours == []


def test_badges_are_of_the_page_only(desk: Desk, sitting: Sit) -> None:
    """They go with the setting and come with it; the notebook's file knows nothing of them."""
    setting = "lab/api/settings/nbdurable:plugin"
    lab = sitting(SETUP, FINDINGS)
    lab.run(0, 1)
    expect(badge(lab, 1)).to_contain_text("fresh")
    lab.page.keyboard.press("Control+s")
    path = lab.folder / "research.ipynb"
    until(
        lambda: "6 calls ran" in path.read_text(encoding="utf-8"), lambda: "not saved"
    )
    saved = path.read_text(encoding="utf-8")
    assert "fresh ·" not in saved
    assert "nbd-badge" not in saved
    lab.command("Show How Durable Cells Stand")
    expect(lab.page.locator(".nbd-badge")).to_have_count(0)
    assert '"badges": false' in desk.text(setting).replace("\\", "")
    lab.command("Show How Durable Cells Stand")
    expect(badge(lab, 1)).to_contain_text("fresh")
    desk.put(setting, {"raw": "{}"})
    lab.menu("Kernel", "Shut Down Kernel")
    expect(lab.panel).to_contain_text("This notebook has no kernel")
    assert lab.ours == []


def test_badges_go_with_the_extension(sitting: Sit) -> None:
    """In a kernel that doesn't load it, no cell is said to be fresh; loaded, they come back."""
    lab = sitting(SETUP, FINDINGS, "%unload_ext nbdurable", "%load_ext nbdurable")
    lab.run(0, 1)
    expect(badge(lab, 1)).to_contain_text("fresh · 6 calls ran")
    lab.run(2)
    expect(lab.panel).to_contain_text("nbdurable is not loaded in this kernel")
    expect(lab.page.locator(".nbd-badge")).to_have_count(0)
    lab.cell(1).locator(".cm-content").click()
    lab.page.keyboard.press("Alt+Shift+C")
    expect(lab.panel).to_contain_text("nbdurable is not loaded in this kernel")
    lab.run(3)
    expect(badge(lab, 1)).to_contain_text("fresh · 6 calls ran")
    assert lab.ours == []


@APPS
def test_a_badge_has_the_menu_of_its_cell(sitting: Sit, app: str) -> None:
    """A right click on it offers to show the cell, not the one that was active before."""
    lab = sitting(SETUP, FINDINGS, "%%durable later\nlast = search('x')", app=app)
    lab.run(0, 1, 2)
    expect(badge(lab, 1)).to_contain_text("fresh · 6 calls ran")
    expect(badge(lab, 2)).to_contain_text("fresh · 1 call ran")
    lab.cell(2).locator(".cm-content").click()
    badge(lab, 1).click(button="right")
    item = lab.page.locator(".lm-Menu-item", has_text="Show This Cell in the Durable")
    expect(item).to_be_visible()
    lab.shot(f"badge-menu-{app.partition('/')[0]}")
    item.click()
    details = lab.panel.locator(".details h3").first
    expect(details).to_contain_text("findings")
    badge(lab, 2).focus()
    lab.page.keyboard.press("Enter")
    expect(details).to_contain_text("later")
    assert lab.ours == []
