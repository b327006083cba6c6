"""What it would cost to make a run again. Pure.

Each logical call counts once, with its latest outcome: who makes the run again makes
each of them once. Time is that during which a step's latest attempt or one of the calls
was running, side by side or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from nbdurable.engine.past.history import History
from nbdurable.engine.past.kinds import WAITS
from nbdurable.engine.past.money import priced, spent, tokens
from nbdurable.engine.past.pasts import made_by_cell
from nbdurable.engine.past.tally import span, worked
from nbdurable.engine.where.dollars import NOTHING, dollars
from nbdurable.engine.where.moments import count, duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What making something again costs.

    Attributes:
        calls: Calls that have an outcome, those inside others aside.
        ms: How long steps and calls took, milliseconds.
        tokens: Tokens in and out.
        usd: What they cost, US dollars, as far as prices were known.
        priced: Tokens whose price is known.
    """

    calls: int = 0
    ms: float = 0.0
    tokens: int = 0
    usd: Decimal = NOTHING
    priced: int = 0

    def __add__(self, other: Worth) -> Worth:
        return Worth(
            calls=self.calls + other.calls,
            ms=self.ms + other.ms,
            tokens=self.tokens + other.tokens,
            usd=self.usd + other.usd,
            priced=self.priced + other.priced,
        )

    def __str__(self) -> str:
        parts = [count(self.calls, "call"), duration(self.ms)]
        parts += [dollars(self.usd)] if self.usd else []
        left = self.tokens - self.priced
        parts += [count(left, "token")] if left else []
        return ", ".join(parts)


def worth(history: History) -> Worth:
    """What a run is worth.

    Example:
        >>> str(worth(History("run")))
        '0 calls, 0 ms'
    """
    ended = [call for call in history.calls.values() if call.outcome is not None]
    latest = filter(None, (history.latest(slot, ended=True) for slot in history.slots))
    return Worth(
        calls=sum(
            not call.is_step
            and call.kind not in WAITS
            and made_by_cell(history.calls, call)
            for call in ended
        ),
        ms=worked(ended, map(span, latest)),
        tokens=tokens(ended),
        usd=spent(ended),
        priced=priced(ended),
    )
