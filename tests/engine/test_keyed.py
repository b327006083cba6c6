"""Calls by key, where very many have one key."""

from __future__ import annotations

from nbdurable.engine.past.keyed import Keyed


def test_equal_calls_are_not_copied_for_each_other() -> None:
    """A cell that asks the same thing all day adds to one list."""
    keyed = Keyed()
    for n in range(3):
        keyed.add(b"k", f"call {n}")
    known = keyed.get(b"k")
    keyed.add(b"k", "one more")
    assert keyed.get(b"k") is known
    assert [*known] == ["call 0", "call 1", "call 2", "one more"]
