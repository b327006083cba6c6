"""Names for one object are names for one object again, whoever changed it last."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking.back import back
from nbdurable.engine.asking.forking import fork
from nbdurable.engine.telling.reference import find_step
from tests.engine.notebooks import Notebook
from tests.engine.tied import back as restored
from tests.engine.tied import holds, replays, restart, restores

CLASS = """
class Agent:
    def __init__(self, messages):
        self.messages = messages
"""

SLOTS = """
import dataclasses
@dataclasses.dataclass(slots=True)
class Agent:
    messages: list
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
    "an attribute without a dict": (
        [
            SLOTS + "messages = []; agent = Agent(messages)",
            "agent.messages.append('hi')",
        ],
        "agent.messages is messages and messages == ['hi']",
    ),
    "what shows a dict": (
        [
            "import types\nd = {'a': [1]}; shown = types.MappingProxyType(d)",
            "keys, items = d.keys(), d.items()",
            "d['b'] = 5",
        ],
        "[*keys] == ['a', 'b'] and ('b', 5) in items and shown['b'] == 5",
    ),
    "what shows a dict of a class in order": (
        [
            "import collections\nd = collections.OrderedDict(a=1); values = d.values()",
            "d['b'] = 5",
        ],
        "[*values] == [1, 5]",
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


@pytest.mark.parametrize(("cells", "expected"), STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("used", [None, ()], ids=["at once", "when used"])
def test_names_for_one_object(
    cells: list[str], expected: str, used: tuple[str, ...] | None
) -> None:
    """What a later cell changed through one name is seen through all of them."""
    restores(cells, expected, used)


@pytest.mark.parametrize(("cells", "expected"), STORIES.values(), ids=STORIES)
def test_names_for_one_object_on_replay(cells: list[str], expected: str) -> None:
    """The same cells again in a new kernel: replayed one after the other."""
    replays(cells, expected)


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
    ("cells", "expected"),
    [
        (["box = [up]", "up()"], "box[0] is up and (up(), box[0]()) == (2, 3)"),
        (["box = [up]", "box[0]()"], "box[0] is up and (up(), box[0]()) == (2, 3)"),
        (["other = up", "up()"], "other is up and (up(), other()) == (2, 3)"),
        (["box = [get]", "put(5)"], "box[0] is get and box[0]() == 5"),
    ],
    ids=["by its name", "by its container", "another name", "of a pair"],
)
def test_a_function_that_counts_is_not_parted_by_a_replay(
    nb: Notebook, cells: list[str], expected: str
) -> None:
    """A step that holds an earlier step's counter runs again; other functions replay."""
    for n, cell in enumerate((COUNTER, *cells)):
        nb.run(cell, f"s{n}", f"c{n}")
    nb.run("plain = [pair]", "plain", "c9")
    nb.restart()
    for n, cell in enumerate((COUNTER, *cells)):
        nb.run(cell, f"s{n}", f"c{n}")
    assert holds(nb, expected)
    assert "replayed" in nb.run("plain = [pair]", "plain", "c9")


def test_what_a_plain_cell_ties_together(nb: Notebook) -> None:
    """A plain cell's container, given to a step, holds the object that is kept already."""
    nb.run("l = [1]", "a", "c1")
    nb.plain("it = {'l': l}")
    nb.run("n = len(it)", "b", "c2")
    nb.run("l.append(2)", "c", "c3")
    restart(nb)
    restored(nb)
    assert holds(nb, "it['l'] is l and l == [1, 2]")


def test_what_a_plain_cell_takes_out(nb: Notebook) -> None:
    """A plain cell's name for a part of what is kept is a name for that part."""
    nb.plain("state = {'log': []}; alias = state['log']")
    nb.run("alias.append(1)", "a", "c1")
    nb.run("n = len(state)", "b", "c2")
    nb.run("alias.append(2)", "c", "c3")
    restart(nb)
    restored(nb)
    assert holds(nb, "state['log'] is alias and alias == [1, 2]")


def test_as_of_a_step(nb: Notebook) -> None:
    """`--at` gives all names as they were then, for one object where they were."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    nb.run("alias.append(1)", "b", "c2")
    nb.run("alias.append(2)", "c", "c3")
    for step, log in {"a": [], "b": [1], "c": [1, 2]}.items():
        restart(nb)
        restored(nb, until=find_step(nb.session.history, step))
        assert holds(nb, f"state['log'] is alias and alias == {log}")


@pytest.mark.parametrize("named", ["l", "it", "alias"])
@pytest.mark.parametrize("before", [False, True], ids=["first", "while it waits"])
def test_a_name_that_is_restored_brings_what_it_is_tied_to(
    nb: Notebook, named: str, before: bool
) -> None:
    """Whatever shares an object with it is back with it, unless it has a value here."""
    nb.run("l = [1]; it = {'l': l}; alias = l; other = [1]", "a", "c1")
    restart(nb)
    if before:
        restored(nb, used=())
    done = restored(nb, named, used=())
    assert {*done.back} == {"l", "it", "alias"}
    restored(nb)
    assert holds(nb, "it['l'] is l is alias")
    nb.namespace["l"] = "mine"
    assert {*restored(nb, "it", overwrite=True).back} == {"it"}
    assert nb.namespace["l"] == "mine"


def test_after_a_restore(nb: Notebook) -> None:
    """What a restored notebook changes is seen through all names, too."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    for n in range(2):
        restart(nb)
        restored(nb)
        nb.session.stay()
        nb.run(f"alias.append({n})", f"b{n}", f"d{n}")
    restart(nb)
    restored(nb)
    assert holds(nb, "state['log'] is alias and alias == [0, 1]")


@pytest.mark.parametrize(
    ("cells", "again"),
    [
        (["b = [1]", "b.append(2)", "a = b"], ["b = [1]", "b.append(1 + 1)", "a = b"]),
        (["b = [1]", "a = b", "a = [1]; b = [1]", "a = b"], []),
        (["import io; b = io.StringIO()", "b.write('x')", "a = b"], [""] * 3),
        (
            ["l = [1]; a = {'l': l}; b = l", "l.append(2)", "b.append(3)"],
            ["l = [1]; a = {'l': l}; b = a['l']", "l.append(2)", "b.append(3)"],
        ),
    ],
    ids=["edited above", "equal cells", "run again above", "changed by other names"],
)
def test_a_replay_ties_what_was_made_anew(
    nb: Notebook, cells: list[str], again: list[str]
) -> None:
    """Its input has an equal value of a later attempt by then; they are one object."""
    for n, cell in enumerate(cells):
        nb.run(cell, f"s{n}", f"c{n}")
    if again:
        nb.restart()
    for n, cell in enumerate(again):
        nb.run(cell or cells[n], f"s{n}", f"c{n}")
    tied = "a is b or a['l'] is l is b and b == [1, 2, 3]"
    assert holds(nb, tied)
    restart(nb)
    restored(nb, used=None)
    assert holds(nb, tied)


def test_a_replay_ties_nothing_that_was_parted(nb: Notebook) -> None:
    """A name with an equal value of its own is no name for what the step changed."""
    nb.run("a = {'l': [1]}; b = a['l']", "s0", "c0")
    nb.run("b.append(2)", "s1", "c1")
    nb.restart()
    nb.run("a = {'l': [1]}; b = [1]", "s0", "c0")
    assert "replayed" in nb.run("b.append(2)", "s1", "c1")
    restart(nb)
    restored(nb)
    assert holds(nb, "a == {'l': [1]} and b == [1, 2]")


def test_goingrestored(nb: Notebook) -> None:
    """Going back behind a change takes it back for all names."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    nb.run("alias.append(1)", "b", "c2")
    done = back(nb.session, nb.namespace)
    assert set(done.back) == {"alias", "state"}
    assert holds(nb, "state['log'] is alias and alias == []")


@pytest.mark.parametrize("how", ["back", "at", "fork"])
def test_what_was_set_back_is_kept_together(nb: Notebook, how: str) -> None:
    """A step that reads one of the names then keeps all that share an object with it."""
    nb.run("l = [1]; box = [l]", "a", "c1")
    nb.run("l.append(2)", "b", "c2")
    nb.run("l.append(3)", "c", "c3")
    if how == "back":
        back(nb.session, nb.namespace)
    elif how == "fork":
        fork(nb.session)
    else:
        restart(nb)
        restored(nb, until=find_step(nb.session.history, "b"))
        nb.session.stay()
    nb.run("n = len(l)", "d", "c4")
    restart(nb)
    restored(nb)
    assert holds(nb, f"box[0] is l and len(l) == n == {3 if how == 'fork' else 2}")


def test_a_replay_binds_only_what_the_step_made(nb: Notebook) -> None:
    """A name that only hangs together with what a step changed is left alone."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    nb.run("alias.append(1)", "b", "c2")
    nb.restart()
    nb.plain("alias = []; state = 'mine'")
    assert "replayed" in nb.run("alias.append(1)", "b", "c2")
    assert nb.namespace["state"] == "mine"


def test_a_late_replay_brings_nothing_oldrestored(nb: Notebook) -> None:
    """A replay doesn't count as the last word on names that its step didn't make."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    nb.run("alias.append(1)", "b", "c2")
    nb.run("state = 'new'", "c", "c3")
    nb.restart()
    nb.plain("alias = []; state = 'new'")
    assert "replayed" in nb.run("alias.append(1)", "b", "c2")
    restart(nb)
    restored(nb)
    assert nb.namespace["state"] == "new"


def test_what_hangs_together_may_be_unstorable(nb: Notebook) -> None:
    """A name whose value can't be kept any more costs the others nothing."""
    nb.run("state = {'log': []}; alias = state['log']", "a", "c1")
    nb.plain("state['stream'] = (i for i in [1]); next(state['stream'])")
    told = nb.run("alias.append(1)", "b", "c2")
    assert "not kept" not in told
    restart(nb)
    restored(nb)
    assert nb.namespace["alias"] == [1]
