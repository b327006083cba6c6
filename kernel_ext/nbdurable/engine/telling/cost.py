"""What a step cost and what replay saved, as people read it. Pure.

Money stands first where prices are known; tokens stand in for it where they aren't.
"""

from __future__ import annotations

from decimal import Decimal

from nbdurable.engine.past.tally import Tally
from nbdurable.engine.where.dollars import dollars
from nbdurable.engine.where.moments import count, duration


def spent(tally: Tally) -> str:
    """What the calls that ran cost; "" where no price is known.

    Example:
        >>> from decimal import Decimal
        >>> spent(Tally(ran=3, usd=Decimal("0.12"))), spent(Tally(ran=3, tokens=9))
        ('$0.12', '')
    """
    return dollars(tally.usd) if tally.usd else ""


def saved(tally: Tally) -> str:
    """What replay saved: money, time, and tokens whose price isn't known.

    Example:
        >>> from decimal import Decimal
        >>> saved(Tally(served=16, saved_ms=55_000, saved_usd=Decimal("0.19")))
        'saved $0.19 and 55 s'
        >>> saved(Tally(served=16, saved_ms=55_000, saved_tokens=12_400))
        'saved 55 s and 12,400 tokens'
    """
    amounts = [dollars(tally.saved_usd)] if tally.saved_usd else []
    amounts += [duration(tally.saved_ms)] if tally.saved_ms >= 1 else []
    amounts += [count(tally.saved_unpriced, "token")] if tally.saved_unpriced else []
    head, last = amounts[:-1], amounts[-1] if amounts else ""
    told = f"{', '.join(head)} and {last}" if head else last
    return f"saved {told}" if amounts else ""


def cost(tally: Tally) -> str:
    """Both.

    Example:
        >>> from decimal import Decimal
        >>> cost(Tally(served=16, ran=14, usd=Decimal("0.12"), saved_ms=55_000,
        ...            saved_usd=Decimal("0.19")))
        '$0.12, saved $0.19 and 55 s'
    """
    return ", ".join(filter(None, [spent(tally), saved(tally)]))


def about(usd: Decimal | None, ms: float) -> str:
    """What something is thought to cost.

    Example:
        >>> from decimal import Decimal
        >>> about(Decimal("0.04"), 20_000), about(None, 20_000)
        ('about $0.04 and 20 s', 'about 20 s, price unknown')
        >>> about(Decimal(0), 900)
        'about 0.9 s'
    """
    if usd is None:
        return f"about {duration(ms)}, price unknown"
    return f"about {f'{dollars(usd)} and ' if usd else ''}{duration(ms)}"


def of_call(usd: Decimal | None, tokens: int) -> str:
    """What one call cost: money, else tokens.

    Example:
        >>> from decimal import Decimal
        >>> of_call(Decimal("0.0018"), 900), of_call(None, 900), of_call(None, 0)
        ('$0.0018', '900 tokens', '')
    """
    if usd is not None:
        return dollars(usd)
    return count(tokens, "token") if tokens else ""


def unknown(model: str) -> str:
    """A model whose price isn't known, and what to do about it.

    Example:
        >>> print(unknown("llama3"))
        price of llama3 unknown: its tokens are told instead · to name it: NBDURABLE_PRICES (docs/money.md)
    """
    return (
        f"price of {model} unknown: its tokens are told instead"
        " · to name it: NBDURABLE_PRICES (docs/money.md)"
    )


def unmetered(model: str) -> str:
    """A model that didn't say how many tokens it used, and what to do about it.

    Example:
        >>> print(unmetered("gpt-5"))
        price unknown: gpt-5 did not say how many tokens it used · a chat stream says so with stream_options={"include_usage": True}
    """
    return (
        f"price unknown: {model} did not say how many tokens it used"
        ' · a chat stream says so with stream_options={"include_usage": True}'
    )
