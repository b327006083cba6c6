"""A cell that runs again as it was, and draws the arguments of its payments afresh."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nbdurable.engine.asking import commands, which
from nbdurable.engine.calls.draws import uuid4
from nbdurable.engine.calls.pauses import MadeInEarlierTry, OtherInDoubt, StoodIn
from nbdurable.engine.past.history import CallPast
from nbdurable.engine.past.nothing import NothingToSettle
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.errors import (
    AlreadyHappened,
    CallInDoubt,
    DurablePause,
    HappenedBeforeRerun,
)
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle

TOOLS = """
@tool
def pay(x, key=""):
    got = world(f"pay {x}")
    stop(f"pay {x}")
    return f"{got} {key}"
@tool(effect="read")
def look(x): return world(f"look {x}")
@tool(effect="read")
def agent(q, session=""):
    got = pay(q, key=fresh())
    stop("agent")
    return got
"""

TWO = "a = pay(1, key=fresh())\nb = pay(2, key=fresh())\nstop('end')"
"""A cell that makes two payments with fresh keys, and may stop then."""


class Stops:
    """Raises at a place, once for each time it is told to."""

    def __init__(self) -> None:
        self.at: dict[str, BaseException] = {}

    def __reduce__(self) -> tuple[object, ...]:
        """What it is told to do is no input of a cell."""
        return Stops, ()

    def __call__(self, place: str) -> None:
        """Raise if this is the place."""
        if place in self.at:
            raise self.at.pop(place)


class Keys(Stops):
    """Gives a fresh key each time."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: Iterator[str] = iter("abcdefghijklmnopqrstuvwxyz")

    def __reduce__(self) -> tuple[object, ...]:
        """Which one comes next is no input of a cell."""
        return Keys, ()

    def fresh(self) -> str:
        """The next one."""
        return next(self.keys)


class Fresh(Notebook):
    """A notebook whose payments have fresh keys, and whose cells stop where they are told."""

    def __post_init__(self) -> None:
        self.stops = Keys()
        super().__post_init__()

    def restart(self) -> None:
        """A fresh kernel with the same tools."""
        super().restart()
        self.namespace |= {"stop": self.stops, "fresh": self.stops.fresh}
        self.plain(TOOLS)

    def stop(self, place: str, error: BaseException | None = None) -> None:
        """Stop there, once."""
        self.stops.at[place] = error or ZeroDivisionError()

    def again(self, cell: str, name: str = "s") -> None:
        """Run a cell in its slot."""
        self.run(cell, name, f"c-{name}")

    @property
    def paid(self) -> list[str]:
        """What was paid, in order."""
        return [e for e in self.world.effects if e.startswith("pay")]


def stopped(cell: str = TWO, place: str = "end") -> Fresh:
    """The cell has stopped at a place, behind payments."""
    nb = Fresh()
    nb.stop(place)
    with pytest.raises(ZeroDivisionError):
        nb.again(cell)
    return nb


def asks(
    nb: Fresh, cell: str = TWO, kind: type[DurablePause] = MadeInEarlierTry
) -> str:
    """Run the cell, which has to ask; gives the words."""
    with pytest.raises(kind) as asked:
        nb.again(cell)
    return str(asked.value)


def test_a_payment_of_the_attempt_that_stopped_asks() -> None:
    """It is shown with the new one, and none is made, however often the cell runs."""
    nb = stopped()
    for key in "cd":
        nb.restart()
        told = asks(nb)
        assert f"pay(1, key='{key}') was not made" in told
        assert "an earlier attempt of s made pay(1, key='a')" in told
    assert nb.paid == ["pay 1", "pay 2"]
    assert [q.reference for q in questions(nb.session.history)] == ["s.1"]


def test_one_answer_keeps_all() -> None:
    """«The same» holds for each payment of the cell, and the next ones are just made."""
    nb = stopped()
    asks(nb)
    settle(nb, "s.1", Answer.KEEP)
    for _ in range(2):
        nb.again(TWO)
        assert (nb.namespace["a"], nb.namespace["b"]) == ("pay 1#1 a", "pay 2#1 b")
        nb.restart()
    assert nb.paid == ["pay 1", "pay 2"]


def test_an_answer_that_does_not_fit_is_told_those_that_do() -> None:
    """It is known that the other one happened; what is told of an answer is true."""
    nb = stopped()
    asks(nb)
    with pytest.raises(NothingToSettle, match="beside another call") as misfit:
        settle(nb, "s.1", Answer.DID_NOT)
    (question,) = questions(nb.session.history)
    assert [r.command for r in misfit.value.remedies()] == [
        f"%durable resolve {question.asked} --keep",
        f"%durable resolve {question.asked} --again",
    ]
    run = commands.OpenRun(
        store=nb.store,
        history=nb.session.history,
        clock=nb.session.clock,
        secrets=nb.session.secrets,
    )
    told, _ = commands.resolve(run, question, Answer.AGAIN)
    assert str(told).endswith("another one is made when the cell runs again")


def test_another_one_is_made_as_well() -> None:
    """«Another one» holds for what had been made by then, and for nothing later."""
    nb = stopped()
    asks(nb)
    settle(nb, "s.1", Answer.AGAIN)
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(TWO)
    assert len(nb.paid) == 4
    assert "made pay(1, key='d')" in asks(nb)
    settle(nb, "s.1", Answer.KEEP)
    nb.again(TWO)
    assert (nb.namespace["a"], nb.namespace["b"]) == ("pay 1#2 d", "pay 2#2 e")
    assert len(nb.paid) == 4


@pytest.mark.parametrize("restart", [True, False])
def test_what_was_not_reached_is_just_made(restart: bool) -> None:
    """The second payment was never begun: it asks nothing once the first one is kept."""
    cell = TWO.replace("\n", "\nstop('between')\n", 1)
    nb = stopped(cell, "between")
    if restart:
        nb.restart()
    asks(nb, cell)
    settle(nb, "s.1", Answer.KEEP)
    nb.again(cell)
    assert nb.paid == ["pay 1", "pay 2"]


def test_the_one_in_doubt_is_asked_about_at_its_own_place() -> None:
    """The first one completed, the second may have happened: each question is true."""
    nb = Fresh()
    nb.stop("pay 2", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.again(TWO)
    nb.restart()
    asks(nb)
    settle(nb, "s.1", Answer.KEEP)
    told = asks(nb, kind=OtherInDoubt)
    assert "pay(2, key='e') was not made: pay(2, key='b') may have happened" in told
    settle(nb, "s.2", Answer.HAPPENED, "in_2")
    nb.again(TWO)
    assert (nb.namespace["a"], nb.namespace["b"]) == ("pay 1#1 a", "in_2")
    assert nb.paid == ["pay 1", "pay 2"]


def test_another_one_does_not_settle_the_one_in_doubt() -> None:
    """Who makes the first payment anew is still asked about the second one."""
    nb = Fresh()
    nb.stop("pay 2", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.again(TWO)
    asks(nb)
    settle(nb, "s.1", Answer.AGAIN)
    told = asks(nb, kind=OtherInDoubt)
    assert "pay(2, key='e') was not made: pay(2, key='b') may have happened" in told
    settle(nb, "s.2", Answer.DID_NOT)
    assert "made pay(1, key='d')" in asks(nb)
    settle(nb, "s.1", Answer.KEEP)
    nb.again(TWO)
    assert nb.paid == ["pay 1", "pay 2", "pay 1", "pay 2"]


def test_payments_in_another_order_keep_their_own_results() -> None:
    """A set is walked through in another order by the next kernel."""
    cell = "got = {x: pay(x, key=fresh()) for x in order()}\nstop('end')"
    nb = Fresh()
    orders = iter([[1, 2], [2, 1, 3], [2, 1, 3]])
    nb.namespace["order"] = order = Order(orders)
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(cell)
    nb.restart()
    nb.namespace["order"] = order
    assert "pay(2, key='c') was not made" in (told := asks(nb, cell))
    assert "made pay(2, key='b')" in told
    settle(nb, "s.1", Answer.KEEP)
    nb.again(cell)
    got = nb.namespace["got"]
    assert got == {1: "pay 1#1 a", 2: "pay 2#1 b", 3: "pay 3#1 f"}


class Order:
    """Gives the next order; which one that is, is no input of a cell."""

    def __init__(self, orders: Iterator[list[int]]) -> None:
        self.orders = orders

    def __reduce__(self) -> tuple[object, ...]:
        return Order, ((),)

    def __call__(self) -> list[int]:
        """The next one."""
        return next(self.orders)


def test_a_payment_without_an_equal_argument_is_another_one() -> None:
    """It is made, and «the same» is not taken for an answer about it."""
    cell = "got = [pay(x, key=fresh()) for x in order()]\nstop('end')"
    nb = Fresh()
    nb.namespace["order"] = Order(iter([[1, 2], [1, 7], [1, 7]]))
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(cell)
    asks(nb, cell)
    settle(nb, "s.1", Answer.KEEP)
    nb.again(cell)
    assert nb.namespace["got"] == ["pay 1#1 a", "pay 7#1 e"]


def test_a_default_is_no_equal_argument() -> None:
    """What nobody gave says nothing of whether they are one payment."""
    cell = "wire(order(), fresh())\nstop('end')"
    nb = Fresh()
    nb.plain("@tool\ndef wire(to, ref, currency='EUR'): return world(f'pay {to}')")
    nb.namespace["order"] = Order(iter([[1], [7]]))
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(cell)
    nb.again(cell)
    assert nb.paid == ["pay [1]", "pay [7]"]


def test_a_wrong_answer_is_found_out() -> None:
    """Kept for another call, the payment asks when its own call comes."""
    cell = "got = [pay(x) for x in order()]\nstop('end')"
    nb = Fresh()
    nb.namespace["order"] = Order(iter([[1, 2], [0, 1, 2], [0, 1, 2]]))
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(cell)
    asks(nb, cell)
    settle(nb, "s.1", Answer.KEEP)
    asks(nb, cell, StoodIn)
    assert nb.paid == ["pay 1", "pay 2"]


# ---- calls that are just other calls -------------------------------------------------


def test_an_edited_cell_pays_what_it_says() -> None:
    """Other source: it is another cell in this respect."""
    nb = stopped()
    nb.again("a = pay(3, key=fresh())")
    assert nb.paid == ["pay 1", "pay 2", "pay 3"]


def test_new_data_is_paid() -> None:
    """A loop over a list that was corrected, and a queue that goes on."""
    cell = "got = [pay(x) for x in items]\nstop('end')"
    nb = Fresh()
    nb.namespace["items"] = [1, 2]
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(cell)
    nb.namespace["items"] = [4, 3]
    nb.again(cell)
    assert nb.paid == ["pay 1", "pay 2", "pay 4", "pay 3"]


def test_a_completed_cell_asks_no_further() -> None:
    """What an attempt before the last completed one paid is done with."""
    nb = stopped()
    asks(nb)
    settle(nb, "s.1", Answer.KEEP)
    nb.again(TWO)
    nb.again("a = pay(8, key=fresh())")
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again("a = pay(9, key=fresh())\nstop('end')")
    assert nb.paid == ["pay 1", "pay 2", "pay 8", "pay 9"]


def test_equal_payments_are_served_unasked() -> None:
    """Only what is drawn afresh asks; a loop that goes on pays what was left."""
    cell = "got = []\nfor x in (1, 2, 3):\n    got.append(pay(x))\n    stop(str(x))"
    nb = stopped(cell, "2")
    nb.again(cell)
    assert nb.paid == ["pay 1", "pay 2", "pay 3"]


def test_a_drawn_id_is_the_same_call() -> None:
    """`nd.uuid4()` asks nothing."""
    cell = "a = pay(1, key=str(uuid4()))\nstop('end')"
    nb = Fresh()
    nb.namespace["uuid4"] = uuid4
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(cell)
    nb.again(cell)
    assert nb.paid == ["pay 1"]


def test_reads_are_made_anew() -> None:
    """What changes nothing is asked again without a word."""
    cell = "a = look(fresh())\nstop('end')"
    nb = stopped(cell)
    nb.again(cell)
    assert nb.world.effects == ["look a", "look b"]


def test_items_of_a_map_stand_for_themselves() -> None:
    """An item that was never begun asks nothing, whichever of them calls first."""
    cell = "from nbdurable import map as each\ngot = each(one, [1, 2, 3, 4], limit=4)"
    one = "def one(x):\n    stop(f'item {x}')\n    return pay(x)"
    nb = Fresh()
    for x in (1, 3):
        nb.stop(f"item {x}")
    nb.plain(one)
    with pytest.raises(Exception, match="2 of 4"):
        nb.again(cell)
    nb.again(cell)
    assert sorted(nb.paid) == ["pay 1", "pay 2", "pay 3", "pay 4"]


def test_tasks_side_by_side_ask_each_about_itself() -> None:
    """Tasks are told apart by the order of their creation."""
    cell = (
        "import asyncio\nasync def one(x): return pay(1, key=f'{x} {fresh()}')\n"
        "async def both(): return await asyncio.gather(one('x'), one('y'))\n"
        "got = asyncio.run(both())\nstop('end')"
    )
    nb = stopped(cell)
    assert "made pay(1, key='x a')" in asks(nb, cell)
    (question, *_) = questions(nb.session.history)
    settle(nb, question.reference, Answer.KEEP)
    nb.again(cell)
    assert nb.namespace["got"] == ["pay 1#1 x a", "pay 1#2 y b"]


def test_threads_of_a_pool_ask_nothing() -> None:
    """Nobody knows which of them stands for which: a payment that was left is made."""
    cell = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    got = list(pool.map(one, [1, 2, 3, 4]))\n"
    )
    nb = Fresh()
    nb.plain("def one(x):\n    stop(f'item {x}')\n    return pay(x)")
    nb.stop("item 4")
    with pytest.raises(ZeroDivisionError):
        nb.again(cell)
    nb.again(cell)
    assert sorted(nb.paid) == ["pay 1", "pay 2", "pay 3", "pay 4"]


def test_a_payment_inside_a_read_with_a_fresh_argument_asks() -> None:
    """The call around it is another one, too; its payment may be the same."""
    cell = "a = agent(1, session=fresh())\nstop('end')"
    nb = stopped(cell)
    told = asks(nb, cell)
    assert "an earlier attempt of s made pay(1, key='b')" in told
    (question,) = questions(nb.session.history)
    settle(nb, question.reference, Answer.KEEP)
    nb.again(cell)
    assert nb.paid == ["pay 1"]


# ---- rerun ---------------------------------------------------------------------------


def completed() -> Fresh:
    """The cell has completed."""
    nb = Fresh()
    nb.again(TWO)
    return nb


def rerun(nb: Fresh, reference: str = "s") -> str:
    """Ask for a rerun; gives what is told."""
    found = which.to_rerun(nb.session.history, reference)
    if isinstance(found, CallPast):
        return commands.rerun_call(nb.session, reference, found).line
    return commands.rerun(nb.session, found).line


@pytest.mark.parametrize(
    ("said", "payments", "result"),
    [(Answer.KEEP, 2, "pay 1#1 a"), (Answer.AGAIN, 4, "pay 1#2 d")],
)
def test_a_rerun_asks_as_it_says(said: Answer, payments: int, result: str) -> None:
    """One question for all of them, with the payment that happened."""
    nb = completed()
    assert "2 writes that already happened: you are asked first" in rerun(nb)
    told = asks(nb, kind=HappenedBeforeRerun)
    assert "pay(1, key='a') and 1 more already happened before this rerun of s" in told
    assert "the cell now calls pay(1, key='c')" in told
    settle(nb, "s.1", said)
    nb.again(TWO)
    assert (len(nb.paid), nb.namespace["a"]) == (payments, result)
    nb.restart()
    nb.again(TWO)
    assert (len(nb.paid), nb.namespace["a"]) == (payments, result)


def test_a_rerun_of_one_call_asks_as_it_says() -> None:
    """Done again, the other payments of the cell, drawn afresh too, ask as well."""
    nb = completed()
    assert "it already happened: you are asked first" in rerun(nb, "s.1")
    asks(nb, kind=HappenedBeforeRerun)
    settle(nb, "s.1", Answer.AGAIN)
    assert "made pay(2, key='b')" in asks(nb)
    settle(nb, "s.2", Answer.KEEP)
    nb.again(TWO)
    assert nb.paid == ["pay 1", "pay 2", "pay 1"]


def test_what_a_rerun_of_one_call_keeps_is_kept_with_the_others() -> None:
    """«Keep» leaves the cell as it was."""
    nb = completed()
    rerun(nb, "s.1")
    asks(nb, kind=HappenedBeforeRerun)
    settle(nb, "s.1", Answer.KEEP)
    nb.again(TWO)
    assert (nb.namespace["a"], nb.namespace["b"]) == ("pay 1#1 a", "pay 2#1 b")


DOUBTFUL = "a = pay(1)"


def in_doubt() -> Fresh:
    """A payment with equal arguments may have happened."""
    nb = Fresh()
    nb.stop("pay 1", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.again(DOUBTFUL)
    return nb


def test_what_is_in_doubt_is_so_after_a_rerun() -> None:
    """It is not said to have happened, and what is offered settles it."""
    nb = in_doubt()
    rerun(nb)
    told = asks(nb, DOUBTFUL, CallInDoubt)
    assert "may or may not have happened" in told
    settle(nb, "s.1", Answer.DID_NOT)
    nb.again(DOUBTFUL)
    assert nb.paid == ["pay 1", "pay 1"]


def test_what_is_in_doubt_is_asked_about_though_all_is_done_again() -> None:
    """«Do them again» was said of those that happened."""
    cell = "a = pay(0)\nb = pay(1)"
    nb = Fresh()
    nb.stop("pay 1", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.again(cell)
    rerun(nb)
    asks(nb, cell, HappenedBeforeRerun)
    settle(nb, "s.1", Answer.AGAIN)
    asks(nb, cell, CallInDoubt)
    assert nb.paid == ["pay 0", "pay 1", "pay 0"]


# ---- served from what other code of the cell made ------------------------------------

BEFORE = "got = [pay(x) for x in (1, 2)]\nstop('end')"
AFTER = BEFORE.replace("pay(x)", "pay(x, fresh())")


def edited(parameters: str = "x, key=None", after: str = AFTER) -> Fresh:
    """The tool got a parameter, its cell gives it one, and the results are to be kept."""
    nb = Fresh()
    nb.plain("@tool\ndef pay(x): return world(f'pay {x}')")
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(BEFORE)
    edit(nb, parameters)
    asks(nb, after, AlreadyHappened)
    settle(nb, "s.1", Answer.KEEP)
    return nb


def edit(nb: Fresh, parameters: str = "x, key=None") -> None:
    """The next kernel, with the edited tool."""
    nb.restart()
    nb.plain(f"@tool\ndef pay({parameters}): return world(f'pay {{x}}')")


@pytest.mark.parametrize("ended", ["raised", "killed"])
def test_what_was_kept_after_an_edit_is_held_against_the_next(ended: str) -> None:
    """It was made by other code; the attempt that was served it began as this one."""
    nb = edited()
    cell = AFTER
    if ended == "raised":
        nb.stop("end")
        with pytest.raises(ZeroDivisionError):
            nb.again(cell)
    else:
        nb.run(cell, "s", "c-s", dies=True)
    for _ in range(2):
        edit(nb)
        told = asks(nb, cell)
        assert "made pay(1" in told
    settle(nb, "s.1", Answer.KEEP)
    for _ in range(2):
        nb.stop("end")
        with pytest.raises(ZeroDivisionError):
            nb.again(cell)
        assert nb.namespace["got"] == ["pay 1#1", "pay 2#1"]
        edit(nb)
    nb.again(cell)
    assert nb.paid == ["pay 1", "pay 2"]


def test_a_rerun_asks_about_what_was_kept_after_an_edit() -> None:
    """The attempt that completed made none of them itself."""
    nb = edited()
    nb.again(AFTER)
    rerun(nb)
    asks(nb, AFTER, HappenedBeforeRerun)
    assert nb.paid == ["pay 1", "pay 2"]


@pytest.mark.parametrize("ended", ["raised", "killed"])
def test_a_fixed_new_argument_is_served_unasked(ended: str) -> None:
    """Kept once, the payments are known by it."""
    after = BEFORE.replace("pay(x)", "pay(x, 3)")
    nb = edited("x, n", after)
    if ended == "raised":
        nb.stop("end")
        with pytest.raises(ZeroDivisionError):
            nb.again(after)
    else:
        nb.run(after, "s", "c-s", dies=True)
    for _ in range(2):
        edit(nb, "x, n")
        nb.again(after)
        assert nb.namespace["got"] == ["pay 1#1", "pay 2#1"]
    assert nb.paid == ["pay 1", "pay 2"]


def test_payments_of_several_attempts_keep_their_order() -> None:
    """The first one was made by an earlier attempt than the second one."""
    cell = "a = pay(1, key=fresh())\nstop('mid')\nb = pay(1, key=fresh())\nstop('end')"
    nb = stopped(cell, "mid")
    asks(nb, cell)
    settle(nb, "s.1", Answer.KEEP)
    nb.stop("end")
    with pytest.raises(ZeroDivisionError):
        nb.again(cell)
    nb.again(cell)
    assert (nb.namespace["a"], nb.namespace["b"]) == ("pay 1#1 a", "pay 1#2 d")
    assert nb.paid == ["pay 1", "pay 1"]


def test_what_is_said_of_a_doubt_is_not_served_to_a_nearer_payment() -> None:
    """The one that completed and the one in doubt are each told by their arguments."""
    nb = Fresh()
    nb.plain(
        "@tool\ndef pay(x):\n    got = world(f'pay {x}')\n    stop(f'pay {x}')\n    return got"
    )
    nb.stop("pay 2", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.again(BEFORE)
    edit(nb)
    asks(nb, AFTER, AlreadyHappened)
    settle(nb, "s.1", Answer.KEEP)
    told = asks(nb, AFTER, OtherInDoubt)
    assert "pay(2, 'c') was not made" in told
    told = asks(nb, AFTER)
    assert "pay(1, 'd') was not made" in told
    settle(nb, "s.1", Answer.KEEP)
    asks(nb, AFTER, OtherInDoubt)
    settle(nb, "s.2", Answer.HAPPENED, "in_2")
    for _ in range(2):
        nb.stop("end")
        with pytest.raises(ZeroDivisionError):
            nb.again(AFTER)
        assert nb.namespace["got"] == ["pay 1#1", "in_2"]
        edit(nb)
    assert nb.paid == ["pay 1", "pay 2"]


@pytest.mark.parametrize("swapped", [True, False])
def test_what_is_said_of_a_doubt_stays_with_its_arguments(swapped: bool) -> None:
    """A set is walked through in another order by the next kernel."""
    cell = "got = {x: pay(x, fresh()) for x in order()}\nstop('end')"
    nb = Fresh()
    order = Order(iter([[2, 1], [2, 1], [1, 2] if swapped else [2, 1]]))
    nb.namespace["order"] = order
    nb.stop("pay 2", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.again(cell)
    asks(nb, cell, OtherInDoubt)
    settle(nb, "s.1", Answer.HAPPENED, "in_2")
    nb.restart()
    nb.namespace["order"] = order
    nb.again(cell)
    assert nb.paid == ["pay 2", "pay 1"]
    assert nb.namespace["got"] == {1: f"pay 1#1 {'c' if swapped else 'd'}", 2: "in_2"}


def test_what_is_said_of_a_doubt_holds_where_no_argument_is_equal() -> None:
    """It was asked about a call with all others, and is served to such a one."""
    cell = "got = pay(fresh(), fresh())"
    nb = Fresh()
    nb.stop("pay a", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        nb.again(cell)
    asks(nb, cell, OtherInDoubt)
    settle(nb, "s.1", Answer.HAPPENED, "in_1")
    nb.again(cell)
    assert (nb.paid, nb.namespace["got"]) == (["pay a"], "in_1")
