"""What a run may spend, and what running on would cost: `nd.budget`, `nd.forecast`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, overload

from nbdurable.api import Front, front_of
from nbdurable.engine.asking import budget as spending
from nbdurable.engine.asking import forecasting
from nbdurable.engine.asking.budget import Budget
from nbdurable.engine.asking.forecasting import LIMIT, Forecast, StepForecasts
from nbdurable.engine.asking.stale import stale
from nbdurable.engine.past.history import History
from nbdurable.errors import NothingDurable


def budget(usd: float | str | Decimal | None = None) -> Budget:
    """Let the run spend so much on model calls; without an amount, tell how it stands.

    A model call that may exceed it is not sent: `BudgetReached` stops the cell, and what
    was done is kept. It holds for the run, in every kernel, until it is set anew.

    Args:
        usd: US dollars, such as ``5`` or ``"$5"``; ``"off"`` for no limit.

    Raises:
        BudgetUnusable: It is no amount of US dollars.
    """
    front = front_of("%durable budget")
    amount = None if usd is None else spending.read(usd)
    begun = _begun(front, "%durable budget")
    if usd is not None:
        return spending.limit(front.session, amount, begun=begun)
    return spending.of(front.session.history if begun else History(""))


def _begun(front: Front, command: str) -> bool:
    """Whether the kernel is in a run, or would go on with one."""
    try:
        return front.session.attend(front.facts(), command).closed is None
    except NothingDurable:
        return False


@overload
def forecast() -> StepForecasts: ...
@overload
def forecast(
    fn: Callable[..., Any], items: Iterable[Any], *, limit: int = LIMIT
) -> Forecast: ...
def forecast(
    fn: Callable[..., Any] | None = None,
    items: Iterable[Any] = (),
    *,
    limit: int = LIMIT,
) -> Forecast | StepForecasts:
    """What running on would cost, told without running anything.

    Args:
        fn: What `nd.map` would call; without it each cell of the run is told.
        items: What it would be called with; an iterator is used up.
        limit: How many at a time.

    Raises:
        ToolRefused: ``fn`` is no function.
        NothingDurable: There is no run, and no function was given.
    """
    front = front_of("%durable forecast")
    if fn is None:
        history = front.session.attend(front.facts(), "%durable forecast")
        return forecasting.of_steps(history, stale(front.session, front.here()))
    if not _begun(front, "%durable forecast"):
        front.session.open(front.facts())
    return forecasting.forecast(front.session, fn, items, limit)
