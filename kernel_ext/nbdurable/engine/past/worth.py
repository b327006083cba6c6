"""What it would cost to make a run again. Pure.

Each logical call counts once, with its latest outcome: who makes the run again makes
each of them once. Time is that during which a step's latest attempt or one of the calls
was running, side by side or not.
"""

from __future__ import annotations

from dataclasses import dataclass

from nbdurable.engine.past.history import History, StepPast
from nbdurable.engine.past.pasts import made_by_cell
from nbdurable.engine.past.tally import covered, tokens
from nbdurable.engine.where.moments import count, duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What making something again costs.

    Attributes:
        calls: Calls that have an outcome, those inside others aside.
        ms: How long steps and calls took, milliseconds.
        tokens: Tokens in and out.
    """

    calls: int = 0
    ms: float = 0.0
    tokens: int = 0

    def __add__(self, other: Worth) -> Worth:
        return Worth(
            calls=self.calls + other.calls,
            ms=self.ms + other.ms,
            tokens=self.tokens + other.tokens,
        )

    def __str__(self) -> str:
        parts = [count(self.calls, "call"), duration(self.ms)]
        parts += [count(self.tokens, "token")] if self.tokens else []
        return ", ".join(parts)


def worth(history: History) -> Worth:
    """What a run is worth.

    Example:
        >>> str(worth(History("run")))
        '0 calls, 0 ms'
    """
    ended = [call for call in history.calls.values() if call.outcome is not None]
    latest = filter(None, (history.latest(slot, ended=True) for slot in history.slots))
    spans = [(c.started_us, c.started_us + c.ms * 1_000) for c in ended]
    return Worth(
        calls=sum(
            not call.is_step and made_by_cell(history.calls, call) for call in ended
        ),
        ms=covered([*spans, *map(_span, latest)]),
        tokens=tokens(ended),
    )


def _span(step: StepPast) -> tuple[float, float]:
    return step.started_us, step.started_us + step.ms * 1_000
