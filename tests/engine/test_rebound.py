"""What a cell changes before it gives the name another value: whoever holds it sees it."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking.restore import restore
from tests.engine.notebooks import Notebook

MADE = "queue = [1]\nheld = queue"

CHANGES = {
    "bound anew": (MADE, "queue.append(2)\nqueue = 5"),
    "deleted": (MADE, "queue.append(2)\ndel queue"),
    "held in a list": ("queue = [1]\nheld = [queue]", "queue.append(2)\nqueue = 5"),
    "a part of it": ("queue = [[1]]\nheld = queue[0]", "queue[0] += [2]\nqueue = 5"),
    "a default": (
        "queue = [1]\ndef held(got=queue): return got",
        "queue.append(2)\nqueue = 5",
    ),
    "an array": (
        "import numpy as np\nheld = np.arange(4)\nqueue = held[1:3]",
        "queue[0] = 7\nqueue = 5",
    ),
    "by a function": (
        f"{MADE}\ndef put(where, what): where.append(what)",
        "put(queue, 2)\nqueue = 5",
    ),
}

SHOWN = "repr(held() if callable(held) else held)"


def shown(nb: Notebook) -> object:
    """What holds the object."""
    return eval(SHOWN, nb.namespace)


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "durable"])
@pytest.mark.parametrize("case", CHANGES)
def test_whoever_holds_it_sees_it(case: str, *, plain: bool) -> None:
    """No value of the step says what it did, so only running it does it again."""
    made, cell = CHANGES[case]
    nb, seen = Notebook(), list[object]()
    for _ in range(3):
        nb.plain(made) if plain else nb.run(made, "first", "c1")
        told = nb.run(cell, "second", "c2")
        seen.append(shown(nb))
        nb.restart()
    assert "ran again because only running it changes held in place" in told
    assert seen == [seen[0]] * 3


@pytest.mark.parametrize("case", CHANGES)
def test_a_restore_brings_it_as_it_was_left(case: str) -> None:
    """It executes nothing, and so it is kept."""
    made, cell = CHANGES[case]
    nb = Notebook()
    nb.run(made, "first", "c1")
    nb.run(cell, "second", "c2")
    left = shown(nb)
    nb.restart()
    nb.session.attend(nb.facts, "%durable restore")
    restore(nb.session, nb.namespace, ())
    nb.session.deferred.load(nb.session, nb.namespace, ["held"])
    assert shown(nb) == left


@pytest.mark.parametrize(
    "cell",
    [
        "queue.append(2)\nkept = queue\nqueue = 5",
        "queue = [*queue, 2]",
        "other.append(2)\nother = 5",
        "other.append(queue)\nother = 5",
    ],
)
def test_what_nobody_has_to_see_replays(cell: str) -> None:
    """A value of the step has it, nothing was changed, or nobody holds it."""
    nb = Notebook()
    made = f"{MADE}\nother = [3]"
    nb.run(made, "first", "c1")
    nb.run(cell, "second", "c2")
    left = shown(nb)
    nb.restart()
    nb.run(made, "first", "c1")
    assert "nothing ran" in nb.run(cell, "second", "c2")
    assert shown(nb) == left
