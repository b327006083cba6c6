"""The sidebar for who uses keys alone, high contrast, less motion, or a narrow window."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.ui.desk import IN_LAB, Sit, Sitting
from tests.ui.notebooks import FINDINGS, REVIEW, SETUP

pytestmark = IN_LAB

FOCUSED = "document.activeElement.getAttribute('aria-label') ?? ''"


@pytest.fixture
def asked(sitting: Sit) -> Sit:
    """A notebook whose last cell waits, with the sidebar."""

    def open_it(**more: object) -> Sitting:
        lab = sitting(SETUP, FINDINGS, REVIEW, **more)
        lab.run(0, 1, 2)
        expect(lab.panel.locator(".need")).to_be_visible()
        return lab

    return open_it


@pytest.mark.parametrize("app", ["lab/tree", "notebooks"])
def test_keys_lead_to_a_question_and_back(asked: Sit, app: str) -> None:
    """Shortcuts and Tab alone: to the question, its answer, a cell's calls, and the cell."""
    lab = asked(app=app)
    lab.cell(1).locator(".cm-content").click()
    lab.page.keyboard.press("Alt+Shift+N")
    expect(lab.panel.locator(".need button").first).to_be_focused()
    for _ in range(4):
        if str(lab.page.evaluate(FOCUSED)).startswith("yes: nd.approve"):
            break
        lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Enter")
    expect(lab.cell(2)).to_contain_text("answered True")
    lab.panel.get_by_role("button", name="go to the cell findings").press("Enter")
    expect(lab.cell(1)).to_have_class(re.compile("jp-mod-active"))
    lab.page.keyboard.press("Alt+Shift+C")
    expect(lab.panel.locator(".details h3").first).to_contain_text("findings")
    assert lab.ours == []


def test_high_contrast_and_less_motion(asked: Sit) -> None:
    """Forced colours hide no sign and no word, and nothing moves by itself."""
    lab = asked(forced_colors="active", reduced_motion="reduce")
    adjust = "all => all.map(one => getComputedStyle(one).forcedColorAdjust)"
    shares = lab.panel.locator(".share span")
    assert set(shares.evaluate_all(adjust)) == {"none"}
    badge = lab.cell(2).locator(".nbd-badge")
    expect(badge).to_have_text("…waits for your answer")
    assert badge.evaluate("one => one.getBoundingClientRect().height") >= 20
    go = lab.panel.get_by_role("button", name="go to the cell findings")
    go.click()
    expect(lab.cell(1)).to_have_class(re.compile("nbd-shown"))
    moving = """[...document.querySelectorAll('.nbd-home, .nbd-home *, .nbd-badge, .nbd-shown')]
      .flatMap(one => one.getAnimations()).filter(one => one.playState === 'running').length"""
    assert lab.page.evaluate(moving) == 0
    picture = lab.panel.locator("canvas").first.get_attribute("aria-label")
    assert picture is not None
    assert "findings, attempt 1: 6 calls ran" in picture
    here = lab.panel.locator("tr[aria-current=true] td").first
    expect(here).to_contain_text("findings")
    assert here.evaluate("one => getComputedStyle(one).borderLeftWidth") == "4px"
    lab.shot("high-contrast")
    assert lab.ours == []


def test_a_window_of_320_pixels(asked: Sit) -> None:
    """Question, cells, lanes, list and details fit; every button is in sight and large enough."""
    lab = asked()
    lab.panel.get_by_role("button", name=re.compile("ran: findings")).click()
    expect(lab.panel.locator(".details h3").first).to_contain_text("findings")
    lab.panel.get_by_text(re.compile("as a list")).click()
    lab.page.set_viewport_size({"width": 320, "height": 800})
    lab.page.keyboard.press("Control+b")  # the files beside it go
    lab.widen(200)
    box = lab.panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    fits = "element => element.scrollWidth - element.clientWidth"
    assert lab.panel.evaluate(fits) <= 0
    outside = """home => {
      const edge = home.getBoundingClientRect();
      return [...home.querySelectorAll('button, input, select, summary, code, h1, h2, h3')]
        .filter(one => one.getClientRects().length && !one.closest('.list'))
        .map(one => [one.textContent, one.getBoundingClientRect()])
        .filter(([, box]) => box.right > edge.right + 1 || box.left < edge.left - 1)
        .map(([text]) => text);
    }"""
    assert lab.panel.evaluate(outside) == []
    small = """home => [...home.querySelectorAll('button')]
      .map(one => [one.textContent, one.getClientRects()[0]])
      .filter(([, box]) => box && box.height < 24)
      .map(([text]) => text)"""
    assert lab.panel.evaluate(small) == []
    lab.shot("window-320")
    assert lab.ours == []
