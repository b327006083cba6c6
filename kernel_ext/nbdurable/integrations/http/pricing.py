"""What a request and its answer cost: names, address and tokens into a price."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

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
