"""Where money asks first, and how long the answer holds."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking import commands
from nbdurable.engine.calls.pauses import (
    HappenedWithOtherData,
    InsteadOrAlso,
    OtherInDoubt,
    TakenApart,
)
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.errors import (
    AlreadyHappened,
    CallInDoubt,
    HappenedBeforeRerun,
    HappenedElsewhere,
    NotDone,
)
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_policy_forms import model

TOOLS = """
@tool{options}
def pay(x, key=""):
    got = world(f"pay {{x}}")
    if fails: raise fails
    return got
@tool
def mail(x): return world(f"mail {{x}}")
"""
POP = "item = queue.pop(0)\nr = pay(item)"


def opened(nb: Notebook | None = None, options: str = "") -> Notebook:
    """A notebook with tools that cost money, in a fresh kernel."""
    nb = nb or Notebook()
    if nb.count:
        nb.restart()
    nb.namespace |= {"model": model, "fails": None, "NotDone": NotDone}
    nb.plain(TOOLS.format(options=options))
    return nb


def paid(nb: Notebook) -> list[str]:
    """What was paid, in order."""
    return [e for e in nb.world.effects if e.startswith("pay")]


def popped(nb: Notebook, *queue: str) -> None:
    """Run the cell that takes one item out of the queue."""
    nb.namespace["queue"] = [*queue]
    nb.run(POP, "s", "c1")


# ---- same cell, new data -------------------------------------------------------------


def test_new_items_of_a_queue_are_paid() -> None:
    """A cell that runs again and again pays what it was never asked to pay."""
    nb = opened()
    nb.namespace["queue"] = ["a", "b", "c"]
    for _ in range(3):
        nb.run(POP, "s", "c1")
    assert paid(nb) == ["pay a", "pay b", "pay c"]


def test_an_equal_item_asks() -> None:
    """The second «a» of a queue may be the first one, or another one."""
    nb = opened()
    popped(nb, "a", "b")
    with pytest.raises(
        HappenedWithOtherData, match=r"pay\('a'\) already happened in s"
    ):
        popped(nb, "a", "c")
    with pytest.raises(HappenedWithOtherData):
        popped(nb, "a", "c")
    assert paid(nb) == ["pay a"]


@pytest.mark.parametrize(
    ("said", "payments"),
    [(Answer.KEEP, 1), (Answer.AGAIN, 3)],
    ids=["keep", "each time"],
)
def test_an_answer_about_new_data_holds(said: Answer, payments: int) -> None:
    """It holds for the tool in the cell: the next equal items are not asked about."""
    nb = opened()
    popped(nb, "a", "b")
    with pytest.raises(HappenedWithOtherData):
        popped(nb, "a", "c")
    settle(nb, "s.1", said)
    popped(nb, "a", "c")
    assert nb.namespace["r"] == ("pay a#1" if said is Answer.KEEP else "pay a#2")
    popped(opened(nb), "a", "d")
    assert len(paid(nb)) == payments
    assert nb.namespace["r"] == f"pay a#{payments}"


def test_an_answer_about_new_data_is_forgotten_with_the_source() -> None:
    """An edited cell is asked about anew once it has completed."""
    nb = opened()
    popped(nb, "a", "b")
    with pytest.raises(HappenedWithOtherData):
        popped(nb, "a", "c")
    settle(nb, "s.1", Answer.AGAIN)
    popped(nb, "a", "c")
    nb.namespace["queue"] = ["a"]
    nb.run(f"{POP}\nedited = 1", "s", "c1")
    nb.namespace["queue"] = ["a", "e"]
    with pytest.raises(HappenedWithOtherData):
        nb.run(f"{POP}\nedited = 1", "s", "c1")
    assert len(paid(nb)) == 2


def test_a_kill_after_each_time_pays_nothing_twice() -> None:
    """An attempt that goes on is served what the one before it has paid."""
    nb = opened()
    popped(nb, "a", "b")
    with pytest.raises(HappenedWithOtherData):
        popped(nb, "a", "c")
    settle(nb, "s.1", Answer.AGAIN)
    nb.plain("def check(r): raise ZeroDivisionError")
    cell = f"{POP}\ncheck(r)"
    for _ in range(2):
        nb.namespace["queue"] = ["x", "d"]
        with pytest.raises(ZeroDivisionError):
            nb.run(cell, "t", "c2")
    assert len(paid(nb)) == 2
    popped(nb, "a", "c")
    assert nb.namespace["r"] == "pay a#2"


def test_an_input_without_a_digest_is_no_new_data() -> None:
    """It can't be compared, so a cell that runs again is served."""
    nb = opened()
    for _ in range(2):
        nb.namespace["given"] = (i for i in ())
        nb.run("given\nr = pay(1)", "s", "c1")
    assert paid(nb) == ["pay 1"]


def test_an_edited_function_is_no_new_data() -> None:
    """Code that the cell reaches is code: equal calls are served."""
    nb = opened()
    nb.plain("def who(): return 'ann'")
    nb.run("r = pay(who())", "s", "c1")
    nb.plain("def who(): return 'an' + 'n'")
    nb.run("r = pay(who())", "s", "c1")
    assert paid(nb) == ["pay ann"]


# ---- in doubt with other arguments ---------------------------------------------------

FRESH = "r = pay(1, key=fresh())"


def interrupted(options: str = "", *, restart: bool = True) -> Notebook:
    """A payment with a fresh key was killed in flight, and the kernel restarted."""
    nb = opened(options=options)
    keys = iter("abcdefg")
    nb.world.fresh = lambda: next(keys)  # type: ignore[attr-defined]
    nb.namespace |= {"fails": KeyboardInterrupt(), "fresh": nb.world.fresh}  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        nb.run(FRESH, "s", "c1")
    nb.namespace["fails"] = None
    return again(nb, options) if restart else nb


def again(nb: Notebook, options: str = "") -> Notebook:
    """The notebook in a fresh kernel; keys stay fresh."""
    opened(nb, options)
    nb.namespace["fresh"] = nb.world.fresh  # type: ignore[attr-defined]
    return nb


def test_a_write_with_a_fresh_uuid_killed_in_flight_asks() -> None:
    """Both calls are shown, and neither is made."""
    nb = interrupted()
    for key in "bc":
        with pytest.raises(OtherInDoubt) as asked:
            nb.run(FRESH, "s", "c1")
        assert f"pay(1, key='{key}') was not made" in str(asked.value)
        assert "pay(1, key='a') may have happened instead" in str(asked.value)
    assert paid(nb) == ["pay 1"]
    assert [q.reference for q in questions(nb.session.history)] == ["s.1"]


@pytest.mark.parametrize("stop", [ValueError(), KeyboardInterrupt()], ids=repr)
def test_a_write_with_a_fresh_uuid_whose_failure_was_caught_asks(
    stop: BaseException,
) -> None:
    """The cell caught it and ended with something else: it may have happened."""
    cell = (
        "import uuid\nr = None\ntry:\n    r = pay('a', str(uuid.uuid4()))\n"
        "except ConnectionError:\n    pass\nif r is None: raise stop"
    )
    nb = opened()
    nb.namespace |= {"fails": ConnectionError(), "stop": stop}
    with pytest.raises(type(stop)):
        nb.run(cell, "s", "c1")
    nb.namespace["fails"] = None
    for _ in range(2):
        with pytest.raises(OtherInDoubt):
            nb.run(cell, "s", "c1")
    settle(nb, "s.1", Answer.DID_NOT)
    nb.run(cell, "s", "c1")
    assert paid(nb) == ["pay a", "pay a"]


def test_a_write_whose_failure_the_cell_went_on_from_is_no_doubt() -> None:
    """An agent that saw the failure and completed another call may pay otherwise."""
    nb = opened()
    nb.namespace |= {"fails": ConnectionError("lost"), "stop": True}
    cell = (
        "try:\n    r = pay('a', key)\nexcept ConnectionError:\n    r = mail('lost')\n"
        "if stop: raise ValueError"
    )
    nb.namespace["key"] = "1"
    with pytest.raises(ValueError, match=r"^$"):
        nb.run(cell, "s", "c1")
    nb.namespace |= {"fails": None, "stop": False, "key": "2"}
    nb.run(cell, "s", "c1")
    assert paid(nb) == ["pay a", "pay a"]


@pytest.mark.parametrize(
    ("said", "value", "payments", "result"),
    [
        (Answer.HAPPENED, "in_1", 1, "in_1"),
        (Answer.DID_NOT, None, 2, "pay 1#2"),
        (Answer.AGAIN, None, 2, "pay 1#2"),
    ],
)
def test_the_other_one_is_settled(
    said: Answer, value: object, payments: int, result: str
) -> None:
    """It happened and is this one, it did not, or this is another call."""
    nb = interrupted()
    with pytest.raises(OtherInDoubt):
        nb.run(FRESH, "s", "c1")
    settle(nb, "s.1", said, value)
    nb.run(FRESH, "s", "c1")
    assert (len(paid(nb)), nb.namespace["r"]) == (payments, result)


def test_retry_lets_the_other_one_go() -> None:
    """`on_doubt="retry"`: the author says that another payment does no harm."""
    nb = interrupted('(on_doubt="retry")')
    nb.run(FRESH, "s", "c1")
    assert nb.namespace["r"] == "pay 1#2"
    assert questions(nb.session.history) == []


def test_fail_refuses() -> None:
    """`on_doubt="fail"`: nothing is made, and the line says why."""
    nb = interrupted('(on_doubt="fail")')
    with pytest.raises(OtherInDoubt, match='on_doubt="fail"'):
        nb.run(FRESH, "s", "c1")


def test_a_function_is_asked_about_the_other_one() -> None:
    """`on_doubt` gets the arguments that the other call had."""
    nb = Notebook()
    asked: list[tuple[object, ...]] = []
    keys = iter("abcdefg")

    def found(x: object, key: str = "") -> str:
        asked.append((x, key))
        raise NotDone

    nb.namespace["found"] = found
    opened_with(nb, found, keys)
    with pytest.raises(KeyboardInterrupt):
        nb.run(FRESH, "s", "c1")
    nb.restart()
    opened_with(nb, found, keys)
    nb.namespace["fails"] = None
    nb.run(FRESH, "s", "c1")
    assert asked == [(1, "a")]
    assert nb.namespace["r"] == "pay 1#2"


def opened_with(nb: Notebook, found: object, keys: object) -> None:
    """The tools, with a function that finds out."""
    nb.namespace |= {"found": found, "model": model, "fails": KeyboardInterrupt()}
    nb.namespace["fresh"] = lambda: next(keys)  # type: ignore[call-overload]
    nb.plain(TOOLS.format(options="(on_doubt=found)"))


def test_a_function_that_finds_it_at_the_same_place_asks() -> None:
    """It happened, and code that runs in order makes another one there: instead or also?"""
    nb, keys = Notebook(), iter("abcdefg")

    def found(x: object, key: str = "") -> str:
        return f"found {x} {key}"

    opened_with(nb, found, keys)
    with pytest.raises(KeyboardInterrupt):
        nb.run(FRESH, "s", "c1")
    for _ in range(2):
        nb.restart()
        opened_with(nb, found, keys)
        nb.namespace["fails"] = None
        with pytest.raises(InsteadOrAlso):
            nb.run(FRESH, "s", "c1")
    settle(nb, "s.1", Answer.KEEP)
    nb.run(FRESH, "s", "c1")
    assert nb.namespace["r"] == "found 1 a"
    assert paid(nb) == ["pay 1"]


# ---- instead or also -----------------------------------------------------------------

AGENT = "r = pay(model({!r}))"


def agent(nb: Notebook, prompt: str) -> None:
    """Run the agent's cell with this prompt in it."""
    nb.run(AGENT.format(prompt), "s", "c1")


def test_another_payment_after_a_new_model_answer_asks() -> None:
    """An edited prompt makes the agent pay somebody else: instead, or as well?"""
    nb = opened()
    agent(nb, "ann")
    with pytest.raises(InsteadOrAlso) as asked:
        agent(nb, "bob")
    assert "pay('bob') was not made: this cell has made pay('ann')" in str(asked.value)
    assert paid(nb) == ["pay ann"]


@pytest.mark.parametrize(
    ("said", "result"), [(Answer.KEEP, "pay ann#1"), (Answer.AGAIN, "pay bob#1")]
)
def test_instead_or_also(said: Answer, result: str) -> None:
    """Kept, the first one's result stands for it; else both are made."""
    nb = opened()
    agent(nb, "ann")
    with pytest.raises(InsteadOrAlso):
        agent(nb, "bob")
    settle(nb, "s.2", said)
    agent(nb, "bob")
    assert nb.namespace["r"] == result
    agent(opened(nb), "bob")
    assert nb.namespace["r"] == result


def test_an_agent_whose_prompt_is_edited_ten_times_pays_what_was_said() -> None:
    """Each edit that makes the agent pay another one asks once, and pays if told so."""
    nb = opened()
    agent(nb, "nobody")
    for number in range(10):
        with pytest.raises(InsteadOrAlso):
            agent(nb, f"name {number}")
        settle(nb, "s.2", Answer.AGAIN if number % 2 else Answer.KEEP)
        agent(nb, f"name {number}")
    assert paid(nb) == ["pay nobody", *(f"pay name {n}" for n in range(1, 10, 2))]


def test_a_tool_that_was_served_may_be_called_once_more() -> None:
    """What the agent did before, it did again: a further payment is just that."""
    nb = opened()
    agent(nb, "ann")
    nb.run(AGENT.format("ann") + "\nmodel('more'); pay('bob')", "s", "c1")
    assert paid(nb) == ["pay ann", "pay bob"]


def test_after_a_failed_attempt_it_asks_as_well() -> None:
    """The same source, but the model was asked something else after a failure."""
    nb = opened()
    nb.namespace["who"], nb.namespace["zero"] = "ann", 0
    cell = "r = pay(model(who))\n1 / zero"
    with pytest.raises(ZeroDivisionError):
        nb.run(cell, "s", "c1")
    nb.namespace["who"], nb.namespace["zero"] = "bob", 1
    with pytest.raises(InsteadOrAlso):
        nb.run(cell, "s", "c1")
    assert paid(nb) == ["pay ann"]


# ---- one cause, one question ---------------------------------------------------------


def test_a_moved_cell_with_many_writes_asks_once() -> None:
    """«The same call» holds for all calls of the tool that the cell makes."""
    for said, payments in ((Answer.KEEP, 3), (Answer.AGAIN, 6)):
        nb = opened()
        nb.run("r = [pay(i) for i in range(3)]", "", "c1")
        opened(nb)
        with pytest.raises(HappenedElsewhere):
            nb.run("moved = 1; r = [pay(i) for i in range(3)]", "two", "c2")
        settle(nb, "two.1", said)
        nb.run("moved = 1; r = [pay(i) for i in range(3)]", "two", "c2")
        assert len(paid(nb)) == payments
        assert questions(nb.session.history) == []


def test_an_edited_tool_is_done_again_once_it_is_said() -> None:
    """«Again» holds for all calls that the earlier version made in the cell."""
    nb = opened()
    nb.run("r = [pay(i) for i in range(3)]", "s", "c1")
    opened(nb)
    nb.plain(TOOLS.format(options="").replace("got =", "edited = 1; got ="))
    with pytest.raises(AlreadyHappened):
        nb.run("r = [pay(i) for i in range(3)]", "s", "c1")
    settle(nb, "s.1", Answer.AGAIN)
    nb.run("r = [pay(i) for i in range(3)]", "s", "c1")
    assert len(paid(nb)) == 6


NESTED = """
@tool
def book(x):
    world(f"book {x}")
    return pay(x)
"""


@pytest.mark.parametrize(
    ("said", "value", "effects"),
    [
        (Answer.DID_NOT, None, ["book 1", "pay 1", "book 1", "pay 1"]),
        (Answer.HAPPENED, "booked", ["book 1", "pay 1"]),
    ],
)
def test_a_write_inside_a_write_asks_once(
    said: Answer, value: object, effects: list[str]
) -> None:
    """What is said of the outer one holds for what was in doubt with it."""
    nb = opened()
    nb.plain(NESTED)
    nb.namespace["fails"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        nb.run("r = book(1)", "s", "c1")
    opened(nb)
    nb.plain(NESTED)
    with pytest.raises(CallInDoubt) as asked:
        nb.run("r = book(1)", "s", "c1")
    assert asked.value.reference.startswith("s.1@")
    settle(nb, "s.1", said, value)
    assert questions(nb.session.history) == []
    nb.run("r = book(1)", "s", "c1")
    assert nb.world.effects == effects


def test_what_had_happened_inside_is_served_when_the_outer_one_is_done_again() -> None:
    """A write that failed behind an inner payment does not pay twice."""
    nb = opened()
    nb.plain(
        NESTED.replace("return pay(x)", "got = pay(x)\n    1 / zero\n    return got")
    )
    nb.namespace["zero"] = 0
    with pytest.raises(ZeroDivisionError):
        nb.run("r = book(1)", "s", "c1")
    nb.namespace["zero"] = 1
    with pytest.raises(CallInDoubt):
        nb.run("r = book(1)", "s", "c1")
    settle(nb, "s.1", Answer.DID_NOT)
    nb.run("r = book(1)", "s", "c1")
    assert nb.world.effects == ["book 1", "pay 1", "book 1"]


@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 1), (Answer.AGAIN, 2)])
def test_an_inner_write_that_is_put_before_its_outer_one_asks(
    said: Answer, payments: int
) -> None:
    """The payment inside may be the one before: nothing is lost and nothing paid twice."""
    nb = opened()
    nb.plain(NESTED)
    nb.run("r = book(1)", "s", "c1")
    with pytest.raises(TakenApart):
        nb.run("pay(1); r = book(1)", "s", "c1")
    settle(nb, "s.2", said)
    nb.run("pay(1); r = book(1)", "s", "c1")
    assert len(paid(nb)) == payments


def test_a_rerun_ends_what_was_said() -> None:
    """Afresh is afresh: nothing is kept, and writes that happened are asked about."""
    nb = opened()
    popped(nb, "a", "b")
    with pytest.raises(HappenedWithOtherData):
        popped(nb, "a", "c")
    settle(nb, "s.1", Answer.AGAIN)
    popped(nb, "a", "c")
    step = nb.session.history.named("s")
    assert step is not None
    commands.rerun(nb.session, step)
    with pytest.raises(HappenedBeforeRerun):
        popped(nb, "a", "d")
