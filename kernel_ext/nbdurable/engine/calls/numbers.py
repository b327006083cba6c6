"""The numbers of an attempt's calls, as people say them: ``2``, and ``2.1`` inside it."""

from __future__ import annotations


class Numbers:
    """Counts the calls of an attempt, and those made inside each of them, from 1.

    Example:
        >>> numbers = Numbers()
        >>> numbers.give(""), numbers.give("")
        ('1', '2')
        >>> numbers.note("a call's id", "2")
        >>> numbers.give("a call's id"), numbers.give("")
        ('2.1', '3')
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._known: dict[str, str] = {"": ""}

    def give(self, parent: str, again: str = "") -> str:
        """The number of a call that is about to be made.

        Args:
            parent: Logical id of the enclosing call, or "".
            again: Logical id of a call of this attempt of which it is the next try.
        """
        if again and again in self._known:
            return self._known[again]
        nth = self._counts[parent] = self._counts.get(parent, 0) + 1
        outer = self._known.get(parent, "")
        return f"{outer}.{nth}" if outer else str(nth)

    def afresh(self, parent: str) -> None:
        """Count the calls made inside this one from 1 again."""
        self._counts.pop(parent, None)

    def note(self, call_id: str, number: str) -> None:
        """This call has that number; what is made inside it is counted from there."""
        self._known[call_id] = number
