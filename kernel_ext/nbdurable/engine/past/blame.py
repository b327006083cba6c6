"""Which calls' exceptions a cell ended with, whoever wrapped them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Blame:
    """What the calls of an attempt raised, live or served.

    Example:
        >>> blame, error = Blame(), ValueError("declined")
        >>> blame.add("call-1", error)
        >>> wrapped = RuntimeError("agent failed")
        >>> wrapped.__cause__ = error
        >>> blame.behind(wrapped)
        ['call-1']
    """

    _raised: list[tuple[str, object]] = field(default_factory=list)
    _suspects: dict[str, None] = field(default_factory=dict)

    def add(self, call_id: str, error: object) -> None:
        """Remember which call raised what.

        A library's response or request stands for the exception that the library
        makes of it.
        """
        self._raised.append((call_id, error))

    def holds(self, error: object) -> bool:
        """Whether a call has raised this very exception."""
        return any(held is error for _, held in self._raised)

    def also(self, what: object, error: BaseException) -> None:
        """Let something stand for an exception that was added."""
        self._raised += [(call, what) for call, held in self._raised if held is error]

    def suspect(self, call_id: str) -> None:
        """Blame a call for whatever the cell ends with: its answer is unusable.

        What a library raises over an answer that it can't read names no request.
        """
        self._suspects[call_id] = None

    def suspect_for(self, error: BaseException) -> None:
        """Blame the call that raised this, as `suspect` does."""
        for call, held in list(self._raised):
            if held is error:
                self.suspect(call)

    def behind(self, ended_with: BaseException) -> list[str]:
        """The calls whose exception this is, or is the cause or context of this."""
        chain = set(_chain(ended_with))
        found = [call for call, error in self._raised if id(error) in chain]
        return [*found, *(call for call in self._suspects if call not in found)]


def _chain(error: BaseException | None) -> Iterator[int]:
    seen: set[int] = set()
    todo = [error]
    while todo:
        item = todo.pop()
        if item is None or id(item) in seen:
            continue
        seen.add(id(item))
        yield id(item)
        yield from (id(held) for held in vars(item).values())
        todo += [item.__cause__, item.__context__]
        todo += _several(item)


def _several(error: BaseException) -> list[BaseException]:
    """The exceptions that it stands for: those of a group, and of an `nd.MapFailed`."""
    try:
        several: object = getattr(error, "exceptions", ())
    except Exception:  # noqa: BLE001  # whatever an exception of somebody else's does
        return []
    held = several if isinstance(several, tuple) else ()
    return [e for e in held if isinstance(e, BaseException)]
