"""The variables a step made, as bytes, and back.

Variables that hang together are one group and one blob, so that aliases stay aliases;
a variable that shares nothing is encoded like any other value. A value that can't be
stored costs only itself: its group is tried without it.

Objects that the step was given and that its variables still reach are written as the
places where they were (`codec.grafts`), so that a replay changes them in place.
"""

from __future__ import annotations

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Mapping,
    MutableMapping,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nbdurable.engine.codec import DILL, Unreadable, Unstorable, decode, keep, owners
from nbdurable.engine.codec.connected import connected
from nbdurable.engine.codec.grafts import Grafting, Marks, mark
from nbdurable.engine.codec.parts import closing
from nbdurable.engine.values import named
from nbdurable.engine.values.redact import Secrets
from nbdurable.errors import DurableError
from nbdurable_store.protocol import Fill, Stored
from nbdurable_store.records import BlobRef

__all__ = [
    "Group",
    "Kept",
    "Marks",
    "Ready",
    "Taken",
    "load",
    "mark",
    "put_back",
    "take",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Names whose values hang together, encoded as one, as it was stored.

    Attributes:
        names: The names; for more than one, the value is a tuple in their order.
        codec: Name of the layer that wrote the bytes.
        data: The bytes, or where they are read from.
    """

    names: tuple[str, ...]
    codec: str
    data: bytes | Stored = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Names whose values hang together, and where they are kept.

    Attributes:
        names: The names.
        ref: The blob that holds their values.
    """

    names: tuple[str, ...]
    ref: BlobRef


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot.

    Attributes:
        groups: What is stored.
        last_resort: Names that only `dill` could keep.
        unstorable: What is not, with the place of the culprit and the reason.
        replaced: Names that still hold the object the step was given, where a replay
            can't change that object and binds an equal one instead.
    """

    groups: list[Kept] = field(default_factory=list)
    last_resort: list[str] = field(default_factory=list)
    unstorable: dict[str, str] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)


Put = Callable[[str, bytes | Fill], BlobRef]
"""`Store.put`."""


def take(
    values: Mapping[str, object],
    put: Put,
    *,
    secrets: Secrets,
    marks: Marks | None = None,
) -> Taken:
    """Store values; never raises for a value or for a disk.

    Args:
        values: The variables by name.
        put: Where they go.
        secrets: What must not be stored.
        marks: What the step could reach before it ran, from `mark`.
    """
    taker = _Taker(put, secrets, marks)
    out = {n for n, v in values.items() if named.is_kept_out(n, v)}
    taker.taken.unstorable.update(dict.fromkeys(out, named.WHY))
    if out:
        values = {n: v for n, v in values.items() if n not in out}
    places = _places(marks) if marks else frozenset()
    for names, reached in connected(values, marks.ids | places if marks else ()):
        reaches = not reached.isdisjoint(places)
        taker.keep({name: values[name] for name in names}, reaches=reaches)
    if marks:
        lost = (n for n, v in values.items() if marks.lost(n, v))
        taker.taken.replaced.extend(lost)
    return taker.taken


def _places(marks: Marks) -> frozenset[int]:
    """Ids of what leads to something that was there before the step ran."""
    # A part of a marked array meets it in the array that both of them are parts of.
    shared = owners.memories(each for each, _, _ in marks.found.values())
    return frozenset({*marks.found, *marks.standing, *shared})


class _Taker:
    """One snapshot being taken."""

    def __init__(self, put: Put, secrets: Secrets, marks: Marks | None) -> None:
        self.taken = Taken()
        self._put = put
        self._secrets = secrets
        self._marks = marks

    def keep(self, group: Mapping[str, object], *, reaches: bool) -> None:
        """Keep a group, or as much of it as can be."""
        kept = self._kept(group, reaches=reaches)
        if isinstance(kept, BlobRef):
            self.taken.groups.append(Kept(names=tuple(group), ref=kept))
            if kept.codec == DILL:
                self.taken.last_resort.extend(group)
        elif len(group) == 1 or kept.whole:
            self.taken.unstorable.update(dict.fromkeys(group, kept.why))
        else:
            self._keep_others(group, kept, reaches=reaches)

    def _keep_others(
        self, group: Mapping[str, object], refused: _Refused, *, reaches: bool
    ) -> None:
        """Keep a group without those of its names that can't be stored even alone."""
        alone = {n: self._kept({n: v}, reaches=reaches) for n, v in group.items()}
        culprits = {n: e.why for n, e in alone.items() if isinstance(e, _Refused)}
        if not culprits:
            culprits = dict.fromkeys(group, refused.why)
        self.taken.unstorable.update(culprits)
        rest = {n: v for n, v in group.items() if n not in culprits}
        for names, _ in connected(rest):
            self.keep({n: rest[n] for n in names}, reaches=reaches)

    def _kept(
        self, group: Mapping[str, object], *, reaches: bool
    ) -> BlobRef | _Refused:
        values = tuple(group.values())
        several = len(values) > 1
        value = values if several else values[0]
        marks = self._marks if reaches else None
        put, secrets = self._put, self._secrets
        try:
            return keep(value, put, secrets=secrets, marks=marks, shares=several)
        except Unstorable as refusal:
            return _Refused(f"{refusal.why}{_place(group, refusal.path)}")
        except DurableError as full:
            return _Refused(full.fact().rstrip("."), whole=True)
        except KeyboardInterrupt:
            # An object that takes itself apart for ever: only its user can end that.
            return _Refused("it was interrupted while it was stored", whole=True)
        except BaseException as error:  # noqa: BLE001  # whatever a value does, the rest is kept
            return _Refused(f"{type(error).__name__}: {_told(error)}")


class _Refused(NamedTuple):
    """Why a group is not kept, and whether a part of it would fare no better."""

    why: str
    whole: bool = False


def _told(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001  # a user's __str__ may raise anything
        return f"<{type(failure).__name__} in str()>"


def _place(group: Mapping[str, object], path: str) -> str:
    names = tuple(group)
    if len(names) > 1:
        first, _, path = path.partition("]")
        index = first.removeprefix("[")
        name = names[int(index)] if index.isdecimal() else ""
        return f" ({name}{path})" if name else ""
    return f" ({names[0]}{path})" if path else ""


@dataclass(frozen=True, slots=True)
class Ready:
    """Values that are loaded, and bound to no name yet.

    Attributes:
        values: The values by name.
    """

    values: Mapping[str, object]
    _grafting: Grafting

    def bind(
        self,
        namespace: MutableMapping[str, Any],
        aside: Mapping[str, MutableMapping[str, object]] | None = None,
    ) -> None:
        """Change in place what the step was given, and give names their values.

        Args:
            namespace: The variables.
            aside: Names that are bound in another mapping instead.
        """
        self._grafting.apply()
        for name, value in self.values.items():
            (aside or {}).get(name, namespace)[name] = value


def load(
    groups: Sequence[Group],
    *,
    secrets: Secrets,
    given: Mapping[str, object],
    unchanged: Collection[str] = (),
) -> Ready:
    """Load values; nothing that is there is changed.

    Args:
        groups: From a snapshot, each verified.
        secrets: What masked texts and keys of clients are put back from.
        given: What the step was given, by name: objects reached from there are
            changed when names are bound, not replaced.
        unchanged: Names of what the step was given and left as it was.

    Raises:
        Unreadable: A group makes no object here.
        SecretAbsent: A group needs a secret that is not set here.
    """
    grafting = Grafting(given, unchanged)
    values: dict[str, object] = {}
    for group in groups:
        with closing(group.data) as data:
            value = decode(group.codec, data, secrets=secrets, grafting=grafting)
        values.update(zip(group.names, _values(group, value), strict=True))
    return Ready(values, grafting)


def put_back(
    groups: Sequence[Group],
    namespace: MutableMapping[str, Any],
    *,
    secrets: Secrets,
    aside: Mapping[str, MutableMapping[str, object]] | None = None,
    in_place: Collection[str] = (),
) -> None:
    """Give names their values; nothing is changed unless all groups can be read.

    Args:
        groups: From a snapshot, each verified.
        namespace: The variables.
        secrets: What masked texts and keys of clients are put back from.
        aside: Names that are bound in another mapping instead.
        in_place: Names whose values are what the step was given: objects reached from
            them are changed, not replaced.

    Raises:
        Unreadable: A group makes no object here.
        SecretAbsent: A group needs a secret that is not set here.
    """
    given = {name: namespace[name] for name in in_place if name in namespace}
    load(groups, secrets=secrets, given=given).bind(namespace, aside)


def _values(group: Group, value: object) -> Iterable[object]:
    if len(group.names) == 1:
        return (value,)
    if not isinstance(value, tuple) or len(value) != len(group.names):
        raise Unreadable(codec=group.codec, why=f"it is not {len(group.names)} values")
    return value
