"""Spans of model calls that were served: marked, and left out of what is exported.

Instrumentors of OpenTelemetry look at the methods of SDKs. An edited cell runs against
the journal, so they make a span for a call that was sent to nobody, with the tokens that
it used when it ran: whoever adds them up pays twice on paper. At the place where a
response is rebuilt the SDK's span is mostly the current one, and is marked there; one
that is of more than a model call, such as an agent's, is not. Nothing of OpenTelemetry is loaded for this: without it there are no spans.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

REPLAYED: Final = "nbdurable.replayed"
"""The attribute of a span whose call was served from the journal."""


def mark_replayed() -> None:
    """Say of the current span that its call was served, if there is a span."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is not None:
        span = trace.get_current_span()
        if span.is_recording() and _is_of_a_call(
            getattr(span, "attributes", None) or {}
        ):
            span.set_attribute(REPLAYED, True)


_OPERATIONS: Final = {"chat", "completion", "embeddings", "generate_content",
                      "text_completion"}  # fmt: skip
"""What ``gen_ai.operation.name`` says of a span of one model call."""

_KINDS: Final = {"EMBEDDING", "LLM"}
"""The same of ``openinference.span.kind``."""


def _is_of_a_call(attributes: Mapping[str, object]) -> bool:
    """Whether a span is of one model call, as the conventions say."""
    operation = attributes.get("gen_ai.operation.name")
    return (
        operation in _OPERATIONS or attributes.get("openinference.span.kind") in _KINDS
    )


class WithoutReplayed:
    """Exports what an exporter of OpenTelemetry does, but for calls that were served.

    Args:
        exporter: A ``SpanExporter``.

    Example:
        >>> from types import SimpleNamespace as Span
        >>> class Prints:
        ...     def export(self, spans): print([span.name for span in spans])
        >>> served = Span(name="served", attributes={REPLAYED: True})
        >>> WithoutReplayed(Prints()).export([served, Span(name="sent", attributes={})])
        ['sent']
    """

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[Any]) -> Any:
        """Export the spans of calls that were sent; gives what the exporter gives."""
        left = [s for s in spans if not (s.attributes or {}).get(REPLAYED)]
        return self._exporter.export(left)

    def shutdown(self) -> None:
        """End the exporter."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> Any:
        """Export what waits, within so many milliseconds."""
        return self._exporter.force_flush(timeout_millis)
