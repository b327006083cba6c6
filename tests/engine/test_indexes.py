"""A text is parsed once, however often its cell runs."""

from __future__ import annotations

import ast

from nbdurable.engine.identity.indexes import Index, index_of
from nbdurable.engine.identity.sources import Sources

CELL = "def act(x):\n    rows.append(x)\n    return lambda: x + 1"


def definition(sources: Sources, filename: str) -> ast.FunctionDef:
    """The function that stands in a cell."""
    found = sources.module(filename).body[0]
    assert isinstance(found, ast.FunctionDef)
    return found


def test_a_cell_that_runs_again_is_not_worked_out_again() -> None:
    """Its text has another file name then, and the tree and the facts of before."""
    here, there = Sources(), Sources()
    here.add("<cell 1>", CELL)
    here.add("<cell 2>", CELL)
    there.add("<cell 1>", CELL)
    nodes = [definition(here, "<cell 1>"), definition(here, "<cell 2>")]
    nodes.append(definition(there, "<cell 1>"))
    assert nodes[0] is nodes[1] is nodes[2]
    assert here.facts(nodes[0]) is there.facts(nodes[2])
    assert here.changes(nodes[0]) is there.changes(nodes[2])


def test_other_code_under_the_same_name_is_other_code() -> None:
    """A cell that was edited has a tree of its own."""
    sources = Sources()
    sources.add("<cell>", CELL)
    before = sources.facts(definition(sources, "<cell>"))
    sources.add("<cell>", CELL.replace("1", "2"))
    assert sources.facts(definition(sources, "<cell>")).normal != before.normal


def at_the_edge(source: str) -> Index:
    """The index of a text as who has no room for more calls gets it."""
    try:
        return at_the_edge(source)
    except RecursionError:
        return index_of(source)


def test_what_was_too_deep_for_one_is_parsed_for_the_next() -> None:
    """That a text could not be parsed where no room was left isn't kept."""
    text = "nobody = 'parsed this before'"
    assert at_the_edge(text).tree.body == []
    assert len(index_of(text).tree.body) == 1


def test_a_text_that_is_no_code_has_no_definitions() -> None:
    """Nothing is found in it, and nothing is raised."""
    index = index_of("def (")
    assert (index.tree.body, index.classes, index.functions) == ([], {}, {})
