"""Each promise of docs/guarantees.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

PAGE = ROOT / "docs" / "guarantees.md"
ROW = re.compile(r"^\| (?!promise|---)(.+?) \| (.+?) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROWS = ROW.findall(PAGE.read_text())
DEFINED = re.compile(r"^ *(?:async )?def (test_\w+)", re.MULTILINE)


def _tests_of(path: Path) -> set[str]:
    return set(DEFINED.findall(path.read_text()))


@pytest.mark.parametrize(("promise", "held"), ROWS, ids=lambda text: text[:40])
def test_a_promise_is_held_by_tests(promise: str, held: str) -> None:
    """Every row names at least one test, and each of them exists."""
    named = TEST.findall(held)
    assert named, f"no test holds: {promise}"
    for file, test in named:
        path = ROOT / file
        assert path.is_file(), file
        assert test in _tests_of(path), f"{file}::{test}"
