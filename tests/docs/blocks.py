"""The fenced blocks of a Markdown page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block.

    Attributes:
        page: The page, relative to the repository.
        line: Line of its fence, from 1.
        language: What stands behind the fence.
        text: What stands between the fences.
    """

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(path: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    page = path.read_text()
    return [
        Block(
            page=str(path.relative_to(ROOT)),
            line=page[: found.start()].count("\n") + 1,
            language=found.group(1),
            text=found.group(2),
        )
        for found in FENCE.finditer(page)
    ]
