"""What the codec raises: a value that can't be stored, a value that can't be read."""

from __future__ import annotations

from dataclasses import dataclass

from nbdurable.errors import DurableError, Remedy


@dataclass(kw_only=True, eq=False)
class Unstorable(DurableError):
    """A value can't be stored, and this is where and why.

    Attributes:
        path: Place of the culprit inside the value, such as ``["rows"][3]._lock``;
            "" for the value itself.
        why: The reason, such as ``a generator is tied to this process``.
        final: Whether no other layer may try.
    """

    slug = "unstorable"
    path: str = ""
    why: str
    final: bool = True

    def fact(self) -> str:
        """One line about the value."""
        return f"{f'value{self.path}' if self.path else 'the value'}: {self.why}."

    def reason(self) -> str:
        """Why, and where inside the value, in a few words for a line."""
        return f"{self.why}, at {self.path}" if self.path else self.why

    def detail(self) -> str:
        """What happens to the rest."""
        return "It was not stored. Everything else was."

    def remedies(self) -> tuple[Remedy, ...]:
        """Keep plain data instead."""
        return (Remedy("keep plain data instead", "rows = list(rows)"),)


@dataclass(kw_only=True, eq=False)
class Unreadable(DurableError):
    """Stored bytes are whole, but don't make an object here.

    Attributes:
        codec: Name of the layer that wrote them.
        why: The reason, such as ``ModuleNotFoundError: No module named 'shop'``.
    """

    slug = "value-unreadable"
    codec: str
    why: str

    def fact(self) -> str:
        """One line about the value."""
        return f"a stored value can't be loaded here: {self.why}."

    def detail(self) -> str:
        """What was not done."""
        return f"It stays in the store ({self.codec}). Nothing ran in its place."

    def remedies(self) -> tuple[Remedy, ...]:
        """Make the value again."""
        return (Remedy("make the value again", "%durable rerun"),)
