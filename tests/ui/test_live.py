"""The view over a source that lives: what it shows follows, and its buttons answer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from nbdurable.engine.values.redact import Secrets
from nbdurable.timeline.bundle import VIEW
from nbdurable.timeline.protocol import plain
from nbdurable.timeline.source import Source
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.clock import SYSTEM_CLOCK
from tests.stories import HOSTILE, Story, doubtful, gallery, hostile, research

pytestmark = pytest.mark.needs("chromium")

HOST = """async (text) => {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const view = (await import(address)).default;
  window.hear = () => undefined;
  const model = {
    get: () => undefined,
    on: (_, hear) => (window.hear = hear),
    off: () => (window.hear = () => undefined),
    send: async (said) => (await window.said(said)).forEach((message) => window.hear(message)),
  };
  window.end = view.render({ model, el: document.body });
}"""
"""A front end in few words: it hands messages over."""


class Shown:
    """The view in a browser, over a source over a store."""

    def __init__(self, page: Page, story: Story, *others: Story) -> None:
        self.page, self.story = page, story
        world = World()
        for one in (story, *others):
            gone = MemoryStore(world)
            one.into(gone)
            gone.close()
        self.store = MemoryStore(world)
        self.source = Source(
            store=self.store, run=story.run, secrets=lambda: Secrets({})
        )
        self.said: list[dict[str, object]] = []
        page.expose_function("said", self._said)
        page.goto("about:blank")
        page.evaluate(HOST, VIEW.read_text(encoding="utf-8"))
        page.wait_for_selector("canvas[data-drawn]")

    def _said(self, said: dict[str, object]) -> list[object]:
        self.said.append({name: was for name, was in said.items() if name != "ask"})
        return [plain(message) for message in self.source.hear(said)]

    def goes_on(self, text: str) -> None:
        """One more cell with one call; the view is told."""
        self.appends(text)
        self.tells()

    def appends(self, text: str) -> None:
        """One more cell with one call, which nobody is told."""
        told = len(self.story.entries)
        step = self.story.step(f"cell_{told}")
        self.story.calls(step, text, 1.0)
        for entry in self.story.entries[told:]:
            blobs = tuple(
                self.store.put(b.codec, self.story.get(b)) for b in entry.record.blobs
            )
            self.store.append((entry.record._replace(blobs=blobs),), sync=True)

    def tells(self) -> None:
        """Tell the view what changed."""
        for message in self.source.poll():
            self.page.evaluate("message => window.hear(message)", plain(message))


@pytest.fixture
def shown(browser: Browser) -> Shown:
    """A run in which a call may have happened."""
    return Shown(browser.new_page(), doubtful())


def test_who_is_not_answered_asks_again(browser: Browser) -> None:
    """A first question that nobody answers, since a cell blocks, is asked once more."""
    page = browser.new_page()
    asked: list[object] = []
    page.expose_function("said", lambda said: asked.append(said) or [])
    page.goto("about:blank")
    page.evaluate(HOST, VIEW.read_text(encoding="utf-8"))
    expect(page.locator(".nbd")).to_contain_text("Waiting for the run")
    expect(page.get_by_role("group").filter(has=page.locator(".list"))).to_have_count(0)
    deadline = SYSTEM_CLOCK.monotonic_s() + 20
    while len(asked) < 2:
        assert SYSTEM_CLOCK.monotonic_s() < deadline
        page.wait_for_timeout(50)
    expect(page.locator(".nbd")).to_contain_text("Nobody answers yet.", timeout=20_000)
    assert asked[0] == asked[1] == {"type": "open", "version": 1, "run": ""}


def test_it_happened(shown: Shown) -> None:
    """A value and a click settle a call: the question goes, the answer is in the journal."""
    field = shown.page.get_by_label("value for it happened: send_invoice('anna', 1200)")
    field.fill("in_1Q2w")
    field.press("Enter")
    expect(shown.page.locator(".need")).to_have_count(0)
    assert shown.said[-1] == {
        "type": "resolve",
        "call": "review.2@ab38f9",
        "said": "happened",
        "text": "in_1Q2w",
        "run": "run-1",
    }


def test_without_a_value_nothing_is_sent(shown: Shown) -> None:
    """«It happened» alone asks for the value that the call returned."""
    button = shown.page.get_by_role("button", name="it happened: send_invoice")
    button.click()
    expect(shown.page.get_by_label("value for it happened")).to_be_focused()
    assert {s["type"] for s in shown.said} == {"open"}


def test_it_did_not(shown: Shown) -> None:
    """One click says that a call did not happen."""
    shown.page.get_by_role("button", name="it did not: send_invoice").click()
    expect(shown.page.locator(".need")).to_have_count(0)
    assert shown.source.hear({"type": "open", "version": 1})[0].needs == ()  # type: ignore[union-attr]


def test_what_was_typed_stays_while_the_run_goes_on(shown: Shown) -> None:
    """A change while somebody types takes neither the focus nor the text."""
    field = shown.page.get_by_label("value for it happened")
    field.fill("in_")
    shown.goes_on("search('a')")
    expect(shown.page.locator(".cells")).to_contain_text("cell_")
    expect(field).to_have_value("in_")
    expect(field).to_be_focused()


def test_a_change_is_seen(shown: Shown) -> None:
    """A new cell and its call are shown; the details that are open stay open."""
    shown.page.locator(".cells button").first.click()
    expect(shown.page.locator(".details")).to_contain_text("review")
    shown.goes_on("search('something new')")
    shown.page.get_by_text("All 3 calls as a list").click()
    expect(shown.page.locator(".list")).to_contain_text("something new")
    expect(shown.page.locator(".details")).to_contain_text("review")


def test_after_a_gap_it_asks_again(shown: Shown) -> None:
    """A missed message leads to a new snapshot, and nothing is missing then."""
    before = len(shown.said)
    shown.appends("search('missed')")
    shown.source.poll()
    shown.goes_on("search('heard')")
    expect(shown.page.locator("summary").first).to_have_text("All 4 calls as a list")
    assert [s["type"] for s in shown.said[before:]] == ["open"]


def test_what_is_settled_elsewhere_is_asked_no_more(shown: Shown) -> None:
    """A click on what somebody else settled meanwhile changes nothing; the question goes."""
    other = Source(store=shown.store, run="run-1", secrets=lambda: Secrets({}))
    other.hear({"type": "resolve", "call": "review.2", "said": "did-not"})
    shown.page.get_by_role("button", name="it did not: send_invoice").click()
    expect(shown.page.locator(".need")).to_have_count(0)


def test_a_refusal_is_shown_where_it_was_asked(shown: Shown) -> None:
    """What is refused says why beside the question, and the buttons can be used again."""
    refused = {
        "type": "refused",
        "about": "review.2@ab38f9",
        "line": "no room",
        "remedies": ["df"],
    }
    button = shown.page.get_by_role("button", name="it did not: send_invoice")
    shown.page.evaluate("refused => window.hear(refused)", refused)
    expect(shown.page.locator(".need [role=status]")).to_have_text("no room")
    expect(shown.page.locator(".need")).to_contain_text("df")
    expect(button).to_be_enabled()


def test_a_removed_view_listens_no_more(shown: Shown) -> None:
    """After its end a view hears nothing and fails at nothing."""
    wrong: list[str] = []
    shown.page.on("pageerror", lambda error: wrong.append(str(error)))
    shown.page.evaluate("window.end()")
    shown.goes_on("search('b')")
    expect(shown.page.locator("summary").first).to_have_text("All 2 calls as a list")
    assert wrong == []


def test_what_costs_asks_first(shown: Shown) -> None:
    """A button that costs something says what, and does it only when it is confirmed."""
    page = shown.page
    page.locator(".cells button").first.click()
    again = page.get_by_role("button", name="run afresh")
    again.click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text(
        "2 calls made again, about 6.0 s, when you run its cell again."
    )
    expect(page.get_by_role("button", name="not now")).to_be_focused()
    page.keyboard.press("Escape")
    expect(asked).to_have_count(0)
    expect(again).to_be_focused()
    assert {s["type"] for s in shown.said} == {"open", "detail"}
    again.press("Enter")
    page.get_by_role("button", name="run afresh").click()
    expect(page.locator(".details")).to_contain_text(
        "begins afresh when you run its cell again"
    )
    said = {"type": "act", "what": "rerun", "about": "review", "run": "run-1"}
    assert said in shown.said


def test_what_costs_nothing_is_done_at_once(shown: Shown) -> None:
    """A run is pinned by one click, a page is saved, code is copied or shown to be copied."""
    page = shown.page
    page.get_by_role("button", name="pin", exact=True).click()
    expect(page.get_by_role("button", name="unpin")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="export").click()
    assert saved.value.suggested_filename == "research-run-3.html"
    page.locator(".cells button").first.click()
    page.get_by_role("button", name="copy as code").click()
    expect(page.get_by_label("the code, to be copied")).to_have_value(
        re.compile("%%durable review")
    )


def test_another_run_is_shown(browser: Browser) -> None:
    """The list of runs narrows while one types; a click shows that run, and answers it."""
    other = doubtful()
    other.run = "run-2"
    other.relabel()
    shown = Shown(
        browser.new_page(viewport={"width": 320, "height": 900}), research(), other
    )
    page = shown.page
    page.get_by_text("Runs", exact=True).click()
    listed = page.locator(".runs li")
    expect(listed).to_have_count(2)
    expect(listed.filter(has_text="(shown)")).to_contain_text("findings")
    page.get_by_label("tool").fill("send_invoice")
    expect(listed).to_have_count(1)
    expect(listed).to_contain_text("stopped in review")
    expect(page.get_by_label("tool")).to_be_focused()
    listed.get_by_role("button").click()
    expect(page.locator(".cells")).to_contain_text("review")
    page.get_by_role("button", name="it did not: send_invoice").click()
    expect(page.locator(".need")).to_have_count(0)
    page.get_by_label("tool").fill("nothing like it")
    expect(page.locator(".runs")).to_contain_text("No run fits.")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_where_it_lives(browser: Browser, text: str) -> None:
    """Names, arguments, commands and runs of any text stay text, and inside of 320 pixels."""
    wrong: list[str] = []
    page = browser.new_page(viewport={"width": 320, "height": 900})
    for what in ("pageerror", "dialog", "popup"):
        page.on(what, lambda said: wrong.append(str(said)))  # type: ignore[call-overload]
    shown = Shown(page, hostile(text))
    page.locator(".cells button").first.click()
    page.get_by_role("button", name="run afresh").click()
    page.get_by_role("button", name="not now").click()
    page.get_by_text("Runs", exact=True).click()
    page.get_by_label("text of a call").fill(text[:200].replace("\x1b", ""))
    expect(page.locator(".runs [aria-live]")).not_to_be_empty()
    page.get_by_text(re.compile("calls as a list")).click()
    page.locator(".row").first.click()
    expect(page.locator(".details h3").first).to_be_visible()
    foreign = ".nbd :is(script, img, iframe, svg, a, link, object, embed, form)"
    assert page.locator(foreign).count() == 0
    wide = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(wide) <= 0
    assert wrong == []
    assert shown.said


def test_high_contrast_keeps_signs_and_words(browser: Browser) -> None:
    """With forced colours the shares keep their own ones, so their words can be read."""
    page = browser.new_page(forced_colors="active", reduced_motion="reduce")
    Shown(page, gallery())
    style = "span => getComputedStyle(span).forcedColorAdjust"
    shares = page.locator(".share span")
    assert set(shares.evaluate_all(f"all => all.map({style})")) == {"none"}
    moving = "[...document.querySelectorAll('.nbd *')].flatMap(e => e.getAnimations()).length"
    assert page.evaluate(moving) == 0
    assert page.get_by_role("img").first.get_attribute("aria-label")


def test_a_thousand_events_are_appended_quickly(shown: Shown) -> None:
    """A thousand new calls are taken in and drawn within a second on a busy machine."""
    step = shown.story.step("many")
    told = len(shown.story.entries)
    for n in range(1_000):
        shown.story.calls(step, f"search({n})", 0.01)
    for entry in shown.story.entries[told - 1 :]:
        blobs = tuple(
            shown.store.put(b.codec, shown.story.get(b)) for b in entry.record.blobs
        )
        shown.store.append((entry.record._replace(blobs=blobs),), sync=True)
    (message,) = shown.source.poll()
    took = """async (message) => {
      const before = performance.now();
      window.hear(message);
      await new Promise(requestAnimationFrame);
      return performance.now() - before;
    }"""
    assert shown.page.evaluate(took, plain(message)) < 1_000
    expect(shown.page.locator("summary").first).to_have_text(
        "All 1,002 calls as a list"
    )
