"""`nd.budget`: what a run may spend on model calls."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import ClassVar, Final

from nbdurable.engine.past import fields
from nbdurable.engine.past.history import History
from nbdurable.engine.steps import ahead
from nbdurable.engine.steps.session import Session
from nbdurable.engine.where.dollars import AMOUNT_MAX, NOTHING, dollars, recorded
from nbdurable.engine.where.moments import count
from nbdurable.errors import DurableError, Remedy
from nbdurable_store.records import Kind

OFF: Final = "off"


@dataclass(kw_only=True, eq=False)
class BudgetUnusable(DurableError):
    """A budget that is no amount of US dollars.

    Attributes:
        given: What was given.
    """

    slug: ClassVar[str] = "budget-unusable"
    given: str

    def fact(self) -> str:
        """What was given."""
        return f"{self.given} is no budget: it takes an amount of US dollars."

    def detail(self) -> str:
        """What was not done."""
        return "The budget is as it was."

    def remedies(self) -> tuple[Remedy, ...]:
        """What one looks like."""
        return (
            Remedy("at most five dollars", "%durable budget $5"),
            Remedy("no limit", "%durable budget off"),
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend, and what it has spent; shows itself at a prompt.

    Attributes:
        usd: What it may spend, US dollars; None for no limit.
        spent: What it has spent, US dollars: what ended calls cost, and what those that
            have no outcome might have.
        run: Its number, or 0 for one that has not begun.
        uncounted: How many calls to models are not in that: their price is unknown.
    """

    usd: Decimal | None
    spent: Decimal
    run: int
    uncounted: int = 0

    def __repr__(self) -> str:
        which = f"run {self.run}" if self.run else "the next run"
        spent = f"{dollars(self.spent)} is spent"
        if self.uncounted:
            spent += f" (not {count(self.uncounted, 'call')} of unknown price)"
        if self.usd is None:
            return f"no limit for {which} · {spent} · to set one: %durable budget $5"
        left = max(self.usd - self.spent, NOTHING)
        told = f"{which} may spend {dollars(self.usd)} · {spent}"
        return f"{told}, {dollars(left)} is left · no limit: %durable budget off"


def read(given: object) -> Decimal | None:
    """An amount as it is typed or given; None for no limit.

    Raises:
        BudgetUnusable: It is none, or in another currency.

    Example:
        >>> read("$5"), read(2.5), read("1,000.50"), read("off")
        (Decimal('5'), Decimal('2.5'), Decimal('1000.50'), None)
    """
    if given == OFF:
        return None
    is_one = isinstance(given, (str, int, float, Decimal)) and given is not True
    text = str(given).strip().removeprefix("$").replace(",", "") if is_one else ""
    try:
        usd = Decimal(text)
    except InvalidOperation:
        raise BudgetUnusable(given=repr(given)) from None
    if given is False or not usd.is_finite() or not 0 <= usd <= AMOUNT_MAX:
        raise BudgetUnusable(given=repr(given))
    return usd


def of(history: History) -> Budget:
    """The budget of a run."""
    opened = history.opened
    number = fields.number(opened.fields, "number", 1) if opened else 0
    spending = history.spending
    return Budget(history.budget, spending.total, number, spending.uncounted)


def limit(session: Session, usd: Decimal | None, *, begun: bool) -> Budget:
    """Let a run spend so much, from its beginning on.

    Args:
        session: The kernel's session.
        usd: How much, US dollars; None for no limit.
        begun: Whether there is a run; else it is for the next one.
    """
    told = {"usd": "" if usd is None else recorded(usd)}
    if not begun:
        ahead.say(session, Kind.RUN_BUDGET, told)
        return Budget(usd, NOTHING, 0)
    session.journal(Kind.RUN_BUDGET, told)
    return of(session.history)
