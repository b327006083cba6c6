"""Counts the side effects of tools, in a process that no kernel takes with it.

    python -m nbdurable.testing.effects --port 0 --log effects.jsonl

prints its URL. Give it to a notebook as ``NBDURABLE_EFFECTS`` and let tools say what
they do:

    from nbdurable.testing.effects import effect

    @nd.tool
    def send_report(to: str, text: str) -> str:
        return effect("send_report", to=to, text=text)

An effect is counted and synced before the tool gets its receipt. Without
``NBDURABLE_EFFECTS`` the account is the file ``effects.jsonl`` in the current
directory, so the same notebook runs alone.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from nbdurable.testing.account import Account, body_digest, read
from nbdurable.testing.loopback import Reply, Request, json_reply
from nbdurable.testing.processes import call, options, run, serve

VARIABLE = "NBDURABLE_EFFECTS"
FILE = "effects.jsonl"


def effect(tool: str, /, **args: object) -> str:
    """Do one thing to the outside world; gives the receipt of the account.

    Args:
        tool: Who does it.
        args: What is done; plain data.
    """
    if url := os.environ.get(VARIABLE):
        answer = call(f"{url}/effect", {"tool": tool, "args": args})
        assert isinstance(answer, dict)  # our own server
        return str(answer["receipt"])
    body = json.dumps({"tool": tool, "args": args}).encode()
    account = Account(Path(FILE))
    try:
        digest = body_digest(body)
        account.arrived("POST", "/effect", digest, tool=tool, args=args)
    finally:
        account.close()
    return receipt(tool, digest)


def receipt(tool: str, digest: str) -> str:
    """The answer to an effect: equal effects have equal receipts."""
    return f"{tool}-{digest[:8]}"


def respond(log: Path, request: Request) -> Reply:
    """Answer one counted request."""
    if (request.method, request.path) == ("POST", "/effect"):
        tool = str(request.plain.get("tool", "effect"))
        return json_reply({"receipt": receipt(tool, request.digest)})
    if (request.method, request.path) == ("GET", "/effects"):
        seen = [a for a in read(log) if a.path == "/effect"]
        return json_reply({"effects": [{"n": a.n, **a.more} for a in seen]})
    return json_reply({"error": {"message": f"no such path: {request.path}"}}, 404)


def main() -> None:
    """Serve until the parent ends, standard input closes, or nobody asks any more."""
    about = "Counts the side effects of tools before it answers."
    args = options("nbdurable.testing.effects", about).parse_args()
    serve(args, lambda request: respond(args.log, request))


if __name__ == "__main__":
    run(main)
