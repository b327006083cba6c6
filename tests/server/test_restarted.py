"""A question whose server was started anew before somebody answered."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.server.test_route import OPEN, ask
from tests.ui.desk import Desk, start, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETUP = """from pathlib import Path
import nbdurable as nd

@nd.tool(effect="write")
def send(to):
    with open("sent", "a") as file:
        file.write(to + "\\n")
    return to
"""

ASKS = """%%durable review
if nd.approve("Send it?"):
    send("anna")
"""

DONE = "Path('done').touch()"


def end(server: Desk) -> None:
    """The server ends in order, and its kernels with it."""
    server.close()


def kill(server: Desk) -> None:
    """The server is killed; its kernels notice."""
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait(60)


@pytest.mark.parametrize("stop", [end, kill])
def test_a_question_outlives_its_server(
    tmp_path: Path, stop: Callable[[Desk], None]
) -> None:
    """Asked in a kernel of one server, answered beside the next one, sent once."""
    env = {"NBDURABLE_NOTEBOOK": str(tmp_path / "work" / "n.ipynb")}
    with contextlib.closing(start(tmp_path, env)) as first:
        first.notebook("n.ipynb", ASKS)
        execute(first, lambda: inbox(first), SETUP, ASKS)
        stop(first)
    with contextlib.closing(start(tmp_path, env)) as second:
        assert "Send it?" in json.dumps(ask(second, "n.ipynb", OPEN))
        (waits,) = inbox(second)
        command(second, "approve", waits["asked"])
        execute(second, (second.folder / "done").exists, SETUP, ASKS, DONE)
    assert (second.folder / "sent").read_text() == "anna\n"


def execute(server: Desk, condition: Callable[[], object], *cells: str) -> None:
    """Run cells in a kernel that the server starts, as a front end does, until then."""
    home = server.folder.parent / "home"
    place = home / "runtime" / f"kernel-{server.kernel()}.json"
    client = BlockingKernelClient(connection_file=str(place))
    client.load_connection_file()
    client.start_channels()
    for number, cell in enumerate(cells):
        asked = client.session.msg("execute_request", {"code": cell})
        asked["metadata"]["cellId"] = f"c{number}"
        client.shell_channel.send(asked)
    until(condition, lambda: f"the cells came to nothing: {cells}")
    client.stop_channels()


def inbox(server: Desk) -> Any:
    """What waits for an answer, as the command line tells it."""
    return command(server, "inbox")


def command(server: Desk, *words: str) -> Any:
    """What the command line answers, in a process of its own."""
    data = server.folder.parent / "home" / "data"
    done = subprocess.run(
        [sys.executable, "-m", "nbdurable", *words, "--json"],
        cwd=server.folder,
        env={**os.environ, "JUPYTER_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else []
