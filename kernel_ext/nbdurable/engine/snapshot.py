"""The variables a step made, as bytes, and back."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field

from nbdurable.engine.codec import Unstorable, decode, encode
from nbdurable.engine.redact import Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Names whose values hang together, encoded as one."""

    names: tuple[str, ...]
    codec: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot: groups, and what could not be stored with the reason."""

    groups: list[Group] = field(default_factory=list)
    unstorable: dict[str, str] = field(default_factory=dict)


def take(values: Mapping[str, object], *, secrets: Secrets) -> Taken:
    """Encode values; never raises for a value."""
    taken = Taken()
    for name, value in values.items():
        try:
            encoded = encode(value, secrets=secrets)
            group = Group(names=(name,), codec=encoded.codec, data=encoded.data)
            taken.groups.append(group)
        except Unstorable as unstorable:
            taken.unstorable[name] = unstorable.why
    return taken


def put_back(
    groups: Sequence[Group],
    namespace: MutableMapping[str, object],
    *,
    secrets: Secrets,
    aside: Mapping[str, MutableMapping[str, object]] | None = None,
) -> None:
    """Give names their values; those in ``aside`` go there instead."""
    for group in groups:
        value = decode(group.codec, group.data, secrets=secrets)
        (aside or {}).get(group.names[0], namespace)[group.names[0]] = value
