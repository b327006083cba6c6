"""Make spans of model calls that are sent and of the same that are served.

    python -m tests.spans.program LOG INSTRUMENTOR

Prints one line of JSON per shape: the names of all spans that were made, of those that were
marked and of those that were exported, in the kernel that asked and in the one that was
served, and how much was sent. Around each cell is a span of the user's own.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult as Result

from nbdurable.integrations import http
from nbdurable.integrations.spans import REPLAYED, WithoutReplayed
from nbdurable.testing import account
from nbdurable.testing.model_server import ModelServer
from tests.engine.notebooks import Notebook
from tests.sdks.shapes import ANTHROPIC, OPENAI, Sdk

INSTRUMENTORS = {
    "openinference": ("openinference.instrumentation.openai", "OpenAIInstrumentor"),
    "traceloop": ("opentelemetry.instrumentation.openai", "OpenAIInstrumentor"),
    "httpx": ("opentelemetry.instrumentation.httpx", "HTTPX2ClientInstrumentor"),
    "anthropic's own": ("", ""),
}
SHAPES = {
    "chat": OPENAI,
    "chat stream": OPENAI,
    "async chat": OPENAI,
    "responses": OPENAI,
    "embeddings": OPENAI,
    "messages": ANTHROPIC,
    "messages stream helper": ANTHROPIC,
}


class Kept(SpanExporter):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> Result:
        """Keep spans."""
        self.spans += spans
        return Result.SUCCESS

    def taken(self) -> list[str]:
        """Their names since the last time."""
        names = [span.name for span in self.spans]
        self.spans.clear()
        return names


def main(log: Path, instrumentor: str) -> None:
    """Try the shapes that the instrumentor looks into."""
    every, exported = Kept(), Kept()
    provider = TracerProvider()
    for exporter in (every, WithoutReplayed(exported)):
        provider.add_span_processor(SimpleSpanProcessor(exporter))  # type: ignore[arg-type]  # it is one by its methods
    trace.set_tracer_provider(provider)
    http.install()
    module, name = INSTRUMENTORS[instrumentor]
    if module:
        getattr(importlib.import_module(module), name)().instrument()
    own = instrumentor == "anthropic's own"
    with ModelServer(log) as server:
        for shape, sdk in SHAPES.items():
            if own == (sdk is ANTHROPIC):
                said = tried(server, sdk, shape, every, exported)
                print(json.dumps({"shape": shape, **said}))


def tried(
    server: ModelServer, sdk: Sdk, shape: str, every: Kept, exported: Kept
) -> dict[str, object]:
    """Run one shape twice, the second time in a fresh kernel and edited."""
    notebook, setup = Notebook(), f"URL = {server.url!r}\n{sdk.setup}"
    told: dict[str, object] = {}
    for life in ("sent", "served"):
        before = len(account.read(server.account.path))
        notebook.plain(setup)
        with trace.get_tracer("mine").start_as_current_span("agent"):
            notebook.run(f"value = {sdk.shapes[shape]}; life = {life!r}", name="ask")
        marked = [s.name for s in every.spans if (s.attributes or {}).get(REPLAYED)]
        told[life] = {
            "requests": len(account.read(server.account.path)) - before,
            "marked": marked,
            "made": every.taken(),
            "exported": exported.taken(),
        }
        notebook.restart()
    return told


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
