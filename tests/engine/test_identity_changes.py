"""What a cell changes in place is changed again on replay, for everybody who holds it."""

from __future__ import annotations

import pytest

from tests.engine.test_edits_changes import Kernel

PLAIN = """
import collections
import dataclasses
import numpy as np
import pandas as pd
from pydantic import BaseModel
class Agent:
    made = []
    count = 0
    def __init__(self): self.log, self.n = [], 0
    def say(self, x):
        self.n += 1
        self.log.append(x)
    def born(self): Agent.count += 1
class Model(BaseModel):
    n: int = 1
    tags: list = []
@dataclasses.dataclass
class Point:
    x: int = 0
class Mine(list): pass
def counter(start):
    def count():
        nonlocal start
        start += 1
        return start
    return count
def seen(x, so_far=[]):
    so_far.append(x)
    return len(so_far)
def push(): xs.append(len(xs))
def deep(): push()
def data(): return len(data.calls)
data.calls = []
xs, d, s, b = [1], {"a": [1]}, {1}, bytearray(b"x")
array, frame = np.zeros(3), pd.DataFrame({"a": [1, 2]})
agent, model, point, mine, count = Agent(), Model(), Point(), Mine([1]), counter(0)
tokens = collections.deque([1], maxlen=3)
holder = [xs, d, s, b, array, frame, agent, model, point, tokens]
held = [xs, mine]
"""

TELL = """
[repr(x) for x in holder[:6]], (agent.n, agent.log), repr(model), repr(point), list(mine), list(tokens)
"""

AGAIN = {
    "list": "xs.append(2)",
    "dict": "d['a'].append(2); d['b'] = 3",
    "set": "s.add(2)",
    "bytearray": "b.extend(b'y')",
    "array": "array[1:] += 2",
    "view": "part = array[1:]; part[0] = 7",
    "frame": "frame['b'] = frame['a'] * 2",
    "frame in place": "frame.loc[0, 'a'] = 9",
    "object": "agent.say('a')",
    "attribute": "agent.n = 5; agent.other = xs",
    "model": "model.n = 5; model.tags.append('a')",
    "dataclass": "point.x = 7",
    "deque": "tokens.extend([2, 3, 4])",
    "through a function": "push()",
    "two functions down": "deep()",
    "through an alias": "holder[0].append(5)",
    "in a loop": "for x in holder[:1]: x.append(6)",
    "augmented": "xs += [3]",
    "sort": "xs.extend([3, 0]); xs.sort()",
    "delete": "del xs[0], d['a']",
}

RUNS = {
    "subclass of list": ("mine.append(2)", "mine"),
    "beside one": ("held[0].append(5)", "held"),
    "closure": ("count()", "count"),
    "default": ("seen(1)", "seen"),
    "function's data": ("data.calls.append(1); data()", "data"),
    "class": ("Agent.made.append(1)", "Agent"),
    "class through a method": ("agent.born()", "Agent"),
}


@pytest.fixture
def nb(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """A notebook whose classes are those of ``__main__``, as in a kernel."""
    return Kernel(monkeypatch)


def lives(nb: Kernel, cell: str) -> tuple[object, object, str]:
    """What everybody sees after the cell ran, and after it was run in another kernel."""
    nb.plain(PLAIN)
    nb.run(cell, "s", "c1")
    first = nb.run(TELL, "t", "c2", fresh=True) and nb.result
    nb.restart()
    nb.plain(PLAIN)
    told = nb.run(cell, "s", "c1")
    second = nb.run(TELL, "t", "c2", fresh=True) and nb.result
    return first, second, told


@pytest.mark.wide
@pytest.mark.parametrize("case", AGAIN)
def test_a_replay_changes_in_place(nb: Kernel, case: str) -> None:
    """All holders of an input see on replay what they saw when the cell ran."""
    first, second, told = lives(nb, AGAIN[case])
    assert "replayed" in told
    assert first == second
    assert nb.namespace["holder"][0] is nb.namespace["xs"]


@pytest.mark.wide
@pytest.mark.parametrize("case", RUNS)
def test_what_no_replay_can_change_runs_again(nb: Kernel, case: str) -> None:
    """Where no value can be put back the step runs, and says what it changes."""
    cell, name = RUNS[case]
    first, second, told = lives(nb, cell)
    assert f"ran again because only running it changes {name} in place" in told
    assert first == second


def test_code_that_keeps_nothing_new_replays(nb: Kernel) -> None:
    """Reading what code keeps is no change; nor what a library's object does inside."""
    setup = PLAIN + (
        "import random\nclass Dice:\n    made = random.Random(1)\n"
        "    def roll(self): return self.made.random()"
    )
    nb.plain(setup)
    cell = (
        "n = Agent.count + len(data.calls); seen; count; k = counter(3); Dice().roll()"
    )
    nb.run(cell, "s", "c1")
    nb.restart()
    nb.plain(setup)
    assert "replayed" in nb.run(cell, "s", "c1")
