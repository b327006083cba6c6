"""The widget under a cell that waits, clicked in a real JupyterLab while the cell blocks."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Error, Locator, expect

from tests.ui.desk import IN_LAB, Desk, Sitting, sit

pytestmark = IN_LAB

RELEASED_S = 3.0
"""Half a second where a machine has nothing else to do."""

SETUP = """import time
import nbdurable as nd
"""

ASKS = """%%durable review
given = ASKED
at = time.time()
print("given", (given, at))
"""

CLICKED = "addEventListener('click', () => (window.clicked = Date.now()), true)"
"""Remembers when a button was clicked, by the clock of this machine."""


Ask = Callable[[str], Locator]


@pytest.fixture
def ask(desk: Desk, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Ask]:
    """Opens a notebook whose cell asks, and runs it until the question is shown."""
    made: list[Sitting] = []

    def asked(question: str) -> Locator:
        folder = re.sub(r"\W+", "-", request.node.name)
        cells = SETUP, ASKS.replace("ASKED", question)
        lab = sit(desk, browser, desk.notebook(f"{folder}/n.ipynb", *cells))
        made.append(lab)
        lab.page.evaluate(CLICKED)
        lab.run(0, 1)
        output = lab.cell(1).locator(".jp-Cell-outputArea")
        expect(output.locator(".jupyter-widgets").first).to_be_visible()
        return output

    yield asked
    for one in made:
        one.close()


def press(output: Locator, name: str) -> None:
    """Click, and again where it was too early: Lab opens its way into a busy kernel late.

    Until then it sends a click to the shell that waits, which hears it after the cell.
    """
    button = output.get_by_role("button", name=name, exact=True)
    for _ in range(20):
        with contextlib.suppress(AssertionError, Error):
            button.click(timeout=3_000)
            expect(output).to_contain_text("given (", timeout=3_000)
            return


def given(output: Locator) -> object:
    """What the cell was given, soon after the click."""
    expect(output).to_contain_text("given (")
    told = re.search(r"given (\(.*\))", output.inner_text())
    assert told is not None
    value, at_s = ast.literal_eval(told[1])
    late_s = at_s - output.page.evaluate("window.clicked") / 1_000
    assert late_s < RELEASED_S, f"released {late_s:.2f} s after the click"
    return value


@pytest.mark.parametrize(("button", "answer"), [("Yes", True), ("No", False)])
def test_an_approval(ask: Ask, button: str, answer: bool) -> None:
    """What is shown stands above; a click on yes or no releases the cell that blocks."""
    output = ask('nd.approve("Send this?", show="**total** 12")')
    expect(output.locator("strong", has_text="total")).to_be_visible()
    press(output, button)
    assert given(output) is answer
    said = "yes" if answer else "no"
    expect(output).to_contain_text(f"Send this? · {said}, ")
    expect(output.get_by_role("button", name=button, exact=True)).to_have_count(0)


def test_a_text(ask: Ask) -> None:
    """What was typed is the answer."""
    output = ask('nd.ask("Who?", str)')
    output.locator("input[type=text]").fill("anna & co <b>")
    press(output, "Answer")
    assert given(output) == "anna & co <b>"


def test_a_choice(ask: Ask) -> None:
    """The one that was chosen is the answer."""
    output = ask('nd.ask("Which?", ["A", "B b"])')
    output.locator("select").select_option("B b")
    press(output, "Answer")
    assert given(output) == "B b"


def test_a_form(ask: Ask) -> None:
    """Each field gives what it asks for: text, a number, yes or no."""
    output = ask('nd.ask("Whom?", {"to": str, "amount": float, "now": bool})')
    output.locator("input[type=text]").fill("anna")
    output.locator("input[type=number]").fill("2.5")
    output.locator("input[type=checkbox]").check()
    press(output, "Answer")
    assert given(output) == {"to": "anna", "amount": 2.5, "now": True}
