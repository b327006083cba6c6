"""What a function reads that a tool is given counts as what the tool reads itself.

Each case gives a tool something that calls `rate`, whose code is a part of the call's
key; the variable that it reads is not.
"""

from __future__ import annotations

from typing import Final

import pytest

from nbdurable.errors import AlreadyHappened
from tests.engine.notebooks import Notebook

AROUND: Final = """
import functools
RATES = [2]
def rate(x=1): return RATES[0]
class Told:
    def __init__(self): self.rate = rate()
"""
GIVEN: Final = {
    "a function": ("rate", "f()"),
    "a lambda": ("lambda: RATES[0]", "f()"),
    "what calls it": ("lambda: rate()", "f()"),
    "a class": ("Told", "f().rate"),
    "a partial": ("functools.partial(rate, 7)", "f()"),
    "in a list": ("[1, rate]", "f[1]()"),
    "in a dict": ("{'how': rate}", "f['how']()"),
}


def given(kind: str, effect: str) -> Notebook:
    """A notebook whose tool has made a call."""
    nb = Notebook()
    value, use = GIVEN[kind]
    nb.plain(f"{AROUND}\nF = {value}")
    nb.plain(f"@tool(effect={effect!r})\ndef ask(f): return world('ask ' + str({use}))")
    nb.run("r = ask(F)", "s", "c1")
    nb.run("r = ask(F); more = 1", "s", "c1")
    assert nb.world.effects == ["ask 2"]
    return nb


@pytest.mark.wide
@pytest.mark.parametrize("change", ["RATES[0] = 3", "RATES = [3]"])
@pytest.mark.parametrize("kind", GIVEN)
def test_a_read_runs_again(kind: str, change: str) -> None:
    """It is served while what the function reads is equal."""
    nb = given(kind, "read")
    nb.plain(change)
    nb.run("r = ask(F)", "s", "c1")
    assert nb.world.effects == ["ask 2", "ask 3"]


@pytest.mark.parametrize("kind", GIVEN)
def test_a_write_asks(kind: str) -> None:
    """It isn't made a second time unasked, and the question names the variable."""
    nb = given(kind, "write")
    nb.plain("RATES[0] = 3")
    with pytest.raises(AlreadyHappened, match="another RATES"):
        nb.run("r = ask(F)", "s", "c1")
    assert nb.world.effects == ["ask 2"]


@pytest.mark.parametrize("effect", ["read", "write"])
def test_what_the_function_changes_is_left_out(effect: str) -> None:
    """One that notes what it is told, and what `ignore=` names."""
    nb = Notebook()
    nb.plain("SEEN, RATES = [], [2]\ndef note(x): SEEN.append(x); return len(RATES)")
    nb.plain(
        f"@tool(effect={effect!r}, ignore='RATES')\ndef ask(x, f): return world(f'ask {{f(x)}}')"
    )
    for more in (1, 2):
        nb.run(f"r = [ask(n, note) for n in (1, 2, 1)]; more = {more}", "s", "c1")
        nb.plain("RATES.append(3)")
    assert nb.world.effects == ["ask 1"] * 3
