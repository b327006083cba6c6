"""The sidebar in JupyterLab, in a real browser, beside a real kernel."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.ui.desk import IN_LAB, Desk, Sit, Sitting, until
from tests.ui.notebooks import FINDINGS, GATED, REVIEW, SETUP

pytestmark = IN_LAB


def test_a_live_run(sitting: Sit) -> None:
    """The panel says how to begin, and shows the run as it goes on."""
    lab = sitting(SETUP, FINDINGS)
    expect(lab.panel).to_contain_text("Write %%durable in the first line")
    lab.run(0, 1)
    expect(lab.panel).to_contain_text("6 calls ran")
    expect(lab.panel).not_to_contain_text("Write %%durable")
    expect(lab.panel.locator("canvas[data-drawn]")).to_be_visible()
    lab.shot("live")
    assert lab.wrong == []


def test_an_approval_while_a_cell_blocks(sitting: Sit) -> None:
    """«yes» in the sidebar releases a cell that blocks the kernel."""
    lab = sitting(SETUP, FINDINGS, REVIEW)
    lab.run(0, 1, 2)
    expect(lab.panel.locator(".need")).to_contain_text("Send this to Anna?")
    lab.shot("approval")
    lab.panel.get_by_role("button", name="yes: nd.approve").click()
    expect(lab.cell(2)).to_contain_text("answered True")
    expect(lab.panel.locator(".need")).to_have_count(0)
    assert lab.wrong == []


def test_a_reload_while_a_cell_blocks(sitting: Sit) -> None:
    """A page that is loaded anew while a cell waits shows the question and answers it."""
    lab = sitting(SETUP, FINDINGS, REVIEW)
    lab.run(0, 1, 2)
    expect(lab.panel.locator(".need")).to_be_visible()
    lab.page.keyboard.press("Control+s")
    lab.again()
    lab.panel.get_by_role("button", name="yes: nd.approve").click()
    expect(lab.panel.locator(".need")).to_have_count(0)
    expect(lab.panel.locator(".cells")).to_contain_text("1 answer")


COUNT = """import threading
names = [thread.name for thread in threading.enumerate()]
_ = Path("views").write_text(str(names.count("nbdurable-view")))
"""


def views(lab: Sitting) -> int:
    """How many views the kernel tells what changes."""
    counted = lab.folder / "views"
    counted.unlink(missing_ok=True)

    def told() -> bool:
        lab.run(2)  # what is pressed while a page moves may be lost
        return counted.exists() and bool(counted.read_text())

    until(told, lambda: "nothing counted")
    return int(counted.read_text())


def test_a_page_that_is_loaded_anew_is_one_view(sitting: Sit) -> None:
    """The kernel goes on to talk to the page that is there, and no more to those before."""
    lab = sitting(SETUP, FINDINGS, COUNT)
    lab.run(0, 1)
    for _ in range(2):
        expect(lab.panel).to_contain_text("6 calls ran")
        until(lambda: views(lab) == 1, lambda: "not one view")
        lab.again()
        lab.ready()
    until(lambda: views(lab) == 1, lambda: "not one view")


def test_a_click_between_two_ways(sitting: Sit) -> None:
    """A click while the panel turns from the server to the kernel arrives nevertheless."""
    lab = sitting(SETUP, FINDINGS, REVIEW)
    lab.run(0, 1, 2)
    expect(lab.panel.locator(".need")).to_be_visible()
    lab.page.keyboard.press("Control+s")
    sessions, sockets = Held(), Held()
    lab.page.route(re.compile("/api/sessions"), sessions.unknown)
    lab.page.route_web_socket(re.compile("/channels"), sockets.hold)
    lab.again()
    expect(lab.panel).to_contain_text("This notebook has no kernel")
    expect(lab.panel.locator(".need")).to_be_visible()
    sessions.release(lambda route: route.continue_())
    expect(lab.panel).not_to_contain_text("This notebook has no kernel")
    lab.panel.get_by_role("button", name="yes: nd.approve").click()
    expect(lab.panel.locator(".need")).to_contain_text("sending…")
    sockets.release(lambda socket: socket.connect_to_server())
    expect(lab.panel.locator(".need")).to_have_count(0)
    expect(lab.panel.locator(".cells")).to_contain_text("1 answer")
    assert lab.wrong == []


class Held:
    """What a browser asks a server for, kept back until a test wants it to arrive."""

    def __init__(self) -> None:
        self._kept: list[Any] | None = []
        self._then: Callable[[Any], object] = lambda _: None

    def hold(self, asked: Any) -> None:
        """Keep a request back, or let it go where all are let go."""
        if self._kept is None:
            self._then(asked)
        else:
            self._kept.append(asked)

    def unknown(self, asked: Any) -> None:
        """Tell of no session as long as they are kept back; starting one finds it."""
        if self._kept is not None and asked.request.method == "GET":
            asked.fulfill(json=[])
        else:
            self.hold(asked)

    def release(self, then: Callable[[Any], object]) -> None:
        """Let all go, and those that come."""
        kept, self._kept, self._then = self._kept, None, then
        for asked in kept or ():
            then(asked)


def test_a_kernel_that_is_killed(sitting: Sit) -> None:
    """After a kill the call that was under way is asked about, and settled with a click."""
    lab = sitting(SETUP, GATED)
    lab.run(0, 1)
    expect(lab.panel.locator(".cells")).to_contain_text("is running")
    before = lab.pid()
    os.kill(before, signal.SIGKILL)
    expect(lab.panel.locator(".need")).to_contain_text("may have happened")
    lab.accept()
    lab.shot("killed")
    lab.panel.get_by_role("button", name="it did not: send_invoice").click()
    expect(lab.panel.locator(".need")).to_have_count(0)
    (lab.folder / "go").touch()
    lab.run(0, 1)
    expect(lab.cell(1)).to_contain_text("sent in_1")
    assert lab.pid() != before


SENDING = """
import os, signal
import nbdurable as nd
from pathlib import Path

@nd.tool(effect="write")
def send(x):
    with open("sent", "a") as lines: print(x, file=lines)
    if x == 4: os.kill(os.getpid(), signal.SIGKILL)
    return f"sent {x}"
"""
SENT = """%%durable agent
done = Path("sent").exists() and Path("sent").read_text().split()
for x in [2, 5, 6] if done else [2, 4, 5]: print(send(x))
"""
"""Its second call kills the kernel, and the next kernel makes another one there."""


def test_a_call_that_may_have_happened_instead(sitting: Sit) -> None:
    """Both questions are there; what is said of the one call is no result of the other."""
    lab = sitting(SENDING, SENT)
    lab.run(0, 1)
    expect(lab.panel.locator(".need")).to_contain_text("may have happened")
    lab.accept()
    lab.run(0, 1)
    expect(lab.panel.locator(".need")).to_have_count(2)
    lab.shot("instead")
    field = lab.panel.get_by_label("value for it happened: send(4)", exact=True)
    field.fill("sent 4")
    field.press("Enter")
    expect(lab.panel.locator(".need")).to_have_count(0)
    lab.run(0, 1)
    expect(lab.cell(1)).to_contain_text("an earlier attempt of agent made send(4)")
    assert (lab.folder / "sent").read_text().split() == ["2", "4"]


def test_without_a_kernel(sitting: Sit) -> None:
    """When the kernel was shut down the server shows the run, and takes answers."""
    lab = sitting(SETUP, GATED)
    lab.run(0, 1)
    expect(lab.panel.locator(".cells")).to_contain_text("is running")
    lab.menu("Kernel", "Shut Down Kernel")
    expect(lab.panel).to_contain_text("This notebook has no kernel")
    expect(lab.panel.locator(".need")).to_contain_text("may have happened")
    lab.shot("no-kernel")
    lab.panel.get_by_role("button", name="it did not: send_invoice").click()
    expect(lab.panel.locator(".need")).to_have_count(0)
    assert lab.wrong == []


def test_an_answer_without_a_kernel(sitting: Sit) -> None:
    """Once it is given nothing in the panel says that somebody is waited for."""
    lab = sitting(SETUP, FINDINGS, REVIEW)
    lab.run(0, 1, 2)
    expect(lab.panel.locator(".share")).to_contain_text("1 waiting")
    lab.menu("Kernel", "Shut Down Kernel")
    expect(lab.panel).to_contain_text("This notebook has no kernel")
    lab.panel.get_by_role("button", name="yes: nd.approve").click()
    expect(lab.panel.locator(".need")).to_have_count(0)
    expect(lab.panel.locator(".cells")).to_contain_text("goes on with the answer")
    expect(lab.panel.locator(".share")).not_to_contain_text("waiting")
    expect(lab.panel).not_to_contain_text("waits for you")
    expect(lab.cell(2).locator(".nbd-badge")).to_contain_text("answered")
    lab.shot("answered")


def test_a_restart_offers_what_was_kept(sitting: Sit) -> None:
    """After a restart the panel names what it can bring back, and one click does."""
    lab = sitting(SETUP, FINDINGS, "print(len(hits), 'are back')")
    lab.run(0, 1)
    expect(lab.panel).to_contain_text("6 calls ran")
    lab.menu("Kernel", "Restart Kernel…")
    lab.accept()
    expect(lab.panel).to_contain_text("This kernel is new. The run kept hits.")
    lab.shot("restarted")
    lab.panel.get_by_role("button", name="Restore", exact=True).click()
    expect(lab.panel).not_to_contain_text("This kernel is new")
    lab.run(2)
    expect(lab.cell(2)).to_contain_text("6 are back")
    assert lab.wrong == []


def test_two_notebooks(sitting: Sit) -> None:
    """The panel shows the run of the notebook in front."""
    lab = sitting(SETUP, FINDINGS)
    lab.run(0, 1)
    expect(lab.panel).to_contain_text("6 calls ran")
    lab.open(lab.desk.notebook("elsewhere/other.ipynb", SETUP))
    expect(lab.panel).to_contain_text("Write %%durable in the first line")
    lab.front(lab.notebook)
    expect(lab.panel).to_contain_text("6 calls ran")


def test_a_kernel_without_nbdurable(sitting: Sit) -> None:
    """Where the extension isn't loaded the panel says what to run, and sees that it was."""
    lab = sitting("%unload_ext nbdurable", "%load_ext nbdurable")
    lab.run(0)
    expect(lab.panel).to_contain_text("nbdurable is not loaded in this kernel")
    expect(lab.panel).to_contain_text("%load_ext nbdurable")
    lab.run(1)
    expect(lab.panel).to_contain_text("Write %%durable in the first line")


def test_a_question_finds_who_looks_elsewhere(sitting: Sit) -> None:
    """With the panel shut a toast asks, with buttons; tab and status bar have the number."""
    lab = sitting(SETUP, FINDINGS, REVIEW)
    lab.tab.click()
    expect(lab.panel).to_be_hidden()
    button = lab.page.locator(
        ".jp-NotebookPanel-toolbar [data-command='nbdurable:show']"
    )
    button.click()
    expect(lab.panel).to_be_visible()
    lab.tab.click()
    expect(lab.panel).to_be_hidden()
    expect(lab.panel.locator(".nbd")).to_have_count(0)
    lab.run(0, 1, 2)
    toast = lab.page.locator(".Toastify__toast", has_text="Send this to Anna?")
    expect(toast).to_be_visible()
    expect(lab.tab).to_contain_text("1")
    expect(lab.page.locator("#jp-main-statusbar")).to_contain_text("1 needs you")
    lab.shot("toast")
    toast.get_by_role("button", name="yes").click()
    expect(lab.cell(2)).to_contain_text("answered True")
    expect(lab.page.locator("#jp-main-statusbar")).not_to_contain_text("needs you")
    expect(lab.tab).not_to_contain_text("1")
    assert lab.wrong == []


def test_notifications_can_be_switched_off(desk: Desk, sitting: Sit) -> None:
    """With the setting off no toast comes; the number in the status bar does."""
    setting = "lab/api/settings/nbdurable:plugin"
    desk.put(setting, {"raw": '{"notifications": false}'})
    try:
        lab = sitting(SETUP, FINDINGS, REVIEW)
        lab.tab.click()
        expect(lab.panel).to_be_hidden()
        lab.run(0, 1, 2)
        expect(lab.page.locator("#jp-main-statusbar")).to_contain_text("1 needs you")
        expect(lab.page.locator(".Toastify__toast")).to_have_count(0)
    finally:
        desk.put(setting, {"raw": "{}"})


def test_keys_alone_are_enough(sitting: Sit) -> None:
    """From the palette into the panel, to the buttons, and an answer, without a mouse."""
    lab = sitting(SETUP, FINDINGS, REVIEW)
    lab.run(0, 1, 2)
    expect(lab.panel.locator(".need")).to_be_visible()
    lab.command("Show the Durable Run")
    focused = "document.activeElement.getAttribute('aria-label') ?? ''"
    for _ in range(12):
        if str(lab.page.evaluate(focused)).startswith("yes: nd.approve"):
            break
        lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Enter")
    expect(lab.cell(2)).to_contain_text("answered True")


def test_dark_and_narrow(sitting: Sit) -> None:
    """The panel takes the dark theme, and nothing sticks out of a window of 320 pixels."""
    lab = sitting(SETUP, FINDINGS, REVIEW)
    lab.run(0, 1, 2)
    expect(lab.panel.locator(".need")).to_be_visible()
    lab.menu("Settings", "Theme", "JupyterLab Dark")
    expect(lab.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    ink = "element => getComputedStyle(element).color"
    assert lab.panel.locator(".nbd").evaluate(ink) == "rgb(230, 237, 243)"
    lab.shot("dark")
    lab.page.set_viewport_size({"width": 320, "height": 800})
    wide = "element => element.scrollWidth - element.clientWidth"
    assert lab.panel.evaluate(wide) <= 0
    lab.shot("narrow")


def test_notebook_7(sitting: Sit) -> None:
    """The same sidebar in Notebook 7, opened from the command palette."""
    lab = sitting(SETUP, FINDINGS, REVIEW, app="notebooks")
    lab.run(0, 1, 2)
    expect(lab.panel.locator(".need")).to_contain_text("Send this to Anna?")
    lab.shot("notebook-7")
    lab.panel.get_by_role("button", name="yes: nd.approve").click()
    expect(lab.cell(2)).to_contain_text("answered True")


def test_the_file_says_what_it_is(desk: Desk) -> None:
    """The server finds the sidebar as an extension that came with the Python package."""
    page = desk.text("lab")
    assert '"name": "nbdurable"' in page
    assert "static/remoteEntry.js?v=" in page


RESEARCH = """%%durable findings
notes = []
for n in range(1, 31):
    notes.append(search(f"solid-state batteries, page {n}"))
    if n == 16:
        wait_for_go()
"""
SLOW = """import nbdurable as nd
import os, time
from pathlib import Path
_ = Path("pid").write_text(str(os.getpid()))

@nd.tool(effect="read")
def search(query):
    time.sleep(0.25)
    return f"Paper about {query}"

def wait_for_go():
    Path("waits").touch()
    while not Path("go").exists():
        time.sleep(0.05)
"""
SEND = """%%durable review
report = f"{len(notes)} papers, the newest: {notes[-1]}"
if nd.approve("Send this to Anna?", show=report):
    print("sent")
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_stranger_reads_what_was_saved(sitting: Sit, scheme: str) -> None:
    """Killed after 16 calls and run again: 16 replayed, 14 ran, and a question waits.

    The pictures of the docs are made here: ``SHOTS=docs``.
    """
    window = {"viewport": {"width": 1_240, "height": 900}}
    lab = sitting(SLOW, RESEARCH, SEND, **window)
    lab.menu("Settings", "Theme", f"JupyterLab {scheme.title()}")
    lab.run(0, 1)
    until((lab.folder / "waits").exists, lambda: "not called 16 times")
    expect(lab.panel).to_contain_text("All 16 calls as a list")
    os.kill(lab.pid(), signal.SIGKILL)
    lab.accept()
    (lab.folder / "go").touch()
    expect(lab.panel).to_contain_text("Kernel stopped today")
    lab.run(0, 1)
    expect(lab.panel).to_contain_text("16 replayed, 14 ran")
    lab.run(2)
    expect(lab.panel.locator(".need")).to_contain_text("Send this to Anna?")
    text = re.sub(r"\s+", " ", lab.panel.inner_text())
    assert "16 calls replayed, not paid again" in text
    assert "Kernel stopped today" in text
    lab.page.keyboard.press("Control+b")
    lab.widen(300)
    lab.shot(f"sidebar-{scheme}")
