"""docs/retries.md is executed: its Python blocks are cells of one notebook."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nbdurable.engine.past.retry import Retry
from nbdurable.testing import effects
from nbdurable.testing.account import read
from nbdurable.testing.kernel import Kernel
from nbdurable.testing.processes import start
from tests.docs.blocks import ROOT, blocks

PAGE = ROOT / "docs" / "retries.md"

PAYS = """
import requests
post = requests.post
requests.post = lambda url, **more: post(
    f"{BANK}/effect",
    json={"tool": "charge", "args": {**more["json"], "key": more["headers"]["Idempotency-Key"]}},
)
requests.Response.json = lambda self: {"id": "ch_1"}
"""
"""The page's payment service, in the place of one of this machine."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_page_runs(tmp_path: Path) -> None:
    """Its tools are made; a payment that is refused twice is made under one key."""
    log = tmp_path / "bank.jsonl"
    with (
        start("nbdurable.testing.effects", log) as bank,
        Kernel(tmp_path, env={effects.VARIABLE: bank.url}) as kernel,
    ):
        assert kernel.run(f"BANK = {bank.url!r}\n{PAYS}").ok
        found = [b for b in blocks(PAGE) if b.language == "python"]
        assert len(found) >= 3
        for block in found:
            ran = kernel.run(block.text)
            assert ran.ok, f"{block}\n{ran.text}"
        bank.rule(do="fail", times=2, status=503)
        ran = kernel.run("%%durable shop --timeout 5m\nid = charge('ann', 300)\nid")
        assert ran.ok, ran.text
        assert "ch_1" in ran.text
    keys = [a.more["args"]["key"] for a in read(log)]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_the_defaults_are_those_of_the_code() -> None:
    """The page's table says what `nd.Retry()` has."""
    rows = re.findall(
        r"^\| `(\w+)=` \| .* \| (\S+) \|$", PAGE.read_text(), re.MULTILINE
    )
    code = {name: getattr(Retry(), name) for name in Retry.__dataclass_fields__}
    assert dict(rows) == {n: "none" if v == () else f"{v:g}" for n, v in code.items()}
