"""The key of a call is that of the thing that is done: one for each, whatever happens."""

from __future__ import annotations

import threading
import uuid

import pytest

from nbdurable.engine.asking import commands
from nbdurable.engine.calls.idempotency import idempotency_key
from nbdurable.engine.past.retry import Retry
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import CallInDoubt, HappenedBeforeRerun, NotDone, OutsideCall
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle

PAY = """
@tool(effect="write"{options})
def pay(x):
    keys.append(idempotency_key())
    fail()
    return x
"""


class Keys(list[str]):
    """The keys that a service saw; what it saw is no input of a cell."""

    def __reduce__(self) -> tuple[object, ...]:
        """The same service, whatever it saw."""
        return Keys, ()


class Errors(list[BaseException]):
    """What a service answers with, one after the other; no input of a cell either."""

    def __reduce__(self) -> tuple[object, ...]:
        """The same service, whatever it answers."""
        return Errors, ()

    def __call__(self) -> None:
        """Raise the next one, if there is one."""
        if self:
            raise self.pop(0)


class Bank(Notebook):
    """A notebook with a service that counts keys."""

    def __init__(self) -> None:
        self.keys = Keys()
        self.errors = Errors()
        super().__init__()

    def restart(self, options: str = "") -> None:
        """A fresh kernel with the tool."""
        super().restart()
        self.namespace |= {
            "idempotency_key": idempotency_key,
            "keys": self.keys,
            "Retry": Retry,
            "NotDone": NotDone,
            "fail": self.errors,
        }
        self.plain(PAY.format(options=options))

    def rerun(self) -> None:
        """Ask for a rerun of the only step."""
        (step,) = self.session.history.steps.values()
        commands.rerun(self.session, step)


@pytest.fixture
def bank() -> Bank:
    """A notebook with a service."""
    return Bank()


def test_a_key_is_a_uuid(bank: Bank) -> None:
    """Services that want a UUID get one."""
    bank.run("pay(1)", "s", "c1")
    (key,) = bank.keys
    assert str(uuid.UUID(key)) == key


def test_equal_calls_have_keys_of_their_own(bank: Bank) -> None:
    """Two payments of one amount are two payments."""
    bank.run("pay(1); pay(1); pay(2)", "s", "c1")
    assert len(set(bank.keys)) == 3


def test_retries_share_a_key(bank: Bank) -> None:
    """Three attempts in one cell are one payment."""
    bank.restart(", retry=Retry(attempts=3, wait=0, jitter=0)")
    bank.errors += [NotDone(), NotDone()]
    bank.run("pay(1)", "s", "c1")
    assert len(bank.keys) == 3
    assert len(set(bank.keys)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("edited", ["pay(1)", "y = 2\npay(1)", "pay(2); pay(1)"])
def test_restarts_and_edits_keep_the_key(bank: Bank, edited: str) -> None:
    """What was cut off has its key again, wherever it stands in the cell by then."""
    options = ", on_doubt='retry'"
    bank.restart(options)
    bank.errors.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        bank.run("pay(1)", "s", "c1")
    bank.restart(options)
    bank.run(edited, "s", "c1")
    assert bank.keys[-1] == bank.keys[0]


def test_a_moved_call_keeps_its_key(bank: Bank) -> None:
    """A call in doubt that another cell takes over is the same payment."""
    options = ", on_doubt='retry'"
    bank.restart(options)
    bank.errors.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        bank.run("pay(1)", "s", "c1")
    bank.run("moved = True", "s", "c1")
    bank.run("pay(1)", "t", "c2")
    first, second = bank.keys
    assert first == second


def test_a_doubt_that_did_not_happen_keeps_its_key(bank: Bank) -> None:
    """«It did not» may be wrong: the service has the last word."""
    bank.errors.append(OSError("perhaps"))
    with pytest.raises(OSError, match="perhaps"):
        bank.run("pay(1)", "s", "c1")
    with pytest.raises(CallInDoubt):
        bank.run("pay(1)", "s", "c1")
    settle(bank, "s.1", Answer.DID_NOT)
    bank.run("pay(1)", "s", "c1")
    first, second = bank.keys
    assert first == second


def test_a_payment_that_is_made_again_has_another_key(bank: Bank) -> None:
    """«Do it again» of what completed reaches the service as a second payment."""
    bank.run("pay(1)", "s", "c1")
    bank.rerun()
    with pytest.raises(HappenedBeforeRerun):
        bank.run("pay(1)", "s", "c1")
    settle(bank, "s.1", Answer.AGAIN)
    bank.run("pay(1)", "s", "c1")
    first, second = bank.keys
    assert first != second


def test_a_function_that_finds_out_has_the_key_of_its_call(bank: Bank) -> None:
    """`on_doubt` may ask the service by the key that it was sent."""
    bank.plain("def found(x):\n    keys.append(idempotency_key())\n    return 'found'")
    bank.plain(PAY.format(options=", on_doubt=found"))
    bank.errors.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        bank.run("pay(1)", "s", "c1")
    bank.run("x = pay(1)", "s", "c1")
    first, second = bank.keys
    assert first == second
    assert bank.namespace["x"] == "found"


def test_a_call_inside_has_its_own_key(bank: Bank) -> None:
    """A tool that calls a tool: each is something that is done."""
    bank.plain(
        "@tool\ndef book(x):\n"
        "    keys.append(idempotency_key())\n    pay(x)\n"
        "    keys.append(idempotency_key())"
    )
    bank.run("book(1)", "s", "c1")
    outer, inner, again = bank.keys
    assert outer == again != inner


def test_a_thread_of_a_tool_has_its_key(bank: Bank) -> None:
    """Code that a tool starts is in its call."""
    bank.plain(
        "import threading\n@tool\ndef book(x):\n"
        "    keys.append(idempotency_key())\n"
        "    t = threading.Thread(target=lambda: keys.append(idempotency_key()))\n"
        "    t.start(); t.join()"
    )
    bank.run("book(1)", "s", "c1")
    first, second = bank.keys
    assert first == second


def test_two_stores_have_different_keys(bank: Bank) -> None:
    """The same notebook elsewhere makes payments of its own."""
    bank.run("pay(1)", "s", "c1")
    other = Bank()
    other.run("pay(1)", "s", "c1")
    assert bank.keys != other.keys


@pytest.mark.parametrize(
    "source", ["idempotency_key()", "keys.append(1)\nidempotency_key()"]
)
def test_outside_a_call_there_is_no_key(bank: Bank, source: str) -> None:
    """A durable cell that asks outside of its tools is told where there is one."""
    with pytest.raises(OutsideCall):
        bank.run(source, "s", "c1")


def test_outside_a_durable_cell_there_is_no_key(bank: Bank) -> None:
    """A tool in a plain cell is the plain function, and no call."""
    with pytest.raises(OutsideCall):
        bank.plain("pay(1)")
    found: list[BaseException] = []

    def ask() -> None:
        """Ask in a thread that belongs to nobody."""
        try:
            idempotency_key()
        except OutsideCall as outside:
            found.append(outside)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert len(found) == 1
