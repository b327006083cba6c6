"""Objects that a replay can't find by their place are not parted from other names."""

from __future__ import annotations

import pytest

from tests.conftest import TORCH_IS_HERE
from tests.engine.notebooks import Notebook

KINDS = """
import functools, io, collections, types
import numpy as np
class Mine:
    def __init__(self): self.n = []
    def __reduce__(self): return Mine, (), {'n': self.n}
class Stack(list): pass
class Ways(np.ndarray): pass
class State:
    def __init__(self): self.rows, self.k = [[1]], {}
    def __getstate__(self): return dict(vars(self))
    def __setstate__(self, state): vars(self).update(state)
def closing(over):
    def put(x): over.append(x)
    def seen(): return over
    return put, seen
it, other = [1], None
"""

RUN_AGAIN = {
    "a list in a closure": ("put, seen = closing([1])", "box = [put]", "box[0](2)", "seen() == [1, 2]"),
    "in a subclass of list": ("stack = Stack([[1]])", "first = stack[0]", "first.append(3)", "stack == [[1, 3]]"),
    "a parameter of a torch model": ("import torch; m = torch.nn.Linear(1, 1)", "opt = torch.optim.SGD(m.parameters())", "opt.param_groups[0]['params'][0].data.fill_(7)", "m.weight.item() == 7"),
    "in a dict with such keys": ("by = {(1, 2): [1]}", "row = by[1, 2]", "row.append(3)", "by == {(1, 2): [1, 3]}"),
    "in a deque": ("last = collections.deque([[1]])", "row = last[0]", "row.append(3)", "last[0] == [1, 3]"),
    "a part of a masked array": ("m = np.ma.array([1.0, 2, 3])", "v = m[1:]", "v[0] = 7", "m[1] == 7"),
    "a part of one of a class of its own": ("m = np.zeros(3).view(Ways)", "box = [m[1:]]", "box[0][0] = 7", "m[1] == 7"),
    "an array over another sort of bytes": ("import array; b = array.array('d', [1, 2])", "a = np.frombuffer(b)", "a[0] = 7", "b[0] == 7"),
    "what can only be read, of what is written": ("m = np.ma.array([1.0, 2, 3])", "v = m.data[1:]; v.flags.writeable = False", "m[1] = 7", "v[0] == 7"),
    "in a set": ("few = {State()}", "(one,) = few", "one.rows.append(3)", "[s.rows for s in few] == [[[1], 3]]"),
}  # fmt: skip
REPLAYED = {
    "a list in a partial": ("log = []; note = functools.partial(log.append)", "box = [note]", "box[0](2)", "log == [2]"),
    "a list among a partial's arguments": ("log = []; note = functools.partial(list.append, log)", "box = [note]", "box[0](2)", "log == [2]"),
    "a text that grows": ("text = io.StringIO()", "box = {'t': text}", "box['t'].write('x')", "text.getvalue() == 'x'"),
    "bytes that grow": ("text = io.BytesIO()", "box = {'t': text}", "box['t'].write(b'x')", "text.getvalue() == b'x'"),
    "another name": ("text = io.StringIO()", "box = text", "box.write('x')", "text.getvalue() == 'x'"),
    "a reduce of its own": ("mine = Mine()", "box = [mine]", "box[0].n.append(3)", "mine.n == [3]"),
    "a namespace": ("ns = types.SimpleNamespace(n=1)", "box = [ns]", "box[0].n = 3", "ns.n == 3"),
    "a subclass of list": ("stack = Stack([1])", "box = [stack]", "box[0].append(3)", "stack == [1, 3]"),
    "a subclass of ndarray": ("ways = np.zeros(3).view(Ways)", "box = [ways]", "box[0][0] = 3", "ways[0] == 3"),
    "a tensor": ("import torch; t = torch.zeros(3)", "box = [t]", "box[0][1] = 5", "t[1] == 5"),
    "tensors of an optimizer": ("import torch; w = torch.zeros(1, requires_grad=True); b = torch.ones(1, requires_grad=True)", "opt = torch.optim.SGD([w, b])", "opt.param_groups[0]['params'][1].data.fill_(7)", "b.item() == 7"),
    "a graph": ("import networkx as nx; g = nx.path_graph(3)", "box = {'g': g}", "box['g'].add_edge(7, 8)", "8 in g and g in box.values()"),
    "two that hold one another": ("import networkx as nx; g = nx.path_graph(3); h = nx.Graph(base=g)", "box = [g, h]", "box[1].graph['base'].add_edge(7, 8)", "8 in g and box == [g, h]"),
    "in a list that was given": ("texts = [io.StringIO()]", "box = {'t': texts[0]}", "box['t'].write('x')", "texts[0].getvalue() == 'x'"),
    "in an object with a state": ("state = State()", "row = state.rows[0]", "row.append(3)", "state.rows == [[1, 3]]"),
    "that object": ("state = State()", "box = [state]", "box[0].rows.append(3)", "state.rows == [[1], 3]"),
    "a parameter of a model": ("from sklearn.linear_model import LinearRegression; m = LinearRegression().fit([[1], [2]], [1, 2])", "c = m.coef_", "c[0] = 5", "m.coef_[0] == 5"),
    "a part of a parameter": ("from sklearn.linear_model import LinearRegression; m = LinearRegression().fit([[1, 2], [2, 4]], [1, 2])", "c = m.coef_[1:]", "c[0] = 5", "m.coef_[1] == 5"),
    "a part of a masked array that nobody has": ("m = np.ma.array([1.0, 2, 3])", "m = m[1:]; v = m[1:]", "v[0] = 5", "m[1] == 5"),
    "parts that can only be read": ("b = np.broadcast_to(np.arange(3), (4, 3))", "c = b[1]", "pass", "c.tolist() == [0, 1, 2]"),
    "parts of a frame": ("import pandas as pd; df = pd.DataFrame({'a': [1.5, 2], 'b': [3.5, 4]})", "x = df.to_numpy(); y = x[:, 1]", "pass", "y.tolist() == [3.5, 4]"),
    "parts of a part of a frame": ("import pandas as pd; df = pd.DataFrame({'a': [1.5, 2], 'b': [3.5, 4]}); x = df.to_numpy()", "y = x[:, 1]", "pass", "y.tolist() == [3.5, 4]"),
    "an array over bytes": ("class Text(bytes): pass\nb = Text(b'abc'); c = b'abc'", "a = np.frombuffer(b, 'u1'); d = np.frombuffer(c, 'u1')", "pass", "a.tolist() == d.tolist() == [97, 98, 99]"),
    "by name": ("import operator; ways = {'f': np.log, 'k': operator.add, 't': np.dtype('i4')}", "box = [*ways.values()]", "pass", "box[0] is np.log"),
    "messages of an answer": ("from pydantic import BaseModel\nclass M(BaseModel):\n    rows: list\nm = M(rows=[[1]])", "row = m.rows[0]", "row.append(3)", "m.rows == [[1, 3]]"),
    "a library's object": ("import networkx as nx; g = nx.path_graph(3)", "box = {'g': g, 'v': g.nodes}", "pass", "list(box['g']) == [0, 1, 2]"),
    "parts of a fitted pipeline": ("from sklearn.pipeline import make_pipeline; from sklearn.linear_model import LinearRegression; p = make_pipeline(LinearRegression()).fit([[1], [2]], [1, 2]); c = p[0]", "w = c.coef_; box = [p, c]", "w[0] = 5", "p[0] is c and box == [p, c] and c.coef_ is w"),
    "beside one that others hold": ("it = [[1], io.StringIO()]; text = it[1]", "box = {'it': it}", "box['it'][1].write('x')", "text.getvalue() == 'x'"),
    "numbers": ("import fractions; f = fractions.Fraction(1, 3)", "box = [f]", "pass", "box == [f]"),
    "terms": ("import sympy; x = sympy.Symbol('x')", "box = [x + 1]", "pass", "box[0] == x + 1"),
    "moments and frames": ("import pandas as pd; df = pd.DataFrame({'a': [1.5], 'b': ['x']}); t = pd.Timestamp(0)", "box = [df.copy(), t, df['a'].to_numpy()]", "pass", "box[1] == t"),
    "tables": ("import pyarrow as pa, polars as pl; tb = pa.table({'a': [1]}); lz = pl.DataFrame({'a': [1]})", "box = [tb, lz, lz['a']]", "pass", "box[0] == tb and box[1].equals(lz)"),
    "functions": ("def f(x): return x\ng = functools.partial(f, 1)", "box = [f, g, len]", "pass", "box[0](2) == 2 and box[1]() == 1"),
    "a changed list beside a function": ("l = [1]\ndef f(x): return x", "l.append(2); box = [l, f]", "pass", "box[0] is l"),
}  # fmt: skip

if not TORCH_IS_HERE:
    del RUN_AGAIN["a parameter of a torch model"]
    del REPLAYED["a tensor"], REPLAYED["tensors of an optimizer"]


def _run(nb: Notebook, *cells: str) -> list[str]:
    nb.plain(KINDS)
    return [nb.run(cell, f"s{n}", f"c{n}") for n, cell in enumerate(cells)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("made", "put", "change", "holds"), RUN_AGAIN.values(), ids=RUN_AGAIN
)
def test_what_a_replay_would_part_is_run_again(
    made: str, put: str, change: str, holds: str
) -> None:
    """The step that puts such an object elsewhere runs again: names stay names for one."""
    nb = Notebook()
    _run(nb, made, put)
    nb.restart()
    said = _run(nb, made, put)
    assert "replayed" in said[0]
    assert "ran again because only running it changes" in said[1]
    nb.plain(change)
    assert eval(holds, nb.namespace)


@pytest.mark.wide
@pytest.mark.parametrize(
    ("made", "put", "change", "holds"), REPLAYED.values(), ids=REPLAYED
)
def test_what_can_be_found_or_copied_is_replayed(
    made: str, put: str, change: str, holds: str
) -> None:
    """Nothing runs where its place is known, or where a copy is as good."""
    nb = Notebook()
    _run(nb, made, put)
    nb.restart()
    assert all("replayed" in said for said in _run(nb, made, put))
    nb.plain(change)
    assert eval(holds, nb.namespace)


@pytest.mark.parametrize(
    "cell", ["text.write('x'); box = [text]", "box = [text]; text.write('x')"]
)
def test_what_the_step_itself_changed_does_not_stand_there(cell: str) -> None:
    """An open text that the step wrote to is bound anew, and the step runs again."""
    nb = Notebook()
    cells = ("text = io.StringIO(); other = [text]", cell)
    _run(nb, *cells)
    nb.restart()
    assert "ran again because only running it changes" in _run(nb, *cells)[1]
    assert eval("box[0] is text is other[0] and text.getvalue() == 'x'", nb.namespace)


@pytest.mark.parametrize("other", ["g", "others = [g]; del g"])
def test_a_librarys_object_that_a_step_changed_through_its_container(
    other: str,
) -> None:
    """What others hold of it can't be filled, so the step runs again."""
    nb = Notebook()
    cells = (
        f"import networkx as nx; g = nx.path_graph(3); box = [g]; {other}",
        "box.append(1)",
        "box[0].add_edge(7, 8)",
    )
    _run(nb, *cells)
    nb.restart()
    said = _run(nb, *cells)
    assert "replayed" in said[0]
    assert "replayed" in said[1]
    assert "ran again because only running it changes" in said[2]
    held = "g" if other == "g" else "others[0]"
    assert eval(f"box[0] is {held} and 8 in {held}", nb.namespace)


def test_what_nobody_else_holds_is_replayed() -> None:
    """An open text that the step made itself is its own."""
    nb = Notebook()
    cells = ("text = io.StringIO()", "text = [text, io.StringIO()]")
    _run(nb, *cells)
    nb.restart()
    assert all("replayed" in said for said in _run(nb, *cells))


KEPT_ELSEWHERE = {
    "deleted": "xs.append(2); held = {'xs': xs}; del xs",
    "bound anew": "xs.append(2); held = {'xs': xs}; xs = 0",
    "not kept": "both[0].append(2); held = {'xs': both[0]}; both.append(i for i in [1])",
    "only read": "held = {'xs': xs, 'n': 2}; xs.append(2)",
}


@pytest.mark.parametrize("cell", KEPT_ELSEWHERE.values(), ids=KEPT_ELSEWHERE)
def test_a_changed_input_is_changed_whatever_becomes_of_its_name(cell: str) -> None:
    """An input that is deleted, or that can't be kept, is none that was only read."""
    nb = Notebook()
    _run(nb, "xs = [1]; other = xs; both = [xs]", cell)
    nb.restart()
    _run(nb, "xs = [1]; other = xs; both = [xs]", cell)
    assert eval("held['xs'] is other and other == [1, 2]", nb.namespace)
