"""Restore: what durable and plain cells made is back, at once or when it is used."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from nbdurable.engine.asking.restore import Restored, restore
from nbdurable.engine.steps.deferred import AT_ONCE_BYTES_MAX, reached
from nbdurable.engine.steps.plaincells import ANNOUNCED_BYTES_MIN
from nbdurable.engine.telling.reference import find_step
from nbdurable.errors import ReferenceUnknown
from nbdurable.kernel.mentions import mentioned
from tests.engine.notebooks import Notebook
from tests.engine.test_steps import restart


@pytest.fixture
def nb() -> Notebook:
    """A notebook without tools."""
    return Notebook()


def _back(nb: Notebook, *names: str, **options: object) -> Restored:
    nb.session.attend(nb.facts, "%durable restore")
    return restore(nb.session, nb.namespace, names, **options)  # type: ignore[arg-type]


def test_what_plain_cells_made_is_back(nb: Notebook):
    """Inputs, imports, functions and classes of plain cells, read or not."""
    nb.plain("import json\nimport numpy as np\nlimit = 3\nunread = 4")
    nb.plain("def f(a):\n    return a + limit\nclass C:\n    rate = 2")
    nb.run("a = f(1)", "s", "c1")
    restart(nb)
    for name in ("json", "np", "limit", "f", "C", "unread"):
        nb.namespace.pop(name, None)
    done = _back(nb)
    assert set(done.back) == {"a", "json", "np", "limit", "f", "C"}
    assert eval("(f(2), C.rate, json.dumps([1]))", nb.namespace) == (5, 2, "[1]")
    assert "unread" not in nb.namespace


def test_the_latest_value_counts_whoever_made_it(nb: Notebook):
    """A plain cell's new value is back once a durable cell was given it."""
    nb.run("a = 1", "s", "c1")
    nb.plain("a = 2")
    nb.run("b = a", "t", "c2")
    restart(nb)
    _back(nb)
    assert (nb.namespace["a"], nb.namespace["b"]) == (2, 2)


def test_as_of_a_step(nb: Notebook):
    """`--at` gives the values of the end of an earlier step, and no later names."""
    nb.run("a = [1]", "first", "c1")
    nb.run("a.append(2); b = 3", "second", "c2")
    restart(nb)
    nb.session.attend(nb.facts, "%durable restore")
    done = _back(nb, until=find_step(nb.session.history, "first"))
    assert nb.namespace["a"] == [1]
    assert set(done.back) == {"a"}
    with pytest.raises(ReferenceUnknown):
        _back(nb, "b", until=find_step(nb.session.history, "first"))


def test_what_a_step_deleted_is_not_brought_back(nb: Notebook):
    """A name is gone as of the step that deleted it, and there as of the one before."""
    nb.run("a = [1]; b = 2", "first", "c1")
    nb.run("del a", "second", "c2")
    restart(nb)
    nb.session.attend(nb.facts, "%durable restore")
    assert set(_back(nb).back) == {"b"}
    assert "a" not in nb.namespace
    _back(nb, until=find_step(nb.session.history, "first"))
    assert nb.namespace["a"] == [1]


def test_nothing_is_kept_twice(nb: Notebook):
    """A second step that reads the same stores nothing more of it."""
    nb.plain("import json\ndata = list(range(100))\ndef f(): return data")
    nb.run("a = f()[0]", "s", "c1")
    nb.run("b = f()[1]", "t", "c2")
    assert len(nb.session.history.given) == 1
    nb.plain("data[0] = 7")
    nb.run("c = f()[2]", "u", "c3")
    (_, again) = nb.session.history.given
    assert [n for group in again.groups for n in group] == ["data"]


@pytest.mark.slow
def test_what_takes_a_while_is_said_before(nb: Notebook):
    """Storing a big input of a plain cell is announced, once."""
    nb.plain(f"import numpy as np\nbig = np.zeros({ANNOUNCED_BYTES_MIN // 8})")
    told = nb.run("a = big.sum()", "s", "c1")
    nb.run("b = big.sum()", "t", "c2")
    said = [line for line in (*nb.told, told) if "keeping big" in line]
    assert said[0].startswith("keeping big (200 MB) for a restore, once")
    assert len({*said}) == 1


def test_large_values_wait_until_they_are_used(nb: Notebook):
    """A cell that mentions a name, or a function that loads it, has it loaded."""
    nb.plain("import numpy as np")
    nb.run(
        f"big = np.zeros({AT_ONCE_BYTES_MAX}); small = 1\n"
        "def f():\n    return big.sum()",
        "s",
        "c1",
    )
    restart(nb)
    nb.namespace.pop("np", None)
    done = _back(nb, used=())
    assert set(done.back) == {"small"}
    assert set(done.waiting) == {"big", "f", "np"}
    assert "loaded when used: " in done.line
    assert "(8.0 MB)" in done.line
    waiting = nb.session.deferred.waiting
    load = nb.session.deferred.load
    assert reached(nb.namespace, waiting, {"small"}) == set()
    load(nb.session, nb.namespace, {"f"})
    assert reached(nb.namespace, waiting, {"f"}) == {"big"}
    load(nb.session, nb.namespace, {"big"})
    assert isinstance(nb.namespace["big"], np.ndarray)


def test_an_assigned_name_is_not_overwritten_later(nb: Notebook):
    """A name that waits and is assigned meanwhile keeps what it was assigned."""
    nb.run("def f():\n    return 1", "s", "c1")
    restart(nb)
    _back(nb, used=())
    nb.namespace["f"] = "mine"
    nb.session.deferred.load(nb.session, nb.namespace, {"f"})
    assert nb.namespace["f"] == "mine"


def test_names_given_by_name_come_at_once(nb: Notebook):
    """Whoever names a value wants it now."""
    nb.run("def f():\n    return 1", "s", "c1")
    restart(nb)
    assert _back(nb, "f", used=()).back == {"f": "s"}


def test_the_table_says_what_and_why(nb: Notebook):
    """Each name has a row, with the reason where it is not back."""
    nb.run("g = (i for i in range(3)); next(g); a = 1", "s", "c1")
    restart(nb)
    done = _back(nb)
    assert done.not_back == {"g": "%durable rebuild s"}
    assert ("a", "back", "s") in done.rows()
    assert any("a generator that has begun" in state for _, state, _ in done.rows())
    assert "<td>a</td>" in done._repr_html_()


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("df.head()", "df"),
        ("print(f'{df}')", "df"),
        ("x.query('a > @df')", "df"),
        ("duckdb.sql('SELECT * FROM df')", "df"),
        ("get_ipython().run_line_magic('timeit', 'df.sum()')", "df"),
        ("def f():\n    return df", "df"),
        ("df['a'] = 1", "df"),
        ("del df", "df"),
    ],
)
def test_a_cell_mentions_names_in_code_and_texts(cell: str, name: str):
    """Whatever may use a name mentions it."""
    assert name in mentioned(ast.parse(cell).body)


def test_an_alias_stays_an_alias(nb: Notebook):
    """A later step that reads or uses one of two names does not part them."""
    nb.run("def f(): return 1\nrow = [1]\ntable = {'f': f, 'row': row}", "s", "c1")
    kept = len(nb.session.history.given)
    nb.run("first = row[0]", "t", "c2")
    nb.run("second = f()", "u", "c3")
    assert len(nb.session.history.given) == kept
    restart(nb)
    _back(nb)
    assert eval("table['f'] is f and table['row'] is row", nb.namespace)


CODE_WITH_STATE = """
def counter():
    n = 0
    def count():
        nonlocal n
        n += 1
        return n
    return count
count, numbers = counter(), iter([1, 2, 3, 4])
def seen(x, all=[]):
    all.append(x)
    return len(all)
"""


def _moved_on(nb: Notebook, **options: object) -> object:
    restart(nb)
    names = ("count", "seen", "numbers")
    for name in names:
        nb.namespace.pop(name, None)
    _back(nb, *names, **options)
    nb.plain("c = count(), seen(1), next(numbers)")
    return nb.namespace["c"]


def test_what_code_keeps_is_as_the_last_step_left_it(nb: Notebook):
    """Closures, mutable defaults and iterators come back moved on, not as given."""
    nb.plain(CODE_WITH_STATE)
    nb.run("a = count(), seen(1), next(numbers)", "first", "c1")
    nb.run("b = count(), seen(1), next(numbers)", "second", "c2")
    assert _moved_on(nb) == (3, 3, 3)
    until = find_step(nb.session.history, "first")
    assert _moved_on(nb, until=until) == (2, 2, 2)
