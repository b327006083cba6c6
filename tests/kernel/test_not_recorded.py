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
