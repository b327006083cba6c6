"""The house rules that no linter knows: sizes, and tests that don't sleep."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.xdist_group("house")  # they walk each file once for both

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "tests" / "notebooks" / "written"
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70


def _sources(*folders: str) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.parent != NOTEBOOKS:  # their cells have shell lines
                yield str(path.relative_to(ROOT)), path.read_text()


def test_files_are_one_idea() -> None:
    """No file of the product is longer than 400 lines."""
    sizes = {
        name: text.count("\n")
        for name, text in _sources("kernel_ext", "store", "benchmarks")
    }
    assert sizes
    assert {name: n for name, n in sizes.items() if n > FILE_LINES_MAX} == {}


class Found(NamedTuple):
    """What the rules ask of a file, found in one walk.

    Attributes:
        functions: Each with its first line, its name and how many lines it has.
        sleeps: The lines that call `time.sleep`.
    """

    functions: list[tuple[int, str, int]]
    sleeps: list[int]


@functools.cache
def found(text: str) -> Found:
    """Walk the tree of a text, which takes longer than all the rest."""
    made = Found([], [])
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                made.functions.append((node.lineno, node.name, lines))
            case ast.Call(func=ast.Attribute(attr="sleep", value=ast.Name(id="time"))):
                made.sleeps.append(node.lineno)
    return made


def test_functions_fit_a_screen() -> None:
    """No function is longer than 70 lines."""
    long = {
        f"{name}:{line} {function}": lines
        for name, text in _sources("kernel_ext", "store", "benchmarks", "tests")
        for line, function, lines in found(text).functions
        if lines > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_no_test_sleeps() -> None:
    """Tests wait for a condition with a deadline, never for a number of seconds."""
    sleeping = [
        f"{name}:{line}"
        for name, text in _sources("tests")
        for line in found(text).sleeps
    ]
    assert sleeping == []
