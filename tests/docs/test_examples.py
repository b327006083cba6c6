"""The example notebooks lie in one folder, and so in one store."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import Counter
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "example_notebooks").glob("*.ipynb"))


def cells(place: Path) -> list[dict[str, Any]]:
    """The cells of a notebook."""
    found: list[dict[str, Any]] = json.loads(place.read_text())["cells"]
    return found


def imported(source: str) -> set[str]:
    """The packages that a cell imports."""
    lines = [line for line in source.splitlines() if not line.startswith("%")]
    names: set[str] = set()
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def test_no_two_examples_have_a_cell_of_one_id() -> None:
    """A notebook with a cell of another one is taken for its copy, and says so."""
    ids = Counter(cell["id"] for place in EXAMPLES for cell in cells(place))
    assert [name for name, count in ids.items() if count > 1] == []


@pytest.mark.wide
@pytest.mark.parametrize("place", EXAMPLES, ids=lambda place: place.stem)
def test_an_example_says_what_it_needs(place: Path) -> None:
    """What `make lab` does not install is named where the notebook begins."""
    sources = ["".join(c["source"]) for c in cells(place) if c["cell_type"] == "code"]
    there = {*sys.stdlib_module_names, "nbdurable"}
    needed = set.union(*map(imported, sources)) - there
    lock = (ROOT / "requirements.lock").read_text()
    installed = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    known = packages_distributions()
    missing = {n for n in needed if not installed & set(known.get(n, [n]))}
    beginning = "".join(cells(place)[0]["source"])
    assert {n for n in missing if f"`%pip install {n}`" not in beginning} == set()
