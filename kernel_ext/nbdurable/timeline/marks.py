"""How the cells stand, for who marks them in a notebook and draws nothing.

A look at them costs more than one at what needs somebody, so it is followed by a rest:
together they take a small part of the kernel's time, however large the run is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nbdurable.timeline.protocol import Cell
from nbdurable_store.clock import Clock

REST: Final = 19
"""So many times as long as a look took: it may take a twentieth of the kernel's time."""


@dataclass(eq=False, slots=True)
class Marks:
    """The cells as they were told last.

    Attributes:
        wanted: Whether somebody marks them.
        cells: How they stood.
        late: Whether they may stand otherwise by now.
        rests_until_s: When they are looked at again at the earliest.
    """

    wanted: bool = False
    cells: tuple[Cell, ...] = ()
    late: bool = False
    rests_until_s: float = 0.0

    def look(
        self, made: Callable[[], tuple[Cell, ...]], clock: Clock
    ) -> tuple[Cell, ...]:
        """The cells, looked at anew unless it is time to rest."""
        began_s = clock.monotonic_s()
        self.late = self.wanted and began_s < self.rests_until_s
        if self.wanted and not self.late:
            self.cells = made()
            ended_s = clock.monotonic_s()
            self.rests_until_s = ended_s + REST * (ended_s - began_s)
        return self.cells
