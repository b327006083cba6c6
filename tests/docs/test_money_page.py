"""docs/money.md is executed: its Python blocks are cells of one notebook."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nbdurable.integrations.own_prices import read
from nbdurable.testing.kernel import Kernel
from nbdurable.testing.model_server import ModelServer
from nbdurable.testing.model_server.__main__ import environment
from tests.docs.blocks import ROOT, blocks

PAGE = blocks(ROOT / "docs" / "money.md")

VARIES = re.compile(r"(?:less than )?\$\d[\d,.]*|\d[\d,.]* (?:ms|s|min)\b")


def _masked(text: str) -> str:
    return VARIES.sub("_", text)


@pytest.mark.slow
def test_the_page_runs(tmp_path: Path) -> None:
    """Its cells show what it says; the last one is stopped by its budget."""
    with (
        ModelServer(tmp_path / "requests.jsonl") as server,
        Kernel(tmp_path, env=environment(server.url)) as kernel,
    ):
        shown = ""
        for block in PAGE:
            if block.language == "python":
                ran = kernel.run(block.text)
                shown = _masked(ran.text)
                assert ran.ok or "BudgetReached" in shown, shown
            elif block.language == "text":
                assert _masked(block.text).strip() in shown
        assert "BudgetReached" in shown
        assert "It was not sent (more." in shown


def test_the_table_on_the_page_is_one() -> None:
    """The price table that it shows can be read."""
    (table,) = [b.text for b in PAGE if b.language == "json"]
    assert set(read(table.encode())) == set(json.loads(table)["models"])
