"""A variable that a tool reads counts, whatever else in the tool has the same name.

Each case is a part of a function in which another variable is named like one of the
notebook, and is changed.
"""

from __future__ import annotations

from textwrap import indent
from typing import Final

import pytest

from nbdurable.errors import AlreadyHappened
from tests.engine.notebooks import Notebook

OTHERS: Final = {
    "a parameter": "def g(RATES): RATES.append(1)\ng([])",
    "of a lambda": "(lambda RATES: RATES.append(1))([])",
    "by keyword": "def g(*, RATES=None): RATES.append(1)\ng(RATES=[])",
    "all the others": "def g(*RATES, **more): RATES[0].append(1)\ng([])",
    "a local": "def g():\n    RATES = list()\n    RATES += [1]\ng()",
    "of an async function": "async def g(RATES): RATES.append(1)",
    "of a function around": "def g(RATES):\n    def h(): RATES.append(1)\n    h()\ng([])",
    "nonlocal": "def g():\n    RATES = []\n    def h():\n        nonlocal RATES\n        RATES += [1]\n    h()\ng()",
    "of a loop": "def g():\n    for RATES in [[]]: RATES.append(1)\ng()",
    "with": "import contextlib\ndef g():\n    with contextlib.nullcontext([]) as RATES: RATES.append(1)\ng()",
    "an exception": "def g():\n    try: raise ValueError\n    except ValueError as RATES: RATES.a = 1\ng()",
    "a walrus": "def g():\n    if RATES := [1]: RATES.append(1)\ng()",
    "a pattern": "def g(x):\n    match x:\n        case [RATES]: RATES.append(1)\ng([[]])",
    "of a comprehension": "[RATES.append(1) for RATES in [[]]]",
    "of one inside another": "[{RATES.append(1) for RATES in row} for row in [[[]]]]",
    "in its condition": "{1: 2 for RATES in [[]] if RATES.append(1)}",
    "of a generator": "list(RATES.append(1) for RATES in [[]])",
    "of a class": "class C:\n    RATES = []\n    RATES.append(1)",
    "of a method": "class C:\n    def m(self, RATES): RATES.append(1)\nC().m([])",
    "handed on": "import heapq\ndef g(RATES): heapq.heappush(RATES, 1)\ng([])",
    "under another name": "def g(RATES):\n    row = RATES\n    row.append(1)\ng([])",
    "of what has its name": "def g(row): row.append(1)\ndef h():\n    row = RATES\ng([])",
}
IN: Final = {
    "the tool": "@tool(effect={effect!r})\ndef ask(x):\n{other}\n    return world(f'ask {{RATES}}')",
    "a function": "def rate():\n{other}\n    return str(RATES)\n@tool(effect={effect!r})\ndef ask(x): return world(f'ask {{rate()}}')",
}


def asked(where: str, other: str, effect: str) -> Notebook:
    """A notebook whose tool has made a call."""
    nb = Notebook()
    nb.plain("RATES = [2]")
    nb.plain(IN[where].format(other=indent(other, "    "), effect=effect))
    nb.run("r = ask(1)", "s", "c1")
    nb.run("r = ask(1); more = 1", "s", "c1")
    assert len(nb.world.effects) == 1
    return nb


@pytest.mark.wide
@pytest.mark.parametrize("where", IN)
@pytest.mark.parametrize("other", OTHERS)
def test_what_has_the_same_name_is_another_variable(other: str, where: str) -> None:
    """The notebook's own counts: a read runs again, and a write asks."""
    nb = asked(where, OTHERS[other], "read")
    nb.plain("RATES[0] = 3")
    nb.run("r = ask(1)", "s", "c1")
    assert nb.world.effects == ["ask [2]", "ask [3]"]
    nb = asked(where, OTHERS[other], "write")
    nb.plain("RATES[0] = 3")
    with pytest.raises(AlreadyHappened, match="another RATES"):
        nb.run("r = ask(1)", "s", "c1")


@pytest.mark.wide
@pytest.mark.parametrize("where", IN)
@pytest.mark.parametrize("other", OTHERS)
def test_what_a_tool_changes_is_left_out_beside_it(other: str, where: str) -> None:
    """Where both are changed, the notebook's own is what the tool changes itself."""
    nb = asked(where, f"{OTHERS[other]}\nRATES.append(1)", "read")
    nb.plain("RATES[0] = 3")
    nb.run("r = ask(1)", "s", "c1")
    assert nb.world.effects == ["ask [2, 1]"]


@pytest.mark.parametrize("old", ["1", "[1]"])
@pytest.mark.parametrize(
    "body", ["[rate for rate in (1,)], rate", "(lambda: [rate := 1]), rate"]
)
def test_what_a_function_closed_over_counts_beside_it(body: str, old: str) -> None:
    """A factory made a function anew from other data: it is another one."""
    nb = Notebook()
    nb.plain(f"def made(rate):\n    def f(): return {body}\n    return f")
    nb.plain(
        f"f = made({old})\n@tool(effect='read')\ndef ask(x): return world(str(f()[1]))"
    )
    nb.run("r = ask(1)", "s", "c1")
    nb.plain(f"f = made({old.replace('1', '2')})")
    nb.run("r = ask(1)", "s", "c1")
    assert len(set(nb.world.effects)) == 2


def test_a_long_sum_is_no_deep_tree() -> None:
    """A sum of 900 terms is looked through as any other."""
    nb = Notebook()
    nb.plain("RATES = [1]")
    terms = " + ".join(["RATES[0]"] * 900)
    nb.plain(f"@tool(effect='read')\ndef ask(x): return world(str({terms}))")
    nb.run("r = ask(1)", "s", "c1")
    nb.plain("RATES[0] = 2")
    nb.run("r = ask(1)", "s", "c1")
    assert nb.world.effects == ["900", "1800"]
