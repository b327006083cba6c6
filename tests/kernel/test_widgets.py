"""Widgets in durable cells: their models die with the kernel, and a replay says so."""

from __future__ import annotations

import pytest

from nbdurable.kernel.collapse import WIDGET
from nbdurable.testing.kernel import Kernel
from nbdurable.testing.ran import Ran
from tests.kernel.notebook import kinds_of, lines_of

pytestmark = pytest.mark.slow

CELL = """%%durable OPTIONS
from IPython.display import display
view = {"WIDGET": {"version_major": 2, "version_minor": 0, "model_id": "40d9"}}
display(view | {"text/plain": "IntSlider(value=3)"}, raw=True)
display(view | {"text/plain": "x", "text/html": "<b>x</b>"}, raw=True)
display(view, raw=True)
del view""".replace("WIDGET", WIDGET)
"""What ipywidgets sends, and with what else libraries send it."""


def seen(ran: Ran) -> list[dict]:
    """The cell's own displays, by kind."""
    return [
        content["data"]
        for content in ran.of_type("display_data")
        if "nbdurable" not in content["metadata"]
    ]


HANGING = """
from nbdurable.engine.codec.connected import connected
print(*(group.names for group in connected({"it": it, "rows": rows, "held": held})))
"""


APART, HELD = "('it',) ('rows',) ('held',)", "('it', 'held') ('rows',)"


@pytest.mark.parametrize(
    ("made", "groups"),
    [
        ("import ipywidgets; it = ipywidgets.IntSlider(); it.tag = held", APART),
        ("import sys; it = [sys.stdout, held]", HELD),
        ("it = [get_ipython(), held]", HELD),
        ("import threading; it = [threading.Thread(), held]", HELD),
    ],
    ids=["a widget", "a stream", "the shell", "a thread"],
)
def test_what_leads_to_the_kernel_does_not_hold_its_variables(
    kernel: Kernel, made: str, groups: str
) -> None:
    """All variables are reached through the kernel: they aren't kept with it."""
    ran = kernel.run(f"held, rows = [1], [[2]]\n{made}{HANGING}")
    assert ran.text.strip() == groups


@pytest.mark.parametrize("options", ["sliders", "sliders --quiet"])
def test_a_replayed_widget_is_its_text_and_a_sentence(
    kernel: Kernel, options: str
) -> None:
    """After a restart no broken view is shown, and the fallback says what it is."""
    cell = CELL.replace("OPTIONS", options)
    first = kernel.run(cell)
    assert [WIDGET in data for data in seen(first)] == [True] * 3
    assert "warning" not in kinds_of(first)
    kernel.kill()
    kernel.restart()
    again = kernel.run(cell)
    assert again.ok
    assert seen(again) == [
        {"text/plain": "IntSlider(value=3)"},
        {"text/plain": "x", "text/html": "<b>x</b>"},
        {"text/plain": "[a widget]"},
    ]
    assert kinds_of(again)[-1] == "warning"
    assert lines_of(again)[-1].startswith("3 widgets are shown as first displayed")
