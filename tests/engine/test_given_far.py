"""A call that changes very many objects, some of which have other names, too."""

from __future__ import annotations

import pytest

from nbdurable.engine.codec.grafts import MARKS_MAX
from tests.engine.notebooks import Notebook

pytestmark = pytest.mark.slow  # ten thousand objects in each

MANY = MARKS_MAX + 500
FAR = MARKS_MAX + 100
TOOLS = """
@tool(effect='read')
def index(docs):
    world('index')
    for doc in docs:
        doc['seen'] = [len(docs)]
    return len(docs)
@tool(effect='read')
def deeper(docs):
    world('deeper')
    for doc in docs:
        doc['of']['seen'] = 1
    docs.append({'last': True})
"""

SERVED = {
    "a list, and a dict of the same": (
        f"docs = [{{'n': n}} for n in range({MANY})]; by = {{d['n']: d for d in docs}}",
        "index(docs)",
        f"all(by[n] is docs[n] for n in range({MANY})) and by[{FAR}]['seen'] == [{MANY}]",
    ),
    "one of them": (
        f"docs = [{{'n': n}} for n in range({MANY})]; one = docs[{FAR}]",
        "index(docs)",
        f"docs[{FAR}] is one and one['seen'] == [{MANY}]",
    ),
    "one that was far in": (
        f"docs = [{{'of': {{}}}} for n in range({MANY})]; one = docs[{FAR}]",
        "deeper(docs)",
        f"docs[{FAR}] is one and one['of']['seen'] == 1 and docs[-1]['last']",
    ),
    "nobody holds them": (
        f"docs = [{{'of': {{'x': [n]}}}} for n in range({MANY})]",
        "deeper(docs)",
        f"docs[{FAR}]['of'] == {{'x': [{FAR}], 'seen': 1}}",
    ),
}
MADE_AGAIN = {
    "somebody holds what is farther in": (
        f"docs = [{{'of': {{}}}} for n in range({MANY})]; one = docs[{FAR}]['of']",
        "deeper(docs)",
        f"docs[{FAR}]['of'] is one and one['seen'] == 1",
    ),
}


def _twice(make: str, call: str) -> tuple[Notebook, str]:
    """The call in one kernel, and in the next one where its cell was edited."""
    nb = Notebook()
    nb.plain(TOOLS)
    nb.plain(make)
    said = nb.run(f"r = {call}", "s", "c")
    nb.restart()
    nb.plain(TOOLS)
    nb.plain(make)
    nb.run(f"r = {call}; more = 1", "s", "c")
    return nb, said


@pytest.mark.parametrize(("make", "call", "holds"), SERVED.values(), ids=SERVED)
def test_a_served_call_changes_them_for_everybody(
    make: str, call: str, holds: str
) -> None:
    """Served, it changes the objects that stood there, however many there are."""
    nb, _ = _twice(make, call)
    assert len(nb.world.effects) == 1
    assert eval(holds, nb.namespace)


@pytest.mark.parametrize(("make", "call", "holds"), MADE_AGAIN.values(), ids=MADE_AGAIN)
def test_a_call_that_would_part_them_is_not_served(
    make: str, call: str, holds: str
) -> None:
    """Its outcome isn't kept, which the line says with the reason; a read is made again."""
    nb, said = _twice(make, call)
    assert "others hold more than is followed" in said
    assert len(nb.world.effects) == 2
    assert eval(holds, nb.namespace)
