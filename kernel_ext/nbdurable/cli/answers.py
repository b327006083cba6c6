"""What a command answers, and views as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from nbdurable.engine.where.dollars import recorded
from nbdurable.engine.where.moments import Now


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command has to say.

    Attributes:
        text: For people.
        data: For programs: what JSON can say.
        code: The exit code.
    """

    text: str
    data: object
    code: int = 0


def plain(value: object) -> object:
    """A view as JSON can say it; what is unknown (None) is left out.

    Example:
        >>> plain(Now(5))
        5
    """
    if isinstance(value, Now):
        return value.us
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {k: plain(v) for k, v in fields.items() if v is not None}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list, set, frozenset)):
        return [plain(v) for v in value]
    if isinstance(value, Decimal):
        return recorded(value)
    return str(value) if isinstance(value, str) else value
