"""A cell of very many equal calls: each is held against few of those of before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from nbdurable.engine.past.settle import Answer
from nbdurable.errors import AlreadyHappened
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_many_edited import FEW, GROWTH_MAX, MANY, counted

TOOL: Final = "@tool(effect={effect!r})\ndef ask(x): {do}; return world(x)"
LOOP: Final = "r = [ask('a') for _ in range({calls})]"


def _edited(nb: Notebook, effect: str, loop: str) -> None:
    nb.plain(TOOL.format(effect=effect, do="1"))
    try:
        nb.run(f"{loop}; more = 1", "s", "c1")
    except AlreadyHappened:
        settle(nb, "s.1", Answer.KEEP)
        nb.run(f"{loop}; more = 1", "s", "c1")


def _moved(nb: Notebook, effect: str, loop: str) -> None:
    del effect
    nb.run("more = 1", "s", "c1")
    nb.run(loop, "t", "c2")


def _copied(nb: Notebook, effect: str, loop: str) -> None:
    del effect
    nb.run(loop, "t", "c2")


THEN: Final[dict[str, Callable[[Notebook, str, str], None]]] = {
    "edited": _edited,
    "moved": _moved,
    "copied": _copied,
}
MADE: Final = {("edited", "read"): 2, ("copied", "read"): 2, ("copied", "write"): 2}
"""How often as many calls are made; the others are served."""


def worked(then: str, effect: str, calls: int) -> int:
    """What is called while so many calls are matched."""
    nb = Notebook()
    nb.plain(TOOL.format(effect=effect, do="0"))
    loop = LOOP.format(calls=calls)
    nb.run(loop, "s", "c1")
    # The world's own list would be looked at for each call.
    effects, nb.world.effects = nb.world.effects, []
    work = counted(lambda: THEN[then](nb, effect, loop))
    made = MADE.get((then, effect), 1) * calls
    assert len(effects) + len(nb.world.effects) == made
    assert nb.namespace["r"] == [f"a#{n + 1}" for n in range(calls)]
    return work.total()


@pytest.mark.slow
@pytest.mark.parametrize("effect", ["read", "write"])
@pytest.mark.parametrize("then", THEN)
def test_equal_calls_are_not_held_against_each_of_before(
    then: str, effect: str
) -> None:
    """Once all were looked at, the first that is as good as any is the best one."""
    assert worked(then, effect, MANY) < GROWTH_MAX * worked(then, effect, FEW)


def test_what_came_before_tells_equal_calls_apart_after_an_edit() -> None:
    """Each is served what was made behind the same payment."""
    nb = Notebook()
    nb.plain("@tool\ndef pay(x): return world(f'pay {x}')")
    nb.plain(TOOL.format(effect="write", do="0"))
    cell = "r = []\nfor n in {}: pay(n); r.append(ask('a'))"
    nb.run(cell.format([1, 2, 3, 4]), "s", "c1")
    nb.plain(TOOL.format(effect="write", do="1"))
    turned = cell.format([3, 1, 4, 2])
    with pytest.raises(AlreadyHappened) as asked:
        nb.run(turned, "s", "c1")
    settle(nb, asked.value.reference, Answer.KEEP)
    nb.run(turned, "s", "c1")
    assert nb.namespace["r"] == ["a#3", "a#1", "a#4", "a#2"]
