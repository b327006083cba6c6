"""A fake model server on your own machine, to test agents with: no key, no cost.

    python -m nbdurable.testing.model_server --port 0 --log requests.jsonl

prints its URL; point the SDKs to it:

    OPENAI_BASE_URL=$URL/v1 OPENAI_API_KEY=any      ANTHROPIC_BASE_URL=$URL

It speaks a subset of OpenAI (``/v1/chat/completions``, ``/v1/responses``,
``/v1/embeddings``) and of Anthropic (``/v1/messages``, ``/v1/messages/count_tokens``):
whole answers, streams, tool calls, usage. The same request always gets the same answer,
and every answer carries the digest of its request, so a wrong one shows. Every request
is counted in the log, synced, before it is answered. Requests can be held, slowed,
refused and cut. ``docs/testing.md`` has the details.

In a test:

    with ModelServer(tmp_path / "requests.jsonl") as server:
        client = OpenAI(base_url=f"{server.url}/v1", api_key="any")
        server.rules.add(Rule(do="fail", status=429, times=2))
"""

from __future__ import annotations

from pathlib import Path

from nbdurable.testing.loopback import LoopbackServer
from nbdurable.testing.model_server.answers import Script
from nbdurable.testing.model_server.respond import respond
from nbdurable.testing.rules import Rule

__all__ = ["ModelServer", "Rule"]


class ModelServer(LoopbackServer):
    """The server in a thread of this process; a context manager.

    Args:
        log: The account of what arrived; a file, created if absent.
        script: Scripted turns, see `nbdurable.testing.model_server.answers`.
        port: TCP port, 0 for any free one.
    """

    def __init__(self, log: Path, script: Script = (), *, port: int = 0) -> None:
        super().__init__(log, lambda request: respond(request, script), port=port)
