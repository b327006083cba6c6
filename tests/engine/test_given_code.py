"""The code of what a tool is given counts as the tool's own: edited, a write asks.

Each form is a notebook whose tool is given something that a class or function of the
notebook gives its meaning. An edit of that changes no attribute of any instance.
"""

from __future__ import annotations

from types import FunctionType, SimpleNamespace
from typing import Any, Final

import pytest

from nbdurable.engine.calls.code import CallCode
from nbdurable.engine.calls.nested import step
from nbdurable.engine.calls.parked import Asked
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import AlreadyHappened
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_waits import REVIEW, Hand, answer, use, when_asked
from tests.engine.test_why_causes import told

ORDER: Final = """
class Order:
    amount = 5
"""
BASED: Final = f"""
{ORDER}
class Express(Order):
    def __init__(self, to): self.to = to
"""
PRICED: Final = """
def price(): return 5
class Order:
    def __init__(self, to='ann'): self.to = to
    @property
    def amount(self): return price()
"""
FIELD: Final = f"""
import dataclasses
{ORDER}
@dataclasses.dataclass
class Cart:
    order: object
    @property
    def amount(self): return self.order.amount
"""
ENUM: Final = """
import enum
class Plan(enum.Enum):
    BASIC = "basic"
    @property
    def amount(self): return 5
"""
MODEL: Final = """
import pydantic
class Order(pydantic.BaseModel):
    to: str = "ann"
    @property
    def amount(self): return 5
"""
TUPLE: Final = """
import typing
class Order(typing.NamedTuple):
    to: str
    def total(self): return 5
    amount = property(total)
"""
DICT: Final = """
class Order(dict):
    @property
    def amount(self): return 5
"""
KEPT: Final = """
class Rates:
    base = 5
class Order:
    rates = Rates()
    @property
    def amount(self): return self.rates.base
"""
BOUND: Final = """
class Order:
    def __init__(self): self.to = 'ann'
    def total(self): return 5
"""
PARTIAL: Final = """
import functools
class Order:
    amount = 5
def read(order, key): return getattr(order, key)
"""

BUY: Final = "def buy(order): return world(f'buy {order.amount}')"
FIRST: Final = "def buy(orders): return world(f'buy {orders[0].amount}')"
METHOD: Final = """
class Shop:
    fee = 5
    def __init__(self): self.name = 'ann'
    {tool}
    def buy(self): return world(f'buy {{self.fee}}')
"""
OF_CLASS: Final = """
class Shop:
    fee = 5
    @classmethod
    {tool}
    def buy(cls): return world(f'buy {{cls.fee}}')
"""

FORMS: Final = {
    "an instance": (ORDER, BUY, "buy(Order())"),
    "in a list": (ORDER, FIRST, "buy([Order()])"),
    "in a dict": (ORDER, FIRST, "buy({0: Order(), 'x': 1})"),
    "in a dataclass": (FIELD, BUY, "buy(Cart(Order()))"),
    "of a subclass": (BASED, BUY, "buy(Express('ann'))"),
    "what a method reaches": (PRICED, BUY, "buy(Order())"),
    "what a class holds": (KEPT, BUY, "buy(Order())"),
    "an enum": (ENUM, BUY, "buy(Plan.BASIC)"),
    "a model": (MODEL, BUY, "buy(Order())"),
    "a named tuple": (TUPLE, BUY, "buy(Order('ann'))"),
    "a subclass of dict": (DICT, BUY, "buy(Order(a=1))"),
    "a method": (BOUND, "def buy(f): return world(f'buy {f()}')", "buy(Order().total)"),
    "a partial": (
        PARTIAL,
        "def buy(f): return world(f'buy {f()}')",
        "buy(functools.partial(read, Order(), 'amount'))",
    ),
    "self": ("", METHOD, "Shop().buy()"),
    "cls": ("", OF_CLASS, "Shop.buy()"),
    "keyword": (ORDER, f"{BUY[:13]}, *, n=1{BUY[13:]}", "buy(n=2, order=Order())"),
    "async": (ORDER, f"async {BUY}", "asyncio.run(buy(Order()))"),
    "yields": (
        ORDER,
        "def buy(order): yield world(f'buy {order.amount}')",
        "list(buy(Order()))",
    ),
    "yields and awaits": (
        ORDER,
        "async def buy(order): yield world(f'buy {order.amount}')",
        "asyncio.run(all_of(buy(Order())))",
    ),
    "nested": (
        ORDER,
        BUY.replace("world", "inner"),
        "buy(Order())",
    ),
}
BEFORE: Final = """
import asyncio
async def all_of(stream): return [x async for x in stream]
@tool(effect='read')
def inner(x): return world(x)
"""


def defined(
    nb: Notebook, form: str, effect: str, old: str = "5", new: str = "5"
) -> str:
    """Define a form's code with this edit; gives the call."""
    given, tool, call = FORMS[form]
    option = f"@tool(effect={effect!r})"
    tool = tool.format(tool=option) if "{tool}" in tool else f"{option}\n{tool}"
    nb.plain(BEFORE)
    for cell in (given, tool):
        nb.plain(cell.replace(old, new) if "class" in cell else cell)
    return f"r = {call}"


@pytest.mark.slow
@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_an_edited_class_asks_before_a_write(form: str, *, restarts: bool) -> None:
    """A `write` that happened with the code of before isn't served, nor made unasked."""
    nb = Notebook()
    nb.run(defined(nb, form, "write"), "s", "c1")
    if restarts:
        nb.restart()
    cell = defined(nb, form, "write", "5", "500")
    with pytest.raises(AlreadyHappened):
        nb.run(cell, "s", "c1")
    assert nb.world.effects == ["buy 5"]
    settle(nb, "s.1", Answer.AGAIN)
    nb.run(cell, "s", "c1")
    assert nb.world.effects == ["buy 5", "buy 500"]


@pytest.mark.slow
@pytest.mark.parametrize("effect", ["read", "pure"])
@pytest.mark.parametrize("form", FORMS)
def test_an_edited_class_runs_a_read_again(form: str, effect: str) -> None:
    """A fresh answer is given by what the class is now."""
    nb = Notebook()
    nb.run(defined(nb, form, effect), "s", "c1")
    nb.run(defined(nb, form, effect, "5", "500"), "s", "c1")
    assert nb.world.effects == ["buy 5", "buy 500"]


@pytest.mark.wide
@pytest.mark.parametrize("form", FORMS)
def test_a_comment_in_a_class_is_no_edit(form: str) -> None:
    """The cell has other code, and its call is served."""
    nb = Notebook()
    cell = defined(nb, form, "write")
    nb.run(cell, "s", "c1")
    nb.restart()
    nb.plain("class Other: pass")
    defined(nb, form, "write", " 5", "  5  # euros\n")
    nb.run(f"{cell}\nmore = 1", "s", "c1")
    assert nb.world.effects == ["buy 5"]


COUNTING: Final = """
class Shop:
    shared = None
class Order:
    made, seen, last, prices = 0, [], None, None
    def __init__(self, to):
        self.to = to
        Order.made += 1
        Order.seen.append(to)
        type(self).last = self
    @classmethod
    def of(cls, to):
        cls.prices = cls.prices or {}
        return cls(to)
class Express(Order): ...
def total(order): return 5
"""


@pytest.mark.parametrize("made", ["Order.of('a')", "Express.of('a')"])
def test_what_a_class_counts_itself_is_no_edit(made: str) -> None:
    """A counter, a list and a cache on the class move on; an edit of its cell finds all."""
    nb = Notebook()
    nb.plain(f"{COUNTING}\n@tool\n{BUY.replace('order.amount', 'total(order)')}")
    nb.run(f"r = [buy({made}), buy({made})]", "s", "c1")
    nb.plain("Shop.shared = {1: 2}")
    nb.run(f"r = [buy({made}), buy({made})]; more = 1", "s", "c1")
    assert nb.world.effects == ["buy 5", "buy 5"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("class Other", "class Another"),
        ("'a bill'", "'an invoice'"),
        ("LIMIT = 1", "LIMIT = 2"),
        ("def unused(): return 1", "def unused(): return 2"),
        ("seen = []", "seen = ['a']"),
    ],
)
def test_what_a_class_does_not_reach_is_no_edit(old: str, new: str) -> None:
    """Other code, its docstring, a variable nobody reads, what it holds and changes."""
    source = """
LIMIT = 1
seen = []
class Other: rate = 1
def unused(): return 1
class Order:
    'a bill'
    amount = 5
    def note(self): seen.append(1)
"""
    nb = Notebook()
    nb.plain(f"{source}\n@tool\n{BUY}")
    nb.run("r = buy(Order())", "s", "c1")
    nb.restart()
    nb.plain(f"{source.replace(old, new)}\n@tool\n{BUY}")
    nb.run("r = buy(Order()); more = 1", "s", "c1")
    assert nb.world.effects == ["buy 5"]


def test_an_ignored_argument_brings_no_code() -> None:
    """What `ignore=` leaves out of the key isn't asked about."""
    nb = Notebook()
    shop = METHOD.replace("{tool}", "@tool(ignore='self')").replace("{{", "{")
    nb.plain(shop.replace("}}", "}"))
    nb.run("r = Shop().buy()", "s", "c1")
    nb.plain(shop.replace("}}", "}").replace("fee = 5", "fee = 6"))
    nb.run("r = Shop().buy(); more = 1", "s", "c1")
    assert nb.world.effects == ["buy 5"]


def test_a_step_is_entered_again_when_the_class_of_its_argument_was_edited() -> None:
    """Its calls are served as far as they are the same."""
    nb = Notebook()
    source = f"{ORDER}\n@tool(effect='read')\ndef ask(x): return world(f'ask {{x}}')\n@effects.step\n"
    source += "def buy(order): return ask(1), ask(order.amount)"
    nb.namespace["effects"] = SimpleNamespace(step=step)
    nb.plain(source)
    nb.run("r = buy(Order())", "s", "c1")
    nb.plain(source.replace("= 5", "= 6"))
    nb.run("r = buy(Order())", "s", "c1")
    assert nb.world.effects == ["ask 1", "ask 5", "ask 6"]


def test_the_question_and_why_name_the_class() -> None:
    """Somebody who edited a class reads its name, not that of the tool."""
    nb = Notebook()
    source = (
        f"{ORDER}\n@tool\n{BUY}\n@tool(effect='read')\n{BUY.replace('buy', 'look')}"
    )
    nb.plain(source)
    nb.run("r = look(Order()); r = buy(Order())", "s", "c1")
    nb.plain(source.replace("= 5", "= 6"))
    with pytest.raises(AlreadyHappened, match="an earlier version of Order") as asked:
        nb.run("r = look(Order()); r = buy(Order())", "s", "c1")
    assert "versions of buy and of what it is given" in asked.value.detail()
    assert "because the code of Order changed" in told(nb, "s.1")


def bare(tool: Any) -> FunctionType:
    """The function that a tool wraps."""
    assert isinstance(tool.__wrapped__, FunctionType)
    return tool.__wrapped__


def test_records_without_given_code() -> None:
    """Those of before match where nothing is given; else a write asks, and why says it."""
    nb = Notebook()
    source = f"{ORDER}\n@tool\n{BUY}\n@tool\ndef pay(x): return world(f'pay {{x}}')"
    nb.plain(f"{source}\n@tool(effect='read')\n{BUY.replace('buy', 'look')}")
    cell = "a = pay([1, {'b': 2}]); b = look(Order()); c = buy(Order())"
    nb.run(cell, "s", "c1")
    for call in nb.session.history.calls.values():
        if call.codes:  # what an earlier version recorded of it
            code = CallCode(nb.session.sources, str)
            call.code, call.codes = code.of(bare(nb.namespace[call.name])).digest, {}
    with pytest.raises(AlreadyHappened):
        nb.run(f"{cell}; more = 1", "s", "c1")
    assert nb.world.effects == ["pay [1, {'b': 2}]", "look 5", "buy 5", "look 5"]
    assert "the code of Order was not recorded with it" in told(nb, "s.2")


def test_plain_arguments_bring_no_code() -> None:
    """Data of installed types leaves a call's code digest as that of its tool."""
    nb = Notebook()
    nb.plain("import decimal, pathlib\n@tool\ndef pay(x): return world('pay')")
    cell = (
        "r = pay(1), pay({1: [decimal.Decimal(1), pathlib.Path('a'), {2}, len, int]})"
    )
    nb.run(cell, "s", "c1")
    atoms, whole = nb.session.history.calls.values()
    assert (atoms.codes, whole.codes) == ({}, {})
    assert atoms.code == whole.code


@pytest.mark.parametrize(("price", "asked"), [("5", 1), ("500", 2)])
def test_an_approval_is_of_what_the_class_said(price: str, asked: int) -> None:
    """What was approved under another class is asked again: it said something else."""
    nb, clock = Notebook(), Hand()
    source = f"{ORDER}    def __repr__(self): return f'pay {{self.amount}}'\nreport = Order()"
    shown: list[str] = []

    def approve(question: Asked) -> None:
        shown.append(question.waiting.wait.preview)
        answer(nb, True, signal=f"s{len(shown)}")

    for amount in ("5", price):
        use(nb, clock)
        nb.plain(source.replace("5", amount))
        when_asked(nb, approve)
        nb.run(f"{REVIEW}; more = {amount}", "review", "c1")
        nb.restart()
    assert len(shown) == asked
