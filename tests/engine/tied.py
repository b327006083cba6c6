"""Cells that tie names together, and what has to hold of them in another kernel."""

from __future__ import annotations

from nbdurable.engine.asking.restore import Restored, restore
from tests.engine.notebooks import Notebook


def restart(nb: Notebook) -> None:
    """A new kernel, which is about to restore."""
    nb.restart()
    nb.session.attend(nb.facts, "%durable restore")


def back(nb: Notebook, *names: str, **options: object) -> Restored:
    """Restore names, or all of them."""
    return restore(nb.session, nb.namespace, names, **options)  # type: ignore[arg-type]


def holds(nb: Notebook, expression: str) -> bool:
    """Whether an expression is true in the notebook."""
    return bool(eval(expression, nb.namespace))


def restores(cells: list[str], expected: str, used: tuple[str, ...] | None) -> None:
    """The cells run; in a new kernel their names are restored, at once or when used."""
    nb = Notebook()
    for n, cell in enumerate(cells):
        nb.run(cell, f"s{n}", f"c{n}")
    assert holds(nb, expected)
    restart(nb)
    done = back(nb, used=used)
    for name in sorted({*done.waiting}):
        nb.session.deferred.load(nb.session, nb.namespace, {name})
    assert holds(nb, expected)


def replays(cells: list[str], expected: str) -> None:
    """The cells run; in a new kernel they are all replayed."""
    nb = Notebook()
    for n, cell in enumerate(cells):
        nb.run(cell, f"s{n}", f"c{n}")
    nb.restart()
    for n, cell in enumerate(cells):
        assert "replayed" in nb.run(cell, f"s{n}", f"c{n}")
    assert holds(nb, expected)
