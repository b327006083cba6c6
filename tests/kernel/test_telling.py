"""What a person is told by `%durable` and its words, in a real kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.model_server import ModelServer
from nbdurable.testing.model_server.__main__ import environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_the_cell_that_made_a_change_is_named(kernel: Kernel) -> None:
    """Plain cells by their number, also for a change in place; durable ones by name."""
    kernel.run("rows, limit = [1], 2")
    count = "%%durable count\nn = len(rows) * limit"
    kernel.run(count)
    kernel.run("def more(rows):\n    rows = [1]")
    kernel.run("rows.append(2)")
    assert "count (rows changed in cell 4)" in kernel.run("%durable status").text
    kernel.run("rows.pop()")
    assert "stale" not in kernel.run("%durable status").text
    kernel.run("%%durable add\nrows.append(3)")
    assert "count (rows changed in add)" in kernel.run("%durable status").text
    assert "because rows changed (add)" in kernel.run(count).text
    assert "because rows changed (add)" in kernel.run("%durable why count").text


def test_one_remedy_for_a_value_that_cannot_be_loaded(kernel: Kernel) -> None:
    """`restore` and the NameError tell the same, and it is what brings the value back."""
    (kernel.folder / "shapes.py").write_text("class Shape:\n    side = 2\n")
    kernel.run("%%durable bad\nimport shapes\nd = shapes.Shape()")
    kernel.kill()
    (kernel.folder / "shapes.py").write_text("other = 1\n")
    kernel.restart()
    assert "not back: d → run the cell bad" in kernel.run("%durable restore d").text
    assert "could not be loaded (bad): run the cell bad" in kernel.run("d").text
    (kernel.folder / "shapes.py").write_text("class Shape:\n    side = 3\n")
    kernel.run("import importlib, shapes; importlib.reload(shapes)")
    assert kernel.run("%%durable bad\nimport shapes\nd = shapes.Shape()").ok
    assert kernel.run("d.side").text.strip() == "3"


def test_back_reaches_what_a_restore_left_to_be_loaded(kernel: Kernel) -> None:
    """A frame that waits to be loaded gets its value of before the step, not of after."""
    kernel.run("%%durable make\nimport pandas as pd\ndf = pd.DataFrame({'a': [1]})")
    kernel.run("%%durable widen\ndf['b'] = df.a + 1")
    kernel.kill()
    kernel.restart()
    assert "loaded when used: df" in kernel.run("%durable restore").text
    assert "back before widen · df as of make" in kernel.run("%durable back").text
    assert "['a']" in kernel.run("list(df.columns)").text


def test_a_swallowed_timeout_is_said_to_be_in_doubt(kernel: Kernel) -> None:
    """A write that was cut off and swallowed may have happened: it isn't called paid."""
    kernel.run(
        "import asyncio, nbdurable as nd\n@nd.tool(effect='write')\n"
        "async def slow(x): await asyncio.Event().wait()"
    )
    told = kernel.run(
        "%%durable b\ntry: await asyncio.wait_for(slow(1), 0.05)\n"
        "except TimeoutError: pass"
    ).text
    assert "slow(1) may have happened: %durable why b.1" in told
    assert "not paid again" not in told


def test_an_answer_that_was_left_early_is_said_to_be_asked_again(
    tmp_path: Path,
) -> None:
    """A stream that a `break` leaves before its end has no result to be served."""
    cell = """%%durable ask
asked = [{"role": "user", "content": "how?"}]
for chunk in client.chat.completions.create(model="m", messages=asked, stream=True):
    if chunk.choices and chunk.choices[0].finish_reason: break
"""
    with (
        ModelServer(tmp_path / "requests.jsonl") as server,
        Kernel(tmp_path, env=environment(server.url)) as kernel,
    ):
        kernel.run("from openai import OpenAI\nclient = OpenAI()")
        told = kernel.run(cell).text
        assert "was not read to its end: asked again if this cell runs again" in told
        why = kernel.run("%durable why ask.1").text
        assert "its answer was not read to its end" in why
