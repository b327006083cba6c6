"""What a cell did beside its calls is named in its status line, in a real kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = pytest.mark.slow


def test_a_shell_line_is_named_as_it_was_typed(tmp_path: Path) -> None:
    """With the line of the cell as the user counts it, and only where it ran."""
    cell = "\n%%durable push\nx = 1\n!true git push\nlisted = !echo a\n"
    with Kernel(tmp_path) as kernel:
        line = kernel.run(cell).text
        assert "not recorded: !true git push (line 4), !echo a (line 5): " in line
        assert "not recorded" not in kernel.run(cell).text
        quiet = cell.replace("push\nx", "push --quiet\nx") + "y = 2"
        assert "not recorded" not in kernel.run(quiet).text


def test_a_file_with_a_computed_name_counts(tmp_path: Path) -> None:
    """The `open` that IPython gives notebooks reads for the cell, not for itself."""
    (tmp_path / "in1").write_text("one")
    cell = "%%durable read\ntext = open('in' + str(len('x'))).read()\nprint(text)"
    with Kernel(tmp_path) as kernel:
        assert "one" in kernel.run(cell).text
        (tmp_path / "in1").write_text("changed")
        line = kernel.run(cell).text
        assert "changed" in line
        assert "ran again because in1 changed" in line


def test_a_file_that_a_tool_writes_is_not_named(tmp_path: Path) -> None:
    """What a tool does is recorded, also where it opens a file by a name in its code."""
    tool = (
        "import nbdurable as nd\n@nd.tool\ndef log(x):\n"
        "    with open('out.txt', 'a') as file: file.write(x)"
    )
    with Kernel(tmp_path) as kernel:
        assert kernel.run(tool).ok
        line = kernel.run("%%durable a\nlog('1')").text
    assert (tmp_path / "out.txt").read_text() == "1"
    assert "not recorded" not in line
