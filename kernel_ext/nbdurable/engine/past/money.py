"""What calls cost, as far as their prices were known when they ended. Pure.

A price belongs to its day: it is recorded with the call, and a replay years later neither
asks for it nor loads a table. Where none is recorded the tokens are told instead, and the
model by its name.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from nbdurable.engine.past import fields
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.where.dollars import NOTHING, amount


def tokens(calls: Iterable[CallPast]) -> int:
    """Tokens in and out of the calls that ended."""
    return sum(map(_tokens, calls))


def price(call: CallPast) -> Decimal | None:
    """What the latest attempt of a call cost; None where that isn't recorded."""
    return amount(call.fields.get("usd"))


def spent(calls: Iterable[CallPast]) -> Decimal:
    """What these calls cost, as far as it is known."""
    return sum((price(call) or NOTHING for call in calls), NOTHING)


def priced(calls: Iterable[CallPast]) -> int:
    """Tokens of the calls whose price is known."""
    return tokens(call for call in calls if price(call) is not None)


def unknown_models(calls: Iterable[CallPast]) -> tuple[str, ...]:
    """Models that used tokens whose price isn't known, in order."""
    lost = (c for c in calls if _tokens(c) and price(c) is None)
    return _once(_model(c) for c in lost if not fields.text(c.fields, "unpriced"))


def unpriced(calls: Iterable[CallPast]) -> tuple[str, ...]:
    """Why no price table could be asked, each reason once."""
    return _once(fields.text(c.fields, "unpriced") for c in calls)


def unmetered_models(calls: Iterable[CallPast]) -> tuple[str, ...]:
    """Models that answered without saying how many tokens they used, in order."""
    return _once(_model(c) for c in calls if c.fields.get("unmetered") is True)


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


def _tokens(call: CallPast) -> int:
    if "tokens_in" not in call.fields and "tokens_out" not in call.fields:
        return 0  # most calls; a run of many is summed at each look
    told = (fields.number(call.fields, name) for name in ("tokens_in", "tokens_out"))
    return sum(max(0, n) for n in told)


def _model(call: CallPast) -> str:
    return fields.text(call.fields, "model")
