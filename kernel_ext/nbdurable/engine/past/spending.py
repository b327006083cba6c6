"""What a run has spent, as its entries are folded. Pure.

Every attempt counts that ended with a price, served or not. Of one without, what it might
have cost counts where that was written down before it was sent: of an answer that was cut
off, or said no tokens, or whose kernel died, the provider is paid all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from nbdurable.engine.past import fields
from nbdurable.engine.past.fields import Fields
from nbdurable.engine.where.dollars import NOTHING, amount


@dataclass(slots=True)
class Spending:
    """The account of one run.

    Attributes:
        known: What ended calls cost, US dollars.
        lost: What attempts without a price might have cost.
        open: The same of those that have not ended, by logical call.
        uncounted: How many calls to models cost nobody knows how much, and had no guess:
            they were made under no budget.
        answers: By model, how many answers it gave, and their tokens together.
    """

    known: Decimal = NOTHING
    lost: Decimal = NOTHING
    open: dict[str, Decimal] = field(default_factory=dict)
    uncounted: int = 0
    answers: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        """What was spent, or might have been."""
        return sum(self.open.values(), self.known + self.lost)

    def began(self, call: str, record: Fields) -> None:
        """An attempt of a call is sent."""
        self.lost += self.open.pop(call, NOTHING)
        estimate = amount(record.get("estimate"))
        if estimate is not None:
            self.open[call] = estimate

    def ended(self, call: str, record: Fields, *, completed: bool) -> None:
        """An attempt of a call has an outcome."""
        estimate = self.open.pop(call, NOTHING)
        usd = amount(record.get("usd"))
        if usd is not None:
            self.known += usd
        elif completed or record.get("interrupted"):
            self.lost += estimate  # of a refusal nothing is paid
        model, tokens = (
            fields.text(record, "model"),
            fields.number(record, "tokens_out"),
        )
        priced = usd is not None or estimate != NOTHING
        self.uncounted += completed and bool(model) and not priced
        if model and tokens > 0:
            answers, sum_ = self.answers.get(model, (0, 0))
            self.answers[model] = answers + 1, sum_ + tokens

    def mean_answer(self, model: str) -> int | None:
        """How many tokens the answers of a model had so far; its versions count too."""
        found = [v for name, v in self.answers.items() if name.startswith(model)]
        answers = sum(n for n, _ in found)
        return round(sum(t for _, t in found) / answers) if answers else None
