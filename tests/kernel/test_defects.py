"""Our own defects, planted in a live kernel, never cost the user a cell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nbdurable.testing.kernel import Kernel
from tests.kernel.notebook import kinds_of, lines_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("defects"),
]

SETUP = """
import contextlib
from unittest.mock import patch
def broken(*_, **__):
    raise ZeroDivisionError("planted")
def plant(target):
    planted = patch(target, broken)
    planted.start()
    return planted
"""

DURABLE = "%%durable\nprint('body')\nvalue_{n} = {n}\nvalue_{n}"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One kernel for all: each defect is taken out again."""
    with Kernel(tmp_path_factory.mktemp("defects")) as started:
        assert started.run(SETUP).ok
        assert started.run("%%durable\nfirst = 1").ok
        yield started


@pytest.mark.parametrize(
    "target",
    [
        "nbdurable.kernel.runner.read",
        "nbdurable.kernel.runner.say",
        "nbdurable.kernel.tracebacks._strip",
        "nbdurable.kernel.port.Port.kept",
        "nbdurable.kernel.capture.MessageTap._look",
    ],
)
def test_plain_cells_are_never_touched(kernel: Kernel, target: str):
    """Looking at a cell, wording and tracebacks may break; the cell runs as ever."""
    kernel.run(f"planted = plant({target!r})")
    try:
        assert kernel.run("print('body')\n6 * 7").text == "body\n42\n"
        error = kernel.run("x = 1\nundefined_name")
        assert "NameError: name 'undefined_name' is not defined" in error.text
        assert "----> 2 undefined_name" in error.text
        assert "planted" not in error.text
    finally:
        kernel.run("planted.stop()")


@pytest.mark.parametrize(
    ("n", "target"),
    [
        (1, "nbdurable.engine.steps.step.begin"),
        (2, "nbdurable.kernel.execution.facts"),
        (3, "nbdurable.engine.steps.step.Running.active"),
    ],
)
def test_a_defect_before_the_code_runs_stops_the_cell(
    kernel: Kernel, n: int, target: str
):
    """Without its journal a durable cell could repeat calls, so it isn't run."""
    kernel.run(f"planted = plant({target!r})")
    try:
        ran = kernel.run(DURABLE.format(n=n))
        assert ran.reply["ename"] == "BrokenInside"
        assert "planted" in ran.text
        assert "%durable off" in ran.text
        assert "body" not in ran.text
        assert "2" in kernel.run("1 + 1").text
    finally:
        kernel.run("planted.stop()")
    assert kernel.run(DURABLE.format(n=n)).ok


@pytest.mark.parametrize(
    ("n", "target"),
    [
        (11, "nbdurable.engine.steps.step.Running.complete"),
        (12, "nbdurable.kernel.capture.MessageTap._look"),
        (13, "nbdurable.kernel.execution.flush"),
        (14, "nbdurable.kernel.execution.say"),
        (15, "nbdurable.kernel.collapse._folded"),
    ],
)
def test_a_defect_after_the_code_ran_changes_nothing(
    kernel: Kernel, n: int, target: str
):
    """The cell's outputs, variables and status stand."""
    kernel.run(f"planted = plant({target!r})")
    try:
        ran = kernel.run(DURABLE.format(n=n))
        assert ran.reply["status"] == "ok", ran.text
        assert "body\n" in ran.text
        assert f"{n}" in kernel.run(f"value_{n}").text
    finally:
        kernel.run("planted.stop()")
    assert kernel.run("%%durable\nafter = 1").ok


def test_a_defect_while_saving_is_said(kernel: Kernel):
    """The user knows that this step may run again."""
    kernel.run("planted = plant('nbdurable.engine.steps.step.Running.complete')")
    try:
        ran = kernel.run("%%durable\nsaid = 1")
    finally:
        kernel.run("planted.stop()")
    assert kinds_of(ran) == ["warning"]
    assert "may not be saved" in lines_of(ran)[0]
