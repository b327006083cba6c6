"""Values that are credentials by the name that they have: of a variable, in a dict. Pure.

Names of variables are freer than those of the environment: `keyword`, `tokenizer` and
`primary_key` hold no secrets. So the last word counts, and of what is a mere `…_key` the
value must look like one as well.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from enum import IntEnum
from itertools import islice
from typing import Any, Final

from blake3 import blake3

from nbdurable.engine.values.redact import LENGTH_MIN

NAMED: Final = re.compile(
    r"(?:.*_)?(?:token|secret|passw(?:or)?d|passphrase|credentials?|dsn"
    r"|(?:api|access|secret|private|auth|signing|encryption)_?key)",
    re.IGNORECASE,
)
"""Names whose values are credentials."""

KEY: Final = re.compile(r"(?:.*_)?key", re.IGNORECASE)
"""Names whose values are, if they look like one: letters and digits in one word."""

PAGING: Final = re.compile(
    r"(?:.*_)?(?:page|next|prev|previous|continuation|sync|start|resume)_?token",
    re.IGNORECASE,
)
"""Names of the places where a list goes on."""

CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

MARK_BYTES: Final = 2
"""They only have to tell the two calls of a question apart."""

LENGTH_MAX: Final = 1 << 20
"""Longer values, in characters, are data: looking at them would copy them."""

NODES_MAX: Final = 10_000
"""Elements of a container that are looked at: data of more is no settings."""

_CONTAINERS: Final = frozenset({dict, list, tuple})

WHY: Final = "named like a credential, so never stored: set it again"


def is_credential(name: str, value: object) -> bool:
    """Whether a value must not be stored because of its name.

    Example:
        >>> is_credential("api_key", "northwind-7Q2m9ZxK4t")
        True
        >>> is_credential("keyword", "photosynthesis")
        False
    """
    kind = type(value)  # an object may do anything when it is asked
    if not (kind is str or kind is bytes):
        return False
    # Before the value is looked at: nearly all names are none, and a value may be long.
    said = _said(name)
    if said is Said.NOTHING:
        return False
    if not LENGTH_MIN <= len(value) <= LENGTH_MAX:  # type: ignore[arg-type]  # sized
        return False
    text = str(value, "latin-1") if isinstance(value, bytes) else str(value)
    if any(char.isspace() for char in text.strip()):
        return False
    return said is Said.SURELY or _is_mixed(text)


class Said(IntEnum):
    """What a name says of its value."""

    NOTHING = 0
    PERHAPS = 1
    SURELY = 2


@functools.lru_cache(maxsize=1024)  # the names of arguments come again with each call
def _said(name: str) -> Said:
    words = CAMEL.sub("_", name)
    if PAGING.fullmatch(words):
        return Said.NOTHING
    if NAMED.fullmatch(words):
        return Said.SURELY
    return Said.PERHAPS if KEY.fullmatch(words) else Said.NOTHING


def holds_credential(value: object) -> str:
    """The key of a dict in plain data whose value is one, and looks like one; or "".

    Example:
        >>> holds_credential([{"db": {"password": "correct-horse-7"}}])
        'password'
    """
    if type(value) not in _CONTAINERS:  # most results
        return ""
    left, stack = NODES_MAX, [value]
    while stack and left > 0:
        item: Any = stack.pop()
        left -= 1
        if type(item) is dict:
            for name, member in islice(item.items(), left):
                if _is_member(name, member):
                    return str(name)
            stack += _containers(islice(item.values(), left))
        elif type(item) in _CONTAINERS:
            stack += _containers(islice(item, left))
    return ""


def _containers(items: Iterable[object]) -> list[object]:
    return [item for item in items if type(item) in _CONTAINERS]


def is_kept_out(name: str, value: object) -> bool:
    """Whether a variable is one, or plain data that holds one."""
    if type(value) in _CONTAINERS:
        return bool(holds_credential(value))
    return is_credential(name, value)


def any_kept_out(arguments: Mapping[str, object]) -> bool:
    """Whether an argument of a call is one, or plain data that holds one."""
    plain = _CONTAINERS.isdisjoint(map(type, arguments.values()))
    if plain and not any(map(_said, arguments)):  # most calls: no function of ours runs
        return False
    return any(is_kept_out(name, value) for name, value in arguments.items())


def of(arguments: Mapping[str, object]) -> dict[str, str]:
    """The credentials among the arguments of a call, by parameter."""
    return {
        name: value
        for name, value in arguments.items()
        if isinstance(value, str) and is_credential(name, value)
    }


def marked(arguments: Mapping[str, object], pepper: bytes) -> dict[str, str]:
    """The same by what people read for them: two values have two marks.

    Args:
        arguments: The arguments of a call.
        pepper: Without it nobody can try values against a mark.

    Example:
        >>> [*marked({"api_key": "northwind-7Q2m9ZxK4t"}, bytes(32))]
        ['api_key b794']
    """
    if not any(map(_said, arguments)):  # most calls: no function of ours runs
        return {}
    marks = {
        name: blake3(value.encode("utf-8", "surrogatepass"), key=pepper)
        for name, value in of(arguments).items()
    }
    return {
        f"{name} {mark.hexdigest(MARK_BYTES)}": str(arguments[name])
        for name, mark in marks.items()
    }


def _is_member(name: object, value: object) -> bool:
    if not isinstance(name, str) or not is_credential(name, value):
        return False
    return _is_mixed(value if isinstance(value, str) else "a1")


def _is_mixed(text: str) -> bool:
    return bool(re.search("[0-9]", text) and re.search("[A-Za-z]", text))
