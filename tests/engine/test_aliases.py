"""Names for one object are names for one object again, whoever changed it last."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking.back import back
from nbdurable.engine.asking.restore import Restored, restore
from nbdurable.engine.telling.reference import find_step
from tests.engine.notebooks import Notebook

CLASS = """
class Agent:
    def __init__(self, messages):
        self.messages = messages
"""

OVER = """
import numpy as np
m = bytearray(80)
"""

PAIR = """
def pair():
    held = 0
    def get():
        return held
    def put(new):
        nonlocal held
        held = new
    return get, put

def others():
    def even(n):
        return n == 0 or odd(n - 1)
    def odd(n):
        return n != 0 and even(n - 1)
    return even, odd

"""


@pytest.fixture
def nb() -> Notebook:
    """A notebook whose kernel has run nothing."""
    return Notebook()


def _restart(nb: Notebook) -> None:
    nb.restart()
    nb.session.attend(nb.facts, "%durable restore")


def _back(nb: Notebook, *names: str, **options: object) -> Restored:
    return restore(nb.session, nb.namespace, names, **options)  # type: ignore[arg-type]


def _is(nb: Notebook, expression: str) -> bool:
    return bool(eval(expression, nb.namespace))


STORIES = {
    "an element, by its alias": (
        ["state = {'log': []}; alias = state['log']", "alias.append(1)"],
        "state['log'] is alias and alias == [1]",
    ),
    "an element, by its container": (
        ["state = {'log': []}; alias = state['log']", "state['log'].append(1)"],
        "state['log'] is alias and alias == [1]",
    ),
    "held in a later step": (
        ["l = [1]", "it = {'l': l}", "l.append(2)"],
        "it['l'] is l and l == [1, 2]",
    ),
    "held and changed in one step": (
        ["l = [1]", "it = {'l': l}; l.append(2)"],
        "it['l'] is l and l == [1, 2]",
    ),
    "held and never changed": (["l = [1]", "it = {'l': l}"], "it['l'] is l"),
    "an attribute": (
        [CLASS + "messages = []; agent = Agent(messages)", "messages.append('hi')"],
        "agent.messages is messages and messages == ['hi']",
    ),
    "an attribute, by its object": (
        [CLASS + "messages = []; agent = Agent(messages)", "agent.messages += ['hi']"],
        "agent.messages is messages and messages == ['hi']",
    ),
    "through many steps": (
        [
            CLASS + "messages = []",
            "agent = Agent(messages)",
            "crew = [agent]",
            *(f"messages.append({n})" for n in range(3)),
            "crew[0].messages.append(3)",
        ],
        "crew[0] is agent and agent.messages is messages and messages == [0, 1, 2, 3]",
    ),
    "parted by a later step": (
        ["state = {'log': []}; alias = state['log']", "alias = [2]", "alias.append(3)"],
        "state == {'log': []} and alias == [2, 3]",
    ),
    "a frame in a dict": (
        [
            "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})",
            "held = {'df': df}",
            "df['b'] = 3",
        ],
        "held['df'] is df and list(df.columns) == ['a', 'b']",
    ),
    "an array": (
        ["import numpy as np\na = np.zeros(3)", "held = [a]", "held[0][1] = 5"],
        "held[0] is a and a[1] == 5",
    ),
    "a view that can't be written": (
        [
            "import numpy as np\na = np.zeros(3); v = a.view(); v.flags.writeable = False",
            "a[0] = 7",
        ],
        "v[0] == 7 and np.shares_memory(a, v) and not v.flags.writeable",
    ),
    "records over an array": (
        [
            "import numpy as np\na = np.zeros(3)",
            "r = a.view(np.recarray); part = r[1:]",
            "a[:] = 7",
        ],
        "type(r) is np.recarray and r[0] == part[0] == 7 and np.shares_memory(a, part)",
    ),
    "a small part of a large array": (
        [
            "import numpy as np\nlarge = np.zeros(10**4); part = large[10:20]",
            "part[0] = 7",
        ],
        "large[10] == 7 and np.shares_memory(large, part)",
    ),
    "a small part, by its owner": (
        ["import numpy as np\nz = np.zeros(10**4); a = z[10:20]", "z[10] = 7"],
        "a[0] == 7 and np.shares_memory(z, a)",
    ),
    "a small part of an earlier step's": (
        ["import numpy as np\nlarge = np.zeros(10**4)", "part = large[10:20]", "n = 1"],
        "np.shares_memory(large, part)",
    ),
    "a small part in a container": (
        ["import numpy as np\nlarge = np.zeros(10**4)", "held = {'head': large[:5]}"],
        "np.shares_memory(large, held['head'])",
    ),
    "a small part of what a container holds": (
        ["import numpy as np\nheld = [np.zeros(10**4)]; part = held[0][:5]", "n = 1"],
        "np.shares_memory(held[0], part)",
    ),
    "a small masked part": (
        ["import numpy as np\nlarge = np.zeros(10**4)", "m = np.ma.array(large[:5])"],
        "np.shares_memory(large, m.data)",
    ),
    "small parts that overlap": (
        ["import numpy as np\nl = np.zeros(10**4); a = l[:9]; b = l[5:12]; del l"],
        "np.shares_memory(a, b)",
    ),
    "a part of what was reshaped": (
        [
            "import numpy as np\nm = np.arange(100).reshape(10, 10)",
            "r = m[1]",
            "r[0] = 7",
        ],
        "m[1, 0] == 7 and np.shares_memory(m, r)",
    ),
    "a part of a part": (
        ["import numpy as np\nm = np.arange(100)[50:]", "r = m[::-1][5:]; r[0] = 7"],
        "m[-6] == 7 and np.shares_memory(m, r)",
    ),
    "a part beside its owner": (
        [
            "import numpy as np\na = np.zeros(10**4); r = a[10:20]",
            "r[0] = 7; n = a[10]",
        ],
        "a[10] == n == 7 and np.shares_memory(a, r)",
    ),
    "a part beside what was reshaped": (
        [
            "import numpy as np\nm = np.arange(100).reshape(10, 10); r = m[:, 1]",
            "r[0] = 7; n = m[0, 1]",
        ],
        "m[0, 1] == n == 7 and np.shares_memory(m, r)",
    ),
    "an array over bytes that have no name any more": (
        [OVER, "a = np.frombuffer(m, 'u1'); m = 0", "a[3] = 4"],
        "a.tolist() == [0, 0, 0, 4] + [0] * 76",
    ),
    "an array beside the bytes it is over": (
        [OVER + "a = np.frombuffer(m, 'u1')[2:]", "a[0] = 1; n = m[2]"],
        "m[2] == n == 1 and np.shares_memory(a, np.frombuffer(m))",
    ),
    "an array over bytes": (
        ["import numpy as np\nb = bytearray(80); a = np.frombuffer(b)", "a[0] = 1"],
        "b[7] == 63 and np.shares_memory(a, np.frombuffer(b))",
    ),
    "arrays over bytes without a name": (
        ["import numpy as np\na = np.frombuffer(bytearray(80)); b = a.T; c = a[2:]"],
        "np.shares_memory(a, c) and np.shares_memory(a, b)",
    ),
    "two arrays over bytes without a name": (
        [
            OVER + "a, b = np.frombuffer(m), np.frombuffer(m, 'u1'); del m",
            "b[7] = 63; b[6] = 240",
        ],
        "a[0] == 1",
    ),
    "an open text": (
        ["import io\ntext = io.StringIO('x')", "box = [text]", "box.append(1)"],
        "box[0] is text and text.getvalue() == 'x' and box[1] == 1",
    ),
    "a graph of a library": (
        [
            "import networkx as nx\ng = nx.path_graph(3)",
            "box = {'g': g}; both = [box, g]",
            "box['n'] = 1",
        ],
        "box['g'] is g is both[1] and both[0] is box and box['n'] == 1",
    ),
    "a variable of two closures": (
        [PAIR + "get, put = pair()\nput(5)"],
        "(get(), put(9), get()) == (5, None, 9)",
    ),
    "closures that call each other": (
        [PAIR + "even, odd = others(); calls = [even]"],
        "calls[0] is even and even(4) and odd(5) and not odd(4)",
    ),
}


@pytest.mark.parametrize(("cells", "holds"), STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("used", [None, ()], ids=["at once", "when used"])
def test_names_for_one_object(
    nb: Notebook, cells: list[str], holds: str, used: tuple[str, ...] | None
) -> None:
    """What a later cell changed through one name is seen through all of them."""
    for n, cell in enumerate(cells):
        nb.run(cell, f"s{n}", f"c{n}")
    assert _is(nb, holds)
    _restart(nb)
    done = _back(nb, used=used)
    waiting = set(done.waiting)
    for name in sorted(waiting):
        nb.session.deferred.load(nb.session, nb.namespace, {name})
    assert _is(nb, holds)


@pytest.mark.parametrize(("cells", "holds"), STORIES.values(), ids=STORIES)
def test_names_for_one_object_on_replay(
    nb: Notebook, cells: list[str], holds: str
) -> None:
    """The same cells again in a new kernel: replayed one after the other."""
    for n, cell in enumerate(cells):
        nb.run(cell, f"s{n}", f"c{n}")
    nb.restart()
    for n, cell in enumerate(cells):
        assert "replayed" in nb.run(cell, f"s{n}", f"c{n}")
    assert _is(nb, holds)


COUNTER = (
    PAIR
    + """
def counter():
    count = 0
    def up():
        nonlocal count
        count += 1
        return count
    return up
up = counter()
get, put = pair()
"""
)


@pytest.mark.parametrize(
    ("cells", "holds"),
    [
        (["box = [up]", "up()"], "box[0] is up and (up(), box[0]()) == (2, 3)"),
        (["box = [up]", "box[0]()"], "box[0] is up and (up(), box[0]()) == (2, 3)"),
        (["other = up", "up()"], "other is up and (up(), other()) == (2, 3)"),
        (["box = [get]", "put(5)"], "box[0] is get and box[0]() == 5"),
    ],
    ids=["by its name", "by its container", "another name", "of a pair"],
)
def test_a_function_that_counts_is_not_parted_by_a_replay(
    nb: Notebook, cells: list[str], holds: str
) -> None:
    """A step that holds an earlier step's counter runs again; other functions replay."""
    for n, cell in enumerate((COUNTER, *cells)):
        nb.run(cell, f"s{n}", f"c{n}")
    nb.run("plain = [pair]", "plain", "c9")
    nb.restart()
    for n, cell in enumerate((COUNTER, *cells)):
        nb.run(cell, f"s{n}", f"c{n}")
    assert _is(nb, holds)
    assert "replayed" in nb.run("plain = [pair]", "plain", "c9")


def test_what_a_plain_cell_ties_together(nb: Notebook) -> None:
    """A plain cell's container, given to a step, holds the object that is kept already."""
    nb.run("l = [1]", "a", "c1")
    nb.plain("it = {'l': l}")
    nb.run("n = len(it)", "b", "c2")
    nb.run("l.append(2)", "c", "c3")
    _restart(nb)
    _back(nb)
    assert _is(nb, "it['l'] is l and l == [1, 2]")


def test_what_a_plain_cell_takes_out(nb: Notebook) -> None:
    """A plain cell's name for a part of what is kept is a name for that part."""
    nb.plain("state = {'log': []}; alias = state['log']")
    nb.run("alias.append(1)", "a", "c1")
    nb.run("n = len(state)", "b", "c2")
    nb.run("alias.append(2)", "c", "c3")
    _restart(nb)
    _back(nb)
    assert _is(nb, "state['log'] is alias and alias == [1, 2]")


def test_as_of_a_step(nb: Notebook) -> None:
    """`--at` gives all names as they were then, for one object where they were."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    nb.run("alias.append(1)", "b", "c2")
    nb.run("alias.append(2)", "c", "c3")
    for step, log in {"a": [], "b": [1], "c": [1, 2]}.items():
        _restart(nb)
        _back(nb, until=find_step(nb.session.history, step))
        assert _is(nb, f"state['log'] is alias and alias == {log}")


def test_after_a_restore(nb: Notebook) -> None:
    """What a restored notebook changes is seen through all names, too."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    for n in range(2):
        _restart(nb)
        _back(nb)
        nb.session.stay()
        nb.run(f"alias.append({n})", f"b{n}", f"d{n}")
    _restart(nb)
    _back(nb)
    assert _is(nb, "state['log'] is alias and alias == [0, 1]")


@pytest.mark.parametrize("size", [3, 10**4, 10**6])
def test_a_part_of_a_restored_array(nb: Notebook, size: int) -> None:
    """What is cut from an array that was loaded shares its memory after a load too."""
    nb.run(f"import numpy as np\na = np.zeros({size})", "a", "c1")
    _restart(nb)
    _back(nb, used=None)
    nb.session.stay()
    nb.run("part = a[1:3]; part[0] = 7", "b", "c2")
    _restart(nb)
    _back(nb, used=None)
    assert _is(nb, "np.shares_memory(a, part) and a[1] == 7")


def test_going_back(nb: Notebook) -> None:
    """Going back behind a change takes it back for all names."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    nb.run("alias.append(1)", "b", "c2")
    done = back(nb.session, nb.namespace)
    assert set(done.back) == {"alias", "state"}
    assert _is(nb, "state['log'] is alias and alias == []")


def test_a_replay_binds_only_what_the_step_made(nb: Notebook) -> None:
    """A name that only hangs together with what a step changed is left alone."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    nb.run("alias.append(1)", "b", "c2")
    nb.restart()
    nb.plain("alias = []; state = 'mine'")
    assert "replayed" in nb.run("alias.append(1)", "b", "c2")
    assert nb.namespace["state"] == "mine"


def test_a_late_replay_brings_nothing_old_back(nb: Notebook) -> None:
    """A replay doesn't count as the last word on names that its step didn't make."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    nb.run("alias.append(1)", "b", "c2")
    nb.run("state = 'new'", "c", "c3")
    nb.restart()
    nb.plain("alias = []; state = 'new'")
    assert "replayed" in nb.run("alias.append(1)", "b", "c2")
    _restart(nb)
    _back(nb)
    assert nb.namespace["state"] == "new"


def test_what_hangs_together_may_be_unstorable(nb: Notebook) -> None:
    """A name whose value can't be kept any more costs the others nothing."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    nb.plain("state['stream'] = (i for i in [1]); next(state['stream'])")
    told = nb.run("alias.append(1)", "b", "c2")
    assert "not kept" not in told
    _restart(nb)
    _back(nb)
    assert nb.namespace["alias"] == [1]
