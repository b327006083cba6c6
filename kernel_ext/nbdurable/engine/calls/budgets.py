"""A run that may spend so much: a call that would exceed it is not sent.

Before the intent of a model call is written, what it may cost is added to what the run has
spent and to what is under way beside it. The sum is reserved, so that of ten calls at once
no two spend the same dollar; from its ``started`` on the journal holds the reservation.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, ClassVar, Final

from nbdurable.engine.where.dollars import dollars, recorded
from nbdurable.errors import DurablePause, Remedy

if TYPE_CHECKING:
    from nbdurable.engine.calls.going import Going
    from nbdurable.engine.calls.home import Home

ANSWER_GUESS: Final = 1_000
"""Tokens of an answer of which nothing is known: no limit, and none before it."""

_lock: Final = threading.Lock()

_reserved: Final[weakref.WeakKeyDictionary[Home, dict[int, Decimal]]] = (
    weakref.WeakKeyDictionary()
)
"""What calls may cost whose intent is not in the journal yet."""


@dataclass(kw_only=True, eq=False)
class BudgetReached(DurablePause):
    """A model call that would exceed what its run may spend.

    Attributes:
        call: The call as it was written.
        reference: STEP.CALL.
        budget: What the run may spend, US dollars.
        spent: What it has spent, with what is under way.
        estimate: What the call may cost; None where its model has no known price.
        model: What the model is called.
    """

    slug: ClassVar[str] = "budget-reached"
    call: str
    reference: str
    budget: Decimal
    spent: Decimal
    estimate: Decimal | None
    model: str

    def fact(self) -> str:
        """One line about the call."""
        if self.estimate is None:
            return (
                f"{self.call} can't be counted against the budget of"
                f" {dollars(self.budget)}: the price of {self.model} is unknown."
            )
        return (
            f"{self.call} may exceed the budget of {dollars(self.budget)}:"
            f" {dollars(self.spent)} is spent or under way, and it may cost"
            f" {dollars(self.estimate)}."
        )

    def detail(self) -> str:
        """What was not done."""
        return f"It was not sent ({self.reference}). What was done before is kept."

    def remedies(self) -> tuple[Remedy, ...]:
        """More money, a price, or no limit."""
        without = Remedy("no limit", "%durable budget off")
        if self.estimate is None:
            named = "%env NBDURABLE_PRICES=/path/to/prices.json"
            return Remedy("name its price (docs/money.md)", named), without
        least = self.spent + self.estimate
        more = max(self.budget * 2, least).to_integral_value(ROUND_CEILING)
        return Remedy("spend more", f"%durable budget ${recorded(more)}"), without


@contextlib.contextmanager
def reserved(going: Going) -> Iterator[None]:
    """The intent of a call is written within, if the run may spend what it may cost.

    Raises:
        BudgetReached: It may not.
        PricesUnusable: Nobody can tell, because the user's price table is none.
    """
    home, request = going.frame.attempt.home, going.request
    if request.costs is None:
        yield
        return
    with home.lock:
        limited = home.history.budget is not None
    if not limited:
        yield
        return
    usd = _estimate(going)
    try:
        _reserve(going, usd)
        yield
    finally:
        with _lock:
            _reserved.get(home, {}).pop(id(going), None)


def _estimate(going: Going) -> Decimal | None:
    """What a call may cost."""
    assert going.request.costs is not None
    costs, home = going.request.costs(), going.frame.attempt.home
    with home.lock:
        mean = home.history.spending.mean_answer(costs.model)
    answer = costs.tokens_out if costs.tokens_out is not None else mean
    return costs.usd(ANSWER_GUESS if answer is None else answer)


def _reserve(going: Going, usd: Decimal | None) -> None:
    attempt, request = going.frame.attempt, going.request
    home = attempt.home
    assert request.costs is not None
    with home.lock, _lock:
        history, waiting = home.history, _reserved.setdefault(home, {})
        budget = history.budget
        spent = sum(waiting.values(), history.spending.total)
        fits = budget is None or (usd is not None and spent + usd <= budget)
        if fits and usd is not None:
            waiting[id(going)] = usd
    if fits:
        estimate = "" if usd is None else recorded(usd)
        going.request = replace(request, estimate=estimate)
        return
    assert budget is not None
    raise attempt.stop(
        BudgetReached(
            call=request.text(),
            reference=f"{attempt.step.name}.{going.claim.number}",
            budget=budget,
            spent=spent,
            estimate=usd,
            model=request.costs().model,
        )
    )
