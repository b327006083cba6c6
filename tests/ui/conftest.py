"""A real browser, and pages as `nbdurable timeline --html` writes them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from nbdurable.engine.where.moments import Now
from nbdurable.timeline.bundle import page_script
from nbdurable.timeline.model import run_view
from nbdurable.timeline.pages import page
from tests.stories import Story
from tests.ui.desk import Desk, Sit, Sitting, sit, start

expect.set_options(timeout=60_000)  # a kernel on a crowded machine is slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium; ended with the module, since its loop is in everybody's way.

    Where it is installed, the shell that has no window: with one, a page costs a second
    of CPU more.
    """
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with sync_playwright() as playing:
        opened = playing.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One server for all tests of the module."""
    started = start(tmp_path_factory.mktemp("desk"))
    yield started
    started.close()


@pytest.fixture
def sitting(
    desk: Desk, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Sit]:
    """Opens a notebook of these cells with the sidebar; everything is closed after."""
    made: list[Sitting] = []

    def open_it(*cells: str, **more: object) -> Sitting:
        folder = re.sub(r"\W+", "-", request.node.name)
        path = desk.notebook(f"{folder}/research.ipynb", *cells)
        made.append(sit(desk, browser, path, **more))
        return made[-1]

    yield open_it
    for one in made:
        one.shot(f"end-{request.node.name}")
        one.close()
    if made:
        desk.end_kernels()


@dataclass
class Opened:
    """A page in the browser, and what went wrong in it."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    def hear(self) -> None:
        """Listen to whatever a page must not do."""
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda said: self.wrong.append(said.text))
        self.page.on("dialog", lambda dialog: self.wrong.append(dialog.message))
        self.page.on("request", lambda asked: self._asked(asked.url))

    def _asked(self, url: str) -> None:
        if not url.startswith("file:"):
            self.wrong.append(url)

    def drawn(self) -> None:
        """Wait until the lanes are drawn."""
        self.page.wait_for_selector("canvas[data-drawn]")

    @property
    def too_wide(self) -> int:
        """By how much the content is wider than the window, pixels."""
        wide = "document.documentElement.scrollWidth - window.innerWidth"
        return int(self.page.evaluate(wide))


Open = Callable[..., Opened]


def written(story: Story) -> str:
    """The page of a story."""
    now = Now(story.us)
    run = run_view(story.history(), now, alive=story.alive, get=story.get)
    return page(run, page_script())


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens the page of a story, or a text as a page."""
    contexts = []

    def show(shown: Story | str, width: int = 1_000, **more: object) -> Opened:
        text = shown if isinstance(shown, str) else written(shown)
        path = tmp_path / f"run-{len(contexts)}.html"
        path.write_text(text, encoding="utf-8")
        viewport = {"width": width, "height": 900}
        context = browser.new_context(viewport=viewport, **more)  # type: ignore[arg-type]
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.hear()
        opened.page.goto(path.as_uri())
        return opened

    yield show
    for context in contexts:
        context.close()
