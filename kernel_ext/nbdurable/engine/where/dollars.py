"""Amounts of money: read without trust, told with the digits that matter. Pure.

Every price is in US dollars, as the tables of the providers are. Amounts are decimals from
the price to the last sum: a float can't hold a cent.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

NOTHING: Final = Decimal(0)

AMOUNT_MAX: Final = Decimal(1_000_000_000)
"""No notebook spends more; what is above is no amount."""

CENT: Final = Decimal("0.01")

SHOWN_MIN: Final = Decimal("0.0001")
"""Below a hundredth of a cent the digits say nothing."""


def amount(text: object) -> Decimal | None:
    """An amount as it is recorded; None if it is none.

    Example:
        >>> amount("0.00018"), amount("nan"), amount("-1"), amount(3.5)
        (Decimal('0.00018'), None, None, None)
    """
    if not isinstance(text, str):
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 <= found <= AMOUNT_MAX else None


def recorded(value: Decimal) -> str:
    """An amount as it is recorded: never with an exponent.

    Example:
        >>> recorded(Decimal("1E-7")), recorded(Decimal("0.1200"))
        ('0.0000001', '0.12')
    """
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def dollars(value: Decimal) -> str:
    """An amount as people read it; below a cent with two digits that count.

    Example:
        >>> [dollars(Decimal(v)) for v in ("0.124", "1234.5", "0.0018", "0.00001", "0")]
        ['$0.12', '$1,234.50', '$0.0018', 'less than $0.0001', '$0']
    """
    if not value:
        return "$0"
    if value >= CENT:
        return f"${value.quantize(CENT, ROUND_HALF_UP):,}"
    if value < SHOWN_MIN:
        return f"less than ${SHOWN_MIN}"
    digits = -value.adjusted() + 1
    return f"${recorded(round(value, digits))}"
