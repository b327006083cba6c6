"""README has a row for each word of `%durable`, each option and each command."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

import nbdurable
from nbdurable.cli.main import parser
from nbdurable.kernel.options import OPTIONS
from nbdurable.kernel.words import WORDS
from tests.docs.blocks import ROOT, blocks

README = (ROOT / "README.md").read_text()


def _rows(start: str) -> list[str]:
    return [line for line in README.splitlines() if line.startswith(start)]


def _wanted(rows: dict[str, str]) -> list[str]:
    escaped = {k.replace("|", r"\|"): v.replace("|", r"\|") for k, v in rows.items()}
    return [f"| `{left}` | {right} |" for left, right in escaped.items()]


def test_words_are_documented() -> None:
    """README's table of `%durable` is the table of the code."""
    words = {"%durable": "show the run"}
    words |= {f"%durable {word.usage}": word.says for word in WORDS.values()}
    assert _rows("| `%durable") == _wanted(words)


def test_options_are_documented() -> None:
    """README's table of `%%durable` options is the table of the code."""
    assert _rows("| `--") == _wanted(dict(OPTIONS))


def test_each_word_is_a_function() -> None:
    """What a magic can do, a function of the package can do."""
    assert set(WORDS) <= set(nbdurable.__all__)


def test_commands_are_documented() -> None:
    """README names each command of `nbdurable`, and no other."""
    (commands,) = (
        set(action.choices)
        for action in parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    assert set(re.findall(r"(?m)(?:^|`)nbdurable (\w+)", README)) == commands


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=str)
def test_python_on_a_page_is_python(page: Path) -> None:
    """Each Python block of a page compiles."""
    for block in blocks(page):
        if block.language == "python" and not block.text.startswith("%%"):
            compile(block.text, str(block), "exec")


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=str
)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link of a page has a target in the repository."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [t for t in targets if not (page.parent / t).exists()] == []
