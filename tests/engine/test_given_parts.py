"""A variable that a tool reads counts, also where the tool changes what it made of it."""

from __future__ import annotations

from typing import Final

import pytest

from tests.engine.notebooks import Notebook

OUTSIDE: Final = """
class Made: pass
SEEN = {}
def clean(RATES):
    RATES = list(RATES)
    RATES.append(0)
    return RATES
def wipe(RATES): RATES.clear()
"""

MAKES: Final = {
    "put into a dict of its own": "out = {}\nout['eur'] = RATES[0]\nreturn out['eur']",
    "put into an object": "out = Made()\nout.eur = RATES[0]\nreturn out.eur",
    "put into a memo": "SEEN[x] = RATES\nreturn RATES[0]",
    "added to": "eur = RATES[0]\neur += 1\nreturn eur",
    "added to in a loop": "for eur in RATES:\n    eur += 1\n    return eur",
    "copied": "out = RATES.copy()\nout.append(0)\nreturn out[0]",
    "listed": "out = list(RATES)\nout.append(0)\nreturn out[0]",
    "the last ones": "out = RATES[-2:]\nout.append(0)\nreturn out[0]",
    "copied in a helper": "return clean(RATES)[0]",
    "called like a parameter": "wipe([])\nreturn RATES[0]",
}

CHANGED: Final = {
    "itself": "RATES.append(0)\nreturn RATES[0]",
    "by another name": "out = RATES\nout += [0]\nreturn RATES[0]",
    "a part": "row = RATES[-1]\nrow.append(0)\nreturn RATES[0]",
    "before it is copied": "out = RATES\nout.append(0)\nout = list(out)\nreturn out[0]",
}


def asked(body: str, value: str, nb: Notebook) -> object:
    """What a cell is told by a tool that reads a variable."""
    lines = body.replace("\n", "\n    ")
    tool = f"@tool(effect='read')\ndef ask(x):\n    world('asked')\n    {lines}\n"
    nb.plain(f"import pandas\nRATES = {value}\n{OUTSIDE}\n{tool}")
    nb.run("told = ask(1)", "s", "c1")
    return nb.namespace["told"]


@pytest.mark.wide
@pytest.mark.parametrize("body", MAKES.values(), ids=MAKES)
def test_what_is_made_of_a_variable_is_no_change_of_it(body: str) -> None:
    """Bound anew in the next kernel, the variable is another one, and is asked for."""
    nb = Notebook()
    asked(body, "[1, 2]", nb)
    nb.restart()
    assert asked(body, "[8, 2]", nb) == asked(body, "[8, 2]", Notebook())


@pytest.mark.parametrize(
    "body",
    [
        "out = RATES[RATES.eur > 0]\nout['x'] = 1\nreturn int(out.eur.iloc[0])",
        "out = RATES.assign(y=2)\nout['x'] = 1\nreturn int(out.eur.iloc[0])",
    ],
)
def test_what_is_made_of_a_frame_is_another_frame(body: str) -> None:
    """A frame that is filtered and then added to leaves the one that it is made of."""
    nb = Notebook()
    frame = "pandas.DataFrame({{'eur': [{}]}})"
    assert asked(body, frame.format(1), nb) == 1
    nb.restart()
    assert asked(body, frame.format(8), nb) == 8


@pytest.mark.parametrize("made", ["RATES[RATES > 0]", "RATES.astype(int)", "RATES * 2"])
def test_what_is_made_of_an_array_is_another_array(made: str) -> None:
    """By a mask, of another type, or by arithmetic."""
    body = f"out = {made}\nout[1] = 0\nreturn int(out[0])"
    nb = Notebook()
    asked(body, "pandas.array([1, 2]).to_numpy(int)", nb)
    nb.restart()
    value = "pandas.array([8, 2]).to_numpy(int)"
    assert asked(body, value, nb) == asked(body, value, Notebook())


@pytest.mark.parametrize("body", CHANGED.values(), ids=CHANGED)
def test_what_a_tool_changes_itself_is_left_out(body: str) -> None:
    """Its own changes don't make it another tool, in a part or under another name."""
    nb = Notebook()
    asked(body, "[1, [2]]", nb)
    nb.run("told = ask(1)\nmore = 1", "s", "c1")
    assert nb.world.effects == ["asked"]


HANDED: Final = """
class Agent:
    def __init__(self, eur): self.eur, self.seen = eur, []
    def ask(self, x): return told(self)
def told(agent): return agent.eur
def noted(agent):
    agent.seen.append(1)
    return agent.eur
def handed(agent): return noted(agent)
"""


@pytest.mark.parametrize("by", ["told", "noted", "handed"])
def test_who_is_handed_to_a_function_counts(by: str) -> None:
    """Unless that changes it, or hands it on."""
    nb, seen = Notebook(), list[object]()
    tool = (
        "@tool(effect='read')\ndef ask(x):\n    world('asked')\n    return BOT.ask(x)"
    )
    for eur in (1, 1, 8):
        nb.plain(f"{HANDED.replace('told(self)', by + '(self)')}\n{tool}")
        nb.plain(f"BOT = Agent({eur})")
        nb.run(f"got = ask(1)\nrun = {len(seen)}", "s", "c1")
        seen.append(nb.namespace["got"])
        nb.restart()
    assert seen == [1, 1, 8 if by == "told" else 1]
