"""docs/command-line.md says what the command can do, and nothing else."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from nbdurable.cli import main as program
from nbdurable.cli.main import BUSY, DAMAGE, FOREIGN, NEWER, OK, USAGE, parser
from nbdurable.cli.running import WAITS
from nbdurable.engine.past.fates import GLYPHS

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()


def commands() -> dict[str, argparse.ArgumentParser]:
    """The commands by name, with their parsers."""
    actions = parser()._subparsers
    assert actions is not None
    (choices,) = (a.choices for a in actions._group_actions)
    return dict(choices)  # type: ignore[arg-type]  # argparse types it loosely


def test_every_command_has_a_row() -> None:
    """The table lists the commands there are, in their order."""
    rows = re.findall(r"^\| `nbdurable (\w+)", PAGE, re.MULTILINE)
    assert list(dict.fromkeys(rows)) == list(commands())
    assert callable(program)


def test_every_option_is_named() -> None:
    """Each option of each command stands on the page."""
    options = {
        option
        for made in commands().values()
        for action in made._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }
    assert {o for o in options if f"{o}" not in PAGE} == set()


def test_every_exit_code_has_a_row() -> None:
    """The codes of the table are those of the program."""
    rows = re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)
    assert [int(row) for row in rows] == [
        OK,
        DAMAGE,
        USAGE,
        BUSY,
        NEWER,
        FOREIGN,
        WAITS,
    ]


def test_every_sign_is_explained() -> None:
    """Each sign that a run is shown with has its word on the page."""
    assert all(f"`{glyph}` " in PAGE for glyph in GLYPHS.values())
