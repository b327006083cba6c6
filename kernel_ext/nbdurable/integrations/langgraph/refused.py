"""What a `DurableSaver` does not take, told in the words of a graph."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from nbdurable.engine.codec import Unstorable
from nbdurable.errors import DurableError, Remedy

_PART: Final = re.compile(r"\[(\d+)\]")
"""Where in a record the culprit is: which of its values."""


@dataclass(kw_only=True, eq=False)
class StateUnkept(Unstorable):
    """A value of a graph's state can't be kept.

    Attributes:
        thread: The thread's id.
    """

    slug = "state-unkept"
    thread: str

    def fact(self) -> str:
        """One line about the value."""
        return f"{self.path or 'the state of the graph'}: {self.why}."

    def detail(self) -> str:
        """What was not done."""
        return (
            f"This checkpoint was not written, and the graph's run ends here. Thread\n"
            f"{self.thread!r} is as it was before."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Keep plain data in the state, or what a node can make again out of it."""
        return (
            Remedy("return plain data from the node", 'return {"rows": list(rows)}'),
            Remedy("make it where it is used", "client = OpenAI()  # in the node"),
        )


@dataclass(kw_only=True, eq=False)
class SerdeRefused(DurableError):
    """A `DurableSaver` was to be made with a serializer of its own."""

    slug: ClassVar[str] = "serde-refused"

    def fact(self) -> str:
        """One line about the argument."""
        return "DurableSaver takes no serde=."

    def detail(self) -> str:
        """Why, and what was not done."""
        return (
            "No saver was made. Values are kept as those of durable cells are: signed,\n"
            "without secrets, each long text once. Nobody finds a secret in what another\n"
            "serializer has made of it."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Leave it out: objects of classes need nothing else."""
        return (Remedy("leave it out", "DurableSaver()"),)


@contextlib.contextmanager
def told(thread: str, parts: Sequence[str]) -> Iterator[None]:
    """Say of a value that can't be kept where in the graph's state it is.

    Args:
        thread: The thread's id.
        parts: What each value of the record is, such as ``state['rows']``.

    Raises:
        StateUnkept: A value can't be kept.
    """
    try:
        yield
    except Unstorable as error:
        found = _PART.match(error.path)
        if found:
            path = f"{parts[int(found[1])]}{error.path[found.end() :]}"
        else:
            path = f"state{error.path}" if error.path else ""
        raise StateUnkept(
            path=path, why=error.why, final=error.final, thread=thread
        ) from None
