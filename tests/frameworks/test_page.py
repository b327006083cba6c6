"""The Python of docs/frameworks.md and docs/nested-steps.md runs, as plain cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.model_server import ModelServer
from tests.docs.blocks import ROOT, blocks
from tests.frameworks.running import Program, Warm

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("frameworks-agents"),
]


@pytest.mark.parametrize("warm", ["agents"], indirect=True, scope="session")
@pytest.mark.parametrize("page", ["frameworks", "nested-steps"])
def test_its_blocks_run(page: str, warm: tuple[Warm, Warm], tmp_path: Path) -> None:
    """Each block works behind those before it."""
    found = [b for b in blocks(ROOT / "docs" / f"{page}.md") if b.language == "python"]
    path = tmp_path / "program.py"
    path.write_text("".join(f"# %%\n{block.text}" for block in found))
    with ModelServer(tmp_path / "requests.jsonl") as server:
        Program(path, tmp_path / "program", server).run(warm[0])
