"""From moments to places on a line, so that everything that happened can be seen. Pure.

Theory of operation. The moments at which something begins or ends cut time into pieces.
Each piece gets a width in proportion to its length, within bounds: a piece in which
calls ran is never too narrow to be seen, a wait of hours is never wider than a gap.
One scale makes the sum of all pieces fill the line. What takes no time but has to be
shown (calls served from the journal) gets a place of its own between two pieces.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

BUSY_MIN: Final = 9.0
"""Width of the shortest call: its sign can still be read."""

BUSY_SHARE: Final = 0.5
"""Part of the line that the shortest widths may take together."""

GAP: Final = (12.0, 36.0)
"""Bounds of a wait between attempts: room for its length in words."""

QUIET: Final = (2.0, 160.0)
"""Bounds of a time in which a cell ran and made no calls."""

INSTANT_SHARE: Final = 0.45
"""Part of the line that what takes no time may take together."""

ROUNDS: Final = 60
"""Halvings in search of the scale; each doubles its precision."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which something happened.

    Attributes:
        start_us: Its begin, microseconds.
        end_us: Its end, microseconds.
        quiet: Whether nothing but the cell itself ran.
        least: A width that it needs in any case.
    """

    start_us: int
    end_us: int
    quiet: bool = False
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Instant:
    """Something that took no time and needs room.

    Attributes:
        at_us: When it was, microseconds.
        width: The room it would like.
    """

    at_us: int
    width: float


@dataclass(frozen=True, slots=True)
class _Piece:
    start_us: int
    end_us: int
    least: float
    most: float

    def width(self, scale: float) -> float:
        natural = (self.end_us - self.start_us) * scale
        return min(self.most, max(self.least, natural))


class Axis:
    """A line of a given width on which moments have places."""

    def __init__(
        self,
        spans: Sequence[Span],
        instants: Sequence[Instant] = (),
        *,
        width: float,
    ) -> None:
        wished = sum(i.width for i in instants)
        self._shrink = min(1.0, INSTANT_SHARE * width / wished) if wished else 1.0
        room: dict[int, float] = {}
        for instant in instants:
            more = instant.width * self._shrink
            room[instant.at_us] = room.get(instant.at_us, 0.0) + more
        pieces = list(_pieces(spans, room, width))
        widths = _fitted(pieces, width - wished * self._shrink)
        self._moments: list[int] = []
        self._before: list[float] = []
        self._after: list[float] = []
        at = 0.0
        for moment in sorted({*room, *(m for p in pieces for m in _ends(p))}):
            self._moments.append(moment)
            at += widths.get(moment, 0.0)
            self._before.append(at)
            at += room.get(moment, 0.0)
            self._after.append(at)
        self.gaps = [(p.start_us, p.end_us) for p in pieces if p.most == GAP[1]]

    def granted(self, wished: float) -> float:
        """How much of a wished room an instant got."""
        return wished * self._shrink

    def before(self, at_us: int) -> float:
        """The place of a moment, before what took no time then."""
        return self._place(at_us, self._before)

    def after(self, at_us: int) -> float:
        """The place of a moment, after what took no time then."""
        return self._place(at_us, self._after)

    def _place(self, at_us: int, at_moment: list[float]) -> float:
        nth = bisect.bisect_left(self._moments, at_us)
        if nth == len(self._moments):
            return self._after[-1] if self._after else 0.0
        if self._moments[nth] == at_us or nth == 0:
            return at_moment[nth]
        left, right = self._moments[nth - 1], self._moments[nth]
        share = (at_us - left) / (right - left)
        return self._after[nth - 1] + share * (self._before[nth] - self._after[nth - 1])


def _ends(piece: _Piece) -> tuple[int, int]:
    return piece.start_us, piece.end_us


def _pieces(
    spans: Sequence[Span], room: Iterable[int], width: float
) -> Iterable[_Piece]:
    moments = sorted({*room, *(m for s in spans for m in (s.start_us, s.end_us))})
    least = min(BUSY_MIN, BUSY_SHARE * width / max(1, len(moments) - 1))
    opening: dict[int, list[Span]] = {}
    for span in spans:
        opening.setdefault(span.start_us, []).append(span)
    under_way: list[Span] = []
    for start, end in itertools.pairwise(moments):
        under_way = [s for s in under_way if s.end_us > start]
        under_way += (s for s in opening.get(start, ()) if s.end_us > start)
        if any(not s.quiet for s in under_way):
            needed = max(s.least for s in under_way if not s.quiet)
            yield _Piece(start, end, max(least, needed), float("inf"))
        else:
            low, high = QUIET if under_way else GAP
            yield _Piece(start, end, min(low, least), high)


def _fitted(pieces: Sequence[_Piece], width: float) -> dict[int, float]:
    """Widths of the pieces, by their end; together they fill the line."""
    low, high = 0.0, max(1.0, width)
    for _ in range(ROUNDS):
        scale = (low + high) / 2
        if sum(p.width(scale) for p in pieces) > width:
            high = scale
        else:
            low = scale
    widths = {p.end_us: p.width(low) for p in pieces}
    total = sum(widths.values())
    factor = min(1.0, width / total) if total else 1.0
    return {end: w * factor for end, w in widths.items()}
