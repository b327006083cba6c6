"""A payment of an object that pays and keeps books, in a cell that was edited since."""

from __future__ import annotations

import pytest

from nbdurable.engine.calls.pauses import MadeInEarlierTry
from nbdurable.engine.past.settle import Answer
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle

BANK = """
class Bank:
    def __init__(self): self.sent = []
    @tool
    def send(self, who, n=1):
        done = world(f"send {who} {n}")
        self.sent.append(who)
        return done
@tool
def pay(book, who):
    done = world(f"pay {who}")
    book[who] = done
    return done
bank, book = Bank(), {}
"""
SEND = "r = [bank.send(x) for x in {who!r}]"
PAY = "r = [pay(book, x) for x in {who!r}]"


def opened(nb: Notebook | None = None) -> Notebook:
    """A kernel with a bank that has sent nothing."""
    nb = nb or Notebook()
    if nb.count:
        nb.restart()
    nb.plain(BANK)
    return nb


ANSWERS = [
    (
        PAY,
        Answer.KEEP,
        3,
    ),  # with `self` in tests/kernel: its class has to be a module's
    (PAY, Answer.AGAIN, 5),
    (SEND, Answer.AGAIN, 5),
]


@pytest.mark.wide
@pytest.mark.parametrize("stops", ["", "\n1 / 0"], ids=["completed", "stopped"])
@pytest.mark.parametrize(("cell", "said", "payments"), ANSWERS)
def test_an_edited_cell_asks_in_the_same_kernel(
    cell: str, said: Answer, payments: int, stops: str
) -> None:
    """The books are as the payments left them, and nothing else is another one."""
    nb = opened()
    try:
        nb.run(cell.format(who="ab") + stops, "s", "c1")
    except ZeroDivisionError:
        assert stops
    edited = cell.format(who="abc")
    for _ in range(2):
        with pytest.raises(MadeInEarlierTry):
            nb.run(edited, "s", "c1")
    assert len(nb.world.effects) == 2
    settle(nb, "s.1", said)
    nb.run(edited, "s", "c1")
    assert len(nb.world.effects) == payments
    if said is Answer.KEEP:
        assert nb.namespace["book"] == {x: f"pay {x}#1" for x in "abc"}


@pytest.mark.parametrize("cell", [SEND, PAY], ids=["self", "argument"])
def test_a_new_kernel_asks_nothing(cell: str) -> None:
    """There the books are as they were, and are kept with what is served."""
    nb = opened()
    nb.run(cell.format(who="ab"), "s", "c1")
    opened(nb)
    nb.run(cell.format(who="abc"), "s", "c1")
    assert len(nb.world.effects) == 3


OTHERS = {
    "somebody else": "r = bank.send('c')",
    "another sum": "r = bank.send('a', 2)",
    "another bank's": "bank.name = 'y'; bank.sent = []; r = bank.send('a', 3)",
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_payment_is_just_made(other: str) -> None:
    """It differs in more than the books."""
    nb = opened()
    nb.run(SEND.format(who="ab"), "s", "c1")
    nb.run(OTHERS[other], "s", "c1")
    assert len(nb.world.effects) == 3


def test_a_loop_that_is_longer_pays_what_is_new() -> None:
    """Equal payments of one attempt are told apart by the books, and served."""
    nb = opened()
    nb.run("for _ in range(3): bank.send('a')", "s", "c1")
    opened(nb)
    nb.run("for _ in range(4): bank.send('a')", "s", "c1")
    assert len(nb.world.effects) == 4
