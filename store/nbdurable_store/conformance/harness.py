"""What a check needs: a store that several processes see, and short words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from nbdurable_store.protocol import Store
from nbdurable_store.records import Entry, Kind, Plain, Record


class Harness(Protocol):
    """One store, seen by as many processes as a check asks for."""

    def open(self) -> Store:
        """The store as one more process sees it: another owner."""
        ...

    def kill(self, store: Store) -> None:
        """What SIGKILL does to the process that has this view."""
        ...


Check = Callable[[Harness], None]
_E = TypeVar("_E", bound=BaseException)


def name(check: Check) -> str:
    """A check's name, for the list of a test run."""
    return check.__name__


def promise(checks: list[Check]) -> Callable[[Check], Check]:
    """Put a check on the list of its module."""

    def listed(check: Check) -> Check:
        checks.append(check)
        return check

    return listed


def record(run: str = "run", **given: object) -> Record:
    """A record with what a check doesn't care about filled in."""
    filled: dict[str, object] = {"kind": Kind.CALL_STARTED, "at_us": 1, **given}
    return Record(run=run, **filled)  # type: ignore[arg-type]  # the checks name real fields


def facts(entries: Sequence[Entry]) -> list[tuple[str, int, str, Plain]]:
    """What of entries must be the same for every reader."""
    return [(e.owner, e.seq, e.record.subject, e.record.fields) for e in entries]


def subjects(entries: Sequence[Entry]) -> list[str]:
    """The subjects of entries, by which the checks tell them apart."""
    return [entry.record.subject for entry in entries]


def refuses(expected: type[_E], act: Callable[[], object]) -> _E:
    """The error that an act must raise."""
    try:
        act()
    except BaseException as error:
        if isinstance(error, expected):
            return error
        raise
    raise AssertionError(f"no {expected.__name__} was raised")
