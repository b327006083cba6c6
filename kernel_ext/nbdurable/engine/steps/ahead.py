"""What is said of a run before it has begun: journaled by the first step that enters it."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from nbdurable_store.records import Kind, Plain

if TYPE_CHECKING:
    from nbdurable.engine.steps.session import Session

_said: Final[weakref.WeakKeyDictionary[Session, dict[str, Mapping[str, Plain]]]] = (
    weakref.WeakKeyDictionary()
)


def say(session: Session, kind: Kind, fields: Mapping[str, Plain]) -> None:
    """Keep it for the next run; of one kind the latest counts."""
    _said.setdefault(session, {})[kind] = fields


def journal(session: Session) -> None:
    """The run is there: journal what was said of it."""
    for kind, fields in _said.pop(session, {}).items():
        session.journal(kind, fields)
