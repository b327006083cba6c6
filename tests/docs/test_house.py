"""The house rules that no linter knows: sizes, and tests that don't sleep."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

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


def _functions(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_flags & inspect.CO_OPTIMIZED and inner.co_name[0] != "<":
                yield inner
            yield from _functions(inner)


def _lines(code: CodeType, text: list[str]) -> int:
    """From its `def` to its last line; what is decorated begins earlier."""
    first = code.co_firstlineno
    while not re.match(r" *(async )?def ", text[first - 1]):
        first += 1
    inner = [code, *_functions(code)]
    last = max(line for each in inner for *_, line in each.co_lines() if line)
    while "".join(text[last : last + 1]).strip().startswith((")", "]", "}")):
        last += 1  # no code stands there
    return last - first + 1


@pytest.mark.slow
def test_functions_fit_a_screen() -> None:
    """No function is longer than 70 lines.

    They are compiled, because a tree of all there is takes three times as long.
    """
    long = {
        f"{name}:{code.co_firstlineno} {code.co_qualname}": lines
        for name, text in _sources("kernel_ext", "store", "benchmarks", "tests")
        for code in _functions(compile(text, name, "exec", dont_inherit=True))
        if (lines := _lines(code, text.splitlines())) > FUNCTION_LINES_MAX
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
