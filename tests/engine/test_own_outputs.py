"""A cell that runs again because of what it has put somewhere itself."""

from __future__ import annotations

import pytest

from nbdurable.engine.calls.pauses import HappenedWithOtherData, MadeInEarlierTry
from nbdurable.engine.past.settle import Answer
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_fresh_arguments import Fresh

PAY = "@tool\ndef pay(x): return world(f'pay {x}')"
GIVEN = "work = [1, 2]; got = {}; seen = []; total = 0; queue = [1, 1]"


def notebook(more: str = "") -> Notebook:
    """A tool, and what cells put something into."""
    nb = Notebook()
    for cell in (PAY, GIVEN, more):
        nb.plain(cell)
    return nb


OUTPUTS = {
    "entries": "for w in work: got[w] = pay(w)",
    "a list": "for w in work: seen.append(pay(w))",
    "a counter": "for w in work:\n    total += 1\n    pay(w)",
    "shown": "for w in work: got[w] = pay(w)\nprint(len(got), f'{got}')\ngot",
    "counted": "for w in work: got[w] = pay(w)\nn = len(got)\nall = [*got]\nprint(n)",
    "in a function": "def each():\n    for w in work: got[w] = pay(w)\neach()",
}


@pytest.mark.parametrize("cell", OUTPUTS.values(), ids=OUTPUTS)
def test_what_a_cell_puts_somewhere_is_no_new_data(cell: str) -> None:
    """It runs again and again in one kernel, is served what it paid, and asks nothing."""
    nb = notebook()
    for _ in range(3):
        nb.run(cell, "s", "c1")
    nb.restart()
    for given in (PAY, GIVEN):
        nb.plain(given)
    nb.run(cell, "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 2"]


def test_what_is_added_to_the_work_is_paid() -> None:
    """And nothing else."""
    nb = notebook()
    nb.run(OUTPUTS["entries"], "s", "c1")
    nb.plain("work.append(3)")
    with pytest.raises(HappenedWithOtherData):
        nb.run(OUTPUTS["entries"], "s", "c1")
    settle(nb, "s.1", Answer.KEEP)
    nb.run(OUTPUTS["entries"], "s", "c1")
    assert nb.world.effects == ["pay 1", "pay 2", "pay 3"]


BOX = """class Box:
    def __init__(self): self.__dict__['work'] = [1, 1]
    def add(self, _): pay(self.work.pop(0))
    def __setitem__(self, _, value): self.add(value)
    def __setattr__(self, _, value): self.add(value)
    def __iadd__(self, value):
        self.add(value)
        return self
box = Box()"""
"""Its methods are called as those of containers, and do more."""

DRAWS = "def next_one({}): return pay(queue[len(got) // 9])\n"
"""Looks at what was put somewhere, which no name of the notebook's says."""

INPUTS = {
    "a queue": ("r = pay(queue.pop(0))", ""),
    "read again": ("got['n'] = pay(got.get('m', 1))\nqueue.pop()", ""),
    "through a name": ("both = seen\nboth.append(1)\nr = pay(1)", ""),
    "what it tells": ("if seen.append(1) is None: r = pay(1)", ""),
    "by another name": ("seen.append(1)\nn = len(seen)\nr = pay(min(n, 1))", ""),
    "by two names": ("seen.append(1)\nm = len(seen)\nn = m\nr = pay(min(n, 1))", ""),
    "in a text": ("seen.append(1)\nr = pay(eval('max(seen)'))", ""),
    "through a function": (
        "seen.append(pay(first()))",
        "def first(): return queue[len(seen)]",
    ),
    "through a default": ("seen.append(next_one())", DRAWS.format("got=seen")),
    "through a closure": (
        "seen.append(next_one())",
        f"def made(got):\n    {DRAWS.format('')}    return next_one\nnext_one = made(seen)",
    ),
    "its own method": ("box.add(1)", BOX),
    "its own item": ("box[1] = 2", BOX),
    "its own +=": ("box += 1", BOX),
    "its own attribute": ("box.last = 1", BOX),
}


@pytest.mark.parametrize(("cell", "more"), INPUTS.values(), ids=INPUTS)
def test_what_a_cell_uses_in_another_way_is_an_input(cell: str, more: str) -> None:
    """What it left there itself may be what it pays for next: it asks."""
    nb = notebook(more)
    nb.run(cell, "s", "c1")
    with pytest.raises(HappenedWithOtherData):
        nb.run(cell, "s", "c1")
    assert nb.world.effects == ["pay 1"]


def test_a_cell_that_stopped_behind_what_it_put_runs_again_as_it_was() -> None:
    """A payment with a fresh key, put into a dict before the cell stopped, asks."""
    cell = "for w in (1, 2): got[w] = pay(w, key=fresh())\nstop('end')"
    nb = Fresh()
    nb.namespace["got"] = {}
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(cell)
    with pytest.raises(MadeInEarlierTry):
        nb.again(cell)
    assert nb.paid == ["pay 1", "pay 2"]
