"""Edits of a notebook: those after which a cell replays, and those after which it runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from tests.engine.identity_notebook import key_of

SETUP = '''
import functools
import json as js
from collections import namedtuple
from dataclasses import dataclass

import loose
from loose import trim

PROMPT = "Summarise: "
LIMIT = 3
UNUSED = 0
options = {"a": 1, "b": 2}
rows = [{"id": 1}, {"id": 2}]

def unused(x):
    return x + UNUSED

def low(x):
    """Lowest."""
    return x * LIMIT

def middle(x, times=2):
    for i in range(times):
        x = low(x)
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

def adder(n):
    return lambda x: x + n

plus = adder(5)
pair = [lambda x: x + 1, lambda x: x + 2]

class Base:
    factor = 2
    def scale(self, x):
        return x * self.factor

@dataclass
class Invoice(Base):
    amount: int = 0
    def total(self):
        return self.scale(self.amount) + low(1)

Pair = namedtuple("Pair", "a b")
invoice = Invoice(3)
half = functools.partial(middle, times=1)
cached = functools.lru_cache(low)
def shout(x: str) -> str:
    return trim(x).upper()
def ask(text):
    return js.dumps(PROMPT + text)
'''

MODULE = """
WIDTH = 5
def trim(text):
    return text[:WIDTH]
def other(text):
    return text
"""


@dataclass(frozen=True)
class Edit:
    """A change of the notebook.

    Attributes:
        cell: The durable cell.
        old: What is replaced.
        new: By what.
        where: In which text: ``setup``, ``cell`` or ``module``.
        version: The version of installed packages after the change.
    """

    cell: str = "top(1)"
    old: str = ""
    new: str = ""
    where: str = "setup"
    version: str = "1.0"

    def keys(self) -> tuple[str, str]:
        """The step key before and after."""
        texts = {"setup": SETUP, "cell": self.cell, "module": MODULE}
        assert self.old in texts[self.where], f"{self.old!r} is not in the {self.where}"
        edited = {**texts, self.where: texts[self.where].replace(self.old, self.new, 1)}
        before = key_of(texts["setup"], texts["cell"], module=texts["module"])
        after = key_of(
            edited["setup"],
            edited["cell"],
            module=edited["module"],
            version=self.version,
        )
        return before.hex(), after.hex()


ON_CELL = Edit(cell="x = top( 1 )  # go\nprint(x)", where="cell")

HIT = {
    "nothing": Edit(),
    "comment": replace(ON_CELL, old="# go", new="# now"),
    "layout": replace(ON_CELL, old="top( 1 )", new="top(\n  1,\n)"),
    "blank lines": replace(ON_CELL, old="\nprint", new="\n\n\nprint"),
    "base of a number": replace(ON_CELL, old="1", new="0x1"),
    "quotes": Edit(cell="ask('hello')", old="'hello'", new='"hello"', where="cell"),
    "parentheses": replace(ON_CELL, old="top( 1 )", new="(top(1))"),
    "comment in a function": Edit(old="# calls two levels down", new="# changed"),
    "function moved": Edit(old="\nUNUSED", new="\n\n\n\n\nUNUSED"),
    "unused function": Edit(old="return x + UNUSED", new="return x - UNUSED"),
    "unused variable": Edit(old="UNUSED = 0", new="UNUSED = 1"),
    "unused input": Edit(old='{"id": 1}', new='{"id": 9}'),
    "unused import": Edit(old="import functools", new="import functools, string"),
    "quotes in a function": Edit(cell="ask('a')", old='"Summarise: "', new="'Summarise: '"),
    "other lambda of a line": Edit(cell="pair[0](1)\n", old="UNUSED = 0", new="UNUSED = 2"),
    "class not used": Edit(old="factor = 2", new="factor = 3"),
    "unused closure value": Edit(old="adder(5)", new="adder(6)"),
    "other function of a module": Edit(
        cell="trim('a')", old="def other(text):\n    return text", new="def other(text):\n    return 1", where="module"
    ),
    "equal input made otherwise": Edit(
        cell="len(rows)", old='[{"id": 1}, {"id": 2}]', new='[{"id": i} for i in (1, 2)]'
    ),
    "name assigned first": Edit(cell="LIMIT = 9\nlow(1)", old="LIMIT = 3", new="LIMIT = 4"),
    "missing name of the cell": Edit(
        cell="def helper(): return 1\nhelper()", old="UNUSED = 0", new="def helper(): return 2"
    ),
}  # fmt: skip

MISS = {
    "constant of the cell": replace(ON_CELL, old="1", new="2"),
    "name of a local": replace(ON_CELL, old="print(x)", new="print(x, 1)"),
    "constant two levels down": Edit(old="x * LIMIT", new="x * LIMIT * 2"),
    "global two levels down": Edit(old="LIMIT = 3", new="LIMIT = 4"),
    "default": Edit(old="times=2", new="times=3"),
    "docstring": Edit(old="Lowest.", new="The lowest."),
    "annotation": Edit(cell="shout('a')", old="x: str", new="x: object"),
    "local of a function": Edit(old="for i in", new="for j in"),
    "recursion": Edit(cell="even(4)", old="return n != 0", new="return n > 0"),
    "decorator's body": Edit(cell="noisy(1)", old='"logged"', new='"LOGGED"'),
    "decorator removed": Edit(cell="noisy(1)", old="@logged\n", new=""),
    "decorated body": Edit(cell="noisy(1)", old="def noisy(x):\n    return x", new="def noisy(x):\n    return -x"),
    "closure value": Edit(cell="plus(1)", old="adder(5)", new="adder(6)"),
    "lambda": Edit(cell="pair[0](1)", old="x + 1, lambda", new="x + 3, lambda"),
    "class attribute": Edit(cell="invoice.total()", old="factor = 2", new="factor = 3"),
    "method body": Edit(cell="invoice.total()", old="self.scale(self.amount)", new="self.amount"),
    "method of a base": Edit(cell="invoice.total()", old="x * self.factor", new="x + self.factor"),
    "function of a method": Edit(cell="invoice.total()", old="x * LIMIT", new="x - LIMIT"),
    "attribute of an instance": Edit(cell="invoice.total()", old="Invoice(3)", new="Invoice(4)"),
    "class decorator": Edit(cell="Invoice(1)", old="@dataclass\n", new="@dataclass(order=True)\n"),
    "class": Edit(cell="Invoice(1)", old="amount: int = 0", new="amount: int = 1"),
    "made class": Edit(cell="Pair(1, 2)", old='"a b"', new='"a c"'),
    "partial": Edit(cell="half(1)", old="times=1)", new="times=2)"),
    "cached function": Edit(cell="cached(1)", old="x * LIMIT", new="x / LIMIT"),
    "input": Edit(cell="len(rows)", old='{"id": 1}', new='{"id": 9}'),
    "type of an input": Edit(cell="rows", old='{"id": 1}', new='{"id": 1.0}'),
    "order of a dict": Edit(cell="list(options)", old='"a": 1, "b": 2', new='"b": 2, "a": 1'),
    "missing name": Edit(cell="later()", old="UNUSED = 0", new="def later(): return 1"),
    "import of another thing": Edit(cell="ask('a')", old="import json as js", new="import pickle as js"),
    "global string": Edit(cell="ask('a')", old="Summarise: ", new="Sum up: "),
    "function of a module": Edit(cell="trim('a')", old="text[:WIDTH]", new="text[WIDTH:]", where="module"),
    "global of a module": Edit(cell="shout('a')", old="WIDTH = 5", new="WIDTH = 6", where="module"),
    "module as a whole": Edit(cell="loose.other('a')", old="def other(text):\n    return text", new="def other(text):\n    return 1", where="module"),
    "package upgraded": Edit(cell="ask('a')", version="1.1"),
    "statement order": Edit(cell="a = 1; b = 2", old="a = 1; b = 2", new="b = 2; a = 1", where="cell"),
    "computed name": Edit(cell="globals()['UNU' + 'SED']", old="UNUSED = 0", new="UNUSED = 1"),
    "constant name": Edit(cell="globals()['UNUSED']", old="UNUSED = 0", new="UNUSED = 1"),
}  # fmt: skip


def keys() -> dict[str, tuple[str, str]]:
    """Both keys of every edit."""
    return {name: edit.keys() for name, edit in {**HIT, **MISS}.items()}


if __name__ == "__main__":
    print(json.dumps(keys()))  # the output is what the test reads
