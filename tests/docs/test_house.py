"""The house rules that no linter knows: sizes, and tests that don't sleep."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

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


def test_functions_fit_a_screen() -> None:
    """No function is longer than 70 lines."""
    long = {
        f"{name}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for name, text in _sources("kernel_ext", "store", "benchmarks", "tests")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    }
    assert long == {}


def _sleeps(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "sleep"
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "time"
        ):
            yield node.lineno


def test_no_test_sleeps() -> None:
    """Tests wait for a condition with a deadline, never for a number of seconds."""
    sleeping = [
        f"{name}:{line}"
        for name, text in _sources("tests")
        for line in _sleeps(ast.parse(text))
    ]
    assert sleeping == []
