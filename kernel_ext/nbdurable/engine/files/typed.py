"""Where in a cell its code did something, and how that line was typed.

A person finds an effect by the line of their own cell, not by the frame of a library,
and knows a shell line by its exclamation mark, not by the process that IPython starts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import FrameType
from typing import Final

FRAMES_MAX: Final = 500
"""Frames looked at: an agent framework may stand between the cell and its effect."""

SHELL_LINE: Final = re.compile(r"(?:^\s*|=\s*)(?P<line>[!%](?!%)\S.*)")
"""A line, or what stands behind an assignment, that IPython hands to a shell."""


@dataclass(frozen=True, slots=True)
class Typed:
    r"""A cell as its user typed it.

    Attributes:
        filename: The file name that its code is compiled under.
        text: What was typed.
        transformed: The code that IPython made of it, which has no blank lines above.

    Example:
        >>> cell = Typed("<cell 1>", "%%durable push\n!git push  # now")
        >>> cell.shell(2)
        '!git push  # now'
        >>> cell.shell(1)
        ''
    """

    filename: str = ""
    text: str = ""
    transformed: str = ""

    def line(self, frame: FrameType | None) -> int:
        """The line of the cell that a frame was called from, from 1, or 0."""
        for _ in range(FRAMES_MAX if self.filename else 0):
            if frame is None:
                break
            if frame.f_code.co_filename == self.filename:
                return frame.f_lineno + _above(self.text) - _above(self.transformed)
            frame = frame.f_back
        return 0

    def shell(self, line: int) -> str:
        """The shell line or magic that was typed there, or ""."""
        lines = self.text.splitlines()
        if not 0 < line <= len(lines):
            return ""
        found = SHELL_LINE.search(lines[line - 1])
        return found["line"].rstrip() if found else ""


def _above(text: str) -> int:
    """Blank lines above the first one that isn't."""
    return text[: len(text) - len(text.lstrip())].count("\n")
