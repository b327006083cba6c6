"""`%durable capture http HOST` in a real kernel, undone and unloaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing import account
from nbdurable.testing.kernel import Kernel
from nbdurable.testing.loopback import LoopbackServer, Reply, Request, json_reply

pytestmark = pytest.mark.slow

POST = "%%durable order\nsaid = requests.post(URL, json={'a': 1}).json()"


def test_a_host_is_captured_until_it_is_let_go(tmp_path: Path) -> None:
    """Its POST is served after a kill, shown by status, and passes when let go."""

    def answer(request: Request) -> Reply:
        return json_reply({"n": request.n})

    with (
        LoopbackServer(tmp_path / "asked.jsonl", answer) as server,
        Kernel(tmp_path) as kernel,
    ):
        host = server.url.removeprefix("http://")
        setup = f"import requests\nURL = {server.url!r} + '/orders'\n%durable capture http {host}"
        assert f"requests to {host} are calls" in kernel.run(setup).text
        assert f"captured: {host}" in kernel.run("%durable status").text
        assert "1 call ran" in kernel.run(POST).text
        kernel.kill()
        kernel.restart()
        kernel.run(setup)
        assert "1 replayed" in kernel.run(f"{POST}\nedited = 1").text
        assert kernel.run("said").text.strip() == "{'n': 1}"
        assert (
            "no calls any more"
            in kernel.run(f"%durable capture http {host} --off").text
        )
        line = kernel.run(f"{POST}\nedited = 2").text
        assert f"not recorded: POST {host} (line 2)" in line
        kernel.run("%unload_ext nbdurable")
        patched = "hasattr(requests.adapters.HTTPAdapter.send, '__wrapped__')"
        assert kernel.run(f"print({patched})").text.strip() == "False"
        assert len(account.read(server.account.path)) == 2
