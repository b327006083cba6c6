"""Names for one object among very many: as if they were few, or the step runs again."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking.restore import restore
from nbdurable.engine.codec import meeting
from nbdurable.engine.codec.grafts import MARKS_MAX
from nbdurable.engine.codec.meeting import holders, reached
from tests.engine.notebooks import Notebook

pytestmark = pytest.mark.slow  # eleven thousand objects in each

FAR = MARKS_MAX + 500
ROWS = f"rows = [{{'n': n}} for n in range({FAR + 500})]"
REPLAYED = {
    "bound": ([f"worst = rows[{FAR}]"], f"rows[{FAR}] is worst"),
    "bound and changed in one step": (
        [f"worst = rows[{FAR}]; worst['x'] = 1"],
        f"rows[{FAR}] is worst and worst['x'] == 1",
    ),
    "changed by its new name": (
        [f"worst = rows[{FAR}]", "worst['x'] = 1"],
        f"rows[{FAR}] is worst and worst['x'] == 1",
    ),
    "in a container": (
        [f"held = {{'w': rows[{FAR}]}}", "held['w']['x'] = 1"],
        f"rows[{FAR}] is held['w'] and held['w']['x'] == 1",
    ),
    "many of them": (
        ["some = [r for r in rows if r['n'] > 3]"],
        "all(a is b for a, b in zip(some, rows[4:]))",
    ),
    "taken out, and nobody else has it": (
        [f"worst = rows.pop({FAR})", "worst['x'] = 1"],
        f"len(rows) == {FAR + 499} and worst == {{'n': {FAR}, 'x': 1}}",
    ),
    "one of them is changed, and nobody else has it": (
        [f"rows[{FAR}]['x'] = 1"],
        f"rows[{FAR}] == {{'n': {FAR}, 'x': 1}}",
    ),
}
RUN_AGAIN = {
    "changed by its container": (
        [f"worst = rows[{FAR}]", f"rows[{FAR}]['x'] = 1"],
        f"rows[{FAR}] is worst and worst['x'] == 1",
    ),
    "put elsewhere under the old name": (
        [f"worst = rows[{FAR}]", "rows = [r for r in rows if r['n'] > 3]"],
        f"rows[{FAR - 4}] is worst",
    ),
}


@pytest.fixture
def nb() -> Notebook:
    """A notebook with a list of more objects than are marked."""
    nb = Notebook()
    nb.run(ROWS, "rows", "c")
    return nb


def run_all(nb: Notebook, cells: list[str]) -> list[str]:
    """Run cells one after the other; gives what each one's line said."""
    return [nb.run(cell, f"s{n}", f"c{n}") for n, cell in enumerate(cells)]


@pytest.mark.parametrize(
    ("cells", "holds"), [*REPLAYED.values(), *RUN_AGAIN.values()], ids=str
)
def test_restored_names_for_one_object(
    nb: Notebook, cells: list[str], holds: str
) -> None:
    """Wherever an object stands, its names come back as names for one object."""
    run_all(nb, cells)
    nb.restart()
    nb.session.attend(nb.facts, "%durable restore")
    restore(nb.session, nb.namespace, ())
    assert eval(holds, nb.namespace)


@pytest.mark.parametrize(("cells", "holds"), REPLAYED.values(), ids=REPLAYED)
def test_replayed_names_for_one_object(
    nb: Notebook, cells: list[str], holds: str
) -> None:
    """A replay gives them one object, too, and runs nothing."""
    run_all(nb, cells)
    assert eval(holds, nb.namespace)
    nb.restart()
    nb.run(ROWS, "rows", "c")
    assert all("replayed" in told for told in run_all(nb, cells))
    assert eval(holds, nb.namespace)


@pytest.mark.parametrize(("cells", "holds"), RUN_AGAIN.values(), ids=RUN_AGAIN)
def test_what_a_replay_would_part_is_run_again(
    nb: Notebook, cells: list[str], holds: str
) -> None:
    """What another variable holds is changed by running the step, which the line says."""
    run_all(nb, cells)
    assert eval(holds, nb.namespace)
    nb.restart()
    nb.run(ROWS, "rows", "c")
    *_, told = run_all(nb, cells)
    assert "ran again because only running it changes rows in place" in told
    assert eval(holds, nb.namespace)


def test_a_plain_cell_holds_one_of_them(nb: Notebook) -> None:
    """A variable that no step knows of counts like any other."""
    cell = f"rows[{FAR}]['x'] = 1"
    nb.plain(f"worst = rows[{FAR}]")
    nb.run(cell, "s", "c1")
    nb.restart()
    nb.run(ROWS, "rows", "c")
    nb.plain(f"worst = rows[{FAR}]")
    assert "only running it changes rows" in nb.run(cell, "s", "c1")
    assert eval(f"rows[{FAR}] is worst and worst['x'] == 1", nb.namespace)


def test_who_holds_an_object() -> None:
    """Any depth and kind of container is looked through; tuples are no objects of theirs."""
    one, deep = {"n": 1}, object()
    for _ in range(20_000):
        deep = [deep]
    values = {"a": [deep, (one,)], "b": [{"n": 1}], "c": {"k": {"l": one}}, "d": 1}
    found = holders(values, reached([one]))
    assert found.names == {"a", "c"}
    assert [*found.found.values()] == [one]
    assert holders(values, set()).names == set()


def test_what_is_not_looked_through_counts_as_a_holder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More objects than are ever looked at: rather kept together than parted."""
    monkeypatch.setattr(meeting, "OBJECTS_MAX", 50)
    rows = [[n] for n in range(100)]
    assert holders({"rows": rows}, reached([[1]])).names == {"rows"}
