"""How a real kernel asks: a widget under the cell, or a prompt, beside the commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import OUTPUTS, Ran
from nbdurable_store.clock import SYSTEM_CLOCK
from tests.kernel.beside import WATCH, allowed_s
from tests.kernel.shells import asked, shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

VIEW = "application/vnd.jupyter.widget-view+json"
CELL = {"cellId": "c2"}

SETUP = """
import nbdurable as nd
import pandas as pd
report = pd.DataFrame({"hours": [12]})
"""

SYNC = """%%durable review
import time
ok = nd.approve("Send this to Anna?", show=report)
at = time.time()
"""
AWAITED = SYNC.replace("nd.approve", "await nd.aio.approve")


class Page:
    """What a front end knows of a cell that asks: its widgets, and a way to click."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.states: dict[str, dict[str, Any]] = {}
        self.subshell = ""

    def open(self) -> None:
        """Open a subshell, as JupyterLab does for widgets."""
        request = self._send("control", "create_subshell_request", {})
        reply = self.kernel.client.get_control_msg(timeout=60)
        assert reply["parent_header"]["msg_id"] == request
        self.subshell = reply["content"]["subshell_id"]

    def asked(self, cell: str, told: str) -> Ran:
        """Run the cell until it asks, and learn its widgets."""
        ran = self.kernel.send(cell, metadata=CELL)
        deadline = SYSTEM_CLOCK.monotonic_s() + 60
        while told not in ran.text and not ran.done:
            assert SYSTEM_CLOCK.monotonic_s() < deadline, ran.text
            self._look(ran)
        return ran

    def widget(self, **wanted: object) -> str:
        """The id of the one widget with these traits."""
        (found,) = (i for i, s in self.states.items() if wanted.items() <= s.items())
        return found

    def click(self, name: str) -> None:
        """Press a button."""
        content = {"method": "custom", "content": {"event": "click"}}
        self.comm(self.widget(description=name), content)

    def fill(self, model: str, **state: object) -> None:
        """Fill in the field of this kind."""
        data = {"method": "update", "state": state, "buffer_paths": []}
        self.comm(self.widget(_model_name=model), data)

    def comm(self, comm: str, data: Mapping[str, object]) -> None:
        """Send what a widget sends."""
        self._send("shell", "comm_msg", {"comm_id": comm, "data": data})

    def _send(self, channel: str, kind: str, content: Mapping[str, object]) -> str:
        session = self.kernel.client.session
        message = session.msg(kind, dict(content))
        if self.subshell:
            message["header"]["subshell_id"] = self.subshell
        getattr(self.kernel.client, f"{channel}_channel").send(message)
        return str(message["header"]["msg_id"])

    def _look(self, ran: Ran) -> None:
        try:
            message = self.kernel.client.get_iopub_msg(timeout=0.1)
        except Empty:
            return
        content = message["content"]
        if message["msg_type"] == "comm_open":
            self.states[content["comm_id"]] = content["data"]["state"]
        elif message["msg_type"] in OUTPUTS:
            ran.messages.append(message)

    def until(self, ran: Ran, condition: Callable[[], bool]) -> None:
        """Collect what the cell shows until then."""
        deadline = SYSTEM_CLOCK.monotonic_s() + 60
        while not condition():
            assert SYSTEM_CLOCK.monotonic_s() < deadline, ran.text
            self._look(ran)


@pytest.fixture
def page(kernel: Kernel) -> Page:
    """A front end on a kernel that has what the cells use."""
    kernel.run(SETUP)
    found = Page(kernel)
    found.open()
    return found


@pytest.mark.parametrize("cell", [SYNC, AWAITED], ids=["sync", "await"])
def test_a_button_answers(page: Page, cell: str) -> None:
    """While the cell blocks or awaits: it is released soon."""
    page.kernel.run(WATCH)
    ran = page.asked(cell, "review.1 waits")
    views = [m for m in ran.of_type("display_data") if VIEW in m["data"]]
    (question,) = views
    told = question["data"]["text/plain"]
    assert re.search(r"nbdurable approve review\.1@[0-9a-f]{6} \(or --no\)", told)
    (shown,) = (m for m in ran.of_type("display_data") if "<table" in str(m["data"]))
    assert shown["metadata"]["nbdurable"] == {"kind": "shown"}
    clicked = SYSTEM_CLOCK.now_us() / 1e6
    page.click("Yes")
    page.kernel.wait(ran)
    assert ran.ok, ran.text
    ok, late = page.kernel.run(f"print(ok, at - {clicked})").text.split()
    assert (ok, float(late) < allowed_s(page.kernel)) == ("True", True), late
    last = ran.of_type("update_display_data", "display_data")
    (ended,) = (
        m
        for m in last
        if m["transient"].get("display_id") == question["transient"]["display_id"]
        and m is not question
    )
    assert ended["data"]["text/plain"].startswith("Send this to Anna? · yes, ")
    assert VIEW not in ended["data"]


def test_a_question_is_no_output_of_the_cell(page: Page) -> None:
    """A replay shows neither the widget, nor what was shown with it."""
    ran = page.asked(SYNC, "review.1 waits")
    page.click("No")
    page.kernel.wait(ran)
    page.kernel.restart()
    page.kernel.run(SETUP)
    replayed = page.kernel.run(SYNC, metadata=CELL)
    assert "replayed from" in replayed.text
    assert not [m for m in replayed.messages if "Send this" in str(m["content"])]
    assert not [m for m in replayed.messages if "hours" in str(m["content"])]


FORM = """%%durable plan
plan = nd.ask("Which?", ["A", "B"])
many = nd.ask("How many?", int)
filled = nd.ask("Whom?", {"to": str, "sum": float})
"""


def test_each_kind_has_its_widget(page: Page) -> None:
    """A choice, a number, a form: each gives what its question wants."""
    ran = page.asked(FORM, "plan.1 waits")
    page.fill("DropdownModel", index=1)
    _answer_all(page, ran)
    assert ran.ok, ran.text
    told = page.kernel.run("print(plan, many, filled)").text.strip()
    assert told == "B 3 {'to': 'anna', 'sum': 2.5}"


def _answer_all(page: Page, ran: Ran) -> None:
    """Answer the questions as they come up."""
    page.click("Answer")
    page.states.clear()
    page.until(ran, lambda: "plan.2 waits" in ran.text)
    page.fill("IntTextModel", value=3)
    page.click("Answer")
    page.states.clear()
    page.until(ran, lambda: "plan.3 waits" in ran.text)
    page.fill("TextModel", value="anna")
    page.fill("FloatTextModel", value=2.5)
    page.click("Answer")
    page.kernel.wait(ran)


@pytest.mark.parametrize("cell", [SYNC, AWAITED], ids=["sync", "await"])
def test_an_interrupt_takes_the_widget_away(page: Page, cell: str) -> None:
    """It says that the question is parked, and not in which lock; the kernel is free."""
    ran = page.asked(cell, "review.1 waits")
    page.kernel.interrupt()
    page.kernel.wait(ran)
    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert "approve(" in "".join(ran.reply["traceback"])
    assert "threading.py" not in "".join(ran.reply["traceback"])
    ended = ran.of_type("update_display_data")[-1]
    assert "Send this to Anna? · parked" in ended["data"]["text/plain"]


PROMPTED = '%%durable a\nok = nd.approve("Send?")\n'


def typing(kernel: Kernel, code: str) -> Ran:
    """Send a cell as a front end does whose user can type."""
    client = kernel.client
    session, channel = client.session, client.shell_channel
    content = {"code": code, "silent": False, "store_history": True}
    content |= {"user_expressions": {}, "allow_stdin": True, "stop_on_error": True}
    request = session.msg("execute_request", content, metadata=CELL)
    channel.send(request)
    return Ran(request["header"]["msg_id"])


def prompted(kernel: Kernel) -> str:
    """What the front end is asked to prompt for."""
    message = kernel.client.get_stdin_msg(timeout=60)
    assert message["msg_type"] == "input_request"
    return str(message["content"]["prompt"])


@pytest.fixture
def prompting(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel that is set to ask by prompts."""
    with Kernel(tmp_path, env={"NBDURABLE_ASK": "input"}) as kernel:
        kernel.run("import nbdurable as nd")
        yield kernel


def test_a_setting_asks_at_a_prompt(prompting: Kernel) -> None:
    """What doesn't fit is asked again; no widget is made."""
    ran = typing(prompting, PROMPTED)
    assert prompted(prompting) == "Send? (yes or no) "
    prompting.client.input("perhaps")
    assert "'perhaps' doesn't answer «Send?»" in prompted(prompting)
    prompting.client.input("no")
    prompting.wait(ran)
    assert "Send? · no, " in ran.text
    assert not [m for m in ran.messages if VIEW in str(m["content"])]
    assert prompting.run("print(ok)").text == "False\n"


def test_an_answer_from_elsewhere_takes_the_prompt_back(
    prompting: Kernel, tmp_path: Path
) -> None:
    """What is typed into it afterwards is nobody's answer to the next prompt."""
    ran = typing(prompting, PROMPTED)
    prompted(prompting)
    shell(tmp_path, "approve", asked(tmp_path))
    prompting.wait(ran)
    prompting.client.input("no")
    ran = typing(prompting, 'name = input("name? ")')
    assert prompted(prompting) == "name? "
    prompting.client.input("ann")
    prompting.wait(ran)
    assert prompting.run("print(ok, name)").text == "True ann\n"


def test_a_prompt_is_interrupted(prompting: Kernel) -> None:
    """The kernel is free at once, and the question parked."""
    ran = typing(prompting, PROMPTED)
    prompted(prompting)
    prompting.interrupt()
    prompting.wait(ran)
    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert "Send? · parked" in ran.text


def test_a_setting_shows_the_commands_alone(tmp_path: Path) -> None:
    """`NBDURABLE_ASK=line`: no widget, no prompt."""
    with Kernel(tmp_path, env={"NBDURABLE_ASK": "line"}) as kernel:
        kernel.run("import nbdurable as nd")
        ran = typing(kernel, PROMPTED)
        kernel.wait_for(ran, lambda: "a.1 waits · Send?" in ran.text)
        shell(tmp_path, "approve", asked(tmp_path))
        kernel.wait(ran)
        assert ran.ok
        assert not [m for m in ran.messages if VIEW in str(m["content"])]
