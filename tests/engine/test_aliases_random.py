"""Whatever cells tie together is tied together after a restart: a plain run is the oracle."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from nbdurable.engine.asking.restore import restore
from tests.engine.notebooks import Notebook

MADE = (
    "{x} = np.arange(100.0)",
    "{x} = np.arange(100.0).reshape(10, 10)",
    "{x} = bytearray(80)",
    "{x} = [1]",
    "{x} = io.StringIO('s')",
    "{x} = nx.path_graph(2)",
)
TIED = (
    "{x} = {y}",
    "{x} = [{y}]",
    "{x} = dict(k={y})",
    "{x} = {y}[2:7]",
    "{x} = {y}[1]",
    "{x} = {y}['k']",
    "{x} = {y}.reshape(-1)",
    "{x} = np.frombuffer({y}, 'u1')",
    "{x}.append({y})",
    "{x}['n'] = {y}",
)
CHANGED = (
    "{x}[1] = 5",
    "{x}.append(2)",
    "{x}.write('w')",
    "{x}.add_edge(1, 9)",
    "{x}[0].append(3)",
    "{x}['k'][3] = 4",
    "del {x}",
)
_IN_ITSELF = {f.format(x=n, y=n) for f in TIED[-2:] for n in "abcd"}
"""What no object of these can hold; the ties of such a one have no end."""

NAMES = st.sampled_from("abcd")
STATEMENTS = st.builds(
    lambda form, x, y: form.format(x=x, y=y),
    st.sampled_from((*MADE, *TIED, *TIED, *CHANGED)),
    NAMES,
    NAMES,
)
CELLS = st.lists(st.lists(STATEMENTS, min_size=1, max_size=3), min_size=2, max_size=5)


def _namespace() -> dict[str, Any]:
    return {"np": np, "nx": nx, "io": io}


def _possible(cells: list[list[str]]) -> tuple[list[str], dict[str, Any]]:
    """The cells without what would raise, and what they make where nothing is kept."""
    namespace, done = _namespace(), []
    for cell in cells:
        lines = []
        for line in cell:
            before = {n: namespace[n] for n in "abcd" if n in namespace}
            if line in _IN_ITSELF:
                continue
            try:
                exec(line, namespace)
            except Exception:  # most of what is drawn can't be done
                namespace.update(before)
            else:
                lines.append(line)
        if lines:
            done.append("\n".join(lines))
    return done, namespace


def _ties(namespace: dict[str, Any]) -> list[object]:
    """What each name reaches, and which of it is one object, or one memory."""
    found = [pair for name in "abcd" for pair in _below(name, namespace.get(name), 4)]
    pairs = [(a, b) for a in found for b in found if a[0] < b[0]]
    ties = [(a[0], b[0], a[1] is b[1], _memory(a[1], b[1])) for a, b in pairs]
    return [(path, _told(value)) for path, value in found] + [
        t for t in ties if any(t[2:])
    ]


def _below(path: str, value: Any, room: int) -> Iterator[tuple[str, Any]]:
    if value is None or isinstance(value, int | float | str | np.generic):
        return
    yield path, value
    held = {list: enumerate, dict: dict.items}.get(type(value))
    for key, item in held(value) if held and room else ():
        yield from _below(f"{path}[{key}]", item, room - 1)


def _told(value: Any) -> str:
    if isinstance(value, io.StringIO):
        return value.getvalue()
    if isinstance(value, nx.Graph):
        return repr(sorted(value.edges))
    if isinstance(value, list | dict):
        held = value.items() if isinstance(value, dict) else enumerate(value)
        return repr([(k, v) for k, v in held if isinstance(v, int | float | str)])
    return repr(value)


def _memory(one: Any, other: Any) -> bool:
    kinds = np.ndarray | bytearray
    if not (isinstance(one, kinds) and isinstance(other, kinds)):
        return False
    arrays = [
        np.frombuffer(v, "u1") if isinstance(v, bytearray) and v else v
        for v in (one, other)
    ]
    return all(isinstance(v, np.ndarray) for v in arrays) and np.shares_memory(*arrays)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(CELLS)
def test_what_is_tied_together_stays_so(drawn: list[list[str]]) -> None:
    """A restored and a replayed notebook have the names, values and ties of a plain run."""
    cells, plain = _possible(drawn)
    assume(cells)
    note("\n---\n".join(cells))
    nb = Notebook()
    for again in range(2):
        nb.namespace.update(_namespace())
        for n, cell in enumerate(cells):
            nb.run(cell, f"s{n}", f"c{n}")
        assert _ties(nb.namespace) == _ties(plain), "replayed" if again else "ran"
        nb.restart()
    nb.namespace.update(_namespace())
    nb.session.attend(nb.facts, "%durable restore")
    restore(nb.session, nb.namespace, (), used=None)
    assert _ties(nb.namespace) == _ties(plain), "restored"
