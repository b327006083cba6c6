"""A call that returns something of what it was given: served, it returns that very object."""

from __future__ import annotations

from typing import Final

import pytest

from nbdurable.engine.past.settle import Answer, questions
from nbdurable.errors import TwinHappened
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle

BACK: Final = {
    "itself": ("return rows", "back.append(3)"),
    "a part": ("return rows[0]", "back['done'] = True"),
    "the best one": ("return max(rows, key=len)", "back['done'] = True"),
    "in a list": ("return [0, rows]", "back[1].append(3)"),
    "in an object": ("return Box(rows)", "back.held.append(3)"),
    "twice": ("return [rows, rows]", "back[0].append(3)"),
    "in a dict of texts": ("return {'a': rows[0], 'b': 'text'}", "back['a']['c'] = 1"),
}


def made(nb: Notebook, body: str, effect: str = "read") -> None:
    """The tool and its class, as a plain cell has them."""
    nb.plain(
        "class Box:\n    def __init__(self, held): self.held = held\n"
        f"@tool(effect={effect!r})\n"
        f"def ask(rows):\n    world('ask')\n    {body}\n"
    )


@pytest.mark.parametrize(("body", "then"), BACK.values(), ids=BACK)
def test_it_is_that_very_object(body: str, then: str) -> None:
    """What is done to the result is done to what was given, served or not."""
    nb, seen = Notebook(), list[object]()
    cell = f"rows = [{{'n': 1}}, {{}}]\nback = ask(rows)\n{then}"
    for more in ("", "\nx = 1"):
        made(nb, body)
        nb.run(cell + more, "s", "c1")
        seen.append(nb.namespace["rows"])
        nb.restart()
    assert nb.world.effects == ["ask"]
    assert seen == [seen[0]] * 2
    assert seen[0] != [{"n": 1}, {}]


def test_for_other_data_it_is_what_was_recorded() -> None:
    """Nobody can compare what was given; a person says that it is the same call."""
    nb = Notebook()
    cell = "import threading\nrows = [threading.Lock(), {{'n': {}}}]\nback = ask(rows)"
    made(nb, "return rows[1]", "write")
    nb.run(cell.format(1), "s", "c1")
    with pytest.raises(TwinHappened):
        nb.run(cell.format(2), "s", "c1")
    (asked,) = questions(nb.session.history)
    settle(nb, asked.reference, Answer.KEEP)
    nb.run(cell.format(2), "s", "c1")
    assert nb.namespace["back"] == {"n": 1}
    assert nb.namespace["rows"][1] == {"n": 2}  # type: ignore[index]
    assert nb.world.effects == ["ask"]
