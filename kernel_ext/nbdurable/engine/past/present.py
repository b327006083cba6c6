"""From where a person asks: the present, who lives, and how to read what is kept. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from nbdurable.engine.past import evidence
from nbdurable.engine.past.evidence import Compared, EvidenceOf, not_compared
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.where.moments import Now

Arguments = Callable[[CallPast], object]
"""The kept arguments of a call as plain data; None if none were kept."""


@dataclass(frozen=True, slots=True)
class Present:
    """From where a person asks.

    Attributes:
        now: The present.
        alive: Ids of the owners that live.
        cells: Where names were assigned, such as ``cell 2``, as far as it is known.
        arguments: How to read the kept arguments of a call.
        evidence: How to read what an attempt was given.
        here: Id of the owner that asks, or "".
        compared: How to load and compare what attempts were given.
    """

    now: Now
    alive: Collection[str] = ()
    cells: Mapping[str, str] = field(default_factory=dict)
    arguments: Arguments = lambda _: None
    evidence: EvidenceOf = evidence.nothing
    here: str = ""
    compared: Compared = not_compared
