"""Edits of a notebook: those after which a cell replays, and those after which it runs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.engine.identity_notebook import key_of

SETUP = '''
import asyncio, enum, functools, re
import json as js
from collections import namedtuple
from dataclasses import dataclass, field

import fakelib
import loose
import pack
from loose import trim
from pack.inner import deep

PROMPT = "Summarise: "
LIMIT = 3
UNUSED = 0
PATTERN = re.compile("a+")
options = {"a": 1, "b": 2}
rows = [{"id": 1}, {"id": 2}]

def unused(x: int = 1):
    """Not used."""
    return x + UNUSED

def low(x):
    """Lowest."""
    return x * LIMIT

def middle(x, times=2, *, extra=0):
    for i in range(times):
        x = low(x) + extra
    return x

def top(x):
    # calls two levels down
    return middle(x) + 1

def even(n):
    return n == 0 or odd(n - 1)

def odd(n):
    return n != 0 and even(n - 1)

def logged(f):
    @functools.wraps(f)
    def wrapper(*args):
        return ("logged", f(*args))
    return wrapper

@logged
def noisy(x):
    return x

def quiet(x):
    return x

def adder(n):
    return lambda x: x + n

def counter(start):
    total = start
    def count(by):
        nonlocal total
        total += by
        return total
    return count

plus = adder(5)
count = counter(10)
pair = [lambda x: x + 1, lambda x: x + 2]
table = {"low": low, "quiet": quiet}

def collect(x, into=[]):
    return into + [x]

def numbers(n):
    for i in range(n):
        yield i + 1

async def later_(x):
    await asyncio.sleep(0)
    return x + 1

def greet(name):
    return f"Dear {name!r:>10}, welcome"

def swap(pair_):
    match pair_:
        case (a, b): return b, a
        case _: return None

class Base:
    factor = 2
    def scale(self, x):
        return x * self.factor

class Other:
    factor = 7

@dataclass
class Invoice(Base):
    """An invoice."""
    amount: int = 0
    tags: list = field(default_factory=lambda: ["new"])
    def total(self):
        return self.scale(self.amount) + low(1)
    @property
    def label(self):
        return "No " + str(self.amount)
    @staticmethod
    def tax(x):
        return x * 0.19
    @classmethod
    def free(cls):
        return cls(0)
    class Line:
        width = 80
    def __eq__(self, other):
        return self.amount == other.amount

class Caller:
    def __call__(self, x):
        return x * 3

class Color(enum.Enum):
    RED = 1
    BLUE = 2

Pair = namedtuple("Pair", "a b")
invoice = Invoice(3)
bills = [Invoice(1), Invoice(2)]
call = Caller()
half = functools.partial(middle, times=1)
cached = functools.lru_cache(low)
@functools.singledispatch
def show(x): return str(x)
@show.register
def _(x: int): return "int"
def shout(x: str) -> str:
    return trim(x).upper()
def ask(text):
    return js.dumps(PROMPT + text)
def find(text):
    return PATTERN.findall(text)
def use_library(x):
    return fakelib.double(x)
def import_inside(x):
    from pack.inner import deep
    return deep(x)
'''

MODULE = '''
"""A module beside the notebook."""
WIDTH = 5
def trim(text):
    return text[:WIDTH]
def other(text):
    return text
'''

FILES: Mapping[str, str] = {
    "loose.py": MODULE,
    "pack/__init__.py": "from .inner import deep\nRATE = 2\n",
    "pack/inner.py": "from . import leaf\ndef deep(x):\n    return leaf.leaf(x) * 2\n",
    "pack/leaf.py": "# the last\ndef leaf(x):\n    return x + 1\n",
    "data.csv": "a,b\n1,2\n",
}

PACKAGES = ("loose", "pack", "fakelib")
"""Modules that a story may change, so that each imports them anew."""


@dataclass(frozen=True)
class State:
    """A notebook and the files beside it.

    Attributes:
        setup: A plain cell that runs first.
        upstream: A durable cell that runs before the one that is looked at, or "".
        cell: The durable cell.
        line: The words after its mark.
        mark: ``%%durable`` or ``# durable:``.
        files: The files beside the notebook.
        version: The version of the installed package ``fakelib``.
    """

    setup: str = SETUP
    upstream: str = ""
    cell: str = "top(1)"
    line: str = ""
    mark: str = "%%durable"
    files: Mapping[str, str] = field(default_factory=lambda: FILES)
    version: str = "1.0"

    def edited(self, where: str, old: str, new: str) -> State:
        """The same with one text changed in one place."""
        text = self.files[where] if where in self.files else getattr(self, where)
        assert old in text, f"{old!r} is not in {where}"
        changed = text.replace(old, new, 1)
        if where in self.files:
            return replace(self, files={**self.files, where: changed})
        return replace(self, **{where: changed})


@dataclass(frozen=True)
class Edit:
    """A change of a notebook.

    Attributes:
        cell: The durable cell.
        old: What is replaced.
        new: By what.
        where: In which text: a field of `State` or the name of a file.
        upstream: A durable cell before it.
        version: The version of the package after the change.
        back: The change was made and undone: the notebook runs once more in between.
    """

    cell: str = "top(1)"
    old: str = ""
    new: str = ""
    where: str = "setup"
    upstream: str = ""
    version: str = "1.0"
    back: bool = False

    def before(self) -> list[State]:
        """What ran in the first kernel."""
        first = State(cell=self.cell, upstream=self.upstream)
        return [first, self._changed(first)] if self.back else [first]

    def after(self) -> State:
        """What runs in the second one."""
        first = State(cell=self.cell, upstream=self.upstream)
        return first if self.back else self._changed(first)

    def _changed(self, first: State) -> State:
        edited = first.edited(self.where, self.old, self.new)
        return replace(edited, version=self.version)

    @property
    def needs_kernel(self) -> bool:
        """Whether more than keys is compared."""
        return bool(
            self.upstream or self.back or self.where in {"line", "mark", "data.csv"}
        )

    def keys(self, folder: Path) -> tuple[str, str]:
        """The step key before and after."""
        before = key_of(self.before()[0], folder, PACKAGES)
        return before.hex(), key_of(self.after(), folder, PACKAGES).hex()


ON_CELL = Edit(cell="x = top( 1 )  # go\nprint(x)", where="cell")

HIT = {
    "nothing": Edit(),
    "comment": replace(ON_CELL, old="# go", new="# now"),
    "layout": replace(ON_CELL, old="top( 1 )", new="top(\n  1,\n)"),
    "blank lines": replace(ON_CELL, old="\nprint", new="\n\n\nprint"),
    "semicolon": replace(ON_CELL, old="  # go\nprint", new="; print"),
    "base of a number": replace(ON_CELL, old="1", new="0x1"),
    "underscores of a number": Edit(cell="low(1000)", old="1000", new="1_000", where="cell"),
    "exponent of a number": Edit(cell="low(1000.0)", old="1000.0", new="1e3", where="cell"),
    "quotes": Edit(cell="ask('hello')", old="'hello'", new='"hello"', where="cell"),
    "joined strings": Edit(cell="ask('hello')", old="'hello'", new='"hel" "lo"', where="cell"),
    "escapes": Edit(cell="ask('a')", old="'a'", new=r"'\x61'", where="cell"),
    "quotes of an f-string": Edit(cell="greet(f'{LIMIT}!')", old="f'{LIMIT}!'", new='f"{LIMIT}!"', where="cell"),
    "parentheses": replace(ON_CELL, old="top( 1 )", new="(top(1))"),
    "type comment": replace(ON_CELL, old="# go", new="# type: int"),
    "name of the step": Edit(where="line", old="", new="another"),
    "display option": Edit(where="line", old="", new="--no-files"),
    "comment as a mark": Edit(where="mark", old="%%durable", new="# durable:"),
    "comment in a function": Edit(old="# calls two levels down", new="# changed"),
    "function moved": Edit(old="\nUNUSED", new="\n\n\n\n\nUNUSED"),
    "order of imports": Edit(old="import loose\nimport pack\n", new="import pack\nimport loose\n"),
    "unused function": Edit(old="return x + UNUSED", new="return x - UNUSED"),
    "docstring of an unused function": Edit(old="Not used.", new="Not used at all."),
    "annotation of an unused function": Edit(old="x: int = 1", new="x: float = 1"),
    "unused variable": Edit(old="UNUSED = 0", new="UNUSED = 1"),
    "unused input": Edit(old='{"id": 1}', new='{"id": 9}'),
    "unused import": Edit(old="import asyncio,", new="import asyncio, string,"),
    "quotes in a function": Edit(cell="ask('a')", old='"Summarise: "', new="'Summarise: '"),
    "other lambda of a line": Edit(cell="pair[0](1)\n", old="UNUSED = 0", new="UNUSED = 2"),
    "class not used": Edit(old="factor = 2", new="factor = 3"),
    "another class": Edit(cell="invoice.total()", old="factor = 7", new="factor = 8"),
    "unused closure value": Edit(old="adder(5)", new="adder(6)"),
    "other function of a module": Edit(
        cell="trim('a')", old="def other(text):\n    return text", new="def other(text):\n    return 1", where="loose.py"
    ),
    "comment in a module": Edit(cell="loose.trim('a')", old="WIDTH = 5", new="WIDTH = 5  # characters", where="loose.py"),
    "comment in a package": Edit(cell="pack.deep(1)", old="# the last", new="# the very last", where="pack/leaf.py"),
    "comment in an imported module": Edit(cell="import loose\nloose.trim('a')", old="WIDTH = 5", new="WIDTH = 0x5", where="loose.py"),
    "equal input made otherwise": Edit(
        cell="len(rows)", old='[{"id": 1}, {"id": 2}]', new='[{"id": i} for i in (1, 2)]'
    ),
    "input changed back": Edit(cell="len(rows)", old='{"id": 1}', new='{"id": 9}', back=True),
    "code changed back": Edit(old="x * LIMIT", new="x - LIMIT", back=True),
    "file changed back": Edit(cell="len(open('data.csv').read())", old="1", new="9", where="data.csv", back=True),
    "early cut-off": Edit(cell="len(data)", upstream="data = [1, 2, 3]", where="upstream", old="2, 3]", new="2] + [3]"),
    "unused file": Edit(old="1", new="9", where="data.csv"),
    "package that isn't used": Edit(version="1.1"),
    "name assigned first": Edit(cell="LIMIT = 9\nlow(1)", old="LIMIT = 3", new="LIMIT = 4"),
    "missing name of the cell": Edit(
        cell="def helper(): return 1\nhelper()", old="UNUSED = 0", new="def helper(): return 2"
    ),
}  # fmt: skip

MISS = {
    "constant of the cell": replace(ON_CELL, old="1", new="2"),
    "argument": replace(ON_CELL, old="print(x)", new="print(x, 1)"),
    "name of a variable": Edit(cell="y = top(1)", old="y =", new="z =", where="cell"),
    "type of a constant": Edit(cell="low(1)", old="1", new="1.0", where="cell"),
    "constant two levels down": Edit(old="x * LIMIT", new="x * LIMIT * 2"),
    "global two levels down": Edit(old="LIMIT = 3", new="LIMIT = 4"),
    "default": Edit(old="times=2", new="times=3"),
    "keyword default": Edit(old="extra=0", new="extra=1"),
    "mutable default": Edit(cell="collect(1)", old="into=[]", new="into=[0]"),
    "docstring": Edit(old="Lowest.", new="The lowest."),
    "annotation": Edit(cell="shout('a')", old="x: str", new="x: object"),
    "local of a function": Edit(old="for i in", new="for j in"),
    "recursion": Edit(cell="even(4)", old="return n != 0", new="return n > 0"),
    "generator": Edit(cell="list(numbers(2))", old="yield i + 1", new="yield i + 2"),
    "coroutine": Edit(cell="await later_(1)", old="sleep(0)\n    return x + 1", new="sleep(0)\n    return x + 2"),
    "f-string": Edit(cell="greet('Ann')", old="welcome", new="goodbye"),
    "format of an f-string": Edit(cell="greet('Ann')", old="!r:>10", new="!r:>12"),
    "conversion of an f-string": Edit(cell="greet('Ann')", old="!r:>10", new="!s:>10"),
    "match": Edit(cell="swap((1, 2))", old="return b, a", new="return a, b"),
    "decorator's body": Edit(cell="noisy(1)", old='"logged"', new='"LOGGED"'),
    "decorator removed": Edit(cell="noisy(1)", old="@logged\n", new=""),
    "decorator added": Edit(cell="quiet(1)", old="def quiet", new="@logged\ndef quiet"),
    "decorated body": Edit(cell="noisy(1)", old="def noisy(x):\n    return x", new="def noisy(x):\n    return -x"),
    "closure value": Edit(cell="plus(1)", old="adder(5)", new="adder(6)"),
    "changing closure": Edit(cell="count(1)", old="total += by", new="total -= by"),
    "start of a closure": Edit(cell="count(1)", old="counter(10)", new="counter(11)"),
    "lambda": Edit(cell="pair[0](1)", old="x + 1, lambda", new="x + 3, lambda"),
    "function in a dict": Edit(cell="table['low'](1)", old="x * LIMIT", new="x - LIMIT"),
    "class attribute": Edit(cell="invoice.total()", old="factor = 2", new="factor = 3"),
    "method body": Edit(cell="invoice.total()", old="self.scale(self.amount)", new="self.amount"),
    "method of a base": Edit(cell="invoice.total()", old="x * self.factor", new="x + self.factor"),
    "base class": Edit(cell="invoice.total()", old="Invoice(Base)", new="Invoice(Other, Base)"),
    "function of a method": Edit(cell="invoice.total()", old="x * LIMIT", new="x - LIMIT"),
    "instances in a list": Edit(cell="[b.total() for b in bills]", old="x * LIMIT", new="x - LIMIT"),
    "attribute of an instance": Edit(cell="invoice.total()", old="Invoice(3)", new="Invoice(4)"),
    "property": Edit(cell="invoice.label", old='"No "', new='"Nr "'),
    "static method": Edit(cell="Invoice.tax(1)", old="0.19", new="0.16"),
    "class method": Edit(cell="Invoice.free()", old="cls(0)", new="cls(1)"),
    "nested class": Edit(cell="Invoice.Line.width", old="width = 80", new="width = 72"),
    "special method": Edit(cell="invoice == invoice", old="self.amount == other", new="self.amount is other"),
    "docstring of a class": Edit(cell="Invoice(1)", old="An invoice.", new="A bill."),
    "default of a field": Edit(cell="Invoice(1)", old="amount: int = 0", new="amount: int = 1"),
    "default factory": Edit(cell="Invoice(1)", old='["new"]', new='["old"]'),
    "called instance": Edit(cell="call(1)", old="x * 3", new="x * 4"),
    "enum member": Edit(cell="Color.RED", old="RED = 1", new="RED = 3"),
    "class decorator": Edit(cell="Invoice(1)", old="@dataclass\n", new="@dataclass(order=True)\n"),
    "made class": Edit(cell="Pair(1, 2)", old='"a b"', new='"a c"'),
    "partial": Edit(cell="half(1)", old="times=1)", new="times=2)"),
    "cached function": Edit(cell="cached(1)", old="x * LIMIT", new="x / LIMIT"),
    "variant of a function": Edit(cell="show(1)", old='"int"', new='"INT"'),
    "regular expression": Edit(cell="find('a')", old='"a+"', new='"a*"'),
    "input": Edit(cell="len(rows)", old='{"id": 1}', new='{"id": 9}'),
    "type of an input": Edit(cell="rows", old='{"id": 1}', new='{"id": 1.0}'),
    "order of a dict": Edit(cell="list(options)", old='"a": 1, "b": 2', new='"b": 2, "a": 1'),
    "missing name": Edit(cell="try:\n    later()\nexcept NameError:\n    pass", old="UNUSED = 0", new="def later(): return 1"),
    "import of another thing": Edit(cell="ask('a')", old="import json as js", new="import pickle as js"),
    "import alias": Edit(cell="try:\n    js.dumps(1)\nexcept NameError:\n    pass", old="import json as js", new="import json as j"),
    "global string": Edit(cell="ask('a')", old="Summarise: ", new="Sum up: "),
    "function of a module": Edit(cell="trim('a')", old="text[:WIDTH]", new="text[WIDTH:]", where="loose.py"),
    "global of a module": Edit(cell="shout('a')", old="WIDTH = 5", new="WIDTH = 6", where="loose.py"),
    "module as a whole": Edit(cell="loose.other('a')", old="def other(text):\n    return text", new="def other(text):\n    return 1", where="loose.py"),
    "module that the cell imports": Edit(cell="import loose\nloose.trim('a')", old="WIDTH = 5", new="WIDTH = 6", where="loose.py"),
    "module of a package": Edit(cell="pack.deep(1)", old="x + 1", new="x + 2", where="pack/leaf.py"),
    "package itself": Edit(cell="pack.deep(1)", old="RATE = 2", new="RATE = 3", where="pack/__init__.py"),
    "function of a package": Edit(cell="deep(1)", old="x + 1", new="x + 2", where="pack/leaf.py"),
    "package of an imported module": Edit(cell="from pack.inner import deep\ndeep(1)", old="RATE = 2", new="RATE = 3", where="pack/__init__.py"),
    "import in a function": Edit(cell="import_inside(1)", old="x + 1", new="x + 2", where="pack/leaf.py"),
    "package upgraded": Edit(cell="use_library(1)", version="1.1"),
    "package upgraded, module": Edit(cell="fakelib.double(1)", version="1.1"),
    "package upgraded, imported by the cell": Edit(cell="from fakelib import double\ndouble(1)", version="1.1"),
    "file": Edit(cell="len(open('data.csv').read())", old="1", new="9", where="data.csv"),
    "upstream value": Edit(cell="len(data)", upstream="data = [1, 2, 3]", where="upstream", old="2, 3]", new="2, 4]"),
    "statement order": Edit(cell="a = 1; b = 2", old="a = 1; b = 2", new="b = 2; a = 1", where="cell"),
    "computed name": Edit(cell="globals()['UNU' + 'SED']", old="UNUSED = 0", new="UNUSED = 1"),
    "constant name": Edit(cell="globals()['UNUSED']", old="UNUSED = 0", new="UNUSED = 1"),
}  # fmt: skip


def keys() -> dict[str, tuple[str, str]]:
    """Both keys of every edit of which the keys say all."""
    folder = Path(tempfile.mkdtemp())
    edits = {**HIT, **MISS}
    return {n: e.keys(folder) for n, e in edits.items() if not e.needs_kernel}


if __name__ == "__main__":
    print(json.dumps(keys()))  # the output is what the test reads
