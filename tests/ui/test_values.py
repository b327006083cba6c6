"""The values of calls, in a real browser."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, expect

from nbdurable.timeline.cleaned import ELEMENTS
from tests.stories import HOSTILE, Story, research
from tests.ui.conftest import Open, Opened
from tests.ui.test_live import Shown

pytestmark = pytest.mark.needs("chromium")

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
"""An image of one pixel."""


def told(text: str) -> Story:
    """A run with a conversation, a table, an image and HTML, all with this text in it."""
    story = Story()
    story.opens()
    step = story.step("draft")
    asked = {"model": "m", "messages": [{"role": "user", "content": f"why {text}?"}]}
    said = {"choices": [{"message": {"role": "assistant", "content": f"so {text}"}}]}
    answer = {"status": 200, "headers": {}, "body": json.dumps(said)}
    story.calls(step, "m ← why?", 1.0, arguments=asked, result=answer)
    rows = [{"name": text, "paid": n} for n in range(3)]
    story.calls(step, "table()", 1.0, result=rows)
    shown = [
        {"type": "display_data", "data": {"image/png": DOT}},
        {"type": "display_data", "data": {"text/html": f"<b>bold</b>{text}"}},
    ]
    story.completes(step)
    last = story.entries[-1]
    record = last.record._replace(blobs=(story.value(shown),))
    story.entries[-1] = last._replace(record=record)
    return story


def opens(opened: Opened, nth: int) -> None:
    """Open the n-th call of the list."""
    opened.page.get_by_text(re.compile("calls as a list")).click()
    opened.page.locator(f'[aria-posinset="{nth}"] button').click()


def test_a_conversation(show: Open) -> None:
    """What a model was sent and what it answered are shown as turns."""
    opened = show(told("fast"))
    opened.drawn()
    opens(opened, 1)
    chat = opened.page.get_by_role("group", name="conversation")
    expect(chat).to_have_count(2)
    expect(chat.first).to_contain_text("why fast?")
    expect(chat.last).to_contain_text("so fast")
    assert opened.wrong == []


def test_a_table(show: Open) -> None:
    """Records are shown as a table with heads."""
    opened = show(told("ann"))
    opened.drawn()
    opens(opened, 2)
    expect(opened.page.get_by_role("columnheader", name="paid")).to_be_visible()
    expect(opened.page.get_by_role("cell", name="ann")).to_have_count(3)
    expect(opened.page.locator(".details")).to_contain_text("3 rows × 2 columns")


@pytest.mark.parametrize("text", ["plain", *HOSTILE])
def test_what_a_cell_showed(show: Open, text: str) -> None:
    """Images are images; HTML stands in a frame in which nothing runs and nothing loads."""
    opened = show(told(text), 400)
    opened.drawn()
    opened.page.locator(".cells button").first.click()
    image = opened.page.locator(".details img")
    loaded = "image => image.complete && image.naturalWidth === 1"
    opened.page.wait_for_function(loaded, arg=image.element_handle())
    frame = opened.page.locator(".details iframe")
    assert frame.get_attribute("sandbox") == ""
    inside = frame.content_frame
    expect(inside.locator("b").first).to_have_text("bold")
    names = inside.locator("body *").evaluate_all("all => all.map(e => e.localName)")
    assert set(names) <= ELEMENTS
    assert opened.wrong == []
    assert opened.too_wide <= 0


def test_ten_megabytes_come_in_pieces(browser: Browser) -> None:
    """Of a long value the view holds one piece, and leads to the next ones."""
    story = research()
    step = story.step("read")
    story.calls(step, "fetch('log')", 1.0, result="0123456789" * 1_000_000)
    shown = Shown(browser.new_page(), story)
    page = shown.page
    page.get_by_text("All 48 calls as a list").click()
    page.get_by_role("list").evaluate("list => list.scrollTo(0, 9999)")
    page.locator('[aria-posinset="48"] button').click()
    page.get_by_role("button", name="show it as text").click()
    told = page.locator(".pager [role=status]")
    expect(told).to_have_text("1–20,000 of 10,000,000 characters")
    expect(page.get_by_role("button", name="‹ earlier")).to_be_disabled()
    page.get_by_role("button", name="later ›").press("Enter")
    expect(told).to_have_text("20,001–40,000 of 10,000,000 characters")
    expect(page.get_by_role("button", name="later ›")).to_be_focused()
    longest = (
        "[...document.querySelectorAll('.nbd pre')].map(p => p.textContent.length)"
    )
    assert max(page.evaluate(longest)) == 20_000


def test_what_changed_since_the_last_attempt(browser: Browser) -> None:
    """The details of an attempt say what is otherwise than in the one before."""
    story = research()
    step = story.step("findings", source="edited")
    story.calls(step, "summarise('other page')", 2.0, arguments={"page": 99})
    story.completes(step, [["hits"]])
    shown = Shown(browser.new_page(), story)
    shown.page.locator(".cells button").first.click()
    changed = shown.page.get_by_label("what changed")
    expect(changed).to_contain_text("page was 1, is 99")
