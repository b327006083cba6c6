"""The user's own price table: models that no public table knows, or prices of a contract.

A JSON file that ``NBDURABLE_PRICES`` names, in US dollars per million tokens:

    {"currency": "USD", "models": {
        "llama3": {"input": 0, "output": 0},
        "our-deployment": {"like": "gpt-4o-mini"},
        "tuned": {"input": 0.3, "output": 1.2, "cached": 0.15}}}
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import ClassVar, Final

from nbdurable.engine.where.frames import outside
from nbdurable.errors import DurableError, Remedy

VARIABLE: Final = "NBDURABLE_PRICES"

CURRENCY: Final = "USD"

MILLION: Final = Decimal(1_000_000)

BYTES_MAX: Final = 4_000_000
"""The public table of two thousand models is smaller."""

PRICE_MAX: Final = Decimal(1_000_000)
"""Dollars per million tokens: a dollar a token is a mistake."""

NAMES: Final = ("input", "output", "cached", "written", "written_1h")


@dataclass(kw_only=True, eq=False)
class PricesUnusable(DurableError):
    """The user's price table can't be used.

    Attributes:
        path: The file.
        why: What is wrong in it.
    """

    slug: ClassVar[str] = "prices-unusable"
    path: str
    why: str

    def fact(self) -> str:
        """Which file, and what is wrong."""
        return f"The price table {self.path} can't be used: {self.why}."

    def detail(self) -> str:
        """What was not done."""
        return "None of its prices is used; calls are recorded with their tokens."

    def remedies(self) -> tuple[Remedy, ...]:
        """What one looks like, or without it."""
        model = '{"input": 0.5, "output": 1.5}'
        return (
            Remedy(
                "it is written",
                f'{{"currency": "{CURRENCY}", "models": {{"NAME": {model}}}}}',
            ),
            Remedy("without it", f"%env {VARIABLE}="),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a model's tokens cost, US dollars per million.

    Attributes:
        input: Those of a question.
        output: Those of an answer.
        cached: Those of a question that the provider had in its cache.
        written: Those that it put there.
        written_1h: Those that it put there for an hour.
        like: Another model whose prices these are, or "".
    """

    input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)
    cached: Decimal = Decimal(0)
    written: Decimal = Decimal(0)
    written_1h: Decimal = Decimal(0)
    like: str = ""

    def usd(self, used: Mapping[str, int]) -> Decimal:
        """What so many tokens cost.

        Example:
            >>> Rates(input=Decimal(2), cached=Decimal(1)).usd(
            ...     {"tokens_in": 1_000, "tokens_cached": 400})
            Decimal('0.0016')
        """
        cached = used.get("tokens_cached", 0)
        long = used.get("tokens_written_1h", 0)
        short = max(0, used.get("tokens_written", 0) - long)
        plain = max(0, used.get("tokens_in", 0) - cached - long - short)
        counted = (
            (plain, self.input),
            (cached, self.cached),
            (short, self.written),
            (long, self.written_1h),
            (used.get("tokens_out", 0), self.output),
        )
        return sum((n * rate for n, rate in counted), Decimal(0)) / MILLION


class OwnPrices:
    """The table that the environment names, read again when its file has changed."""

    def __init__(self) -> None:
        self._stamp: tuple[str, int, int] | None = None
        self._read: Mapping[str, Rates] | PricesUnusable = {}

    def rates(self) -> Mapping[str, Rates]:
        """By model, lower case; none if no table is named.

        Raises:
            PricesUnusable: The file isn't there, or isn't such a table.
        """
        named = os.environ.get(VARIABLE, "")
        if not named:
            return {}
        with outside():  # it is no file of the step
            self._look(Path(named).expanduser())
        if isinstance(self._read, PricesUnusable):
            raise self._read
        return self._read

    def _look(self, path: Path) -> None:
        try:
            stat = path.stat()
            stamp = str(path), stat.st_mtime_ns, stat.st_size
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._read = read(path.read_bytes()[: BYTES_MAX + 1])
        except (OSError, ValueError) as wrong:
            why = getattr(wrong, "strerror", None) or str(wrong)
            self._read = PricesUnusable(path=str(path), why=why)
            self._stamp = None if isinstance(wrong, OSError) else self._stamp


def read(data: bytes) -> Mapping[str, Rates]:
    """The table that a file holds.

    Raises:
        ValueError: It is none; says why.

    Example:
        >>> read(b'{"models": {"Llama3": {"input": 0.5}}}')["llama3"].input
        Decimal('0.5')
    """
    if len(data) > BYTES_MAX:
        raise ValueError(f"it is larger than {BYTES_MAX:,} bytes")
    try:
        plain = json.loads(data, parse_float=Decimal, parse_int=Decimal)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    models = plain.get("models") if isinstance(plain, dict) else None
    if not isinstance(models, dict):
        raise ValueError('it has no "models"')  # noqa: TRY004  # of the file, not of a type
    currency = plain.get("currency", CURRENCY)
    if currency != CURRENCY:
        raise ValueError(f"its currency is {currency!r}, and amounts are in US dollars")
    return {name.lower(): _rates(name, told) for name, told in models.items()}


def _rates(model: str, told: object) -> Rates:
    if not isinstance(told, dict):
        raise ValueError(f"{model} has no prices")  # noqa: TRY004
    like = told.get("like", "")
    unknown = set(told) - {*NAMES, "like"}
    if unknown or not isinstance(like, str):
        raise ValueError(f"{model}: {min(unknown, default='like')!r} is no price")
    given = {name: _price(model, name, told[name]) for name in NAMES if name in told}
    if like and given:
        raise ValueError(f'{model} has prices and "like"')
    plain = given.get("input", Decimal(0))
    written = given.get("written", plain)
    rest = {"cached": plain, "written": written, "written_1h": written}
    return Rates(**{**rest, **given}, like=like)


def _price(model: str, name: str, value: object) -> Decimal:
    is_one = isinstance(value, Decimal) and value.is_finite()
    if not is_one or not isinstance(value, Decimal) or not 0 <= value <= PRICE_MAX:
        raise ValueError(f"{model}: {name} is no price in dollars per million tokens")
    return value
