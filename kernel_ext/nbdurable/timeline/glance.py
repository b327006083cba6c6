"""What is said of a run at first glance, the same in a page and in a picture. Pure."""

from __future__ import annotations

from typing import Final

from nbdurable.engine.past.fates import Fate
from nbdurable.engine.past.tally import Tally
from nbdurable.engine.telling.wording import both
from nbdurable.engine.where.dollars import dollars
from nbdurable.engine.where.moments import count, duration
from nbdurable.timeline.views import RunView

LEGEND: Final = (
    (Fate.RAN, "ran"),
    (Fate.REPLAYED, "replayed, not paid again"),
    (Fate.RUNNING, "running"),
    (Fate.IN_DOUBT, "in doubt: may have happened"),
    (Fate.ERROR, "error"),
    (Fate.STOPPED, "kernel stopped"),
)
"""What each filling and sign means."""


def saved_told(total: Tally) -> str:
    """What replay saved, money first, or the tokens that stand for it."""
    left = total.saved_unpriced
    amounts = [dollars(total.saved_usd)] if total.saved_usd else []
    amounts += [count(left, "token")] if left else []
    amounts += [duration(total.saved_ms)] if total.saved_ms >= 1 else []
    return f"saved {both(amounts)}" if amounts else ""


def spent_told(run: RunView) -> str:
    """What the run spent, of what it may spend, and the tokens whose price isn't known."""
    total = run.total
    of = "" if run.budget is None else f" of {dollars(run.budget)}"
    amounts = [f"{dollars(total.usd)}{of}"] if total.usd or of else []
    amounts += [count(total.unpriced, "token")] if total.unpriced else []
    return f"spent {both(amounts)}" if amounts else ""


def shares(run: RunView) -> list[tuple[Fate, int]]:
    """How many calls of the latest attempts were replayed, ran, are in doubt."""
    counts: dict[Fate, int] = {}
    for cell in run.cells:
        for call in cell.latest.calls:
            if not call.depth:
                fate = Fate.REPLAYED if cell.latest.replays else call.fate
                counts[fate] = counts.get(fate, 0) + 1
    shown = [(fate, counts[fate]) for fate, _ in LEGEND if fate in counts]
    return sorted(shown, key=lambda item: item[0] is not Fate.REPLAYED)


def legend(run: RunView) -> list[tuple[Fate, str]]:
    """The part of the legend that this run needs."""
    seen = {c.fate for s in run.attempts for c in s.calls} | {Fate.RAN}
    seen |= {Fate.REPLAYED} if any(s.replays for s in run.attempts) else set()
    seen |= {Fate.STOPPED} if any(k.stopped for k in run.kernels) else set()
    return [(fate, told) for fate, told in LEGEND if fate in seen]
