"""The page of a run, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from nbdurable.engine.past.fates import Fate
from nbdurable.engine.past.tally import Tally
from nbdurable.engine.where.moments import Now
from nbdurable.kernel.lines import noted
from nbdurable.timeline.bundle import page_script
from nbdurable.timeline.pages import page
from nbdurable.timeline.views import CallView, CellView, RunView, StepView
from tests.stories import HOSTILE, Story, doubtful, gallery, hostile, research
from tests.ui.conftest import Open, Opened

pytestmark = pytest.mark.needs("chromium")

PAINTED = """() => {
  const canvas = document.querySelector('canvas'), seen = new Set();
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  for (let n = 0; n < data.length; n += 4) if (data[n + 3] === 255) {
    seen.add('#' + [0, 1, 2].map((c) => data[n + c].toString(16).padStart(2, '0')).join(''));
  }
  return [...seen];
}"""
"""The colours on the canvas."""


def at_first(opened: Opened) -> str:
    """The text of the page, on one line."""
    return re.sub(r"\s+", " ", opened.page.inner_text(".nbd"))


def test_the_first_glance(show: Open) -> None:
    """A stranger reads how many calls were replayed, what that saved and what happened."""
    opened = show(research())
    opened.drawn()
    text = at_first(opened)
    assert "16 calls replayed, not paid again saved 12,400 tokens and 55 s" in text
    assert "↺ 16 replayed ▮ 14 ran" in text
    assert "Kernel stopped today 09:14 in findings during call 17" in text
    assert "findings 16 replayed, 14 ran replays if nothing changed" in text
    assert opened.wrong == []


def test_the_order_of_things(show: Open) -> None:
    """What needs you stands first, then the cells, lanes last."""
    opened = show(gallery())
    opened.drawn()
    heads = opened.page.locator(".nbd h2").all_inner_texts()
    assert [h.lower() for h in heads][:3] == ["needs you (1)", "cells", "lanes"]
    named = r"%durable resolve review\.2@[0-9a-f]{6} --did-not"
    assert re.search(named, at_first(opened))


@pytest.mark.parametrize(
    ("scheme", "ran", "replayed"),
    [("light", "#0072b2", "#dff4ec"), ("dark", "#3d9bdc", "#0e3329")],
)
def test_the_lanes_are_drawn(show: Open, scheme: str, ran: str, replayed: str) -> None:
    """The canvas has the colours of what ran and of what was replayed, in both themes."""
    opened = show(gallery(), color_scheme=scheme)
    opened.drawn()
    assert {ran, replayed} <= set(opened.page.evaluate(PAINTED))


def test_a_click_opens_details(show: Open) -> None:
    """A click on a bar shows the call's arguments and result; ✕ closes them."""
    opened = show(research())
    opened.drawn()
    opened.page.locator(".lanes canvas").click(position={"x": 240, "y": 72})
    details = opened.page.locator(".details")
    expect(details).to_contain_text("Paper ")
    expect(details.get_by_role("heading", name="arguments")).to_be_visible()
    details.get_by_role("button", name="close the details").click()
    expect(details).to_be_hidden()


def test_keys_alone_are_enough(show: Open) -> None:
    """The keyboard reaches the picture, goes from call to call, opens and closes one."""
    opened = show(research())
    opened.drawn()
    opened.page.locator(".lanes canvas").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Enter"):
        opened.page.keyboard.press(key)
    expect(opened.page.get_by_role("status").last).to_contain_text("2 summarise(")
    expect(opened.page.locator(".details h3").first).to_contain_text("summarise(")
    opened.page.keyboard.press("Escape")
    expect(opened.page.locator(".details")).to_be_hidden()


def test_tab_goes_through_everything_in_order(show: Open) -> None:
    """The focus goes through questions, cells, picture, zoom and list as they stand there."""
    opened = show(gallery())
    opened.drawn()
    seen = []
    for _ in range(10):
        opened.page.keyboard.press("Tab")
        focused = "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
        seen.append(re.sub(r"\s+", " ", opened.page.evaluate(focused)).strip())
    assert seen.pop(0) == "details: send_invoice('anna', 1200)"
    assert [s.rpartition(" ")[2] for s in seen[:4]] == [
        "plan",
        "findings",
        "chart",
        "review",
    ]
    assert "Arrow keys go from call to call" in seen[4]
    assert seen[5:] == [
        "zoom out",
        "zoom in",
        "show everything",
        "All 61 calls as a list",
    ]


def test_the_list_is_the_picture_in_words(show: Open) -> None:
    """The list says how many there are, shows only what is seen, and opens a call."""
    opened = show(research())
    opened.drawn()
    opened.page.get_by_text("All 47 calls as a list").click()
    items = opened.page.get_by_role("listitem")
    expect(items.first).to_have_attribute("aria-setsize", "47")
    assert items.count() < 40
    opened.page.get_by_role("list").evaluate("list => list.scrollTo(0, 9999)")
    last = opened.page.locator('[aria-posinset="47"] button')
    last.click()
    expect(opened.page.locator(".details h3").first).to_contain_text("page 29")


def test_zoom_and_pan(show: Open) -> None:
    """Looking closer changes the picture; one click shows everything again."""
    opened = show(research())
    opened.drawn()
    url = "document.querySelector('canvas').toDataURL()"
    everything = opened.page.evaluate(url)
    opened.page.get_by_role("button", name="zoom in").click(click_count=4)
    opened.page.wait_for_function(f"before => {url} !== before", arg=everything)
    opened.page.get_by_role("button", name="show everything").click()
    opened.page.wait_for_function(f"before => {url} === before", arg=everything)
    assert opened.wrong == []


def test_the_overview_leads_anywhere(show: Open) -> None:
    """Looked at closely, a strip shows the whole run: keys and pointer move the window."""
    opened = show(research())
    opened.drawn()
    window = opened.page.get_by_role("slider")
    expect(window).to_be_hidden()
    opened.page.get_by_role("button", name="zoom in").click(click_count=4)
    expect(window).to_be_visible()
    window.press("End")
    expect(window).to_have_attribute("aria-valuetext", re.compile("to 100 percent"))
    window.press("PageUp")
    expect(window).not_to_have_attribute("aria-valuetext", re.compile("to 100 percent"))
    box = opened.page.locator(".brush").bounding_box()
    assert box is not None
    opened.page.mouse.move(box["x"] + 4, box["y"] + 9)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + box["width"] / 10, box["y"] + 9, steps=3)
    opened.page.mouse.up()
    opened.page.locator(".brush").dblclick(position={"x": 400, "y": 9})
    expect(window).to_be_hidden()
    assert opened.wrong == []


def test_a_part_is_brushed(show: Open) -> None:
    """A drag over the strip of a large run shows that part of it."""
    opened = show(page(many(3_000), page_script()))
    opened.drawn()
    window = opened.page.get_by_role("slider")
    expect(window).to_have_attribute("aria-valuetext", "everything")
    box = opened.page.locator(".brush").bounding_box()
    assert box is not None
    for share, act in ((0.25, "down"), (0.5, "up")):
        opened.page.mouse.move(box["x"] + box["width"] * share, box["y"] + 9, steps=4)
        getattr(opened.page.mouse, act)()
    expect(window).to_have_attribute("aria-valuetext", "25 to 50 percent")


@pytest.mark.parametrize("width", [320, 1_000])
@pytest.mark.parametrize("text", [*HOSTILE, "x" * 10_000_000])
def test_hostile_text_runs_nothing_and_breaks_nothing(
    show: Open, text: str, width: int
) -> None:
    """Whatever stands in names, arguments and results stays text, and stays inside."""
    opened = show(hostile(text), width)
    opened.drawn()
    opened.page.locator(".cells button").first.click()
    expect(opened.page.locator(".details")).to_be_visible()
    opened.page.get_by_text(re.compile("calls as a list")).click()
    opened.page.get_by_role("listitem").first.get_by_role("button").click()
    expect(opened.page.locator(".details h3").first).to_be_visible()
    foreign = ".nbd :is(script, img, iframe, svg, a, link, object, embed, form)"
    assert opened.page.locator(foreign).count() == 0
    assert opened.wrong == []
    assert opened.too_wide <= 0


@pytest.mark.parametrize("story", [research, doubtful, gallery, Story])
def test_a_narrow_panel(show: Open, story: object) -> None:
    """At 320 pixels nothing sticks out, and everything is there."""
    assert callable(story)
    opened = show(story(), 320)
    opened.page.wait_for_selector(".nbd header")
    assert opened.too_wide <= 0
    assert opened.wrong == []


def test_the_line_under_a_cell_stays_inside(show: Open) -> None:
    """A name or an address without a space in it breaks, and nothing of it is cut off."""
    opened = show(
        noted(f"{'W' * 500} · 1 call ran", "status")["data"]["text/html"], 320
    )
    assert opened.too_wide <= 0


def test_without_scripts_the_same_is_said(show: Open) -> None:
    """Who runs no scripts reads the same run as a plain page."""
    opened = show(gallery(), java_script_enabled=False)
    text = opened.page.inner_text(".nbdurable")
    assert "17 calls" in text
    assert "send_invoice('anna', 1200)" in text
    assert opened.wrong == []


def test_an_empty_run_says_what_to_do(show: Open) -> None:
    """A run without a cell says how to begin."""
    opened = show(Story())
    expect(opened.page.locator(".nbd")).to_contain_text(
        "Write %%durable in the first line"
    )


def many(calls: int) -> RunView:
    """A run with a large number of calls in eight lanes."""
    tally = Tally(ran=calls)
    step = StepView(
        id="s", slot="c", name="many", title="", attempt=1, fate=Fate.RAN,
        started_us=0, ended_us=calls * 1_000, ms=float(calls), tally=tally,
        calls=tuple(
            CallView(
                id=f"c{n}", reference=f"many.{n}", number=str(n), name="search",
                text=f"search('{n}')", effect="read", fate=Fate.RAN,
                started_us=n * 1_000, ms=7.5,
            )
            for n in range(calls)
        ),
    )  # fmt: skip
    cell = CellView(slot="c", name="many", attempts=(step,), total=Tally())
    return RunView(
        id="r", number=1, notebook="many.ipynb", opened_us=0, closed=False,
        now=Now(calls * 1_000), cells=(cell,), kernels=(), asks=(), kept=(), total=tally,
    )  # fmt: skip


def test_a_hundred_thousand_calls(show: Open) -> None:
    """So many calls are drawn within seconds on a busy machine, and moved within frames."""
    opened = show(page(many(100_000), page_script()))
    opened.drawn()
    assert opened.page.evaluate("performance.now()") < 10_000
    frames = """async () => {
      const canvas = document.querySelector('canvas'), took = [];
      canvas.focus();
      for (let n = 0; n < 20; n++) {
        canvas.dispatchEvent(new KeyboardEvent('keydown', { key: n < 10 ? '+' : '-' }));
        const before = performance.now();
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        took.push(performance.now() - before);
      }
      return took.sort((a, b) => a - b)[10];
    }"""
    assert opened.page.evaluate(frames) < 500
