"""What a kernel has appended and not folded yet: it is bounded, also in a cell of a day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.engine.past.packed import packed, unpacked
from nbdurable.engine.steps import pending
from nbdurable.engine.steps.pending import Seqs
from nbdurable_store.records import BlobRef, Place
from tests.engine.notebooks import Notebook

CELL = """
@tool(effect="read")
def search(n):
    seen.append(len(fold.calls))
    return n
found = [search(n) for n in range(40)]
"""


@pytest.mark.slow
def test_a_cell_that_makes_calls_all_day_holds_few_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody looks at the history while the cell runs, and it is folded all the same."""
    monkeypatch.setattr(pending, "PENDING_MAX", 10)
    nb, seen = Notebook(), list[int]()
    nb.run("x = 1", "first")
    nb.namespace |= {"fold": nb.session.history, "seen": seen}
    nb.run(CELL, "all_day")
    assert nb.namespace["found"] == [*range(40)]
    late = [n - folded for n, folded in enumerate(seen)]
    assert max(late) <= 10
    assert seen[-1] > 30


@given(st.lists(st.integers(0, 30) | st.none(), max_size=60))
def test_numbers_are_known_in_any_order(said: list[int | None]) -> None:
    """Held against a set, with None for a look at the store, after which all is forgotten."""
    seqs, known = Seqs(), set[int]()
    for seq in said:
        if seq is None:
            seqs.clear()
            known.clear()
        elif seq not in known:
            seqs.add(seq)
            known.add(seq)
        assert [n for n in range(32) if n in seqs] == sorted(known)


BYTES = st.binary(min_size=31, max_size=33)
REFS = st.builds(
    BlobRef,
    st.text(max_size=3),
    BYTES,
    st.integers(0, 1 << 65),
    BYTES,
    st.none() | st.binary(max_size=2),
    st.none() | st.builds(Place, st.text(max_size=3), st.integers(0), st.integers(0)),
)


@pytest.mark.slow
@given(st.none() | REFS)
def test_a_ref_is_what_it_was(ref: BlobRef | None) -> None:
    """However it is kept, a history hands out the same ref, with its bytes and its place."""
    found = unpacked(packed(ref))
    assert (found and tuple(found)) == (ref and tuple(ref))
