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
