"""What a tool reads beside its arguments counts for its calls, unless it changes that.

Each case is a notebook with a tool that reads a variable. The variable is changed, in
place or by assignment, or by the tool itself, and the same cell runs again.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Final

import pytest

from nbdurable.engine.calls.nested import step
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import AlreadyHappened, ToolRefused
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_why_causes import told

ASK: Final = "def ask(x): return world('ask ' + str(VALUE))"
HELD: Final = """
import dataclasses
@dataclasses.dataclass
class Rates:
    eur: int
    seen: list = dataclasses.field(default_factory=list)
    def note(self, x): self.seen.append(x)
"""
"""A class one of whose methods changes its instances: nobody calls it."""

VALUES: Final = {
    "a dict": ("", "{'eur': 2}", "RATES['eur'] = 3", "RATES['eur']"),
    "a list": ("", "[1]", "RATES.append(2)", "RATES[-1]"),
    "a set": ("", "{1}", "RATES.add(2)", "sorted(RATES)"),
    "bound anew": ("", "{'eur': 2}", "RATES = {'eur': 3}", "RATES['eur']"),
    "deep": ("", "{'a': [{'b': 2}]}", "RATES['a'][0]['b'] = 3", "RATES['a']"),
    "got": ("", "{'eur': 2}", "RATES['eur'] = 3", "RATES.get('eur')"),
    "a dataclass": (HELD, "Rates(2)", "RATES.eur = 3", "RATES.eur"),
    "in a list": (HELD, "[Rates(2)]", "RATES[0].eur = 3", "RATES[0].eur"),
    "a namespace": (
        "import types",
        "types.SimpleNamespace(eur=2)",
        "RATES.eur = 3",
        "RATES.eur",
    ),
    "an array": ("import numpy", "numpy.array([2])", "RATES[0] = 3", "RATES[0]"),
    "a frame": (
        "import pandas",
        "pandas.DataFrame({'eur': [2]})",
        "RATES.loc[0, 'eur'] = 3",
        "RATES.loc[0, 'eur']",
    ),
    "a big list": ("", "[*range(5000)]", "RATES[7] = 0", "RATES[7]"),
    "a function in a dict": (
        "",
        "{'a': lambda: 2}",
        "RATES['a'] = lambda: 3",
        "RATES['a']()",
    ),
    "what that reads": (
        "INNER = [2]\ndef inner(): return INNER[0]",
        "{'a': inner}",
        "INNER[0] = 3",
        "RATES['a']()",
    ),
    "of a helper": ("def rate(): return RATES[0]", "[2]", "RATES[0] = 3", "rate()"),
    "a default of a helper": (
        "INNER = [2]\ndef rate(x, rates=INNER): return rates[x]",
        "rate",
        "INNER[0] = 3",
        "RATES(0)",
    ),
    "a default of a helper, by keyword": (
        "INNER = {'eur': 2}\ndef rate(*, rates=INNER): return rates['eur']",
        "rate",
        "INNER = {'eur': 3}\ndef rate(*, rates=INNER): return rates['eur']\nRATES = rate",
        "RATES()",
    ),
    "a partial": (
        "import functools\ndef rate(x): return x",
        "functools.partial(rate, [2])",
        "RATES = functools.partial(rate, [3])",
        "RATES()",
    ),
}


def opened(before: str, value: str, read: str, effect: str) -> Notebook:
    """A notebook with a tool that reads a variable."""
    nb = Notebook()
    nb.plain(f"{before}\nRATES = {value}")
    nb.plain(f"@tool(effect={effect!r})\n{ASK.replace('VALUE', read)}")
    nb.run("r = ask(1)", "s", "c1")
    return nb


@pytest.mark.wide
@pytest.mark.parametrize("kind", VALUES)
def test_a_read_runs_again(kind: str) -> None:
    """It is served while the value is equal, and runs when it is another one."""
    before, value, change, read = VALUES[kind]
    nb = opened(before, value, read, "read")
    nb.run("r = ask(1); more = 1", "s", "c1")
    assert len(nb.world.effects) == 1
    nb.plain(change)
    nb.run("r = ask(1)", "s", "c1")
    assert len(set(nb.world.effects)) == 2


@pytest.mark.wide
@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("kind", VALUES)
def test_a_write_asks(kind: str, *, restarts: bool) -> None:
    """It isn't made a second time unasked, and the question names the variable."""
    before, value, change, read = VALUES[kind]
    nb = opened(before, value, read, "write")
    if restarts:
        nb.restart()
        nb.plain(f"{before}\nRATES = {value}")
        nb.plain(f"@tool\n{ASK.replace('VALUE', read)}")
        nb.run("r = ask(1); more = 1", "s", "c1")
    nb.plain(change)
    with pytest.raises(
        AlreadyHappened, match=r"happened with another (RATES|INNER|rate.rates)"
    ):
        nb.run("r = ask(1)", "s", "c1")
    assert len(nb.world.effects) == 1
    settle(nb, "s.1", Answer.AGAIN)
    nb.run("r = ask(1)", "s", "c1")
    assert len(set(nb.world.effects)) == 2


ITSELF: Final = {
    "appends": ("[]", "VALUE.append(x)"),
    "a memo": ("{}", "VALUE[x] = 1"),
    "a memo that is asked first": ("{}", "VALUE.setdefault(x, 1)"),
    "a counter": ("{'n': 0}", "VALUE['n'] += 1"),
    "bound anew": ("[]", "global VALUE; VALUE = [*VALUE, x]"),
    "under another name": ("{'a': []}", "seen = VALUE['a']; seen.append(x)"),
    "in a loop": ("[{}]", "for row in VALUE: row['n'] = row.get('n', 0) + 1"),
    "by a function": ("[]", "remember(x, VALUE)"),
    "by keyword": ("[]", "remember(x, seen=VALUE)"),
    "by a function of Python": ("[]", "heapq.heappush(VALUE, x)"),
    "by a helper": ("[]", "note(x)"),
    "by a function of a module": ("[]", "helpers_of_tools.remember(x, VALUE)"),
    "by a default": (
        "[]\ndef keep(x, *, into=VALUE): into.append(x)",
        "keep(x)",
    ),
    "a memo of a helper": (
        "{}\ndef got(x, memo=VALUE): return memo.setdefault(x, x)",
        "got(x)",
    ),
    "by what a default is, too": (
        "[]\ndef seen(x, log=VALUE): return len(log)",
        "VALUE.append(seen(x))",
    ),
    "by a method with a name": ("[]; add = VALUE.append", "add(x)"),
    "by a method": ("Box()", "VALUE.put_in(x)"),
    "by calling it": ("Called()", "VALUE(x)"),
    "by a function of a method": ("Box()", "VALUE.hand_over(x)"),
    "by the method of a base": ("Known()", "VALUE.learn(x)"),
    "by its attributes": ("Box()", "VALUE.note(x)"),
    "an output": ("numpy.zeros(2)", "numpy.add(VALUE, x, out=VALUE)"),
    "by reading": ("collections.defaultdict(int)", "VALUE[len(VALUE)]"),
    "an array": ("numpy.zeros(2)", "VALUE.fill(x + VALUE[0] + 1)"),
    "a logger": ("logging.getLogger('a')", "VALUE.setLevel(VALUE.level + 1)"),
    "a lock": ("threading.Lock()", "VALUE.acquire(blocking=False)"),
    "a file": ("tempfile.TemporaryFile('w+')", "VALUE.write('x')"),
    "a session": ("Session()", "VALUE.ask()"),
    "a client in a dict": ("{'client': Session()}", "VALUE['client'].ask()"),
    "an iterator": ("iter(range(9))", "next(VALUE)"),
}
AROUND: Final = """
import collections, heapq, logging, tempfile, threading, numpy, helpers_of_tools
from fake_sdk import Session
class Box:
    def __init__(self): self.items = []
    def put_in(self, x): self.items.append(x)
    def hand_over(self, x): remember_in(self, x)
    def note(self, x): object.__setattr__(self, 'items', [*self.items, x])
class Known(dict):
    def learn(self, x): super().__setitem__(len(self), x)
class Called:
    n = 0
    def __call__(self, x): self.n += x
def remember(x, seen): seen.append(x)
def remember_in(box, x): box.items.append(x)
def note(x): VALUE.append(x)
"""
SDK: Final = """
class Session:
    def __init__(self): self.sent = 0
    def ask(self): self.sent += 1
"""


@pytest.fixture
def _sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed library whose session counts what it sends."""
    module = ModuleType("fake_sdk")
    exec(SDK, module.__dict__)  # as an import would
    monkeypatch.setitem(sys.modules, "fake_sdk", module)


@pytest.fixture
def _helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module beside the notebook."""
    (tmp_path / "helpers_of_tools.py").write_text(
        "def remember(x, seen): seen.append(x)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("helpers_of_tools", None)


@pytest.mark.wide
@pytest.mark.usefixtures("_sdk", "_helpers")
@pytest.mark.parametrize("effect", ["read", "write"])
@pytest.mark.parametrize("kind", ITSELF)
def test_what_a_tool_changes_itself_is_left_out(kind: str, effect: str) -> None:
    """Run again in the kernel, and in a new one, all its calls are served."""
    value, change = ITSELF[kind]
    nb = Notebook()
    tools = (
        f"@tool(effect={effect!r})\ndef ask(x): {change}; return world(f'ask {{x}}')"
    )
    if change.startswith("for"):
        tools = tools.replace("; return", "\n    return").replace(
            "): for", "):\n    for"
        )
    for restarts in (False, True):
        if restarts:
            nb.restart()
        nb.plain(f"{AROUND}\nVALUE = {value}")
        nb.plain(tools)
        for more in (1, 2):
            nb.run(f"r = [ask(1), ask(2), ask(1)]; more = {restarts, more}", "s", "c1")
    assert nb.world.effects == ["ask 1", "ask 2", "ask 1"]


COUNTED: Final = """
class Row:
    def __reduce__(self): looked.append(1); return Row, ()
looked = []
"""


@pytest.mark.wide
@pytest.mark.parametrize(
    "rows", ["[{}]", "[deque([{}])]", "[OrderedDict.fromkeys([{}])]"]
)
@pytest.mark.parametrize(("size", "looks"), [(5, 3), (5000, 1)])
def test_a_big_value_is_looked_at_once(rows: str, size: int, looks: int) -> None:
    """A small one at each call, a big one when the cell first calls a tool with it."""
    nb = Notebook()
    nb.plain("from collections import OrderedDict, deque")
    nb.plain(f"{COUNTED}\nROWS = [Row(), *{rows.format(f'*range({size})')}]")
    nb.plain("@tool(effect='read')\ndef ask(x): return world(f'ask {len(ROWS)}')")
    nb.run("first = ask(0)", "s", "c1")
    before = nb.namespace["looked"]
    assert isinstance(before, list)
    once = len(before)
    nb.run("one = ask(1)", "t", "c2")
    alone = len(before) - once
    nb.run("r = [ask(2), ask(3), ask(4)]", "u", "c3")
    assert len(before) - once - alone == alone + looks - 1


def test_what_a_cell_changes_between_two_calls() -> None:
    """Edited between them, the cell is served the first call and makes the second."""
    nb = Notebook()
    nb.plain("RATES = {'eur': 1}")
    nb.plain("@tool(effect='read')\ndef ask(x): return world(f'ask {x} {RATES}')")
    cell = "RATES['eur'] = 1; a = ask(1); RATES['eur'] = {}; b = ask(1)"
    nb.run(cell.format(2), "s", "c1")
    nb.run(cell.format(3), "s", "c1")
    told_ = [f"ask 1 {{'eur': {n}}}" for n in (1, 2, 3)]
    assert nb.world.effects == told_


def test_why_names_the_variable() -> None:
    """Also where a record of before holds no digest of it."""
    nb = Notebook()
    nb.plain(
        "RATES = {'eur': 1}\n@tool(effect='read')\ndef ask(x): return world(str(RATES))"
    )
    nb.run("a = ask(1)", "s", "c1")
    nb.plain("RATES['eur'] = 2")
    nb.run("a = ask(1)", "s", "c1")
    assert "because RATES changed" in told(nb, "s.1")
    for call in nb.session.history.calls.values():
        call.code, call.codes = "ab", {}
    nb.run("a = ask(1); more = 1", "s", "c1")
    assert "because RATES was not recorded with it" in told(nb, "s.1")


def test_a_variable_of_a_local_module_is_named_with_it(tmp_path: Path) -> None:
    """A tool of a module reads the module's own variables."""
    source = "RATES = [1]\ndef rate(): return RATES[0]"
    nb = Notebook()
    module = ModuleType("shop_rates")
    module.__file__ = str(tmp_path / "shop_rates.py")
    nb.session.sources.add(module.__file__, source)
    exec(compile(source, module.__file__, "exec"), module.__dict__)  # an import
    nb.namespace["rate"] = module.rate
    nb.plain("@tool\ndef ask(x): return world(f'ask {rate()}')")
    nb.run("a = ask(1)", "s", "c1")
    module.RATES[0] = 2
    with pytest.raises(AlreadyHappened, match=r"another shop_rates\.RATES"):
        nb.run("a = ask(1); more = 1", "s", "c1")


def test_an_ignored_variable_of_a_helper_does_not_count() -> None:
    """Also one that is bound in a later cell than the tool."""
    nb = Notebook()
    nb.plain("def price(x): return first(x) * len(RATES)\ndef first(x): return x[0]")
    nb.plain(
        "@tool(ignore=('RATES', 'first'))\ndef pay(x): return world(f'{price(x)}')"
    )
    nb.plain("RATES = [1]")
    nb.run("r = pay([7])", "s", "c1")
    nb.plain("RATES.append(2)")
    nb.run("r = pay([7]); more = 1", "s", "c1")
    assert nb.world.effects == ["7"]


FACTORY: Final = """
def make(rates):
    @tool({ignore})
    def pay(x): return world(f"pay {{x}} {{rates}}")
    return pay
pay = make(RATES)
"""
READS: Final = "@tool({ignore})\ndef pay(x): return world(f'pay {{x}} {{RATES}}')"


@pytest.mark.parametrize(
    ("tools", "name"),
    [(READS, "RATES"), (FACTORY, "rates")],
    ids=["a global", "of a closure"],
)
@pytest.mark.parametrize(("old", "new"), [("1", "2"), ("'a'", "'b'"), ("[1]", "[2]")])
def test_what_is_ignored_counts_nowhere(
    tools: str, name: str, old: str, new: str
) -> None:
    """Neither as data nor as a part of the code; what isn't ignored asks."""
    for ignore in (f"ignore={name!r}", ""):
        nb = Notebook()
        nb.plain(f"RATES = {old}\n{tools.format(ignore=ignore)}")
        nb.run("r = pay(1)", "s", "c1")
        nb.plain(f"RATES = {new}\n{tools.format(ignore=ignore)}")
        asks = contextlib.nullcontext() if ignore else pytest.raises(AlreadyHappened)
        with asks:
            nb.run("r = pay(1); more = 1", "s", "c1")
        assert len(nb.world.effects) == 1


def test_variables_that_answer_no_question() -> None:
    """A proxy without somebody behind it, and a class without a module, stop no call."""
    nb = Notebook()
    nb.plain("class Local:\n    def __getattr__(self, name): raise RuntimeError(name)")
    nb.plain("request = Local()\nK = type('K', (), {'__module__': None})\nROWS = [K()]")
    nb.plain("@tool\ndef pay(x): return world(f'pay {x} {len(ROWS)}')")
    nb.run("r = pay(1)", "s", "c1")
    nb.run("r = pay(1); more = 1", "s", "c1")
    assert nb.world.effects == ["pay 1 1"]


def test_an_ignored_variable_does_not_count() -> None:
    """It is named like a parameter; what the tool doesn't know is refused."""
    nb = Notebook()
    nb.plain("RATES = [1]\n@tool(ignore='RATES')\ndef ask(x): return world(f'{RATES}')")
    nb.run("r = ask(1)", "s", "c1")
    nb.plain("RATES.append(2)")
    nb.run("r = ask(1)", "s", "c1")
    assert nb.world.effects == ["[1]"]
    with pytest.raises(ToolRefused, match="no parameter and reads no variable OTHER"):
        nb.plain("@tool(ignore='OTHER')\ndef ask(x): return world(f'{RATES}')")


@pytest.mark.parametrize("calls", ["{strict}; {loose}", "{loose}; {strict}"])
def test_two_tools_of_one_function_ignore_each_its_own(calls: str) -> None:
    """Whichever the cell calls first."""
    nb = Notebook()
    nb.plain("RATES = 1\ndef fn(x): return world(f'pay {x} {RATES}')")
    nb.plain("strict = tool(name='strict')(fn)")
    nb.plain("loose = tool(name='loose', ignore='RATES')(fn)")
    cell = calls.format(strict="a = strict(1)", loose="b = loose(2)")
    nb.run(cell, "s", "c1")
    nb.plain("RATES = 2")
    with pytest.raises(AlreadyHappened, match="strict"):
        nb.run(cell, "s", "c1")
    nb.run("b = loose(2)", "s", "c1")
    assert sorted(nb.world.effects) == ["pay 1 1", "pay 2 1"]


SPENT: Final = {
    "a function": "@tool\ndef pay(x): SPENT['all'] += x; return world(f'pay {x}')",
    "a method": """
class Till:
    @tool(ignore="self")
    def pay(self, x): SPENT['all'] += x; return world(f'pay {x}')
pay = Till().pay
""",
    "a step": """
@tool
def do_pay(x): return world(f'pay {x}')
@effects.step
def pay(x): SPENT['all'] += x; return do_pay(x)
""",
}


@pytest.mark.parametrize("effect", ["read", "write"])
@pytest.mark.parametrize("kind", SPENT)
def test_what_another_tool_changes_is_left_out(kind: str, effect: str) -> None:
    """Served, that one changes nothing, and what comes after it is the same call."""
    nb = Notebook()
    cell = "a = look(0); pay(2); b = look(0); pay(2); c = look(0)"
    look = f"@tool(effect={effect!r}, stable=True)\ndef look(x): return world(f'look {{SPENT}}')"
    for more in (1, 2):
        nb.restart()
        nb.namespace["effects"] = SimpleNamespace(step=step)
        nb.plain(f"SPENT = {{'all': 0}}\n{look}")
        nb.plain(SPENT[kind])
        nb.run(f"{cell}; more = {more}", "s", "c1")
    assert nb.world.effects == [
        "look {'all': 0}",
        "pay 2",
        "look {'all': 2}",
        "pay 2",
        "look {'all': 4}",
    ]
