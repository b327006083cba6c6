"""What a map ends with when items of it failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from nbdurable.errors import DurableError, Remedy

NAMED_MAX: Final = 5
"""So many failures are told; more say nothing new."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An item that failed.

    Attributes:
        index: Its place among the items, from 0.
        item: It, as people read it.
        error: What was raised.
    """

    index: int
    item: str
    error: Exception


@dataclass(kw_only=True, eq=False)
class MapFailed(DurableError):
    """Items of an `nd.map` failed; the results of the others are kept.

    Attributes:
        function: What was mapped.
        failed: Which items, and why.
        total: How many were tried.
        step: The cell's step.
    """

    slug: ClassVar[str] = "map-failed"
    function: str
    failed: tuple[Failed, ...]
    total: int
    step: str

    @property
    def exceptions(self) -> tuple[Exception, ...]:
        """What the items raised."""
        return tuple(f.error for f in self.failed)

    def fact(self) -> str:
        """How many."""
        return (
            f"{len(self.failed):,} of {self.total:,} items of {self.function} failed."
        )

    def detail(self) -> str:
        """Which, and what is kept."""
        told = [
            f"  {f.index}: {f.item}: {type(f.error).__name__}: {f.error}"
            for f in self.failed[:NAMED_MAX]
        ]
        more = len(self.failed) - NAMED_MAX
        rest = [f"  and {more:,} more"] if more > 0 else []
        kept = f"The results of the other {self.total - len(self.failed):,} are kept."
        return "\n".join([kept, *told, *rest])

    def remedies(self) -> tuple[Remedy, ...]:
        """How to try the rest."""
        return (
            Remedy("try only those again", f"run {self.step} again"),
            Remedy("look at them", "except nd.MapFailed as e: e.failed"),
        )
