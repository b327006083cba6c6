"""Tools of one name, tools of any form: which record is whose, and how calls end."""

from __future__ import annotations

import pytest

from nbdurable.errors import ToolRefused
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import TOOLS, restarted


@pytest.fixture
def nb() -> Notebook:
    """A notebook with a tool of each effect."""
    notebook = Notebook()
    notebook.plain(TOOLS)
    return notebook


FACTORY = """
def make(site):
    @tool{}
    def fetch(x): return world(f"{{site}} {{x}}")
    return fetch
class Site:
    def __init__(self, name): self.name = name
    def __str__(self): return self.name
"""

SITES = [("'a'", "'b'"), ("['a']", "['b']"), ("Site('a')", "Site('b')")]


@pytest.mark.parametrize("sites", SITES)
@pytest.mark.parametrize("options", ["", "(effect='read')"])
def test_tools_of_one_factory_keep_their_own_results(
    nb: Notebook, sites: tuple[str, str], options: str
) -> None:
    """Two tools of one name differ by what they closed over: swapped, none is mixed up."""
    nb.plain(FACTORY.format(options))
    nb.plain(f"one = make({sites[0]}); two = make({sites[1]})")
    nb.run("a = one(1); b = two(1)", "s", "c1")
    results = nb.namespace["a"], nb.namespace["b"]
    nb.run("b = two(1); a = one(1)", "s", "c1")
    assert (nb.namespace["a"], nb.namespace["b"]) == results
    assert len(nb.world.effects) == 2


@pytest.mark.parametrize("sites", SITES)
def test_a_tool_that_closes_over_something_else_is_another_tool(
    nb: Notebook, sites: tuple[str, str]
) -> None:
    """The result of one site is never served for another."""
    nb.plain(FACTORY.format("(effect='read')"))
    nb.run(f"a = make({sites[0]})(1)", "s", "c1")
    nb.run(f"a = make({sites[1]})(1)", "s", "c1")
    assert len(nb.world.effects) == 2
    assert str(nb.namespace["a"]).strip("[']").startswith("b")


def test_a_counter_in_a_closure_is_no_edit(nb: Notebook) -> None:
    """What a tool changes itself does not make it another tool."""
    nb.plain(
        "def make():\n    n, seen = 0, []\n    @tool\n    def count(x):\n"
        "        nonlocal n\n        n += 1\n        seen.append(x)\n"
        "        return world(f'count {x}')\n    return count\ncount = make()"
    )
    nb.run("a = count(1); b = count(2)", "s", "c1")
    nb.run("a = count(1); b = count(2); c = 1", "s", "c1")
    assert nb.world.effects == ["count 1", "count 2"]


def test_two_lambdas_are_two_tools(nb: Notebook) -> None:
    """They have one name; swapped, each gets its own result."""
    nb.plain(
        "one = tool(effect='read')(lambda x: world(f'one {x}'))\n"
        "two = tool(effect='read')(lambda x: world(f'two {x}'))"
    )
    nb.run("a = one(1); b = two(1)", "s", "c1")
    nb.run("b = two(1); a = one(1)", "s", "c1")
    assert (nb.namespace["a"], nb.namespace["b"]) == ("one 1#1", "two 1#1")
    assert len(nb.world.effects) == 2


def test_a_stop_iteration_is_an_exception_like_others(nb: Notebook) -> None:
    """A tool that raises `StopIteration` raises just that, live and served."""
    nb.plain(
        "@tool(effect='read')\ndef take(x):\n    world('take')\n    raise StopIteration(x)"
    )
    cell = "try: take(7)\nexcept StopIteration as end: value = end.value"
    nb.run(cell, "s", "c1")
    nb.run(f"{cell}\nmore = 1", "s", "c1")
    assert (nb.namespace["value"], nb.world.effects) == (7, ["take"])


ASYNC = """
import asyncio
async def find(x): return f"found {x}"
@tool(on_doubt=find)
async def pay(x):
    world("pay")
    %s
"""


@pytest.mark.slow
def test_an_async_on_doubt_is_awaited(nb: Notebook) -> None:
    """What it returns is the result, not the coroutine."""
    nb.plain(ASYNC % "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        nb.run("r = asyncio.run(pay(1))", "s", "c1")
    restarted(nb, ASYNC % "return 'paid'")
    nb.run("r = asyncio.run(pay(1))", "s", "c1")
    assert (nb.namespace["r"], nb.world.effects) == ("found 1", ["pay"])


def test_a_sync_tool_can_not_await_its_on_doubt(nb: Notebook) -> None:
    """It is refused where it is written, not when a doubt is there."""
    with pytest.raises(ToolRefused, match="pay is not async, and its on_doubt= is"):
        nb.plain("async def find(x): ...\n@tool(on_doubt=find)\ndef pay(x): ...")


def test_names_with_an_underscore_come_back(nb: Notebook) -> None:
    """A variable is a variable; only the shell's own names are left out."""
    nb.run("_hits = read(1); a = _hits", "s", "c1")
    restarted(nb)
    assert "nothing ran" in nb.run("_hits = read(1); a = _hits", "s", "c1")
    assert nb.namespace["_hits"] == "read 1#1"


SCHEMAS = """
class Invoice:
    'An invoice.'
    amount = 3
def up(x):
    'In capitals.'
    return x.upper()
@tool
def extract(schema, text): return world(f"extract {text}")
@tool
def apply(to, x): return world(f"apply {to(x)}")
class Shop:
    @classmethod
    @tool
    def order(cls, x): return world(f"order {x}")
"""


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("amount = 3", "amount = 4", ["extract a"]),
        ("An invoice.", "A bill.", ["extract a"]),
        ("x.upper()", "x.lower()", ["apply a"]),
        ("In capitals.", "Capitals.", []),
        ("class Shop:", "class Shop:  # of Anna", []),
        ("", "", []),
    ],
)
def test_classes_and_functions_of_the_notebook_are_arguments(
    nb: Notebook, old: str, new: str, again: list[str]
) -> None:
    """A schema or a callback counts by its source; the class of a method by its name."""
    nb.plain(SCHEMAS)
    cell = "a = extract(Invoice, 'a'); b = apply(up, 'a'); c = Shop.order(1)"
    nb.run(cell, "s", "c1")
    before = list(nb.world.effects)
    restarted(nb, TOOLS, SCHEMAS.replace(old, new) if old else SCHEMAS)
    nb.run(f"{cell}\nmore = 1", "s", "c1")
    assert nb.world.effects[len(before) :] == again
