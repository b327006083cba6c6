"""``python -m nbdurable.testing.model_server --port 0 --log F`` prints its URL.

With a command behind ``--`` the server lives as long as the command, which finds it by
the SDKs' own variables: ``… --log F -- jupyter lab``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from nbdurable.testing.loopback import LoopbackServer, Reply, Request
from nbdurable.testing.model_server.respond import respond
from nbdurable.testing.processes import options, run, serve
from nbdurable_store.clock import SYSTEM_CLOCK


def main() -> None:
    """Serve until the parent ends, standard input closes, or nobody asks any more."""
    arguments, command = _split(sys.argv[1:])
    args = _parser().parse_args(arguments)
    script = json.loads(args.script.read_text()) if args.script else ()

    def after_delay(request: Request) -> Reply:
        SYSTEM_CLOCK.sleep(args.delay_ms / 1000)
        return respond(request, script)

    if not command:
        serve(args, after_delay)
        return
    with LoopbackServer(args.log, after_delay, port=args.port) as server:
        env = {**os.environ, **environment(server.url)}
        signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for the command
        sys.exit(subprocess.call(command, env=env))  # noqa: S603  # the user's own


def environment(url: str) -> dict[str, str]:
    """The variables by which the SDKs find the server."""
    return {
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": "any",
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "any",
        "NO_PROXY": "127.0.0.1",
    }


def _parser() -> argparse.ArgumentParser:
    about = "A fake model server: OpenAI- and Anthropic-compatible subset, loopback."
    parser = options("nbdurable.testing.model_server", about)
    parser.epilog = "-- command …: serve as long as the command runs, and tell it where"
    parser.add_argument("--script", type=Path, help="JSON file of scripted turns")
    parser.add_argument("--delay-ms", type=int, default=0, help="before each answer")
    return parser


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


if __name__ == "__main__":
    run(main)
