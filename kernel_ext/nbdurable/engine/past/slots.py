"""The place of a step: whose history is searched. Pure.

A slot is found by the cell's id; where the id is new or absent, by the step's name;
without both it is the n-th durable execution of this kernel. A slot never makes a
result valid.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nbdurable.engine.past.history import History

VSCODE_CELL = "vscode-notebook-cell:"
"""VS Code's cell ids hold within one kernel only."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell is executed.

    Attributes:
        slot: Id of the slot.
        name: What people call the step.
        notice: A sentence for the user, or "".
    """

    slot: str
    name: str
    notice: str = ""


@dataclass(slots=True)
class Slots:
    """The slots that this kernel has executed.

    Attributes:
        cells: Slot per cell id.
        sources: Digest (hex) of the source last executed, per slot.
        count: Durable executions without id and name so far.
    """

    cells: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def place(self, history: History, cell_id: str, name: str) -> Place:
        """The slot of this execution. Call it once per execution."""
        slot, notice = self._slot(history, cell_id, name)
        if cell_id:
            self.cells[cell_id] = slot
        return Place(slot, name or _known_name(history, slot), notice)

    def shared(self, place: Place, source: str) -> str:
        """What to tell of a cell that has the name, and so the history, of another one.

        Args:
            place: Its place, which was found by its name alone.
            source: Digest (hex) of its source.
        """
        if self.sources.get(place.slot, source) == source:
            return ""
        return (
            f"two cells are named {place.name}, and nothing else tells them apart here:"
            " they share one history, so a call of the second that is equal to one of"
            " the first is not made · give it another name"
        )

    def _slot(self, history: History, cell_id: str, name: str) -> tuple[str, str]:
        known = self.cells.get(cell_id) or _by_id(history, cell_id)
        if cell_id and known:
            return known, ""
        if name:
            return self._by_name(history, cell_id, name)
        if cell_id:
            return f"cell {cell_id}", ""
        self.count += 1
        return f"nth {self.count}", ""

    def _by_name(self, history: History, cell_id: str, name: str) -> tuple[str, str]:
        named = history.named(name)
        slot = named.slot if named else f"name {name}"
        if cell_id and slot in self.cells.values():
            notice = f"two cells are named {name}; each has its own history"
            return f"cell {cell_id}", notice
        return slot, ""


def _by_id(history: History, cell_id: str) -> str:
    if not cell_id or cell_id.startswith(VSCODE_CELL):
        return ""
    found = [s for s in history.steps.values() if s.cell_id == cell_id]
    return max(found, key=lambda s: s.order).slot if found else ""


def _known_name(history: History, slot: str) -> str:
    latest = history.latest(slot)
    return latest.name if latest else f"cell{len(history.slots) + 1}"
