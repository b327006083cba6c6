"""How far «keep» holds: for calls that differ as those did that were shown."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking import commands
from nbdurable.engine.calls.pauses import MadeInEarlierTry, OtherInDoubt
from nbdurable.engine.past.edits import differing
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.errors import AlreadyHappened, HappenedBeforeRerun
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_edits_signatures import DOUBT, in_doubt, renamed
from tests.engine.test_money import opened
from tests.engine.test_which import interrupted

PAY = "@tool\ndef pay(who): return world(f'pay {who}')"
ADDED = "@tool\ndef pay(who, amount): return world(f'pay {who} {amount}')"
SEND = "@tool\ndef send(src, dst): return world(f'{src} to {dst}')"
OTHERS = "@tool\ndef send(frm, to): return world(f'{frm} to {to}')"


def asked(nb: Notebook, cell: str) -> AlreadyHappened:
    """Run a cell, which asks about a call that happened."""
    with pytest.raises(AlreadyHappened) as told:
        nb.run(cell, "s", "c1")
    assert questions(nb.session.history)
    return told.value


def kept(tool: str, cell: str) -> Notebook:
    """The body of a tool was edited after a cell, and what it had made is kept."""
    nb = Notebook()
    nb.plain(tool)
    nb.run(cell, "s", "c1")
    nb.plain(tool.replace("return", "1; return"))
    settle(nb, asked(nb, f"{cell}; y = 1").reference, Answer.KEEP)
    nb.run(f"{cell}; y = 1", "s", "c1")
    return nb


@pytest.mark.parametrize(("said", "made"), [(Answer.KEEP, 0), (Answer.AGAIN, 2)])
def test_a_parameter_that_is_given_asks_after_keep_of_the_body(
    said: Answer, made: int
) -> None:
    """Nobody was shown that; then one answer is enough for all calls of the cell."""
    nb = kept(PAY, "r = [pay(who) for who in ('ann', 'bob')]")
    nb.plain(ADDED)
    cell = "r = [pay(who, 500) for who in ('ann', 'bob')]"
    asked(nb, cell)
    settle(nb, asked(nb, cell).reference, said)
    assert not questions(nb.session.history)
    for edit in ("", "; z = 1"):
        nb.run(cell + edit, "s", "c1")
        tail = " 500" if made else ""
        assert nb.namespace["r"] == [f"pay {who}{tail}#1" for who in ("ann", "bob")]
    assert len(nb.world.effects) == 2 + made


@pytest.mark.parametrize(
    ("said", "result"), [(Answer.KEEP, "ann to bob#1"), (Answer.AGAIN, "bob to ann#1")]
)
def test_renamed_parameters_whose_values_were_swapped_ask(
    said: Answer, result: str
) -> None:
    """Each has a value that another one had: that is no renaming alone."""
    nb = kept(SEND, "r = send('ann', 'bob')")
    nb.plain(OTHERS)
    cell = "r = send('bob', 'ann')"
    settle(nb, asked(nb, cell).reference, said)
    nb.run(cell, "s", "c1")
    assert nb.namespace["r"] == result


def test_renamed_parameters_that_kept_their_values_are_served() -> None:
    """«Keep» holds for later versions of the tool."""
    nb = kept(SEND, "r = send('ann', 'bob')")
    nb.plain(OTHERS.replace("to)", "to, note='')"))
    nb.run("r = send('ann', 'bob')", "s", "c1")
    assert nb.namespace["r"] == "ann to bob#1"


def test_what_nobody_can_compare_differs() -> None:
    """A value without a digest may be any other one."""
    assert differing({"x": "?"}, {"x": "?"}) == {"x"}
    assert differing({"x": "?"}, {"y": "?"}) == {"x", "y"}


# ---- an earlier try ------------------------------------------------------------------

DRAWN = "import uuid\n@tool\ndef pay(who, currency, key): return world(f'pay {who}')"
LOOP = """r = {}
for n, who in enumerate(world.order):
    if world.stops and n == 2: raise OSError
    r[who] = pay(who, 'EUR', uuid.uuid4().hex)"""


def stopped() -> Notebook:
    """Two payments with fresh keys were made, and the third one is another person's."""
    nb = Notebook()
    nb.plain(DRAWN)
    nb.world.order, nb.world.stops = ("ann", "bob", "cid"), True  # type: ignore[attr-defined]
    with pytest.raises(OSError, match=r"^$"):
        nb.run(LOOP, "s", "c1")
    nb.world.order, nb.world.stops = ("ann", "cid", "bob"), False  # type: ignore[attr-defined]
    return nb


def answered(nb: Notebook, said: Answer) -> str:
    """Run the loop, which asks, and answer; gives what was asked."""
    with pytest.raises(MadeInEarlierTry) as told:
        nb.run(LOOP, "s", "c1")
    (question,) = questions(nb.session.history)
    settle(nb, question.asked, said)
    assert not questions(nb.session.history)
    return told.value.fact()


def test_keep_of_a_pair_serves_nobody_elses_payment() -> None:
    """Two calls with other keys are one; with another payee beside that it asks."""
    nb = stopped()
    assert "pay('ann'" in answered(nb, Answer.KEEP)
    told = answered(nb, Answer.AGAIN)
    assert "pay('cid'" in told
    assert "pay('bob'" in told
    nb.run(LOOP, "s", "c1")
    assert nb.namespace["r"] == {p: f"pay {p}#1" for p in ("ann", "bob", "cid")}
    assert nb.world.effects == ["pay ann", "pay bob", "pay cid"]


def test_another_one_holds_for_what_differs_in_more() -> None:
    """Who pays ann once more pays the others, too."""
    nb = stopped()
    answered(nb, Answer.AGAIN)
    nb.run(LOOP, "s", "c1")
    paid = ["pay ann", "pay bob", "pay ann", "pay cid", "pay bob"]
    assert nb.world.effects == paid


def test_a_call_that_took_the_place_of_another_one_can_be_kept() -> None:
    """It was shown, so it was meant."""
    nb = stopped()
    nb.world.order = ("ann", "cid")  # type: ignore[attr-defined]
    for _ in range(2):
        answered(nb, Answer.KEEP)
    nb.run(LOOP, "s", "c1")
    assert nb.namespace["r"] == {"ann": "pay ann#1", "cid": "pay bob#1"}


# ---- a rerun -------------------------------------------------------------------------


def rerun(cell: str) -> Notebook:
    """A cell has paid ann and bob with fresh keys; cid comes between them by now."""
    nb = Notebook()
    nb.plain(DRAWN)
    nb.plain("@tool\ndef mail(to): return world(f'mail {to}')")
    nb.world.order, nb.world.stops = ("ann", "bob"), False  # type: ignore[attr-defined]
    nb.run(cell, "s", "c1")
    step = nb.session.history.named("s")
    assert step is not None
    commands.rerun(nb.session, step)
    nb.world.order = ("ann", "cid", "bob")  # type: ignore[attr-defined]
    with pytest.raises(HappenedBeforeRerun) as told:
        nb.run(cell, "s", "c1")
    settle(nb, told.value.reference, Answer.KEEP)
    assert not questions(nb.session.history)
    return nb


def test_keep_in_a_rerun_serves_nobody_elses_payment() -> None:
    """It was shown of two payments to ann."""
    nb = rerun(LOOP)
    assert "pay('bob'" in answered(nb, Answer.AGAIN)
    nb.run(LOOP, "s", "c1")
    assert nb.namespace["r"] == {p: f"pay {p}#1" for p in ("ann", "bob", "cid")}


def test_keep_of_an_equal_call_in_a_rerun_asks_about_a_fresh_key() -> None:
    """Once: what was shown had the same arguments."""
    cell = f"mail('ann')\n{LOOP}"
    nb = rerun(cell)
    nb.world.order = ("ann", "bob")  # type: ignore[attr-defined]
    with pytest.raises(MadeInEarlierTry) as told:
        nb.run(cell, "s", "c1")
    settle(nb, told.value.reference, Answer.KEEP)
    nb.run(cell, "s", "c1")
    assert nb.world.effects == ["mail ann", "pay ann", "pay bob"]


# ---- a doubt that happened, beside another call --------------------------------------


@pytest.mark.parametrize(
    ("said", "result"), [(Answer.KEEP, "in_1"), (Answer.AGAIN, "pay 3#1")]
)
def test_what_a_doubt_was_said_to_be_asks_with_other_data(
    said: Answer, result: str
) -> None:
    """It was said of the call that the cell made then, which has completed."""
    nb = opened()
    interrupted(nb, "a = pay(1)")
    nb.namespace["x"] = 2
    cell = "a = pay(x)"
    with pytest.raises(OtherInDoubt) as doubt:
        nb.run(cell, "s", "c1")
    settle(nb, doubt.value.reference, Answer.HAPPENED, "in_1")
    for _ in range(2):
        nb.run(cell, "s", "c1")
        assert nb.namespace["a"] == "in_1"
    nb.namespace["x"] = 3
    for _ in range(2):
        with pytest.raises(MadeInEarlierTry) as told:
            nb.run(cell, "s", "c1")
    settle(nb, told.value.reference, said)
    nb.run(cell, "s", "c1")
    assert nb.namespace["a"] == result
    nb.namespace["x"] = 2
    if said is Answer.AGAIN:
        nb.run(cell, "s", "c1")
        assert nb.namespace["a"] == "in_1"


@pytest.mark.parametrize(
    ("said", "result"), [(Answer.KEEP, "in_1"), (Answer.AGAIN, "charge 1#1")]
)
def test_one_answer_is_enough_where_the_tool_is_another_one(
    said: Answer, result: str
) -> None:
    """It was given about a call that the journal knows by the old name."""
    nb = renamed(in_doubt())
    nb.plain(DOUBT.format(options="", name="charge").replace("pay {", "charge {"))
    nb.namespace["more"] = 1
    cell = "more\nr = charge(1)"
    with pytest.raises(OtherInDoubt) as doubt:
        nb.run(cell, "s", "c1")
    settle(nb, doubt.value.reference, Answer.HAPPENED, "in_1")
    nb.run(cell, "s", "c1")
    nb.namespace["more"] = 2
    with pytest.raises(MadeInEarlierTry) as told:
        nb.run(cell, "s", "c1")
    settle(nb, told.value.reference, said)
    nb.run(cell, "s", "c1")
    assert nb.namespace["r"] == result
