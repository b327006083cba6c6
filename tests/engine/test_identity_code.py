"""An edit runs again exactly what it must; code has one identity on every Python."""

from __future__ import annotations
import __future__

import ast
import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from nbdurable.engine.identity import keys
from nbdurable.engine.identity.codes import TOOL_ATTRIBUTE, is_shell_name
from nbdurable.engine.identity.inputs import read_inputs
from nbdurable.engine.identity.normal import normal_form
from tests.engine import identity_edits as edits
from tests.engine.identity_notebook import Notebook
from tests.engine.notebooks import Notebook as Steps
from tests.pythons import pythons

ROOT = Path(__file__).parents[2]
GOLDEN_KEYS = Path(__file__).with_name("identity_keys.json")
GOLDEN = Path(__file__).with_name("identity_normal.json")


def by_keys(all_edits: dict[str, edits.Edit]) -> list[str]:
    """The edits of which the keys say all."""
    return [name for name, edit in all_edits.items() if not edit.needs_kernel]


@pytest.mark.parametrize("edit", by_keys(edits.HIT))
def test_edits_that_do_not_count(edit: str, tmp_path: Path) -> None:
    """The cell keeps its key, and would be replayed."""
    before, after = edits.HIT[edit].keys(tmp_path)
    assert before == after


@pytest.mark.parametrize("edit", by_keys(edits.MISS))
def test_edits_that_count(edit: str, tmp_path: Path) -> None:
    """The cell gets another key, and would run."""
    before, after = edits.MISS[edit].keys(tmp_path)
    assert before != after


@pytest.mark.slow
def test_keys_are_equal_in_other_processes() -> None:
    """After a restart, with another hash seed, every key is what it was."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.identity_edits"],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {k: list(v) for k, v in edits.keys().items()}


# --- the code digest of a call

TOOL = '''
"""A module's docstring doesn't matter."""
PROMPT = "Summarise"
calls = 0
seen = []
client = object()

def helper(x):
    """Helps."""
    return PROMPT + x

def tool(query: str, limit=3):
    """Searches."""
    global calls
    calls += 1
    seen.append(query)
    return helper(query)[:limit], client
'''

SAME_CODE = {
    "nothing": ("", ""),
    "docstring": ("Searches.", "Searches the web."),
    "docstring of a helper": ("Helps.", ""),
    "comment": ("global calls", "global calls  # count"),
    "counter": ("calls = 0", "calls = 17"),
    "mutable global": ("seen = []", "seen = ['a']"),
    "another object": ("client = object()", "client = (object)()"),
}
OTHER_CODE = {
    "body": ("seen.append(query)", "seen.append(limit)"),
    "default": ("limit=3", "limit=4"),
    "helper": ("PROMPT + x", "x + PROMPT"),
    "constant": ('"Summarise"', '"Sum up"'),
    "annotation": ("query: str", "query: bytes"),
    "class of a global": ("client = object()", "client = {}"),
}


def call_code(old: str, new: str) -> bytes:
    """The code digest of the tool after an edit."""
    assert old in TOOL
    notebook = Notebook()
    notebook.run(TOOL.replace(old, new, 1))
    return notebook.code("tool")


@pytest.mark.parametrize("edit", SAME_CODE)
def test_a_tool_is_the_same_after(edit: str) -> None:
    """Docstrings, counters and values of mutable globals are no edit of a tool."""
    assert call_code(*SAME_CODE[edit]) == call_code("", "")


@pytest.mark.parametrize("edit", OTHER_CODE)
def test_a_tool_is_another_after(edit: str) -> None:
    """What its author changed is an edit of a tool, in helpers and constants too."""
    assert call_code(*OTHER_CODE[edit]) != call_code("", "")


def test_calling_a_tool_is_no_edit() -> None:
    """A tool that counts its calls keeps its code digest."""
    notebook = Notebook()
    notebook.run(TOOL)
    before = notebook.code("tool")
    notebook.run("tool('a'); tool('b')")
    assert notebook.code("tool") == before


def test_installed_tools_are_their_name() -> None:
    """An imported function has a code digest, and versions don't count."""
    one, two = Notebook("1.0"), Notebook("2.0")
    for notebook in (one, two):
        notebook.run("from json import dumps as tool")
    assert one.code("tool") == two.code("tool")


WRAPPED = """
import functools
def tool(**options):
    def decorate(f):
        @functools.wraps(f)
        def wrapper(*args): return f(*args)
        wrapper.{attribute} = options
        return wrapper
    return decorate
@tool(effect={effect!r})
def search(x): return x + {n}
"""


def wrapped(effect: str = "read", n: int = 1) -> Notebook:
    """A notebook with a tool."""
    notebook = Notebook()
    text = WRAPPED.format(attribute=TOOL_ATTRIBUTE, effect=effect, n=n)
    notebook.run(text)
    return notebook


def test_a_tool_counts_by_its_function_and_options() -> None:
    """For a step both count; for a call the options of the tool don't."""
    base, effect, body = wrapped(), wrapped(effect="pure"), wrapped(n=2)
    assert len({n.inputs("search(1)").key for n in (base, effect, body)}) == 3
    assert base.code("search") == effect.code("search") != body.code("search")


# --- finding sources


def test_lambdas_of_one_line_are_told_apart() -> None:
    """Two lambdas on a line are found by where their code stands."""
    notebook = Notebook()
    notebook.run("one, two, three = (lambda: 1), (lambda: 2), (lambda x: 1)")
    found = {
        notebook.inputs(f"{name}()").digests[name] for name in ("one", "two", "three")
    }
    assert len(found) == 3


def test_the_latest_class_of_a_name_counts() -> None:
    """A class without functions is found in the cell that ran last."""
    notebook = Notebook()
    cells = ["class A:\n    x = 1", "class A:\n    x = 1\n    y: int"]
    found = []
    for cell in (cells[0], cells[1], cells[0]):
        notebook.run(cell)
        found.append(notebook.inputs("A").key)
    assert found[0] == found[2] != found[1]


def test_functions_without_a_source_count_by_their_bytecode() -> None:
    """A function made by ``exec`` has a digest, and an edit of it counts."""
    found = []
    for body in ("return x + LIMIT", "return x - LIMIT", "return x + LIMIT"):
        notebook = Notebook()
        notebook.run(f"LIMIT = 1\nexec('def f(x): {body}')")
        found.append(notebook.inputs("f(1)").key)
    assert found[0] == found[2] != found[1]


def test_an_outdated_source_says_nothing() -> None:
    """A file that was edited after its import isn't taken for what runs."""
    notebook = Notebook()
    notebook.local_module("loose", "def f(x): return x + 1")
    notebook.run("import loose\nfrom loose import f")
    cells = ("f(1)", "loose.f(1)")
    before = [notebook.inputs(cell).key for cell in cells]
    notebook.files["/local/loose.py"] = "def f(x): return x + 2"
    edited = [notebook.inputs(cell).key for cell in cells]
    notebook.local_module("loose", "def f(x): return x + 2")
    notebook.run("import loose\nfrom loose import f")
    imported = [notebook.inputs(cell).key for cell in cells]
    assert len({*before, *edited, *imported}) == 6


DEFINING = """LIMIT = 3
def low(x):
    # a comment
    return x * LIMIT
class A:
    k = 1
    def m(self): return low(self.k)
f = lambda x: low(x) + 1
a = A()"""


@pytest.mark.parametrize("edit", ["", "# another\n"])
def test_steps_replay_on_code_that_was_put_back(edit: str) -> None:
    """Functions and classes of a replayed cell have the digest that they had."""
    cells = [DEFINING, "low(2)", "a.m()", "f(1)", "A().m()"]
    nb = Steps()
    for cell in cells:
        assert "ran" in nb.run(cell)
    nb.restart()
    nb.count = 100  # a new kernel compiles its cells under other file names
    nb.plain("pass")
    for cell in [edit + cells[0], *cells[1:]]:
        assert "replayed" in nb.run(cell)


def test_future_annotations_of_an_earlier_cell_are_known() -> None:
    """A function compiled with the flags of an earlier cell has its source all the same."""
    notebook = Notebook()
    text = "def f(x: Absent): return x"
    notebook.sources.add("<a>", text)
    flags = __future__.annotations.compiler_flag
    exec(
        compile(text, "<a>", "exec", flags, dont_inherit=True), notebook.names
    )  # a cell
    assert notebook.sources.function(notebook.names["f"].__code__) is not None


def test_variants_of_a_dispatching_function_count() -> None:
    """An implementation registered with `functools.singledispatch` is reached."""
    found = []
    for n in (1, 2):
        notebook = Notebook()
        notebook.run(
            "import functools\n@functools.singledispatch\ndef f(x): return x\n"
            f"@f.register\ndef _(x: int): return {n}"
        )
        found.append(notebook.inputs("f(1)").key)
    assert found[0] != found[1]


def test_objects_that_answer_everything_do_no_harm() -> None:
    """A class attribute with an endless ``__getattr__`` doesn't trap the walk."""
    notebook = Notebook()
    notebook.run(
        "class Proxy:\n    def __getattr__(self, name):\n"
        "        if name.startswith('__'): raise AttributeError(name)\n"
        "        return Proxy()\n    def __call__(self): return 1\n"
        "class A:\n    remote = Proxy()\n    def go(self): return self.remote()\na = A()"
    )
    assert notebook.inputs("a.go()").key


# --- inputs


def test_names_bound_by_the_cell_are_hidden_from_code_it_calls() -> None:
    """A cell that sets a global before calling has one key, run after run."""
    notebook = Notebook()
    notebook.run(
        "def low(x): return x * LIMIT\nclass A:\n    def m(self): return low(1)\na = A()"
    )
    for cell in (
        "LIMIT = 5\nlow(1)",
        "LIMIT = 5\na.m()",
        "def low(x): return x\na.m()",
    ):
        before = notebook.inputs(cell).key
        notebook.run(cell)
        assert notebook.inputs(cell).key == before, cell
        notebook.run("LIMIT = 6")
        assert notebook.inputs(cell).key == before, cell


def test_a_global_bound_after_the_call_still_counts() -> None:
    """Only what is bound before the code is reached is hidden from it."""
    notebook = Notebook()
    notebook.run("LIMIT = 1\ndef low(x): return x * LIMIT")
    before = notebook.inputs("low(1)\nLIMIT = 5").key
    notebook.run("LIMIT = 2")
    assert notebook.inputs("low(1)\nLIMIT = 5").key != before


def test_inputs_name_what_has_no_digest() -> None:
    """An input without a digest is named with type and path; the others have theirs."""
    notebook = Notebook()
    notebook.run(
        "import threading\nlock = threading.Lock()\nn = 1\nd = {'a': [lock]}\n"
        "def guarded():\n    with lock: return n"
    )
    found = notebook.inputs("guarded(), d, n")
    refused = {n: (r.type, r.path) for n, r in found.undigestible.items()}
    assert refused == {
        "d": ("_thread.lock", "['a'][0]"),
        "guarded": ("_thread.lock", " → lock"),
    }
    assert found.digests["d"] is found.digests["guarded"] is None
    assert found.digests["n"] is not None
    assert len(found.key) == keys.DIGEST_BYTES


def test_dynamic_cells_count_all_variables() -> None:
    """Any variable of the user may be read, through reached functions too."""
    notebook = Notebook()
    notebook.run("k = 'n'\nn = 1\ndef look(k): return eval(k)")
    for cell in ("globals()[k]", "look(k)"):
        found = notebook.inputs(cell)
        assert found.dynamic
        assert "n" in found.digests


def test_shell_names_and_builtins_are_no_inputs() -> None:
    """What IPython and Python bring counts only once the notebook has rebound it."""
    notebook = Notebook()
    notebook.run("In = Out = _ = _1 = _i12 = get_ipython = 1\n_tmp = 1")
    cell = "print(len(In), Out, _, _1, _i12, get_ipython, _tmp, absent)"
    assert set(notebook.inputs(cell).digests) == {"_tmp", "absent"}
    assert notebook.inputs(cell).digests["absent"] == keys.MISSING
    notebook.run("def len(x): return 0")
    assert "len" in notebook.inputs(cell).digests
    assert not is_shell_name("_value")


def test_frames_in_sql_are_inputs() -> None:
    """A table's name counts if a frame is bound to it, and only then."""
    notebook = Notebook()
    notebook.names["sales"] = pd.DataFrame({"n": [1]})
    notebook.names["text"] = "prose"
    notebook.names["con"] = None
    cell = "con.sql('SELECT n FROM sales'); con.ask('facts from text')"
    before = notebook.inputs(cell)
    assert set(before.digests) == {"con", "sales"}
    notebook.names["sales"] = pd.DataFrame({"n": [2]})
    assert notebook.inputs(cell).key != before.key


@pytest.mark.parametrize(
    "setup",
    [
        "query = 'SELECT n\\nFROM sales'",
        "QUERY = 'SELECT n FROM sales'\ndef query(): return QUERY",
        "def query(sql='SELECT n FROM sales'): return sql",
        "def query(): return 'SELECT n FROM sales'",
    ],
)
def test_frames_in_sql_of_inputs_are_inputs(setup: str) -> None:
    """The text of a query may be a value, or stand in a function."""
    notebook = Notebook()
    notebook.names["sales"] = pd.DataFrame({"n": [1]})
    notebook.names["con"] = None
    notebook.run(setup)
    cell = "con.sql(query)"
    before = notebook.inputs(cell)
    notebook.names["sales"] = pd.DataFrame({"n": [2]})
    assert notebook.inputs(cell).key != before.key


def test_parameters_in_a_decorator_are_no_globals() -> None:
    """A variable called like the parameter of a decorator's lambda changes nothing."""
    notebook = Notebook()
    notebook.run(
        "LIMIT = 1\ndef mark(k): return lambda f: f\n"
        "@mark(lambda r: [LIMIT for part in r])\ndef send(to): return to"
    )
    before = notebook.inputs("send(1)").key
    notebook.run("r, part = 5, 6")
    assert notebook.inputs("send(1)").key == before
    notebook.run("LIMIT = 2")
    assert notebook.inputs("send(1)").key != before


def test_data_on_a_function_counts() -> None:
    """What somebody put on a function may be read by it; for a call it is no edit."""
    notebook = Notebook()
    notebook.run("def ask(): return ask.retries\nask.retries = 3")
    before, code = notebook.inputs("ask()").key, notebook.code("ask")
    notebook.run("ask.retries = 4")
    assert notebook.inputs("ask()").key != before
    assert notebook.code("ask") == code


def test_changes_in_place_are_found() -> None:
    """Inputs that the cell has changed are named, the untouched ones aren't."""
    notebook = Notebook()
    notebook.run("xs, ys, n, d = [1], [2], 3, {'a': [1]}\ndef push(): xs.append(1)")
    found = notebook.inputs("push(); xs, ys, n, d")
    notebook.run("push(); d['a'][0] = 5")
    assert found.mutated(notebook.names).keys() == {"xs", "d"}
    assert found.mutated(notebook.names, skip={"xs"}).keys() == {"d"}


def test_code_that_binds_through_global_is_reported() -> None:
    """Names that reached functions may bind are outputs of the cell."""
    notebook = Notebook()
    notebook.run("def f():\n    global made\n    made = 1")
    assert notebook.inputs("f()").writes == {"made"}


def test_secrets_in_inputs_are_replaced() -> None:
    """A key in a variable is not part of its digest."""
    found = set()
    for key in ("sk-1", "sk-2"):
        notebook = Notebook()
        notebook.run(f"key = {key!r}")
        scrub = re.compile(re.escape(key)).sub
        redact = functools.partial(scrub, "‹secret›")
        made = read_inputs("key", notebook.names, notebook.sources, redact=redact)
        found.add(made.key)
    assert len(found) == 1


# --- the normal form

SNIPPETS = [
    "x = 1",
    "x = 0x1F + 0b11 + 1_000 + 1e3 + 1j + 10**400",
    "s = 'a' \"b\" r'\\n' u'c' '\\ud800' '\\U0001F600'",
    "b'a' b'\\xff'",
    "f'{a}b{c!r:>{w}.2f}' f'' 'x' f'{d=}' f'{e:}'",
    "f'{x!s}{{y}}' '' f'{z:%Y-%m}'",
    "def f(a, /, b: int = 1, *args, c=None, **kw) -> str:\n    '''Doc.'''\n    return a",
    "async def f():\n    async with a as b, c:\n        async for d in e:\n            await g",
    "[x async for x in y if z for w in x]",
    "lambda *a, b=1: (yield)",
    "class A(B, metaclass=M):\n    x: int\n    def m(self): ...",
    "match p:\n    case {'a': 1, **rest} if g: pass\n    case [A(x=1), *_] | None: pass\n    case -1 | 'a' | True: pass",
    "try:\n    a\nexcept* E as e:\n    b\nelse:\n    c\nfinally:\n    d",
    "try:\n    a\nexcept (E, F):\n    raise G from None",
    "with (a as b, c as d):\n    pass",
    "import a.b as c, d\nfrom . import e\nfrom ..f import (g as h)\nfrom i import *",
    "global a\nnonlocal_ = {**d, 'k': v}",
    "x[1:2, ..., ::3] = y[a:b:c]",
    "a, *b = c = d",
    "del a, b[0], c.d",
    "(y := f(x)) and not z or w if q else r",
    "a < b <= c is not d not in e",
    "x: 'int' = 1\ny: list[int]",
    "while True:\n    break\nelse:\n    continue_",
    "@d(1)\n@e\ndef f(): yield from g",
    "assert a, 'b'\nreturn_ = {a, b}, {}, [], ()",
    "x @= y ** -z // ~w",
    "print(*a, sep='', **k)",
    "'a' if b else \"c\"  # comment",
    "for i in range(10): pass\nelse: pass",
    "x = (\n    1 +\n    2\n)",
    "x = float('nan'), 1e999, -0.0, 1e-400",
    "await f()",
]


READ = """
import ast, hashlib, json, sys
from nbdurable.engine.identity.normal import normal_form
texts = json.load(sys.stdin)
forms = [normal_form(ast.parse(text)) for text in texts]
print(json.dumps([hashlib.sha256(form).hexdigest() for form in forms]))
"""


def forms_by(python: str, texts: list[str]) -> list[str]:
    """Digests of normal forms, made by another Python."""
    done = subprocess.run(
        [python, "-W", "ignore", "-c", READ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "kernel_ext")},
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("version", pythons(), ids="3.{0[1]}".format)
def test_normal_forms_are_golden(version: tuple[int, int]) -> None:
    """Every Python here makes the normal forms that are committed."""
    python = pythons()[version]
    golden = json.loads(GOLDEN.read_text())
    assert dict(zip(SNIPPETS, forms_by(python, SNIPPETS), strict=True)) == golden


@pytest.mark.slow
def test_normal_forms_of_the_standard_library_agree() -> None:
    """Every Python here gives 40 modules the same normal form.

    They are those of the oldest: it can't read what newer ones are written in.
    """
    oldest, *newer = pythons().values()
    where = "import sysconfig; print(sysconfig.get_path('stdlib'), end='')"
    stdlib = subprocess.run([oldest, "-c", where], capture_output=True, check=True)
    paths = sorted(Path(os.fsdecode(stdlib.stdout)).glob("[d-q]*.py"))[:40]
    texts = [path.read_text() for path in paths]
    forms = forms_by(oldest, texts)
    assert all(forms_by(python, texts) == forms for python in newer)


STAND_IN = """
import hashlib
class blake3:
    def __init__(self, data=b"", inner=None):
        self.inner = inner or hashlib.sha256(data)
        self.update, self.digest = self.inner.update, self.inner.digest
    def copy(self):
        return blake3(inner=self.inner.copy())
"""
"""A hash under another name: no other Python here needs packages of its own."""


@pytest.mark.slow
@pytest.mark.parametrize("version", pythons(), ids="3.{0[1]}".format)
def test_step_keys_are_golden(version: tuple[int, int], tmp_path: Path) -> None:
    """Every Python here makes the step keys that are committed, before and after edits.

    Where a key has to change: add a version to `keys.ALGORITHMS`, then write what this
    test made to the file.
    """
    python = pythons()[version]
    (tmp_path / "blake3.py").write_text(STAND_IN)
    places = [tmp_path, ROOT, ROOT / "kernel_ext", ROOT / "store"]
    done = subprocess.run(
        [python, "-W", "ignore", "-m", "tests.engine.identity_edits"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    made = {
        n: [key[:16] for key in both] for n, both in json.loads(done.stdout).items()
    }
    assert made == json.loads(GOLDEN_KEYS.read_text())


def test_normal_forms_differ() -> None:
    """No two snippets share a normal form."""
    assert len({normal_form(ast.parse(text)) for text in SNIPPETS}) == len(SNIPPETS)


def test_docstrings_and_decorators_can_be_left_out() -> None:
    """Without them, two functions that differ only there have one normal form."""
    one = ast.parse(
        "@tool(1)\ndef f():\n    '''One.'''\n    def g():\n        '''Two.'''"
    )
    two = ast.parse("def f():\n    def g():\n        ''")
    bare = [
        normal_form(tree.body[0], docstrings=False, decorators=False)
        for tree in (one, two)
    ]
    assert bare[0] == bare[1]
    assert normal_form(one.body[0]) != normal_form(two.body[0])


def test_normal_form_of_a_deep_tree() -> None:
    """A tree deeper than the stack has a normal form all the same."""
    tree: ast.expr = ast.Name("a", ast.Load())
    for _ in range(10_000):
        tree = ast.UnaryOp(ast.Not(), tree)
    assert normal_form(tree).count(b"Not") == 10_000
