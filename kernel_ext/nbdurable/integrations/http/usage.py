"""Tokens and model of a recorded answer, in any of the formats we know. Pure.

The body stays the truth. What is taken out here is what a status line shows and what a
price is made of: every token once in ``tokens_in`` or ``tokens_out``, and of these how
many were of a kind that has a price of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from nbdurable.integrations.http.recording import Recording

IN = (
    "prompt_tokens",
    "input_tokens",
    "promptTokenCount",
    "prompt_eval_count",
    "inputTokens",
)
"""What the formats call the tokens of a question."""

OUT = (
    "completion_tokens",
    "output_tokens",
    "candidatesTokenCount",
    "eval_count",
    "outputTokens",
)
"""What the formats call the tokens of an answer."""

APART_IN = (
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cacheReadInputTokens",
    "cacheWriteInputTokens",
    "toolUsePromptTokenCount",
)
"""What Anthropic, Bedrock and Gemini count apart from the tokens of the question."""

APART_OUT = ("thoughtsTokenCount",)
"""What Gemini counts apart from the tokens of the answer."""

MODEL = ("model", "modelVersion")

_DETAILS_IN: Final = ("prompt_tokens_details", "input_tokens_details")
_DETAILS_OUT: Final = ("completion_tokens_details", "output_tokens_details")

KINDS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "tokens_cached": (
        *((details, "cached_tokens") for details in _DETAILS_IN),
        ("cache_read_input_tokens",),
        ("cacheReadInputTokens",),
        ("cachedContentTokenCount",),
        ("prompt_cache_hit_tokens",),
    ),
    "tokens_written": (
        ("cache_creation_input_tokens",),
        ("cacheWriteInputTokens",),
        *((details, "cache_write_tokens") for details in _DETAILS_IN),
    ),
    "tokens_written_1h": (("cache_creation", "ephemeral_1h_input_tokens"),),
    "tokens_audio_in": tuple((details, "audio_tokens") for details in _DETAILS_IN),
    "tokens_audio_out": tuple((details, "audio_tokens") for details in _DETAILS_OUT),
    "tokens_reasoning": (
        *((details, "reasoning_tokens") for details in _DETAILS_OUT),
        ("thoughtsTokenCount",),
    ),
    "searches": (("server_tool_use", "web_search_requests"),),
}
"""Where the formats say how many tokens were of a kind with a price of its own."""


def measure(recording: Recording) -> dict[str, str | int | float]:
    """``tokens_in``, ``tokens_out``, the `KINDS` and ``model``, as far as it says them.

    Streams say it late and in parts, so the greatest number counts.
    """
    numbers: dict[str, int] = {}
    model = ""
    for said in _objects(recording):
        for part in _parts(said):
            for name, number in _numbers(part):
                numbers[name] = max(number, numbers.get(name, 0))
            model = model or _model(part)
    kept = {k: n for k, n in numbers.items() if n or k in {"tokens_in", "tokens_out"}}
    return {**kept, **({"model": model} if model else {})}


def _numbers(part: Mapping[str, object]) -> Iterator[tuple[str, int]]:
    sums = ("tokens_in", IN, APART_IN), ("tokens_out", OUT, APART_OUT)
    for total, names, apart in sums:
        told = _first(part, names)
        if told is not None:
            rest = sum(_number(part.get(name)) or 0 for name in apart)
            yield total, told + rest
    for kind, places in KINDS.items():
        found = (n for n in (_at(part, place) for place in places) if n is not None)
        if (number := next(found, None)) is not None:
            yield kind, number


def _at(part: Mapping[str, object], place: tuple[str, ...]) -> int | None:
    value: object = part
    for name in place:
        value = value.get(name) if isinstance(value, Mapping) else None
    return _number(value)


def _model(part: Mapping[str, object]) -> str:
    found = (part.get(name) for name in MODEL)
    return next((value for value in found if isinstance(value, str)), "")


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
    """A count; a negative one is none."""
    counts = isinstance(value, int) and not isinstance(value, bool)
    return max(0, value) if counts and isinstance(value, int) else None
