"""What a call changes in place is changed again when it is served, for all who hold it."""

from __future__ import annotations

import sys
import types

import pytest

from nbdurable.errors import ResultGone
from tests.engine.notebooks import Notebook

TOOLS = """
import collections
import numpy as np
class Agent:
    def __init__(self): self.log, self.n = [], 0
    @tool
    def say(self, x):
        self.n += 1
        self.log.append(x)
        return world(f"say {x}")
    @tool
    def chain(self, x):
        self.log.append(x)
        world(f"chain {x}")
        return self
@tool
def add(to, x):
    to.append(x)
    return world(f"add {x}")
@tool
def note(x, seen=[]):
    seen.append(x)
    return world(f"note {x}")
@tool
def put(**into):
    into["d"]["x"] = len(into["d"])
    return world("put")
@tool
def fill(array):
    array[0] = 9
    return world("fill")
@tool
def same(given):
    given.append(1)
    world("same")
    return given
@tool
def fail(to, x):
    to.append(x)
    world("fail")
    raise ValueError(x)
"""


@pytest.fixture
def nb(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """A notebook whose classes are those of ``__main__``, as in a kernel."""
    return Kernel(monkeypatch)


class Kernel(Notebook):
    """Each restart is another ``__main__``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        super().__init__()

    def restart(self) -> None:
        """A fresh kernel in which the plain cell has run."""
        super().restart()
        main = types.ModuleType("__main__")
        vars(main).update(self.namespace)
        self.namespace = vars(main)
        self.monkeypatch.setitem(sys.modules, "__main__", main)
        self.plain(TOOLS)


CELLS = {
    "self": ("g = Agent(); h = g.log; r = [g.say(1), g.say(2), g.say(1)]", "g.n, h"),
    "self is returned": ("g = Agent(); r = g.chain(1).chain(2)", "r is g, g.log"),
    "a list": ("l = []; m = l; r = [add(l, 1), add(l, 2)]", "l, m is l"),
    "an array": ("a = np.zeros(2); b = a; r = fill(a)", "b.tolist()"),
    "a dict among keywords": ("d = {}; r = [put(d=d), put(d=d)]", "d"),
    "a deque": ("q = collections.deque(); r = [add(q, 1), add(q, 2)]", "q"),
    "a default": ("r = [note(1), note(2), note(1)]", "r"),
    "the result": ("l = []; r = [same(l) is l, same(l) is l]", "l, r"),
    "before it raised": (
        "l = []\nfor x in (1, 1):\n    try: fail(l, x)\n    except ValueError: pass",
        "l",
    ),
}


@pytest.mark.parametrize("case", CELLS)
def test_a_served_call_changes_what_it_changed(nb: Notebook, case: str) -> None:
    """The next call, keyed by the changed object, is served as well."""
    cell, shown = CELLS[case]
    nb.run(cell, "s", "c1")
    before = eval(shown, nb.namespace), list(nb.world.effects)
    nb.restart()
    nb.run(f"{cell}\nedited = 1", "s", "c1")
    assert (eval(shown, nb.namespace), nb.world.effects) == before


def test_what_can_not_be_changed_again_asks(nb: Notebook) -> None:
    """A write that changed what has no content to fill is not served silently."""
    nb.plain(
        "import array\n@tool\ndef grow(a):\n    a.append(1)\n    return world('grow')"
    )
    cell = "a = array.array('i'); r = grow(a)"
    nb.run(cell, "s", "c1")
    with pytest.raises(ResultGone, match=r"a \(array\) was changed in place"):
        nb.run(f"{cell}\nedited = 1", "s", "c1")
    assert nb.world.effects == ["grow"]


SIDE_BY_SIDE = """
import asyncio
both = []
@tool(effect={effect!r})
async def put(into, x):
    both.append(x)
    while len(both) < 2: await asyncio.sleep(0)
    into.append(x)
    return world(f"put {{x}}")
@tool(effect={effect!r})
async def look(at, x):
    both.append(x)
    while len(both) < 2: await asyncio.sleep(0)
    return world(f"look {{x}}")
"""
GATHER = (
    "l = []\nasync def main(): return await asyncio.gather({0}(l, 1), {0}(l, 2))\n"
    "r = asyncio.run(main())"
)


def side_by_side(nb: Notebook, effect: str, tool: str, more: str = "") -> None:
    """Run a cell in which two calls have one list at the same time."""
    nb.restart()
    nb.plain(SIDE_BY_SIDE.format(effect=effect))
    nb.run(GATHER.format(tool) + more, "s", "c1")


def test_calls_side_by_side_that_change_one_object_ask(nb: Notebook) -> None:
    """Nobody knows whose change is whose: a write isn't made again, and not replayed."""
    side_by_side(nb, "write", "put")
    with pytest.raises(ResultGone, match="calls side by side changed"):
        side_by_side(nb, "write", "put", "\nedited = 1")
    assert sorted(nb.world.effects) == ["put 1", "put 2"]


def test_reads_side_by_side_that_change_one_object_run_again(nb: Notebook) -> None:
    """A read is asked again, and the object is what both make of it."""
    side_by_side(nb, "read", "put")
    side_by_side(nb, "read", "put", "\nedited = 1")
    assert sorted(nb.namespace["l"]) == [1, 2]  # type: ignore[call-overload]
    assert len(nb.world.effects) == 4


def test_calls_side_by_side_that_change_nothing_are_served(nb: Notebook) -> None:
    """To be given one object is no reason to ask."""
    side_by_side(nb, "write", "look")
    side_by_side(nb, "write", "look", "\nedited = 1")
    assert sorted(nb.world.effects) == ["look 1", "look 2"]


def test_one_call_after_the_other_may_change_one_object(nb: Notebook) -> None:
    """What a call that was interrupted held is held no more."""
    nb.plain("@tool(effect='read')\ndef stop(to): raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        nb.run("l = []; stop(l)", "s", "c1")
    nb.run("l = []; r = add(l, 1)", "s", "c1")
    nb.restart()
    nb.run("l = []; r = add(l, 1); edited = 1", "s", "c1")
    assert nb.world.effects == ["add 1"]
