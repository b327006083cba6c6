"""Random numbers after a replayed step are those that would have come after it."""

from __future__ import annotations

import pytest

from nbdurable.errors import CallInDoubt
from nbdurable_store.records import Kind
from tests.engine.notebooks import Notebook
from tests.engine.test_steps import restart

SETUP = "import random, numpy as np"


def _drawn(nb: Notebook, setup: str, draw: str, after: str) -> tuple[str, object]:
    """What a durable cell draws, and a plain one after it."""
    nb.plain(f"{SETUP}; {setup}")
    line = nb.run(f"a = {draw}", "s", "c1")
    nb.plain(f"b = {after}")
    return line, (nb.namespace["a"], nb.namespace["b"])


def _same_after_restart(setup: str, draw: str, after: str, elsewhere: str) -> None:
    nb = Notebook()
    _, first = _drawn(nb, setup, draw, after)
    restart(nb)
    line, again = _drawn(nb, elsewhere, draw, after)
    assert "nothing ran" in line
    assert again == first


@pytest.mark.parametrize(
    ("draw", "seed"),
    [
        ("random.random()", "random.seed({})"),
        ("float(np.random.rand())", "np.random.seed({})"),
    ],
)
def test_the_global_generators_go_on(draw: str, seed: str):
    """A cell after a replayed one draws what it would have drawn."""
    _same_after_restart(seed.format(3), draw, draw, seed.format(99))


@pytest.mark.parametrize(
    "make",
    ["random.Random(7)", "np.random.default_rng(7)", "np.random.RandomState(7)"],
)
def test_a_generator_of_the_notebook_goes_on_in_place(make: str):
    """A step that drew from it is replayed, and whoever holds it draws on."""
    setup = f"rng = {make}; held = [rng]"
    after = "float(held[0].uniform(0, 1))"
    _same_after_restart(setup, "float(rng.uniform(0, 1))", after, setup)


DRAWS = ["random.random()", "float(np.random.rand())"]

PAYING = f"""
{SETUP}
@tool(effect="read")
def ask(x): return world(f"ask {{x}}")
@tool
def pay(x):
    world(f"pay {{x}}")
    raise KeyboardInterrupt
"""


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("restarted", [True, False])
def test_a_payment_of_a_drawn_amount_is_the_same_payment(
    draw: str, restarted: bool
) -> None:
    """A cell that stopped in it draws that amount again, and asks about that call."""
    nb, cell = Notebook(), f"y = ask({draw}); x = {draw}; pay(x)"
    nb.plain(PAYING)
    with pytest.raises(KeyboardInterrupt):
        nb.run(cell, "s", "c1")
    paid = nb.namespace["x"]
    for _ in range(2):
        if restarted:
            restart(nb)
            nb.plain(PAYING)
        with pytest.raises(CallInDoubt) as asked:
            nb.run(cell, "s", "c1")
        assert asked.value.call == f"pay({paid!r})"
    assert len(nb.world.effects) == 2


def test_a_cell_that_made_no_call_draws_on() -> None:
    """One that failed before its first call draws other numbers when it runs again."""
    nb, drawn = Notebook(), []
    nb.plain(SETUP)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            nb.run("x = random.random(); 1 / 0", "s", "c1")
        drawn.append(nb.namespace["x"])
    assert drawn[0] != drawn[1]


def test_a_rerun_draws_on() -> None:
    """Who asks for fresh answers gets other numbers."""
    nb, cell, drawn = Notebook(), "x = random.random(); ask(x); 1 / 0", []
    nb.plain(PAYING)
    for fresh in (False, False, True):
        with pytest.raises(ZeroDivisionError):
            nb.run(cell, "s", "c1", fresh=fresh)
        drawn.append(nb.namespace["x"])
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_state_is_recorded_once_while_nothing_draws() -> None:
    """Cells that draw nothing cost no room for it."""
    nb = Notebook()
    nb.plain(SETUP)
    for n in range(3):
        nb.run(f"a = {n}", f"s{n}", f"c{n}")
    entries, _ = nb.store.read(nb.session.history.run)
    kinds = [e.record.kind for e in entries]
    assert kinds.count(Kind.STEP_STARTED) == 3
    assert kinds.count(Kind.STEP_RANDOM) == 1
