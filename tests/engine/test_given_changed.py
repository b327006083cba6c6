"""What a tool changes itself is left out, by whatever way it comes to it.

Each case is the body of a tool that changes a list of the notebook. Run again, the cell
is served all its calls; the last cases only look as if they changed it.
"""

from __future__ import annotations

from textwrap import indent
from typing import Final

import pytest

from tests.engine.notebooks import Notebook

AROUND: Final = """
import functools, threading
SEEN = []
def first(rows): second(rows)
def second(into): third(x=into)
def third(x): x.append(1)
def inside(rows):
    def put(into): into.append(1)
    put(rows)
def round_about(rows, n=3): round_about(rows, n - 1) if n else rows.append(1)
class Box:
    @staticmethod
    def put(rows): rows.append(1)
"""
CHANGES: Final = {
    "a function of a function": "first(SEEN)",
    "a function that calls itself": "round_about(SEEN)",
    "a function inside": "def put(into): into.append(1)\nput(SEEN)",
    "one by keyword": "def put(*, into): into.append(1)\nput(into=SEEN)",
    "a lambda inside": "put = lambda into: into.append(1)\nput(SEEN)",
    "one inside a function": "inside(SEEN)",
    "a static method": "Box.put(SEEN)",
    "a walrus": "(rows := SEEN).append(1)",
    "two at once": "rows, n = SEEN, 1\nrows.append(n)",
    "a choice": "rows = SEEN if x else []\nrows.append(1)",
    "the first of two": "(SEEN if x else []).append(1)",
    "a method with a name": "put = SEEN.append\nput(1)",
    "a method that is mapped": "[*map(SEEN.append, [1])]",
    "a method of a thread": "t = threading.Thread(target=SEEN.append, args=(1,))\nt.start(); t.join()",
    "a partial": "functools.partial(SEEN.append, 1)()",
}
LEAVES: Final = {
    "a copy": "n = SEEN.copy().pop()",
    "two at once, of others": "rows, n = [], SEEN[-1]\nrows.append(n)",
    "a function inside": "def put(into, n): into.append(n)\nput([], SEEN)",
    "a function of another name": "def second(into, n): into.append(n)\nsecond([], SEEN)",
    "an attribute of that name": "n = CONF.write",
}


def asking(body: str) -> str:
    """A tool of this body that says how much is in the list."""
    return f"@tool(effect='read')\ndef ask(x):\n{indent(body, '    ')}\n    return world(str(len(SEEN)))"


@pytest.mark.wide
@pytest.mark.parametrize("kind", CHANGES)
def test_what_a_tool_changes_is_left_out(kind: str) -> None:
    """Its calls are served when the cell runs again, with what they have changed by then."""
    nb = Notebook()
    nb.plain(AROUND)
    nb.plain(asking(CHANGES[kind]))
    for more in (1, 2):
        nb.run(f"r = [ask(1), ask(2), ask(1)]; more = {more}", "s", "c1")
    assert nb.world.effects == ["1", "2", "3"]


@pytest.mark.parametrize("kind", LEAVES)
def test_what_a_tool_only_reads_counts(kind: str) -> None:
    """After it was changed elsewhere the tool runs again."""
    nb = Notebook()
    nb.plain(f"{AROUND}\nfrom types import SimpleNamespace\nSEEN.append(1)")
    nb.plain("CONF = SimpleNamespace(write=SEEN)")
    nb.plain(asking(LEAVES[kind]))
    nb.run("r = ask(1)", "s", "c1")
    nb.plain("SEEN.append(2)")
    nb.run("r = ask(1); more = 1", "s", "c1")
    assert nb.world.effects == ["1", "2"]


MADE_NEW: Final = {
    "a row that is copied": "for row in ROWS:\n    row = dict(row)\n    row['m'] = 1",
    "one made of it": "for row in ROWS:\n    row = row | {'m': 1}\n    row['m'] += 1",
    "rows and one more": "def more(rows):\n    rows = rows + [x]\n    rows.append(1)\nmore(ROWS)",
    "or those by default": "rows = None\nrows = rows or ROWS\nrows = [*rows]\nrows.append(1)",
    "what is extended": "rows = ROWS[:]\nrows += [1]\nrows.append(2)",
}
IT_ITSELF: Final = {
    "a row": "for row in ROWS:\n    row['n'] += 1\n    row = dict(row)",
    "a copy if there is none": "for row in ROWS:\n    if x > 5: row = dict(row)\n    row['n'] += 1",
    "a copy, then itself": "row = {}\nrow['n'] = 1\nrow = ROWS[0]\nrow['n'] += 1",
}


@pytest.mark.parametrize("kind", MADE_NEW)
def test_what_is_made_of_it_is_another_object(kind: str) -> None:
    """A name that is bound to something new, before that is changed, changes no other one."""
    nb = Notebook()
    nb.plain("ROWS = [{'n': 1}]")
    nb.plain(asking(MADE_NEW[kind]).replace("len(SEEN)", "ROWS[0]['n']"))
    nb.run("r = ask(1)", "s", "c1")
    nb.plain("ROWS[0]['n'] = 2")
    nb.run("r = ask(1)", "s", "c1")
    assert nb.world.effects == ["1", "2"]


@pytest.mark.parametrize("kind", IT_ITSELF)
def test_what_may_be_the_object_itself_is_left_out(kind: str) -> None:
    """Where it is changed first, only perhaps copied, or bound to that name again."""
    nb = Notebook()
    nb.plain("ROWS = [{'n': 1}]")
    nb.plain(asking(IT_ITSELF[kind]).replace("len(SEEN)", "ROWS[0]['n']"))
    for more in (1, 2):
        nb.run(f"r = [ask(1), ask(2)]; more = {more}", "s", "c1")
    assert nb.world.effects == ["2", "3"]


OWN: Final = """
import json, collections
class Rates:
    def __init__(self): self.eur = 1
    def update(self, eur): self.eur = eur
    loads = append = update
class Told:
    def tell(self): out = {}; out.update(a=1)
RATES, COUNTS, ROWS = Rates(), collections.Counter(), []
"""
OTHERS: Final = {
    "what it makes": "out = {}\nout.update(a=1)",
    "what a method makes": "Told().tell()",
    "a function of a module": "json.loads('1')",
    "another variable": "ROWS.append(1)",
    "one of a library": "COUNTS.update('a')",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_method_of_something_else_changes_no_object(kind: str) -> None:
    """An object of your class counts, though one of its methods is called like that one."""
    nb = Notebook()
    nb.plain(OWN)
    nb.plain(asking(OTHERS[kind]).replace("len(SEEN)", "RATES.eur"))
    nb.run("r = ask(1)", "s", "c1")
    nb.run("r = ask(1); more = 1", "s", "c1")
    nb.plain("RATES.eur = 2")
    nb.run("r = ask(1); more = 2", "s", "c1")
    assert nb.world.effects == ["1", "2"]


@pytest.mark.parametrize(
    "change", ["RATES.update(x)", "rates = RATES\nrates.update(x)", "up(RATES)"]
)
def test_a_method_that_is_called_changes_its_object(change: str) -> None:
    """By whatever name it is called, the object is left out."""
    nb = Notebook()
    nb.plain(f"{OWN}\ndef up(rates): rates.update(7)")
    nb.plain(asking(change).replace("len(SEEN)", "RATES.eur"))
    for more in (1, 2):
        nb.run(f"r = [ask(1), ask(2)]; more = {more}", "s", "c1")
    assert len(nb.world.effects) == 2
