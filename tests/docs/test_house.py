"""The house rules that no linter knows: sizes, and tests that don't sleep."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def _functions(*statements: ast.stmt) -> Iterator[ast.FunctionDef]:
    """The functions in some statements; expressions, most of a tree, have none."""
    for each in statements:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each  # type: ignore[misc]  # both have lines and a name
        for blocks in (
            each,
            *getattr(each, "handlers", ()),
            *getattr(each, "cases", ()),
        ):
            for block in ("body", "orelse", "finalbody"):
                yield from _functions(*getattr(blocks, block, ()))


@pytest.mark.slow
def test_functions_fit_a_screen() -> None:
    """No function is longer than 70 lines."""
    long = {
        f"{name}:{function.lineno} {function.name}": lines
        for name, text in _sources("kernel_ext", "store", "benchmarks", "tests")
        for function in _functions(*ast.parse(text).body)
        if (lines := (function.end_lineno or 0) - function.lineno + 1)
        > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_no_test_sleeps() -> None:
    """Tests wait for a condition with a deadline, never for a number of seconds."""
    sleeping = [
        f"{name}:{node.lineno}"
        for name, text in _sources("tests")
        if "time.sleep" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    ]
    assert sleeping == []
