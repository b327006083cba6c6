"""Random numbers after a replayed step are those that would have come after it."""

from __future__ import annotations

import pytest

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
