"""Spans of model calls that were served: marked, and left out of what is exported.

Instrumentors of OpenTelemetry look at the methods of SDKs. An edited cell runs against
the journal, so they make a span for a call that was sent to nobody, with the tokens that
it used when it ran: whoever adds them up pays twice on paper. At the place where a
response is rebuilt the SDK's span is mostly the current one, and is marked there; one
that is of more than a model call, such as an agent's, is not. Where the span is only made
when the answer is there, it says the answer's id: by that it is known when it is exported.
Nothing of OpenTelemetry is loaded for this: without it there are no spans.
"""

from __future__ import annotations

import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from nbdurable_store.clock import SYSTEM_CLOCK

REPLAYED: Final = "nbdurable.replayed"
"""The attribute of a span whose call was served from the journal."""


RESPONSE_ID: Final = "gen_ai.response.id"
"""The attribute in which a span names the answer that it is of."""

ANSWERS_MAX: Final = 10_000
"""Served answers that are remembered until their spans are exported, some seconds later."""

BODY_BYTES_MAX: Final = 16 << 10
"""An answer says who it is at its beginning."""

_ID: Final = re.compile(rb'"id"\s*:\s*"([^"\\]{1,200})"')

_served: OrderedDict[str, int] = OrderedDict()
_lock: Final = threading.Lock()


def mark_replayed(body: bytes = b"") -> None:
    """Say of the current span that its call was served, if there is a span.

    Args:
        body: The answer, decoded.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return
    _remember(body)
    span = trace.get_current_span()
    if span.is_recording() and _is_of_a_call(getattr(span, "attributes", None) or {}):
        span.set_attribute(REPLAYED, True)


def mark_sent(body: bytes) -> None:
    """Know that an answer is of a call that was sent; some servers use ids again.

    Args:
        body: The answer, decoded.
    """
    if _served:
        with _lock:
            for found in _ids(body):
                _served.pop(found, None)


def _ids(body: bytes) -> list[str]:
    found = _ID.findall(body[:BODY_BYTES_MAX])
    return [each.decode("utf-8", "replace") for each in found]


def _remember(body: bytes) -> None:
    """The ids in an answer, and when it was served, microseconds since 1970 UTC."""
    now_us = SYSTEM_CLOCK.now_us()
    with _lock:
        _served.update(dict.fromkeys(_ids(body), now_us))
        while len(_served) > ANSWERS_MAX:
            _served.popitem(last=False)


def _is_of_served(span: Any) -> bool:
    """Whether a span is marked, or of an answer that was served before it ended.

    That of the call that was sent names the same answer, and ended before.
    """
    attributes = span.attributes or {}
    if attributes.get(REPLAYED):
        return True
    served_us = _served.get(str(attributes.get(RESPONSE_ID, "")))
    return served_us is not None and (span.end_time or 0) >= served_us * 1000


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
        left = [span for span in spans if not _is_of_served(span)]
        return self._exporter.export(left)

    def shutdown(self) -> None:
        """End the exporter."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> Any:
        """Export what waits, within so many milliseconds."""
        return self._exporter.force_flush(timeout_millis)
