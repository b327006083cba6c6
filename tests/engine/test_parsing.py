"""Texts are parsed, whatever the search for garbage does meanwhile."""

from __future__ import annotations

import ast
import gc

import pytest

from nbdurable.engine.identity.parsing import parsed

LONG = f"x = [{'a, ' * 500}]"
MEANWHILE = 300
"""So many objects are made before garbage is looked for: its tree has more."""


class Last:
    """Parses when it is found to be garbage, as a logged traceback may."""

    def __init__(self, seen: list[int]) -> None:
        self.itself, self.seen = self, seen

    def __del__(self) -> None:
        """Parse."""
        self.seen.append(len(ast.parse("a = 1").body))


@pytest.mark.slow
def test_garbage_that_parses_is_found_while_a_text_is_parsed() -> None:
    """The text has the tree that it has."""
    expected, seen = ast.dump(ast.parse(LONG)), list[int]()
    before = gc.get_threshold()
    gc.collect()
    Last(seen)
    gc.set_threshold(MEANWHILE)
    try:
        tree = parsed(LONG)
    finally:
        gc.set_threshold(*before)
    assert seen == [1]
    assert ast.dump(tree) == expected
