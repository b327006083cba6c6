"""Recorded HTTP answers as people read them: the body, a stream put together. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from nbdurable.engine.values.plainly import text_of

DATA = "data:"
"""What a line of a server-sent event stream begins with when it carries something."""


ALWAYS_NEW = frozenset({"id", "created", "created_at", "system_fingerprint", "usage"})
"""Members of an answer that say nothing about its content; tokens are told as cost."""


def is_answer(value: object) -> bool:
    """Whether a stored value is the recording of an HTTP answer."""
    return isinstance(value, Mapping) and {"status", "headers", "body"} <= set(value)


def answer_text(value: Mapping[str, object]) -> tuple[str, str]:
    """The body of a recorded answer laid out, and a note with its status."""
    body = value["body"]
    note = f"HTTP {value['status']}"
    if not isinstance(body, str):
        return text_of(body), note
    if body.lstrip().startswith((DATA, "event:")):
        return _streamed(body), f"{note}, streamed"
    try:
        return text_of(json.loads(body)), note
    except (ValueError, RecursionError):
        return body, note


def answer_content(value: Mapping[str, object]) -> object:
    """The body of a recorded answer for comparing: without what every answer has anew."""
    body = value["body"]
    try:
        content = json.loads(body) if isinstance(body, str) else body
    except (ValueError, RecursionError):
        return answer_text(value)[0]
    if not isinstance(content, Mapping):
        return content
    return {k: v for k, v in content.items() if k not in ALWAYS_NEW}


def _streamed(body: str) -> str:
    """What a stream of events said, put together; else the events as they came."""
    said = "".join(_said(body))
    return said or body


def _said(body: str) -> Iterator[str]:
    for line in body.splitlines():
        if not line.startswith(DATA):
            continue
        try:
            event = json.loads(line.removeprefix(DATA))
        except (ValueError, RecursionError):
            continue
        if isinstance(event, Mapping):
            yield from _deltas(event)


def _deltas(event: Mapping[str, object]) -> Iterator[str]:
    """The texts of one event, in the shapes of the three big model services."""
    choices = event.get("choices")
    listed = choices if isinstance(choices, list) else []
    deltas = [c.get("delta") for c in listed if isinstance(c, Mapping)]
    for delta in [*deltas, event.get("delta")]:
        if isinstance(delta, str):
            yield delta
        elif isinstance(delta, Mapping):
            texts = (delta.get("content"), delta.get("text"))
            yield from (text for text in texts if isinstance(text, str))
