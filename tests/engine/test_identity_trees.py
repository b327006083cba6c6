"""All nodes of a tree."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import typing
from types import ModuleType

import pytest

from nbdurable.engine.identity.trees import nodes_of


@pytest.mark.parametrize("module", [argparse, ast, dataclasses, typing])
def test_what_python_finds_is_found(module: ModuleType) -> None:
    """The nodes and their order are those of `ast.walk`, without contexts and operators."""
    tree = ast.parse(inspect.getsource(module))
    left_out = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)
    expected = [node for node in ast.walk(tree) if not isinstance(node, left_out)]
    assert nodes_of(tree) == expected


def test_several_trees_are_one_list() -> None:
    """What is below several nodes is found once, level by level."""
    first, second = ast.parse("a(1); b").body
    assert [ast.unparse(n) for n in nodes_of(first, second)] == [
        "a(1)", "b", "a(1)", "b", "a", "1",
    ]  # fmt: skip
