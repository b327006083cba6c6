"""`nd.frozen`: a switch that can be thrown, and a block that it is thrown for."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from nbdurable.engine.calls import frozen
from nbdurable.errors import OptionUnknown

STATES: Final = {"on": True, "off": False}


class Frozen:
    """What `nd.frozen` gives: it has thrown the switch, and a ``with`` throws it back.

    Args:
        state: ``on`` or ``off``.

    Raises:
        OptionUnknown: Another word.

    Example:
        >>> with Frozen("on") as switched:
        ...     print(switched)
        frozen: recorded calls are served, a new one is refused: %durable frozen off
        >>> frozen.is_on()
        False
    """

    def __init__(self, state: str) -> None:
        if state not in STATES:
            known = tuple(STATES)
            given = f"%durable frozen {state}"
            raise OptionUnknown(given=given, nearest="%durable frozen", known=known)
        self._now = STATES[state]
        self._was = frozen.switch(self._now)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        frozen.switch(self._was)

    def __repr__(self) -> str:
        if self._now:
            told = "recorded calls are served, a new one is refused"
            return f"frozen: {told}: %durable frozen off"
        return "not frozen: a new call is made"
