"""What a cell reads, held against a namespace that watches it run."""

from __future__ import annotations

import ast
import builtins
import symtable
import sys
import sysconfig
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from IPython.utils.text import DollarFormatter

from nbdurable.engine.identity.codes import is_shell_name
from nbdurable.engine.identity.ledger import Analysis
from nbdurable.engine.identity.reads import analyse, needs_of

SETUP = """
import contextlib, functools, math
a, b, c, n = 1, 2, 3, 4
k = "a"
text = "a + b"
xs = [1, 2, 3]
d = {"x": 1}
def double(x): return 2 * x
def call(f): return f()
def register(f):
    f()
    return f
class Base:
    size = 1
class Frame:
    def query(self, text):
        import re, sys
        frame = sys._getframe(1)
        for name in re.findall("@(.)", text):
            inside = frame.f_locals is not frame.f_globals
            (inside and name in frame.f_locals) or frame.f_globals[name]
df = Frame()
"""


class Watched(dict):  # type: ignore[type-arg]  # a namespace
    """A namespace that notes each name read before the cell itself has bound it."""

    def __init__(self, names: dict[str, object]) -> None:
        super().__init__(names)
        self.read: set[str] = set()
        self.bound: set[str] = set()

    def __getitem__(self, name: str) -> object:
        if name not in self.bound:
            self.read.add(name)
        return super().__getitem__(name)

    def __setitem__(self, name: str, value: object) -> None:
        self.bound.add(name)
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        if name not in self.bound:
            self.read.add(name)
        super().__delitem__(name)

    def get(self, name: str, default: object = None) -> object:
        """Through the watch, which ``dict.get`` passes by."""
        try:
            return self[name]
        except KeyError:
            return default


class Changed:
    """A value unlike any other, whatever is done with it."""

    def __getitem__(self, _: object) -> str:
        return "changed"

    def __add__(self, _: object) -> str:
        return "changed"

    __radd__ = __add__


class Main(types.ModuleType):
    """The notebook as a module."""

    def __init__(self, names: Watched) -> None:
        super().__init__("__main__")
        self.__dict__["names"] = names

    def __getattr__(self, name: str) -> object:
        if name[:2] == "__":
            raise AttributeError(name)
        return self.__dict__["names"][name]


class Shell:
    """The calls that IPython's transformation writes, expanding as IPython does."""

    def __init__(self, names: Watched, main: Main) -> None:
        self.user_ns = names
        self.user_module = main

    def _expand(self, line: str) -> str:
        """The line as IPython expands it; a name is read if the line depends on it."""
        plain = dict(self.user_ns)
        line_now = DollarFormatter().vformat(line, args=[], kwargs=plain)
        for name in plain.keys() - self.user_ns.bound:
            other = {**plain, name: Changed()}
            if DollarFormatter().vformat(line, args=[], kwargs=other) != line_now:
                self.user_ns.read.add(name)
        return line_now

    def system(self, line: str) -> None:
        """A shell line."""
        self._expand(line)

    def getoutput(self, line: str) -> list[str]:
        """A shell line whose output is bound."""
        return [self._expand(line)]

    def run_line_magic(self, name: str, line: str) -> None:
        """A line magic."""
        if name == "time":
            exec(line, self.user_ns)  # what %time does
        else:
            self._expand(line)

    def run_cell_magic(self, name: str, line: str, body: str) -> None:
        """A cell magic."""
        del name, line
        exec(body, self.user_ns)  # what %%time does


def watch(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell read and changed when it ran."""
    names = Watched({})
    exec(SETUP, names)  # a cell
    main = Main(names)
    names["get_ipython"] = lambda: Shell(names, main)
    names.read.clear()
    names.bound.clear()
    before = dict(names)
    with mock.patch.dict(sys.modules, __main__=main):
        exec(compile(source, "<cell>", "exec"), names)  # a cell
    after = dict(names)
    keys = before.keys() | after.keys()
    changed = {k for k in keys if before.get(k, names) is not after.get(k, names)}
    return own(names.read), own(changed)


def own(names: set[str] | frozenset[str]) -> set[str]:
    """Without what the shell and Python bring."""
    return {n for n in names if not is_shell_name(n) and not hasattr(builtins, n)}


def transformed(cell: str) -> str:
    """The cell as IPython hands it over."""
    return TransformerManager().transform_cell(cell)


EXACT = {
    "expression": "a + b",
    "assigned first": "x = a\nx + b",
    "augmented": "a += b",
    "augmented item": "d['y'] = a\nd['y'] += 1",
    "delete": "del a",
    "delete and bind": "del a\na = b\na",
    "annotated": "x: int = a",
    "annotation alone": "a: int",
    "comprehension": "[x + a for x in xs if x > b]",
    "comprehension hides": "[a for a in xs]",
    "nested comprehension": "[[x * y for y in xs] for x in [a]]",
    "dict comprehension": "{x: a for x in xs}",
    "walrus": "(y := a) + y",
    "walrus in comprehension": "[last := x for x in xs]",
    "lambda": "call(lambda: a)",
    "lambda named": "f = lambda x: x + a\nb",
    "lambda named and called": "f = lambda x: x + a\nf(b)",
    "lambda default": "f = lambda x=a: x",
    "unused function": "def f(): return a",
    "used function": "def f(): return a\nf()",
    "global bound before the call": "def f(): return a\na = b\nf()",
    "two functions": "def f(): return g()\ndef g(): return a\nf()",
    "local hides": "def f():\n    a = 1\n    return a\nf()",
    "argument hides": "def f(a): return a\nf(b)",
    "default": "def f(x=a): return x\nf()",
    "closure": "def f():\n    v = a\n    def g(): return v + b\n    return g()\nf()",
    "nonlocal": "def f():\n    v = 1\n    def g():\n        nonlocal v\n        v = a\n    g()\nf()",
    "global written": "def f():\n    global a\n    a = b\nf()",
    "decorator": "@register\ndef f(): return a",
    "lazy decorator": "@functools.lru_cache\ndef f(): return a",
    "method unused": "class A(Base):\n    def m(self): return a",
    "class instance": "class A:\n    def m(self): return a\nA().m()",
    "class attribute hides nothing": "class A:\n    a = 1\n    def m(self): return a\nA().m()",
    "f-string": "f'{a!r:>{n}} {xs[0]}'",
    "f-string nested": "f\"{f'{a}'}\"",
    "if both": "if a:\n    x = 1\nelse:\n    x = 2\nx",
    "if raise": "if not a:\n    raise ValueError\nelse:\n    x = 1\nx",
    "try both": "try:\n    import nothing\nexcept ImportError:\n    nothing = a\nnothing",
    "try finally": "try:\n    x = a\nfinally:\n    y = b\nx, y",
    "except name": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    str(e)",
    "with": "with contextlib.nullcontext(a) as x:\n    y = x\ny",
    "for reads head first": "for x in xs:\n    y = x",
    "loop sums": "total = 0\nfor x in xs:\n    total += x\ntotal",
    "range loop": "for x in range(3):\n    y = x\nx, y",
    "agent loop": (
        "for turn in range(1, 9, 2):\n    m = call(dict)\n    if not m:\n        break\n"
        "    z = 1\nm, turn"
    ),
    "endless loop": "while True:\n    m = a\n    if m:\n        break\n    x = m\nm",
    "literal loop": "for i, (x, y) in enumerate([(1, 2), (3, a)]):\n    z = x\ni, y, z",
    "nested range loops": "for i in range(2):\n    for j in (1,):\n        m = i\nm, j",
    "match capture": "match d:\n    case {'x': v}:\n        v\n    case _:\n        pass",
    "match value": "match a:\n    case math.pi:\n        pass\n    case other:\n        other",
    "star call": "double(*xs[:1])",
    "import alias": "import os.path as p\np.join('a')",
    "import dotted": "import os.path\nos.path",
    "attribute": "df.size = a\ndf.size",
    "slice": "xs[a:b]",
    "subscript store": "d[k] = a",
    "unpack": "x, *y = xs\nx, y",
    "swap": "a, b = b, a",
    "set display": "{a, *xs}",
    "chained": "a < b < c",
    "eval constant": "eval('a + b')",
    "exec constant": "exec('x = a')\nx",
    "globals constant": "globals()['a']",
    "globals store": "globals()['z'] = b\nz",
    "globals get": "globals().get('a')",
    "user_ns constant": "get_ipython().user_ns['a']",
    "shell braces": "!true {a} {d['x']}",
    "shell dollar": "!true $b $$HOME",
    "shell assignment": "out = !echo {a + c}",
    "line magic": "%time x = a + b",
    "cell magic": "%%time\nx = a\nx + c",
    "query": "df.query('size > @a')",
    "query in a function": "def f():\n    a = 1\n    return df.query('x > @a')\nf()",
    "imported main module": "import __main__\n__main__.a",
    "name of the main module": "from __main__ import a as z\nz",
    "user module": "get_ipython().user_module.a",
    "frame constant": "import sys\nsys._getframe(0).f_globals['a']",
    "async comprehension": "async def f(): return [x async for x in agen()]\nb",
    "star assignment in function": "def f(*args, **kw): return args, kw, a\nf()",
    "return of a class": "class A:\n    x = 1\n    y = x\nA.y",
    "type in except": "try:\n    pass\nexcept (ValueError, TypeError):\n    pass",
}

EXTRA = {
    "condition not met": ("if n > 100:\n    a", {"a"}),
    "short circuit": ("n or a", {"a"}),
    "conditional": ("a if b else c", {"c"}),
    "assertion": ("assert a, b", {"b"}),
    "loop name after": ("for x in xs:\n    y = x\nx, y", {"x", "y"}),
    "empty range": ("for x in range(0):\n    y = x\nfor x in xs: y = x\ny", {"y"}),
    "range of a name": ("for x in range(n):\n    y = x\ny", {"y"}),
    "skipped in each turn": (
        "for x in range(3):\n    if a: continue\n    b = 1\nxs, b",
        {"b"},
    ),
    "left in the first turn": ("while True:\n    if a: break\n    b = 1\nb", {"b"}),
    "empty literal": ("for x in [*()]:\n    b = x\nb", {"b"}),
    "class body": ("class A:\n    size = a\n    other = size", {"a"}),
    "base class": ("class A(Base): pass", set()),
    "suppressed": ("with contextlib.suppress(KeyError):\n    q = a\nq", {"q"}),
    "handler not reached": ("try:\n    q = a\nexcept ValueError:\n    b", {"b"}),
    "membership": ("'zzz' in globals()", {"zzz"}),
}

DYNAMIC = {
    "eval": "eval(text)",
    "exec": "exec('x = ' + text)",
    "globals": "globals()[k]",
    "globals passed": "print(globals().keys())",
    "locals": "'{a}'.format(**locals())",
    "vars": "vars()",
    "user_ns": "get_ipython().user_ns[k]",
    "eval by another name": "e = eval\ne(text)",
    "in a function": "def f(): return eval(text)\nf()",
    "main module by another name": "import __main__ as m\nm.a",
    "main module by a function": "__import__('__main__').a",
    "frame": "import sys\nsys._getframe(0).f_globals[k]",
    "builtins": "import builtins\nbuiltins.eval(text)",
    "run in place": "get_ipython().run_line_magic('run', '-i script.py')",
    "main module": "import sys\nsys.modules['__main__']",
    "dir": "dir()",
}


def bound(found: Analysis) -> set[str]:
    """All names the analysis takes for bound, changed or deleted."""
    return set(found.writes | found.deletes)


@pytest.mark.parametrize("case", EXACT)
def test_reads_are_those_of_a_watched_run(case: str) -> None:
    """The static reads are exactly the names that running the cell reads."""
    source = transformed(EXACT[case])
    found = analyse(source, transformed)
    read, changed = watch(source)
    assert own(found.reads | found.guesses) == read
    assert changed <= bound(found)
    assert not found.dynamic


@pytest.mark.parametrize("case", EXTRA)
def test_reads_are_never_too_few(case: str) -> None:
    """Where a run takes one of several ways, or hides from the watch, all count."""
    source, extra = EXTRA[case]
    found = analyse(source)
    read, changed = watch(source) if "q" not in extra else (set(), set())
    assert read | extra <= own(found.reads)
    assert changed <= bound(found)


@pytest.mark.parametrize("case", DYNAMIC)
def test_reads_that_cannot_be_known_are_said(case: str) -> None:
    """A cell that may read any name says so."""
    found = analyse(DYNAMIC[case])
    assert found.dynamic


NOT_DYNAMIC = {
    "own namespace": "eval(text, {'x': 1})",
    "method": "df.eval('x + 1')",
    "rebound": "def eval(x): return x\neval(text)",
    "locals of a function": "def f(): return locals()\nf()",
    "vars of an object": "vars(df)",
    "dynamic but unused": "def f(): return eval(text)",
}


@pytest.mark.parametrize("case", NOT_DYNAMIC)
def test_what_looks_dynamic_and_is_not(case: str) -> None:
    """``eval`` of somebody else, or over another namespace, reads what it names."""
    assert not analyse(NOT_DYNAMIC[case]).dynamic


TEXTS = {
    "sql": (
        "con.sql('SELECT * FROM sales JOIN stores USING (id)')",
        {"sales", "stores"},
    ),
    "sql list": ("con.sql('select 1 from a_, b_ b, c_')", {"a_", "b_", "c_"}),
    "sql first": ("con.sql('FROM sales')", {"sales"}),
    "sql f-string": ("con.sql(f'SELECT {x} FROM sales')", {"sales"}),
    "sql own": ("sales = 1\ncon.sql('FROM sales')", set()),
    "prose": ("ask('Extract facts from text')", {"text"}),
    "no table": ("con.sql('SELECT 1')", set()),
}


@pytest.mark.parametrize("case", TEXTS)
def test_tables_in_texts_are_candidates(case: str) -> None:
    """A name where SQL has tables counts later, if a frame is bound to it."""
    source, frames = TEXTS[case]
    found = analyse(source)
    assert found.frames == frames
    assert not frames & found.reads


EXPRESSIONS = {
    "pandas": ("pd.eval('one + two * 2')", {"one", "two"}),
    "numexpr": ("ne.evaluate('one * two')", {"one", "two"}),
}


@pytest.mark.parametrize("case", EXPRESSIONS)
def test_words_of_expressions_are_guesses(case: str) -> None:
    """``pd.eval`` looks its names up where it is called."""
    source, words = EXPRESSIONS[case]
    assert analyse(source).guesses == words


MAGICS = {
    "unknown line magic": ("%frob first --flag", {"first", "flag"}),
    "unknown cell magic": ("%%frob x\nbody text", {"x", "body", "text"}),
    "foreign": ("%matplotlib inline", set()),
    "foreign cell": ("%%bash\necho a", set()),
    "unparsable": ("%time f(", {"f"}),
    "environment": ("%env KEY=$a", {"a"}),
}


@pytest.mark.parametrize("case", MAGICS)
def test_words_of_magics_are_guesses(case: str) -> None:
    """Where nobody knows the grammar, every word may be a variable."""
    cell, words = MAGICS[case]
    assert analyse(transformed(cell), transformed).guesses == words


def test_capture_binds_its_name() -> None:
    """``%%capture out`` binds a name, and its body is Python."""
    found = analyse(transformed("%%capture out\nx = a"), transformed)
    assert {"out", "x"} <= found.writes
    assert "a" in found.reads


def test_star_import_is_said() -> None:
    """Names that nobody can foresee are flagged, ``%run`` included."""
    assert analyse("from math import *").star
    assert analyse(transformed("%run script.py")).star
    assert not analyse("import math").star


def test_names_bound_before_a_read_are_known() -> None:
    """A read knows what the cell had bound by then."""
    found = analyse("first()\nLIMIT = 1\nsecond()")
    assert found.bound_before("first") == set()
    assert found.bound_before("second") == {"LIMIT"}


def test_deep_sources_are_read() -> None:
    """A long sum is walked; what is deeper than the stack counts every name as read."""
    assert analyse(" + ".join(["a"] * 1500)).reads == {"a"}
    chain = "".join(f"elif a == {i}: b = {i}\n" for i in range(400))
    found = analyse("if c: pass\n" + chain)
    assert found.reads >= {"a", "c"}
    assert found.writes >= {"b"}


def globals_by_symtable(table: symtable.SymbolTable) -> set[str]:
    """The globals that a function loads, by Python's own symbol table.

    The table lists `__class__` wherever `super` stands; outside of a class body nothing
    loads it.
    """
    found = {
        s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()
    } - {"__class__"}
    for child in table.get_children():
        found |= globals_by_symtable(child)
    return found


def functions_of(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """The functions of a module; generic ones stand in a table of type parameters."""
    for child in table.get_children():
        if isinstance(child, symtable.Function):
            yield child
        elif not isinstance(child, symtable.Class):
            yield from functions_of(child)


STDLIB = Path(sysconfig.get_path("stdlib"))
MODULES = ["argparse", "ast", "asyncio/base_events", "dataclasses", "datetime", "enum",
           "functools", "inspect", "typing", "unittest/mock", "zipfile"]  # fmt: skip


@pytest.mark.wide
@pytest.mark.parametrize("module", MODULES)
def test_scopes_agree_with_symtable(module: str) -> None:
    """For each function of the standard library, the globals are those of symtable."""
    path = STDLIB / f"{module}.py"
    text = path.read_text() if path.exists() else ""
    with warnings.catch_warnings(action="ignore"):
        tables = functions_of(symtable.symtable(text, module, "exec"))
    nodes = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    by_place = {(t.get_name(), t.get_lineno()): t for t in tables}
    for node in nodes:
        table = by_place[node.name, node.lineno]
        found = needs_of(node)
        # `globals()` itself is no read: what is taken from it is.
        known = found.loads | found.stores | found.dynamic
        assert known >= globals_by_symtable(table), node.name
        asked = {"__name__"}  # of ``f_globals``, which symtable takes for any attribute
        assert found.loads - asked <= globals_by_symtable(table) | found.stores, (
            node.name
        )
