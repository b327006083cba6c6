"""The run as HTML: a fragment and a page, both harmless."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nbdurable.engine.values.plainly import visible
from nbdurable.engine.where.moments import Now
from nbdurable.timeline import html, write_page
from nbdurable.timeline.bundle import page_script
from nbdurable.timeline.lanes import summary
from nbdurable.timeline.markup import element, render
from nbdurable.timeline.model import run_view
from nbdurable.timeline.pages import page, policy
from nbdurable.timeline.show import show
from nbdurable.timeline.views import RunView
from nbdurable_store.backends.memory import MemoryStore
from tests.stories import HOSTILE, Story, doubtful, gallery, hostile, research

ALLOWED = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "h1",
        "h2",
        "h3",
        "p",
        "b",
        "i",
        "div",
        "span",
        "dl",
        "dt",
        "dd",
        "code",
        "pre",
        "details",
        "summary",
        "footer",
        "svg",
        "g",
        "defs",
        "pattern",
        "path",
        "rect",
        "line",
        "circle",
        "text",
        "a",
        "noscript",
        "script",
    ]
)


class Reader(HTMLParser):
    """Collects elements, attributes and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes += attrs

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content."""
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """An element ends: the last one that began."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text."""
        self.text.append(data)


def read(markup: str) -> Reader:
    """A page, read by somebody else's parser."""
    reader = Reader()
    reader.feed(markup)
    reader.close()
    assert reader.open == []
    return reader


SCRIPT = page_script()


def page_of(run: RunView) -> str:
    """The page, with the view that is shipped."""
    return page(run, SCRIPT)


def view(story: Story) -> RunView:
    """The story as it is shown at its end, with previews."""
    now = Now(story.us)
    return run_view(story.history(), now, alive=story.alive, get=story.get)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("shape", [page_of, html.fragment])
def test_hostile_text_stays_text(text: str, shape: object) -> None:
    """Whatever stands in names, arguments and results, it is shown as it is."""
    assert callable(shape)
    reader = read(shape(view(hostile(text))))
    assert reader.tags <= ALLOWED
    assert any(visible(text, lines=False) in shown for shown in reader.text)


@pytest.mark.parametrize("story", [research, doubtful, gallery])
def test_a_page_is_self_contained(story: object) -> None:
    """A page has one script of ours, no handler, and asks nobody for anything."""
    assert callable(story)
    text = page_of(view(story()))
    reader = read(text)
    assert reader.tags <= ALLOWED
    for name, value in reader.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "srcset", "action", "data"}
        if name == "href":
            assert (value or "").startswith("#")
    assert not re.search(
        r"https?:|//|url\(|@import|expression", text.split("</style>")[0]
    )
    assert ("content", policy(SCRIPT)) in reader.attributes


def test_links_lead_to_calls() -> None:
    """A bar of the picture leads to the row of its call, and ids are unique."""
    reader = read(page_of(view(gallery())))
    ids = [v for n, v in reader.attributes if n == "id"]
    links = {(v or "")[1:] for n, v in reader.attributes if n == "href"}
    assert len(ids) == len(set(ids))
    assert links
    assert links <= set(ids)


def test_the_first_glance() -> None:
    """The page says first what was replayed, what it saved and what happened."""
    text = " ".join(" ".join(read(page_of(view(research()))).text).split())
    assert "16 calls replayed, not paid again saved 12,400 tokens and 55 s" in text
    assert "↺ 16 replayed ▮ 14 ran" in text
    assert "kernel stopped 09:14" in text


def test_the_picture_is_told_in_words() -> None:
    """Who doesn't see the picture hears what it shows."""
    words = summary(view(research()))
    assert "findings, attempt 2: ran, 16 calls replayed, 14 ran" in words
    assert words in [v for n, v in read(page_of(view(research()))).attributes if v]


def test_a_fragment_leaves_values_out() -> None:
    """What is saved in the notebook holds no arguments, results or keys."""
    shown = html.fragment(view(gallery()))
    assert "invoice" in shown
    assert '"amount"' not in shown
    assert "customer" not in shown


def test_an_empty_run_says_so() -> None:
    """A page of a run without steps is a page."""
    assert "No durable cell has run yet" in page_of(view(Story()))


def test_text_is_escaped_by_default() -> None:
    """Only what was made by `element` is markup, in text and in attributes."""
    made = element("p", "<b>", element("i", "&"), title='"<')
    assert made == '<p title="&quot;&lt;">&lt;b&gt;<i>&amp;</i></p>'
    assert render(["<", None, [element("br")]]) == "&lt;<br/>"


def test_a_run_shows_itself() -> None:
    """In a terminal it is text, in a notebook HTML, and a front end may choose."""
    story = research()
    shown = show(story.history(), alive=story.alive)
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/plain"] == str(shown) == repr(shown)
    assert set(shown._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert set(shown._repr_mimebundle_(exclude={"text/html"})) == {"text/plain"}


def test_a_page_is_written_from_a_store(tmp_path: Path) -> None:
    """`write_page` reads a run, writes a private file, and replaces an older one."""
    store = MemoryStore()
    story = gallery()
    story.into(store)
    path = tmp_path / "run.html"
    path.write_text("old")
    assert write_page(store, story.run, path) == path
    assert "send_invoice" in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o077 == 0
    assert [p.name for p in tmp_path.iterdir()] == ["run.html"]


def test_the_page_says_what_was_paid_and_saved() -> None:
    """Money stands in the head, at each cell and at each call."""
    story = Story()
    story.opens()
    step = story.step("plan")
    story.calls(step, "ask(1)", 2, tokens_in=900, model="m", usd="0.12")
    story.completes(step)
    story.wait(60)
    story.replays(step)
    text = " ".join(" ".join(read(page_of(view(story))).text).split())
    assert "spent $0.12" in text
    assert "saved $0.12 and 2.0 s" in text
    assert text.count("$0.12") >= 4
