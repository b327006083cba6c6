"""The sidebar for who uses keys alone, high contrast, less motion, or a narrow window."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.ui.desk import Desk, Sitting, sit, start
from tests.ui.notebooks import FINDINGS, REVIEW, SETUP

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("browser"),
]

expect.set_options(timeout=30_000)  # a kernel on a crowded machine is slow

FOCUSED = "document.activeElement.getAttribute('aria-label') ?? ''"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One server for all tests of the module."""
    started = start(tmp_path_factory.mktemp("desk"))
    yield started
    started.close()


Sit = Callable[..., Sitting]


@pytest.fixture
def sitting(
    desk: Desk, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Sit]:
    """A notebook whose last cell waits, with the sidebar; everything is closed after."""
    made: list[Sitting] = []

    def open_it(**more: object) -> Sitting:
        folder = re.sub(r"\W+", "-", request.node.name)
        path = desk.notebook(f"{folder}/research.ipynb", SETUP, FINDINGS, REVIEW)
        made.append(sit(desk, browser, path, **more))
        made[-1].run(0, 1, 2)
        expect(made[-1].panel.locator(".need")).to_be_visible()
        return made[-1]

    yield open_it
    for one in made:
        one.shot(f"end-{request.node.name}")
        one.close()


@pytest.mark.parametrize("app", ["lab/tree", "notebooks"])
def test_keys_lead_to_a_question_and_back(sitting: Sit, app: str) -> None:
    """Shortcuts and Tab alone: to the question, its answer, a cell's calls, and the cell."""
    lab = sitting(app=app)
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


def test_high_contrast_and_less_motion(sitting: Sit) -> None:
    """Forced colours hide no sign and no word, and nothing moves by itself."""
    lab = sitting(forced_colors="active", reduced_motion="reduce")
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


def test_a_window_of_320_pixels(sitting: Sit) -> None:
    """Question, cells, lanes, list and details fit; every button is in sight and large enough."""
    lab = sitting()
    lab.panel.get_by_role("button", name=re.compile("ran: findings")).click()
    expect(lab.panel.locator(".details h3").first).to_contain_text("findings")
    lab.panel.get_by_text(re.compile("as a list")).click()
    lab.page.set_viewport_size({"width": 320, "height": 800})
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
    lab.shot("window-320")
    assert lab.ours == []
