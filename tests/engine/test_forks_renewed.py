"""What a parent's cell kept after edits of its tool is known to a fork as it was known there."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking.forking import fork
from nbdurable.engine.calls.pauses import OtherInDoubt
from nbdurable.engine.past.forks import HappenedInParent
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import AlreadyHappened, DurablePause
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_forks_edits import tool_of

PAYS = "r = [{name}(who, note='n') for who in ('ann', 'bob')]"


def kept() -> Notebook:
    """Two payments; then their tool got a parameter, and then another name."""
    nb = Notebook()
    nb.plain(tool_of())
    nb.run("a = 1", "t0")
    nb.run("r = [pay(who) for who in ('ann', 'bob')]", "bills")
    nb.run("b = 1", "t1")
    nb.plain(tool_of("pay", "who, note=''"))
    with pytest.raises(AlreadyHappened):
        nb.run(PAYS.format(name="pay"), "bills")
    settle(nb, "bills.1", Answer.KEEP)
    nb.run(PAYS.format(name="pay"), "bills")
    nb.plain(tool_of("charge", "who, note=''"))
    nb.run(PAYS.format(name="charge"), "bills")
    assert nb.world.effects == ["pay ann", "pay bob"]
    return nb


@pytest.mark.wide
@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize(
    ("at", "name", "slot"),
    [
        ("t0", "charge", "bills"),
        ("t0", "charge", "other"),
        ("t0", "bill", "bills"),
        ("t0", "bill", "other"),
        ("t1", "charge", "bills"),
    ],
)
def test_what_was_kept_under_another_name_asks(
    at: str, name: str, slot: str, kernel: str
) -> None:
    """Whether the payment or only what it was kept as lies behind the place."""
    nb = kept()
    fork(nb.session, at)
    if kernel == "next":
        nb.restart()
    nb.plain(tool_of(name, "who, note=''"))
    for _ in range(3):
        try:
            nb.run(PAYS.format(name=name), slot)
        except (HappenedInParent, AlreadyHappened) as told:
            settle(nb, told.reference, Answer.KEEP)
    assert nb.world.effects == ["pay ann", "pay bob"]
    assert nb.namespace["r"] == ["pay ann#1", "pay bob#1"]


def test_what_was_said_in_the_parent_to_have_happened_asks() -> None:
    """Also where it was said beside another call: what the parent did is asked about."""
    nb = Notebook()
    nb.plain(tool_of())
    nb.run("a = 1", "t0")
    nb.world.refused.add("bob")
    with pytest.raises(KeyboardInterrupt):
        nb.run("r = pay('bob')", "bills")
    nb.world.refused.clear()
    nb.plain(tool_of("pay", "who, note=''"))
    with pytest.raises(OtherInDoubt):
        nb.run("r = pay('bob', note='n')", "bills")
    settle(nb, "bills.1", Answer.HAPPENED, "in_1")
    nb.run("r = pay('bob', note='n')", "bills")
    fork(nb.session, "t0")
    with pytest.raises(DurablePause) as told:
        nb.run("r = pay('bob', note='n')", "bills")
    assert isinstance(told.value, HappenedInParent)
    settle(nb, told.value.reference, Answer.KEEP)
    nb.run("r = pay('bob', note='n')", "bills")
    assert nb.namespace["r"] == "in_1"
    assert nb.world.effects == ["pay bob"]
