"""The variables a step made, as bytes, and back.

Variables that hang together are one group and one blob, so that aliases stay aliases;
a variable that shares nothing is encoded like any other value. A value that can't be
stored costs only itself: its group is tried without it.

Objects that the step was given and that its variables still reach are written as the
places where they were (`codec.grafts`), so that a replay changes them in place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbdurable.engine.codec import Encoded, Unreadable, Unstorable, decode, encode
from nbdurable.engine.codec.grafts import Grafting, Marks, mark
from nbdurable.engine.connected import connected
from nbdurable.engine.redact import Secrets

__all__ = ["Group", "Marks", "Taken", "mark", "put_back", "take"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Names whose values hang together, encoded as one.

    Attributes:
        names: The names; for more than one, the value is a tuple in their order.
        codec: Name of the layer that wrote the bytes.
        data: The bytes.
    """

    names: tuple[str, ...]
    codec: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot.

    Attributes:
        groups: What is stored.
        unstorable: What is not, with the place of the culprit and the reason.
        replaced: Names that still hold the object the step was given, where a replay
            can't change that object and binds an equal one instead.
    """

    groups: list[Group] = field(default_factory=list)
    unstorable: dict[str, str] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)


def take(
    values: Mapping[str, object], *, secrets: Secrets, marks: Marks | None = None
) -> Taken:
    """Encode values; never raises for a value.

    Args:
        values: The variables by name.
        secrets: What must not be stored.
        marks: What the step could reach before it ran, from `mark`.
    """
    taken = Taken()
    known = marks.found if marks else {}
    for names, reaches in connected(values, known):
        group = {name: values[name] for name in names}
        _keep(taken, group, secrets, marks if reaches else None)
    if marks:
        taken.replaced.extend(n for n, v in values.items() if marks.lost(n, v))
    return taken


def _keep(
    taken: Taken,
    group: Mapping[str, object],
    secrets: Secrets,
    marks: Marks | None,
) -> None:
    encoded = _encoded(group, secrets, marks)
    if isinstance(encoded, Encoded):
        names = tuple(group)
        taken.groups.append(Group(names=names, codec=encoded.codec, data=encoded.data))
    elif len(group) == 1:
        taken.unstorable.update(dict.fromkeys(group, encoded))
    else:
        _keep_others(taken, group, secrets, marks, why=encoded)


def _keep_others(
    taken: Taken,
    group: Mapping[str, object],
    secrets: Secrets,
    marks: Marks | None,
    *,
    why: str,
) -> None:
    """Keep a group without those of its names that can't be stored even alone."""
    alone = {n: _encoded({n: v}, secrets, marks) for n, v in group.items()}
    culprits = {n: e for n, e in alone.items() if isinstance(e, str)}
    if not culprits:
        culprits = dict.fromkeys(group, why)
    taken.unstorable.update(culprits)
    rest = {n: v for n, v in group.items() if n not in culprits}
    for names, _ in connected(rest):
        _keep(taken, {n: rest[n] for n in names}, secrets, marks)


def _encoded(
    group: Mapping[str, object], secrets: Secrets, marks: Marks | None
) -> Encoded | str:
    values = tuple(group.values())
    value = values[0] if len(values) == 1 else values
    try:
        return encode(value, secrets=secrets, marks=marks)
    except Unstorable as refusal:
        return f"{refusal.why}{_place(group, refusal.path)}"
    except Exception as error:  # noqa: BLE001  # whatever a value does, the rest is kept
        return f"{type(error).__name__}: {error}"


def _place(group: Mapping[str, object], path: str) -> str:
    names = tuple(group)
    if len(names) > 1:
        first, _, path = path.partition("]")
        index = first.removeprefix("[")
        name = names[int(index)] if index.isdecimal() else ""
        return f" ({name}{path})" if name else ""
    return f" ({names[0]}{path})" if path else ""


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
    grafting = Grafting(given)
    bound: list[tuple[str, object]] = []
    for group in groups:
        value = decode(group.codec, group.data, secrets=secrets, grafting=grafting)
        bound += zip(group.names, _values(group, value), strict=True)
    grafting.apply()
    for name, value in bound:
        (aside or {}).get(name, namespace)[name] = value


def _values(group: Group, value: object) -> Iterable[object]:
    if len(group.names) == 1:
        return (value,)
    if not isinstance(value, tuple) or len(value) != len(group.names):
        raise Unreadable(codec=group.codec, why=f"it is not {len(group.names)} values")
    return value
