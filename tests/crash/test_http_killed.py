"""A kernel dies after a tool's POST was answered and before the tool returned."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.account import read
from nbdurable.testing.kernel import Kernel, KernelDiedError
from nbdurable.testing.processes import Running

pytestmark = pytest.mark.slow

TOOL = """
import httpx, requests
import nbdurable as nd

@nd.tool(effect="write", on_doubt="retry")
def pay(library, who):
    body = {"tool": "pay", "args": {"who": who}}
    return getattr({"httpx": httpx, "requests": requests}[library], "post")(
        URL + "/effect", json=body
    ).json()["receipt"]
"""


@pytest.mark.parametrize("library", ["httpx", "requests"])
@pytest.mark.parametrize(
    ("point", "posts"), [("completed.synced", 1), ("effect.done", 2)]
)
def test_an_answered_post_is_not_made_again(
    account: Running, tmp_path: Path, library: str, point: str, posts: int
) -> None:
    """What is recorded is served; killed before, the tool's own policy says «again»."""
    who = f"{library} {point}"
    cell = f"%%durable a\nr = pay({library!r}, {who!r})\nprint(r)"
    tool = TOOL.replace("URL", repr(account.url))
    env = {"NBDURABLE_KILLPOINTS": f"{point}#1=kill"}
    with Kernel(tmp_path, env=env) as kernel:
        assert kernel.run(tool).ok
        with pytest.raises(KernelDiedError):
            kernel.run(cell)
    with Kernel(tmp_path) as kernel:
        assert kernel.run(tool).ok
        ran = kernel.run(cell)
        assert ran.ok, ran.text
        assert "pay-" in ran.text
    mine = [a for a in read(account.log) if a.more.get("args") == {"who": who}]
    assert len(mine) == posts
