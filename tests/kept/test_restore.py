"""What people keep in notebooks is back after `kill -9`, or named with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kept.groups import GROUPS, HELD
from tests.kept.judge import judged

ALL = {**GROUPS, "held back": HELD}
"""Of those that were held back 42 of 44 came back when they were first tried."""

WANTED = {"equal": "back", "rebuilt": "back", "refused": "refused"}
"""The fate that each expectation asks for."""

MISSED = frozenset(
    {
        "jinja2: template",  # knows nothing of its source
        "live: ssl context",  # doesn't say which certificates it was given
    }
)
"""Kinds that are refused although the list wants them back."""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("group", ALL)
def test_restored(
    group: str, tmp_path: Path, record_property: Callable[[str, object], None]
):
    """Each kind is back or refused as the list says, and none is silently wrong."""
    rows = judged(tmp_path, ALL[group])
    fates = Counter((row.kind.expected, row.fate) for row in rows)
    record_property("kept", [[*key, count] for key, count in fates.items()])
    odd = [
        f"{row.kind.id}: expected {row.kind.expected}, {row.fate}: {row.why}"
        for row in rows
        if row.fate != WANTED[row.kind.expected] and row.kind.id not in MISSED
    ]
    assert odd == []
    back = {row.kind.id for row in rows if row.fate == "back"}
    assert back & MISSED == set()
