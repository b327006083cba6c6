"""Injected causes: what a notebook does twice, what differs, and what `why` must say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from tests.engine.notebooks import Notebook

Act = Callable[[Notebook], object]


@dataclass(frozen=True, kw_only=True)
class Injected:
    """One cause.

    Attributes:
        cell: The durable cell.
        setup: A plain cell before it.
        cell_after: The cell as it is the second time.
        setup_after: The plain cell as it is the second time.
        files: Files before it.
        files_after: Files before the second time.
        between: Anything else that is done in between.
        restart: Whether another kernel runs it the second time.
        about: What `why` is asked about.
        says: Texts that the answer holds.
        fresh: Whether the line says ``--fresh``.
    """

    cell: str
    setup: str = ""
    cell_after: str | None = None
    setup_after: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    files_after: Mapping[str, str] = field(default_factory=dict)
    between: Act = bool
    restart: bool = False
    about: str = "work"
    says: tuple[str, ...]
    fresh: bool = False


MESSAGES = """
PROMPT = "Be brief"
messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "Summarise in one line"}]
"""
TOOLS = """
@tool(effect="read")
def ask(messages, limit=5): return world("ask")
@tool(effect="read")
def fetch(customer, amount=1): return world("fetch")
@tool
def pay(who): return world(f"pay {who}")
"""
HELPERS = """
LIMIT = 3
def low(x):
    # the lowest
    return x * LIMIT
def middle(x):
    return low(x) + 1
def top(x):
    return middle(x)
"""
CLASS = """
class Invoice:
    rate = 2
    def total(self): return self.rate * 10
invoice = Invoice()
"""


def rerun(nb: Notebook) -> None:
    """Somebody asks for a rerun."""
    from nbdurable.engine.asking import commands
    from nbdurable.engine.telling.reference import find_step

    step = find_step(nb.session.history, "work", "%durable rerun")
    commands.rerun(nb.session, step)


def damage(nb: Notebook) -> None:
    """What the step stored is gone."""
    step = nb.session.history.named("work")
    assert step is not None
    lost = step.blobs[1]._replace(id=bytes(32), inline=None)
    nb.session.history.steps[step.id].blobs = (step.blobs[0], lost)


def fill_disk(nb: Notebook) -> None:
    """The disk was full at the step's end: nothing of it was stored."""
    step = nb.session.history.named("work")
    assert step is not None
    step.fields = {**step.fields, "names": [], "unsaved": {"": "the disk is full"}}


def edited(text: str, old: str, new: str) -> str:
    """A text after one edit."""
    assert old in text
    return text.replace(old, new)


STEPS = {
    "variable": Injected(setup="x = 1", setup_after="x = 2", cell="y = x", says=("because x changed", "x was 1, is 2")),
    "deep in a variable": Injected(setup=MESSAGES, setup_after=edited(MESSAGES, "one line", "two lines"), cell="n = len(messages)", says=("messages changed", "messages[1].content was '…rise in one line', is '…rise in two lines'")),
    "type": Injected(setup="x = 1", setup_after="x = 1.0", cell="y = x", says=("x changed", "x was 1, is 1.0")),
    "bool": Injected(setup="x = 1", setup_after="x = True", cell="y = x", says=("x was 1, is True",)),
    "tuple": Injected(setup="x = [1, 2]", setup_after="x = (1, 2)", cell="y = len(x)", says=("x was list of 2, is tuple of 2",)),
    "negative zero": Injected(setup="x = 0.0", setup_after="x = -0.0", cell="y = x", says=("x was 0.0, is -0.0",)),
    "order of a list": Injected(setup="x = ['a', 'b']", setup_after="x = ['b', 'a']", cell="y = len(x)", says=("x[0] was 'a', is 'b'", "x[1] was 'b', is 'a'")),
    "order of a dict": Injected(setup="x = {'a': 1, 'b': 2}", setup_after="x = {'b': 2, 'a': 1}", cell="y = len(x)", says=("x was {'a': 1, 'b': 2}, is {'b': 2, 'a': 1}",)),
    "key gone": Injected(setup="x = {'a': 1, 'b': 2}", setup_after="x = {'a': 1}", cell="y = len(x)", says=("x.b is gone (was 2)",)),
    "not defined before": Injected(cell="y = x if 'x' in dir() else 0\ntry: x\nexcept NameError: pass", setup_after="x = 5", says=("x changed", "x was not defined, is 5")),
    "not defined any more": Injected(setup="x = 5", setup_after="del x", cell="try: y = x\nexcept NameError: y = 0", says=("x was 5, is not defined",)),
    "frame": Injected(setup="import pandas as pd\ndf = pd.DataFrame({'a': range(30)})", setup_after="df = df.assign(b=1)", cell="n = len(df)", says=("because df changed", "df was DataFrame 30 × 1, is DataFrame 30 × 2")),
    "frame of the same shape": Injected(setup="import pandas as pd\ndf = pd.DataFrame({'a': range(30)})", setup_after="df = df + 1", cell="n = len(df)", says=("df.loc[0, 'a'] was 0, is 1", "df.loc[1, 'a'] was 1, is 2")),
    "big value": Injected(setup="x = list(range(5000))", setup_after="x = list(range(1, 5001))", cell="n = len(x)", says=("x[0] was 0, is 1",)),
    "line of the cell": Injected(cell="a = 1\n# why\nb = 2\nc = 3", cell_after="a = 1\nb = 20\nc = 3", says=("because its code changed", "line 2 was «b = 2», is «b = 20»")),
    "line added": Injected(cell="a = 1", cell_after="a = 1\nb = 2", says=("line 2 «b = 2» is new",)),
    "line gone": Injected(cell="a = 1\nb = 2", cell_after="a = 1", says=("line 2 «b = 2» is gone",)),
    "helper two levels down": Injected(setup=HELPERS, setup_after=edited(HELPERS, "x * LIMIT", "x + LIMIT"), cell="y = top(1)", says=("because top changed", "low: was «return x * LIMIT», is «return x + LIMIT»")),
    "global of a helper": Injected(setup=HELPERS, setup_after=edited(HELPERS, "LIMIT = 3", "LIMIT = 4"), cell="y = top(1)", says=("because top changed", "LIMIT was 3, is 4")),
    "default of a helper": Injected(setup="def f(x=1): return x", setup_after="def f(x=2): return x", cell="y = f()", says=("f: was «def f(x=1):», is «def f(x=2):»",)),
    "method": Injected(setup=CLASS, setup_after=edited(CLASS, "self.rate * 10", "self.rate * 20"), cell="t = invoice.total()", says=("because Invoice changed", "Invoice: was «return self.rate * 10», is «return self.rate * 20»")),
    "class attribute": Injected(setup=CLASS, setup_after=edited(CLASS, "rate = 2", "rate = 3"), cell="t = invoice.total()", says=("Invoice: was «rate = 2», is «rate = 3»",)),
    "file": Injected(files={"data.csv": "1"}, files_after={"data.csv": "234"}, cell="from pathlib import Path\nn = len(Path('data.csv').read_text())", says=("because data.csv changed", "data.csv was 70b73bff…, is 39b287ec… by its digest")),
    "file gone": Injected(files={"data.csv": "1"}, between=lambda nb: (nb.root / "data.csv").unlink(), cell="from pathlib import Path\nn = Path('data.csv').read_text() if Path('data.csv').exists() else 0", says=("because data.csv is gone", "data.csv was 70b73bff…, is gone")),
    "rerun": Injected(cell="a = 1", between=rerun, says=("because you asked for a rerun",)),
    "fresh": Injected(cell="a = 1", fresh=True, says=("because its line says --fresh",)),
    "no digest": Injected(setup="import threading\nlock = threading.Lock()", cell="l = lock.locked()", says=("because lock has no digest", "lock: the value: _thread.lock has no digest")),
    "all variables": Injected(setup="x = 1\nname = 'x'", setup_after="z = 2", cell="y = eval(name + '')", says=("because z changed", "z was not read or had no digest, is 2", "all variables count as read (eval)")),
    "not kept": Injected(cell="a = 1", between=fill_disk, says=("because its variables could not be kept", "the disk is full")),
    "its own input": Injected(setup="queue = [1, 2, 3]", cell="item = queue.pop(0)", says=("because queue changed (by this cell itself)", "queue[0] was 1, is 2", "to have it replayed: ")),
    "its own input, bound anew": Injected(setup="import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})", cell="df['b'] = df['a'] * 2", says=("because df changed (by this cell itself)", "df was DataFrame 2 × 1, is DataFrame 2 × 2", "to have it replayed: ")),
    "outcome gone": Injected(cell="a = 1", between=damage, says=("is damaged: its signature doesn't fit",)),
}  # fmt: skip
"""What makes a step run again."""

CALLS = {
    "deep in an argument": Injected(setup=TOOLS + MESSAGES, setup_after=edited(MESSAGES, "one line", "two lines"), cell="a = ask(messages)", about="work.1", says=("messages[1].content was '…rise in one line', is '…rise in two lines'",)),
    "argument added": Injected(setup=TOOLS, cell="a = ask([])", cell_after="a = ask([], limit=9)", about="work.1", says=("limit was 5, is 9",)),
    "argument renamed": Injected(setup=TOOLS, setup_after=edited(TOOLS, "def fetch(customer,", "def fetch(client,"), cell="a = fetch('ann')", about="work.1", says=("customer is gone (was 'ann')", "client is new: 'ann'")),
    "argument's type": Injected(setup=TOOLS, cell="a = fetch('ann', 1)", cell_after="a = fetch('ann', 1.0)", about="work.1", says=("amount was 1, is 1.0",)),
    "order in an argument": Injected(setup=TOOLS, cell="a = ask(['x', 'y'])", cell_after="a = ask(['y', 'x'])", about="work.1", says=("messages[0] was 'x', is 'y'",)),
    "tool's default": Injected(setup=TOOLS, setup_after=edited(TOOLS, "limit=5", "limit=6"), cell="a = ask([])", about="work.1", says=("limit was 5, is 6",)),
    "tool's body": Injected(setup=TOOLS, setup_after=edited(TOOLS, 'world("ask")', 'world("ask2")'), cell="a = ask([])", about="work.1", says=("the code of ask changed", "ask: was «return world('ask')», is «return world('ask2')»")),
    "arguments too big": Injected(setup=TOOLS, cell="a = ask('x' * 30000)", cell_after="a = ask('y' * 30000)", about="work.1", says=("its arguments are not kept, its key was ",)),
    "argument without a digest": Injected(setup=TOOLS + "import threading", cell="a = ask(threading.Lock())", cell_after="a = 1; a = ask(threading.Lock())", about="work.1", says=("messages (_thread.lock) has no digest",)),
    "another tool's write before": Injected(setup=TOOLS, cell="a = ask([])", cell_after="pay('ann')\na = ask([])", about="work.2", says=("pay ran before it (write)",)),
    "one more equal call": Injected(setup=TOOLS, cell="a = ask([])", cell_after="a = ask([])\nb = ask([])", about="work.2", says=("it is one more equal call",)),
    "new": Injected(setup=TOOLS, cell="a = ask([])", cell_after="b = fetch('x')\na = ask([])", about="work.1", says=("ran: it is new",)),
    "asked for": Injected(setup=TOOLS, cell="a = ask([])", between=rerun, about="work.1", says=("you asked for a rerun",)),
    "result not kept": Injected(setup=TOOLS + "@tool(effect='read')\ndef lines(): return (n for n in [1])", cell="a = 1; lines()", cell_after="a = 2; lines()", about="work.1", says=("its result was not kept: ",)),
    "swapped": Injected(setup=TOOLS, cell="a = fetch('x')\nb = fetch('y')", cell_after="b = fetch('y')\na = fetch('x')", about="work.1", says=("was replayed in attempt 2 of work: an equal call, it ran",)),
}  # fmt: skip
"""What makes a call run, or has it served."""


def stopped(nb: Notebook, source: str, error: type[BaseException]) -> None:
    """A cell that ends with an error of this type."""
    with pytest.raises(error):
        nb.run(source, "work")
