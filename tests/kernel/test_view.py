"""`nd.view()` in a real kernel: it tells what happens while it happens, and answers."""

from __future__ import annotations

import re
from queue import Empty
from typing import Any

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import OUTPUTS, Ran
from nbdurable_store.clock import SYSTEM_CLOCK
from tests.kernel.test_asking import SETUP, SYNC, VIEW, Page
from tests.kernel.test_sidebar import LOOKING

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FIRST = """%%durable first
import nbdurable as nd
@nd.tool(effect="read")
def search(q): return q
search("a")
"""


class Watching(Page):
    """A front end that shows the view."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self.heard: list[dict[str, Any]] = []

    def opens(self) -> dict[str, Any]:
        """Show the view and take its snapshot."""
        ran = self.asked("nd.view()", "first")
        self.kernel.wait(ran)
        self.say(type="open", version=1)
        return self.hears("snapshot")

    @property
    def view(self) -> str:
        """The comm of the view."""
        return next(i for i, s in self.states.items() if "_esm" in s)

    def say(self, **said: object) -> None:
        """What the view sends."""
        self.comm(self.view, {"method": "custom", "content": said})

    def hears(self, kind: str) -> dict[str, Any]:
        """The next message of a kind; later ones stay."""
        deadline = SYSTEM_CLOCK.monotonic_s() + 60
        while not any(m["type"] == kind for m in self.heard):
            assert SYSTEM_CLOCK.monotonic_s() < deadline, self.heard
            self._look(Ran("nobody"))
        nth = next(n for n, m in enumerate(self.heard) if m["type"] == kind)
        return self.heard.pop(nth)

    def _look(self, ran: Ran) -> None:
        try:
            message = self.kernel.client.get_iopub_msg(timeout=0.1)
        except Empty:
            return
        content = message["content"]
        if message["msg_type"] == "comm_open":
            self.states[content["comm_id"]] = content["data"]["state"]
        elif message["msg_type"] == "comm_msg":
            said = content["data"].get("content")
            assert message["parent_header"] == {} or said is None
            self.heard += [said] if said else []
        elif message["msg_type"] in OUTPUTS:
            ran.messages.append(message)


@pytest.fixture
def watching(kernel: Kernel) -> Watching:
    """A front end on a kernel that ran one durable cell."""
    kernel.run(SETUP)
    assert kernel.run(FIRST, metadata={"cellId": "c1"}).ok
    found = Watching(kernel)
    found.open()
    return found


def test_a_view_shows_itself(watching: Watching) -> None:
    """The cell shows a widget, with the run as text and as HTML for who has no widgets."""
    ran = watching.asked("nd.view()", "first")
    watching.kernel.wait(ran)
    (shown,) = ran.of_type("execute_result")
    assert {VIEW, "text/html", "text/plain"} <= set(shown["data"])
    watching.say(type="open", version=1)
    snapshot = watching.hears("snapshot")
    assert [cell["name"] for cell in snapshot["cells"]] == ["first"]
    assert snapshot["calls"]["text"] == ["search('a')"]
    assert snapshot["head"]["kernel"] == "alive"


def test_a_button_answers_while_the_cell_blocks(watching: Watching) -> None:
    """What waits is told while the cell waits; «yes» releases it."""
    seq = watching.opens()["seq"]
    ran = watching.asked(SYNC, "review.1 waits")
    needs: list[dict[str, Any]] = []
    while not needs:
        changed = watching.hears("changed")
        assert changed["seq"] == (seq := seq + 1)
        needs = changed["needs"]
    question = needs[0]["reference"]
    assert re.fullmatch(r"review\.1@[0-9a-f]{6}", question)
    assert [(r["means"], r["said"]) for r in needs[0]["replies"]] == [
        ("yes", "yes"),
        ("no", "no"),
    ]
    assert "12" in needs[0]["shown"]
    clicked = SYSTEM_CLOCK.now_us() / 1e6
    watching.say(type="signal", call="review.1@000000", text="no")
    assert "isn't the question" in watching.hears("refused")["line"]
    watching.say(type="signal", call=question, text="yes")
    assert watching.hears("told")["about"] == question
    watching.kernel.wait(ran)
    assert ran.ok, ran.text
    ok, late = watching.kernel.run(f"print(ok, at - {clicked})").text.split()
    assert (ok, float(late) < 3.0) == ("True", True), late


def test_the_kernel_does_what_a_view_asks(watching: Watching) -> None:
    """A fork is made by the kernel between cells; it is told, and the view goes on in it."""
    watching.opens()
    watching.say(type="act", what="fork", about="first")
    line = watching.hears("told")["line"]
    if "as soon as no cell is in the way" in line:  # the kernel was not idle yet
        line = watching.hears("told")["line"]
    assert line.startswith("run 2 · forked from run 1 at first")
    assert watching.hears("snapshot")["head"]["number"] == 2
    watching.say(type="act", what="fork", about="nothing")
    assert watching.hears("refused")["about"] == "nothing"


def test_a_stale_cell_is_told_while_one_works(watching: Watching) -> None:
    """What a changed variable makes stale is told after the cell that changed it, and back."""
    watching.kernel.run("topic = 'a'")
    watching.kernel.run("%%durable notes\nnotes = [topic]", metadata={"cellId": "c2"})
    told = watching.opens()

    def hears(would: str, stale: str) -> None:
        nonlocal told
        while _standing(told) != (would, stale):
            told = watching.hears("changed")

    hears("replays", "")  # where the kernel looked before the view opened, at once
    watching.asked("topic = 'b'; print('set')", "set")
    hears("runs again", "topic changed")
    watching.asked("topic = 'a'; print('set')", "set")
    hears("replays", "")


def _standing(told: dict[str, Any]) -> tuple[str, str]:
    """How the last cell stands, by a message that tells of the cells."""
    cell = told["cells"][-1]
    return cell["would"].partition(",")[0], cell["stale"].partition(" in ")[0]


def test_a_cell_is_stopped_from_the_view(watching: Watching) -> None:
    """A running call is given up by one click: its cell ends with an interrupt."""
    watching.opens()
    long = """%%durable long
import time
@nd.tool(effect="read")
def think():
    print("thinking")
    for _ in range(600):
        time.sleep(0.1)
think()
"""
    ran = watching.asked(long, "thinking")
    shown = watching.hears("changed")
    while not shown["calls"]["id"]:
        shown = watching.hears("changed")
    attempt, call = (
        shown["calls"]["names"][shown["calls"]["attempt"][0]],
        shown["calls"]["id"][0],
    )
    watching.say(type="detail", attempt=attempt, call=call)
    can = {able["what"]: able["about"] for able in watching.hears("details")["actions"]}
    watching.say(type="act", what="cancel", about=can["cancel"])
    assert watching.hears("told")["line"] == "interrupted"
    watching.kernel.wait(ran)
    assert not ran.ok
    assert "KeyboardInterrupt" in ran.text


def test_a_cell_that_shows_a_view_again_and_again(watching: Watching) -> None:
    """Views that were replaced rest: so many threads look at the run, and no more."""
    watching.opens()
    watching.kernel.run("for _ in range(20): nd.view()")
    watching.say(type="open", version=1)
    assert "nd.view() again" in watching.hears("refused")["line"]
    watching.until(
        Ran("nobody"), lambda: watching.kernel.run(LOOKING).text.strip() == "8"
    )


def test_what_a_view_may_not_say_is_refused(watching: Watching) -> None:
    """A wrong answer and another version are refused with a sentence, and nothing ends."""
    watching.opens()
    watching.say(type="signal", call="review.7", text="yes")
    assert watching.hears("refused")["about"] == "review.7"
    watching.say(type="open", version=99)
    assert "reload the page" in watching.hears("refused")["line"]
    watching.say(type="open", version=1)
    assert watching.hears("snapshot")["cells"]


def test_without_anywidget_it_is_the_run(kernel: Kernel) -> None:
    """Where anywidget is missing, and before the first cell, it is what `nd.run` shows."""
    kernel.run(SETUP)
    before = kernel.run("nd.view()")
    assert "%%durable" in before.text
    kernel.run(FIRST, metadata={"cellId": "c1"})
    ran = kernel.run("import sys; sys.modules['anywidget'] = None; nd.view()")
    (shown,) = ran.of_type("execute_result")
    assert VIEW not in shown["data"]
    assert "search('a')" in shown["data"]["text/html"]
