"""The list of kept kinds is what it says it is."""

from __future__ import annotations

import ast
import collections

from tests.kept.groups import GROUPS, HELD

TRIED = [kind for kinds in GROUPS.values() for kind in kinds]
KINDS = [*TRIED, *HELD]


def test_the_list_is_long_and_broad():
    """At least 200 kinds of 40 libraries, and 40 that were held back, none twice."""
    assert len(TRIED) >= 200
    assert len(HELD) >= 40
    assert len({kind.library for kind in KINDS}) >= 40
    ids = collections.Counter(kind.id for kind in KINDS)
    assert [name for name, count in ids.items() if count > 1] == []


def test_each_kind_is_a_cell_that_binds_it():
    """Each cell parses and binds `it`; each comparison is an expression on `it`."""
    for kind in KINDS:
        tree = ast.parse(kind.make)
        bound = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        bound |= {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        }
        assert "it" in bound, kind.id
        read = {
            node.id
            for node in ast.walk(ast.parse(kind.same, mode="eval"))
            if isinstance(node, ast.Name)
        }
        assert "it" in read, kind.id
