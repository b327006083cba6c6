"""The code of a tool is one value in an attempt, whoever meets it first.

A tool that others change the data of is called from several threads, and beside other
tools in any order: what its calls are recorded with doesn't depend on that.
"""

from __future__ import annotations

import pytest

from tests.engine.notebooks import Notebook

TOOLS = """
import threading
class Held:
    def __reduce__(self): MEANWHILE; return Held, ()
def made(held):
    @tool
    def note(x): SEEN.append(held); return world(f'note {x}')
    return note
SEEN = []
@tool
def pay(x): return world(f'pay {x}') + str(len(SEEN))[:0]
note = made(Held())
"""
"""What another tool holds is asked for its digest while `pay` is met."""


def test_a_tool_is_met_by_another_thread_meanwhile() -> None:
    """The second doesn't take what the first has found so far for all of it."""
    nb = Notebook()
    first = "threading.current_thread().name == 'first'"
    nb.plain(TOOLS.replace("MEANWHILE", f"{first} and world.wait()"))
    cell = (
        "one = threading.Thread(target=pay, args=('a',), name='first'); one.start()\n"
        "assert world.inside.wait(60)\n"
        "pay('b'); world.gate.set(); one.join()"
    )
    nb.run(cell, "s", "c1")
    nb.plain("SEEN.append(1)")
    nb.run(f"{cell}; more = 1", "s", "c1")
    assert sorted(nb.world.effects) == ["pay a", "pay b"]


def test_a_variable_is_bound_while_tools_are_looked_for() -> None:
    """As a thread of the cell may do at any time."""
    nb = Notebook()
    nb.plain(TOOLS.replace("MEANWHILE", "globals()[f'more{len(globals())}'] = 1"))
    nb.run("r = pay(1)", "s", "c1")
    assert nb.world.effects == ["pay 1"]


REGISTRY = """
LOG = []
def handle(x): LOG.append(x); return x
HANDLERS = {'a': handle}
@tool
def dispatch(name, x): return world(f'dispatch {HANDLERS[name](x)}')
@tool
def other(x): return world(f'other {HANDLERS} {x}')
@tool(effect='read')
def look(x): return world(f'look {len(HANDLERS)} {len(LOG)}')
@tool
def pay(x): return world(f'pay {x}') + str(len(LOG))[:0]
"""


@pytest.mark.parametrize(
    "before", ["", "dispatch('a', 1); ", "look(1); ", "other(1); "]
)
@pytest.mark.parametrize("after", ["dispatch('a', 2)", "look(1); other(2)"])
def test_tools_are_met_in_any_order(before: str, after: str) -> None:
    """Code in a registry changes the log, whichever tool that reads it comes first."""
    nb = Notebook()
    nb.plain(REGISTRY)
    nb.run("pay(7)", "s", "c1")
    nb.plain("LOG.append(0)")
    nb.run(f"{before}pay(7); {after}", "s", "c1")
    nb.plain("LOG.append(0)")
    nb.run(f"{after}; pay(7); {before}", "s", "c1")
    assert nb.world.effects.count("pay 7") == 1
