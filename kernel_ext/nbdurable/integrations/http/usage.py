"""Tokens and model of a recorded answer, in any of the formats we know. Pure.

The body stays the truth: prices are computed from it on read. What is taken out here
is what a status line shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from nbdurable.integrations.http.recording import Recording

IN = (
    "prompt_tokens",
    "input_tokens",
    "promptTokenCount",
    "prompt_eval_count",
    "inputTokens",
)
"""What the formats call the tokens of a question."""
CACHED = ("cache_creation_input_tokens", "cache_read_input_tokens")
"""Anthropic counts these apart from ``input_tokens``."""
OUT = (
    "completion_tokens",
    "output_tokens",
    "candidatesTokenCount",
    "eval_count",
    "outputTokens",
)
"""What the formats call the tokens of an answer."""
MODEL = ("model", "modelVersion")


def measure(recording: Recording) -> dict[str, str | int | float]:
    """``tokens_in``, ``tokens_out`` and ``model``, as far as the answer says them.

    Streams say it late and in parts, so the greatest number counts.
    """
    found: dict[str, str | int | float] = {}
    for said in _objects(recording):
        for part in _parts(said):
            _take(found, part)
    return found


def _take(found: dict[str, str | int | float], part: Mapping[str, object]) -> None:
    tokens_in = _first(part, IN)
    if tokens_in is not None:
        cached = sum(_number(part.get(name)) or 0 for name in CACHED)
        found["tokens_in"] = max(tokens_in + cached, int(found.get("tokens_in", 0)))
    tokens_out = _first(part, OUT)
    if tokens_out is not None:
        found["tokens_out"] = max(tokens_out, int(found.get("tokens_out", 0)))
    for name in MODEL:
        if isinstance(part.get(name), str) and "model" not in found:
            found["model"] = str(part[name])


def _objects(recording: Recording) -> Iterator[Mapping[str, object]]:
    """Every JSON object that the answer consists of."""
    texts = [recording.body]
    if recording.media == "text/event-stream":
        lines = recording.body.splitlines()
        texts = [line[5:] for line in lines if line.startswith(b"data:")]
    elif recording.media == "application/x-ndjson":
        texts = recording.body.splitlines()
    for text in texts:
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError):
            continue
        items = plain if isinstance(plain, list) else [plain]
        yield from (item for item in items if isinstance(item, dict))


def _parts(said: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Where numbers can stand: the object, what it wraps, and their usage."""
    for holder in (said, said.get("response"), said.get("message")):
        if isinstance(holder, dict):
            yield holder
            for name in ("usage", "usageMetadata"):
                usage = holder.get(name)
                if isinstance(usage, dict):
                    yield usage


def _first(part: Mapping[str, object], names: tuple[str, ...]) -> int | None:
    numbers = (_number(part.get(name)) for name in names)
    return next((n for n in numbers if n is not None), None)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
