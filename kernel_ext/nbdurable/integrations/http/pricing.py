"""What a request and its answer cost: names, address and tokens into a price."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from nbdurable.engine.calls.requests import Costs
from nbdurable.engine.where.dollars import recorded
from nbdurable.integrations.http.asked import Asked
from nbdurable.integrations.http.recording import Recording
from nbdurable.integrations.http.usage import measure
from nbdurable.integrations.own_prices import PricesUnusable
from nbdurable.integrations.prices import PRICES

FREE: Final = re.compile(r"/(?:messages/count_tokens|moderations)$")
"""Paths of model servers that cost nothing."""

IN_PATH: Final = re.compile(r"/(?:models?|deployments)/([^/:]+)")
"""Where Bedrock, Gemini and Azure name the model."""


LIMITS: Final = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "maxOutputTokens",
    "maxTokens",
    "num_predict",
)
"""What the formats call the tokens that an answer may have."""

LIMITS_WITHIN: Final = ("generationConfig", "inferenceConfig", "options")
"""Where some of them say it."""

CHARACTERS_A_TOKEN: Final = 4
"""Of English text; providers say so. It is a guess, and told as one."""

BLOCK_CHARS_MIN: Final = 4_000
"""So many characters without a blank are no text."""

BLOCK_CHARS: Final = 4_000
"""As what an image or a file counts: a thousand tokens."""

DEPTH_MAX: Final = 50
"""Bodies that are nested deeper are not read to their end."""


def measured(facts: Asked, value: object, *, model: bool) -> dict[str, Any]:
    """What the record of an answer says of its cost.

    Tokens and model as far as it says them; ``usd`` and the table it is from where a
    table knows them; ``unmetered`` where a model didn't say how many tokens it used;
    ``unpriced`` says why no table could be asked.

    Args:
        facts: The request.
        value: The answer.
        model: Whether a model was asked.
    """
    path = urlsplit(facts.place).path
    if not isinstance(value, Recording) or FREE.search(path):
        return {}
    used: dict[str, Any] = measure(value)
    if not model:
        return used
    names = models(facts, str(used.get("model", "")))
    if names:
        used.setdefault("model", names[0])
    if not {"tokens_in", "tokens_out"} & used.keys():
        return {**used, "unmetered": True}
    counts = {k: n for k, n in used.items() if isinstance(n, int)}
    try:
        priced = PRICES.price(names, facts.place, counts)
    except PricesUnusable as unusable:  # the call is worth more than its price
        return {**used, "unpriced": unusable.fact()}
    if priced is None:
        return used
    return {**used, "usd": recorded(priced.usd), "prices": priced.by}


def costs(facts: Asked) -> Costs:
    """What a request may cost, told from its body before it is sent."""
    body, names = body_of(facts), models(facts, "")
    free = FREE.search(urlsplit(facts.place).path)
    tokens_in = characters(body) // CHARACTERS_A_TOKEN + 1

    def usd(tokens_out: int) -> Decimal | None:
        if free:
            return Decimal(0)
        used = {"tokens_in": tokens_in, "tokens_out": tokens_out}
        priced = PRICES.price(names, facts.place, used)
        return None if priced is None else priced.usd

    return Costs(names[0] if names else "the model", most(body), usd)


def most(body: Mapping[str, Any]) -> int | None:
    """How many tokens a request lets its answer have, or None if it doesn't say.

    Example:
        >>> most({"max_tokens": 9}), most({"generationConfig": {"maxOutputTokens": 8}})
        (9, 8)
    """
    inner = (body.get(name) for name in LIMITS_WITHIN)
    for place in (body, *(value for value in inner if isinstance(value, dict))):
        for name in LIMITS:
            found = place.get(name)
            if type(found) is int and found >= 0:
                return found * _choices(body)
    return None


def _choices(body: Mapping[str, Any]) -> int:
    """How many answers are asked for at once."""
    asked = body.get("n")
    return asked if isinstance(asked, int) and asked > 1 else 1


def characters(value: object, depth: int = 0) -> int:
    """About how many characters of text a body holds; an image or a file is one piece.

    Example:
        >>> characters({"input": "why?", "image": "data:image/png;base64,iVBORw0KGgo"})
        4014
    """
    if isinstance(value, str):
        long = len(value) > BLOCK_CHARS_MIN and " " not in value[:BLOCK_CHARS_MIN]
        return BLOCK_CHARS if long or value.startswith("data:") else len(value)
    if depth > DEPTH_MAX:
        return 0
    if isinstance(value, Mapping):
        inner = sum(characters(v, depth + 1) for v in value.values())
        return inner + sum(len(name) for name in value)
    if isinstance(value, list):
        return sum(characters(v, depth + 1) for v in value)
    return 1


def models(facts: Asked, answered: str) -> list[str]:
    """What the model is called: as it answered, as it was asked, as the path says.

    Example:
        >>> from nbdurable.integrations.http.asked import asked
        >>> place = "https://x.openai.azure.com/openai/deployments/ours/chat/completions"
        >>> models(asked("POST", place, {}, b'{"model": "m"}'), "gpt-4o")
        ['gpt-4o', 'm', 'ours']
    """
    body = body_of(facts).get("model")
    path = IN_PATH.search(urlsplit(facts.place).path)
    named = [answered, body, unquote(path[1]) if path else ""]
    return list(dict.fromkeys(n for n in named if isinstance(n, str) and n))


def body_of(facts: Asked) -> Mapping[str, Any]:
    """The body as JSON, or an empty object."""
    try:
        plain = json.loads(facts.body)
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}
