"""The interface's promises as checks that hold any backend to them.

    from nbdurable_store import conformance

    @pytest.mark.parametrize("check", conformance.CHECKS, ids=conformance.name)
    def test_it_keeps_the_promise(check, tmp_path):
        check(MyHarness(tmp_path))

A check takes a `Harness` and raises `AssertionError` when a promise is broken. Each
check gets a new, empty store. `docs/format.md` §10 says what is promised and what is not.
"""

from __future__ import annotations

from nbdurable_store.conformance import journal, sharing, values
from nbdurable_store.conformance.harness import Check, Harness, name

CHECKS: tuple[Check, ...] = (*journal.CHECKS, *values.CHECKS, *sharing.CHECKS)
"""Every check, in an order in which the first that fails says most."""

__all__ = ["CHECKS", "Check", "Harness", "name"]
