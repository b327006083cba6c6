"""Ask a model in every shape of some SDKs, in durable cells, then again after a restart.

    python -m tests.sdks.program LOG SDK…

Prints one line of JSON per shape: what was sent, what was sent again, and whether what
came back is equal. Nothing is asserted here: the environment may have no pytest.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nbdurable.integrations import http
from nbdurable.testing import account
from nbdurable.testing.model_server import ModelServer
from tests.engine.notebooks import Notebook
from tests.sdks.shapes import SDKS


def main(log: Path, *names: str) -> None:
    """Try the shapes of these SDKs."""
    http.install()
    with ModelServer(log) as server:
        for name in names:
            for shape, code in SDKS[name].shapes.items():
                print(
                    json.dumps(
                        {"shape": f"{name}: {shape}", **tried(server, name, code)}
                    )
                )


def tried(server: ModelServer, name: str, code: str) -> dict[str, object]:
    """Run one shape twice, the second time in a fresh kernel and edited."""
    notebook, setup = Notebook(), f"URL = {server.url!r}\n{SDKS[name].setup}"
    before = asked(server)
    try:
        notebook.plain(setup)
        notebook.run(f"value = {code}", name="ask")
        first, sent = notebook.namespace["value"], asked(server)
        notebook.restart()
        notebook.plain(setup)
        line = notebook.run(f"edited = 1\nvalue = {code}", name="ask")
        again = notebook.namespace["value"]
    except Exception as error:  # told, as one line per shape
        return {"error": repr(error)}
    return {
        "sent": sent - before,
        "again": asked(server) - sent,
        "equal": plain(first) == plain(again),
        "line": line,
    }


def plain(value: object) -> str:
    """Plain data as text; a stream's bytes too."""
    return json.dumps(value, default=repr, sort_keys=True)


def asked(server: ModelServer) -> int:
    """How many requests reached the server."""
    return len(account.read(server.account.path))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
