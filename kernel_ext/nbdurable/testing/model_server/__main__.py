"""``python -m nbdurable.testing.model_server --port 0 --log F`` prints its URL."""

from __future__ import annotations

import json
from pathlib import Path

from nbdurable.testing.loopback import Reply, Request
from nbdurable.testing.model_server.respond import respond
from nbdurable.testing.processes import options, run, serve
from nbdurable_store.clock import SYSTEM_CLOCK


def main() -> None:
    """Serve until the parent ends, standard input closes, or nobody asks any more."""
    about = "A fake model server: OpenAI- and Anthropic-compatible subset, loopback."
    parser = options("nbdurable.testing.model_server", about)
    parser.add_argument("--script", type=Path, help="JSON file of scripted turns")
    parser.add_argument("--delay-ms", type=int, default=0, help="before each answer")
    args = parser.parse_args()
    script = json.loads(args.script.read_text()) if args.script else ()

    def after_delay(request: Request) -> Reply:
        SYSTEM_CLOCK.sleep(args.delay_ms / 1000)
        return respond(request, script)

    serve(args, after_delay)


if __name__ == "__main__":
    run(main)
