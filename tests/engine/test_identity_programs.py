"""Programs made at random, held against a namespace that watches them run."""

from __future__ import annotations

import contextlib
import textwrap
from typing import Self

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nbdurable.engine.identity.reads import analyse
from tests.engine.test_identity_reads import bound, own

NAMES = ["a", "b", "c", "d"]
FUNCTIONS = ["f", "g"]
STEPS_MAX = 300
"""Names read before a program is stopped: loops and calls may go on for ever."""

name = st.sampled_from(NAMES)
function = st.sampled_from(FUNCTIONS)


class EnoughError(Exception):
    """The program has shown enough."""


class Watched(dict):  # type: ignore[type-arg]  # a namespace
    """Notes the names that are read while they hold what was there before.

    Writes through ``global`` don't pass a dict's methods: they are known by the value,
    which is another object then.
    """

    def __init__(self, names: dict[str, object]) -> None:
        super().__init__(names)
        self.before = dict(names)
        self.read: set[str] = set()
        self.touched: set[str] = set()
        self.steps = 0

    def __getitem__(self, key: str) -> object:
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise EnoughError
        value = self.get(key, self)
        old = self.before.get(key, self)
        if key not in self.touched and value is old:
            self.read.add(key)
        return super().__getitem__(key)

    def __setitem__(self, key: str, value: object) -> None:
        self.touched.add(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        if key not in self.touched:
            self.read.add(key)
        super().__delitem__(key)
        self.touched.add(key)


class Value:
    """A value of which nothing fails, and of which each is another object."""

    def __add__(self, _: object) -> Value:
        return Value()

    __radd__ = __iadd__ = __add__

    def __call__(self, *_: object) -> Value:
        """Like any other operation."""
        return Value()

    def __iter__(self):
        return iter([Value(), Value()])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __format__(self, _: str) -> str:
        return "value"

    def __getitem__(self, _: object) -> Value:
        return Value()


def expressions() -> st.SearchStrategy[str]:
    """Texts of expressions."""
    leaf = st.one_of(name, name, st.just("1"))

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("({} + {})".format, inner, inner),
            st.builds("({} if {} else {})".format, inner, inner, inner),
            st.builds("({} or {})".format, inner, inner),
            st.builds("[{} for {} in {}]".format, inner, name, inner),
            st.builds("[{} for {} in {} if {}]".format, inner, name, inner, inner),
            st.builds("{{{}: {} for {} in {}}}".format, name, inner, name, inner),
            st.builds("[x for x in [1] for {} in {}]".format, name, inner),
            st.builds("(lambda {}: {})({})".format, name, inner, inner),
            st.builds("(lambda: {})()".format, inner),
            st.builds("(lambda x={}: {})()".format, inner, inner),
            st.builds("({} := {})".format, name, inner),
            st.builds("[({} := x) for x in {}]".format, name, inner),
            st.builds("f'{{{}}}{{{}!r:>{{1}}}}'".format, name, name),
            st.builds("{}({})".format, function, inner),
            st.builds("(*{}, {})".format, inner, inner),
            st.builds("eval({!r})".format, name),
            st.builds("globals()[{!r}]".format, name),
            st.builds("globals().get({!r})".format, name),
        )

    return st.recursive(leaf, more, max_leaves=5)


expression = expressions()


def block(lines: list[str]) -> str:
    """Lines, one level further in."""
    return textwrap.indent("\n".join(lines), "    ")


def statements() -> st.SearchStrategy[str]:
    """Texts of statements."""
    simple = st.one_of(
        st.builds("{} = {}".format, name, expression),
        st.builds("{} = {}".format, name, expression),
        st.builds("{} += {}".format, name, expression),
        st.builds("{}, {} = {}, {}".format, name, name, expression, expression),
        st.builds("{}: {} = {}".format, name, name, expression),
        st.builds("{}: {}".format, name, name),
        st.builds("del {}".format, name),
        st.builds("import math as {}".format, name),
        st.builds("{} = {}".format, function, function),
        st.builds("{} = lambda: {}".format, function, expression),
        st.builds("exec('{} = {}')".format, name, name),
        expression,
    )

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        body = st.lists(inner, min_size=1, max_size=3).map(block)
        return st.one_of(
            st.builds("if {}:\n{}".format, expression, body),
            st.builds("if {}:\n{}\nelse:\n{}".format, expression, body, body),
            st.builds("for {} in {}:\n{}".format, name, expression, body),
            st.builds("for {} in []:\n{}\nelse:\n{}".format, name, body, body),
            st.builds("for {} in range(2):\n{}".format, name, body),
            st.builds("for {} in ({}, 1):\n{}".format, name, expression, body),
            st.builds("while True:\n{}\n    if {}: break\n{}\n    break".format, body, expression, body),
            st.builds("while {}:\n{}\n    break".format, expression, body),
            st.builds("try:\n{}\nexcept NameError as {}:\n{}".format, body, name, body),
            st.builds("try:\n{}\n    1 / 0\nexcept Exception:\n{}".format, body, body),
            st.builds("try:\n{}\nfinally:\n{}".format, body, body),
            st.builds("with {} as {}:\n{}".format, name, name, body),
            st.builds("def {}({}={}):\n{}".format, function, name, expression, body),
            st.builds("def {}(*x):\n    global {}\n{}".format, function, name, body),
            st.builds("def {}(*x):\n{}\n    return x".format, function, body),
            st.builds("class A:\n    {} = {}\n    def m(self):\n{}".format, name, name, body.map(lambda b: textwrap.indent(b, "    "))),
            st.builds("class A:\n{}\nA()".format, body),
            st.builds("match {}:\n    case [{}, *_]:\n{}\n    case _:\n{}".format, expression, name, body.map(lambda b: textwrap.indent(b, "    ")), body.map(lambda b: textwrap.indent(b, "    "))),
        )  # fmt: skip

    return st.recursive(simple, more, max_leaves=6)


programs = st.lists(statements(), min_size=1, max_size=6).map("\n".join)


def compiles(source: str) -> bool:
    """Whether Python takes this program."""
    try:
        compile(source, "<cell>", "exec")
    except SyntaxError:
        return False
    return True


def watched(source: str) -> tuple[set[str], set[str]]:
    """The names that a program read as they were before it, and those it changed."""
    names: dict[str, object] = {n: Value() for n in [*NAMES, *FUNCTIONS]}
    space = Watched(names)
    with contextlib.suppress(Exception):  # what was read until then was read
        exec(compile(source, "<cell>", "exec"), space)  # a cell
    after = dict(space)
    changed = {
        n for n in names.keys() | after.keys() if names.get(n) is not after.get(n)
    }
    return own(space.read), own(changed)


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(programs.filter(compiles))
@example("for a in b:\n    pass\na")
@example("try:\n    a = b\n    1 / 0\nexcept Exception:\n    c = 1\nc")
@example("def f(*x):\n    global a\n    a = b\nf()\na")
@example("class A:\n    a = a\n    b = a")
def test_a_program_reads_no_more_than_is_known(source: str) -> None:
    """Whatever a program reads and changes is among its static reads and writes."""
    found = analyse(source)
    read, changed = watched(source)
    if not found.dynamic:
        assert read <= found.reads | found.guesses, source
    assert changed <= bound(found), source
