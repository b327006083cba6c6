"""A fork whose tools are edited behind the place: what the parent paid is asked about."""

from __future__ import annotations

import threading

import pytest

from nbdurable.engine.asking.forking import fork
from nbdurable.engine.calls.pauses import OtherInDoubt, StoodIn
from nbdurable.engine.past.forks import HappenedInParent
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import AlreadyHappened
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_forks import BILL, both

TOOL = """
@tool
def {name}({parameters}):
    done = world(f"pay {{who}}")
    if world.refused: raise KeyboardInterrupt
    return done
"""
PAYS = "r = [{name}(who{more}) for who in ('ann', 'bob')]"
EDITED = {
    "added": ("pay", "who, note=''", ""),
    "another key": ("pay", "who, key=''", ", key=uuid.uuid4().hex"),
    "renamed": ("charge", "who", ""),
    "both": ("charge", "who, note=''", ""),
}


def tool_of(name: str = "pay", parameters: str = "who") -> str:
    """The tool."""
    return TOOL.format(name=name, parameters=parameters)


def paid(*, stops: bool = False) -> Notebook:
    """A step, and two payments behind it; the second one is in doubt, or isn't."""
    nb = Notebook()
    nb.plain(tool_of())
    nb.run("a = 1", "t0")
    if stops:
        nb.run("q = pay('ann')", "first")
        nb.world.refused.add("bob")
        with pytest.raises(KeyboardInterrupt):
            nb.run("q = pay('bob')", "bills")
        nb.world.refused.clear()
    else:
        nb.run(PAYS.format(name="pay", more=""), "bills")
    return nb


@pytest.mark.wide
@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 2), (Answer.AGAIN, 4)])
@pytest.mark.parametrize("edit", ["added", "another key", "renamed"])
def test_a_write_of_the_parent_asks_after_an_edit_of_its_tool(
    edit: str, said: Answer, payments: int, kernel: str
) -> None:
    """Its parameters or its name, as its body; what was answered holds from then on."""
    nb = paid()
    fork(nb.session, "t0")
    name, parameters, more = EDITED[edit]
    if kernel == "next":
        nb.restart()
    nb.plain(f"import uuid\n{tool_of(name, parameters)}")
    cell = PAYS.format(name=name, more=more)
    run, asked = 0, []
    while run < 2:
        try:
            nb.run(cell, "bills")
        except (HappenedInParent, AlreadyHappened) as told:
            asked.append(type(told))
            settle(nb, told.reference, said)
        else:
            run += 1
    assert asked == [HappenedInParent]
    n = 1 if said is Answer.KEEP else 2
    assert nb.namespace["r"] == [f"pay ann#{n}", f"pay bob#{n}"]
    assert len(nb.world.effects) == payments


def test_what_was_recorded_is_shown_as_it_was() -> None:
    """Under its old name, where it was renamed."""
    nb = paid()
    fork(nb.session, "t0")
    nb.plain(tool_of("charge"))
    with pytest.raises(HappenedInParent) as told:
        nb.run("charge('bob')", "bills")
    assert told.value.fact() == (
        "charge('bob') already happened in run 1, with an earlier version of charge,"
        " as pay('bob')."
    )


def test_another_call_of_the_edited_tool_is_just_made() -> None:
    """Nothing of the parent agrees with it."""
    nb = paid()
    fork(nb.session, "t0")
    nb.plain(tool_of("pay", "who, note=''"))
    nb.run("r = pay('cyd')", "bills")
    assert nb.world.effects == ["pay ann", "pay bob", "pay cyd"]


def test_a_tool_of_another_cell_with_the_same_code_was_not_renamed() -> None:
    """A cell that never called the one tool calls the other one, beside it."""
    nb = paid()
    fork(nb.session, "t0")
    nb.plain(tool_of() + tool_of("charge"))
    nb.run("r = charge('ann')", "others")
    assert nb.world.effects == ["pay ann", "pay bob", "pay ann"]


@pytest.mark.wide
@pytest.mark.parametrize("kernel", ["same", "next"])
@pytest.mark.parametrize("edit", ["added", "renamed", "both"])
def test_a_doubt_of_the_parent_asks_after_an_edit_of_its_tool(
    edit: str, kernel: str
) -> None:
    """Also under another name, and with a parameter that has a default; once settled."""
    nb = paid(stops=True)
    fork(nb.session, "t0")
    name, parameters, _ = EDITED[edit]
    if kernel == "next":
        nb.restart()
    nb.plain(tool_of(name, parameters))
    cell = f"r = {name}('bob')"
    for _ in range(2):
        with pytest.raises(OtherInDoubt) as told:
            nb.run(cell, "bills")
    settle(nb, told.value.reference, Answer.HAPPENED, "in_1")
    for _ in range(2):
        nb.run(cell, "bills")
        assert nb.namespace["r"] == "in_1"
    assert nb.world.effects == ["pay ann", "pay bob"]


def test_what_is_paid_meanwhile_asks_after_an_edit_of_the_tool() -> None:
    """The parent goes on with the tool as it was, while a cell of the fork runs."""
    first, second = both()
    first.plain(tool_of("charge", "who") + tool_of("pay", "who, note=''"))
    first.namespace["meanwhile"] = lambda: second.run(BILL, "bill")
    with pytest.raises(HappenedInParent):
        first.run(f"a = pay('bob'); meanwhile(); {BILL}", "bill")
    assert first.world.effects == ["ask plan", "pay bob", "pay ann"]


def test_what_stands_for_another_call_is_not_made_unasked() -> None:
    """A settled doubt was served to a call with a fresh key; its own is made: which one?"""
    nb = paid(stops=True)
    fork(nb.session, "t0")
    nb.plain(f"import uuid\n{tool_of('pay', EDITED['another key'][1])}")
    cell = "r = [pay(who, key=uuid.uuid4().hex) for who in ('cyd', 'bob')]"
    with pytest.raises(OtherInDoubt) as told:
        nb.run(cell, "bills")
    settle(nb, told.value.reference, Answer.HAPPENED, "in_1")
    with pytest.raises(StoodIn):
        nb.run(cell, "bills")
    assert nb.world.effects == ["pay ann", "pay bob"]


def test_what_the_parent_is_paying_now_is_waited_for() -> None:
    """Another kernel is in the call: the fork asks when it has its result."""
    first, second = both()
    slow = "@tool\ndef pay(who): world.wait(); return world(f'pay {who}')"
    second.plain(slow)
    paying = threading.Thread(target=second.run, args=(BILL, "bill"))
    paying.start()
    assert first.world.inside.wait(60)
    first.plain(f"{slow.replace('who)', 'who, note=0)', 1)}")
    first.session.notify = lambda _: first.world.gate.set()
    try:
        with pytest.raises(HappenedInParent):
            first.run(BILL, "bill")
    finally:
        first.world.gate.set()
        paying.join(60)
    assert first.world.effects == ["ask plan", "pay ann"]
