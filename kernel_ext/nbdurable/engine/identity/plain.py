"""The fast path: finite trees of plain data are hashed as one marshal stream.

marshal version 2 writes equal trees as equal bytes on every Python, whatever is
interned or shared (versions 3 and 4 don't). But it writes *anything* with a buffer
as bytes, so a census of exact types comes first.

Whether a tree takes this path depends on its expanded value alone, never on ids,
sharing or the stack: a tree that is shared 60 levels deep and its copy go the same way.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Collection, Sequence
from itertools import chain, compress, islice
from types import NoneType
from typing import Any

LEVELS_MAX = 16
"""Deepest tree of the fast path. marshal stops at 2,000; each level of a deeper tree
takes a census of its own, and this bounds what they cost together."""

NODES_MAX = 1 << 18
"""Biggest tree of the fast path, in nodes: bounds the copy that marshal makes, and
the census of a small object whose shared children expand without end."""

ATOMS = frozenset({NoneType, bool, int, float, complex, str, bytes})
_SEQUENCES = frozenset({list, tuple})
_TREES = _SEQUENCES | {dict}
PLAIN = ATOMS | _TREES
TEXTS = frozenset({str, bytes})
"""Atoms that may hold a secret."""

_TEXT = {str}
_MARSHAL_VERSION = 2


def census(value: object, texts: list[str] | None = None) -> set[type] | None:
    """The exact types in a plain tree, or ``None`` if it isn't one.

    Args:
        value: Any value.
        texts: Takes every string of the tree, and its bytes as text, if given.
    """
    level: Sequence[Any] = (value,)
    found: set[type] = set()
    room, levels = NODES_MAX, LEVELS_MAX
    if type(value) is dict and 2 * len(value) <= room:
        # The arguments of a call: the first level by hand takes a third of the time.
        level, found = [*value, *value.values()], {dict}
        room, levels = room - len(level), levels - 1
    for _ in range(levels):
        types = set(map(type, level))
        found |= types
        if not types <= PLAIN:
            return None
        if texts is not None:
            _collect(level, types, texts)
        if types <= ATOMS:
            return found
        level = _below(level, types, room)
        room -= len(level)
        if room < 0:
            return None
    return None


def _below(level: Sequence[Any], types: set[type], room: int) -> Sequence[Any]:
    """The elements of all trees of a level: at most one more than there is room for."""
    if len(level) == 1:
        trees = level
    else:
        trees = list(compress(level, map(_is_tree, map(type, level))))
    elements = _flat(trees)
    if dict in types:
        only = types.isdisjoint(_SEQUENCES)
        dicts = trees if only else [x for x in trees if type(x) is dict]
        elements = chain(elements, _flat(map(dict.values, dicts)))
    return list(islice(elements, room + 1))


_is_tree = _TREES.__contains__
_flat = chain.from_iterable


def _collect(level: Sequence[object], types: set[type], texts: list[str]) -> None:
    if str in types:
        texts += [x for x in level if type(x) is str]
    if bytes in types:
        texts += [_text(x) for x in level if type(x) is bytes]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def stream(tree: Any) -> bytes:
    """The canonical bytes of a plain tree."""
    return marshal.dumps(tree, _MARSHAL_VERSION)


def in_key_order(tree: Any) -> Any:
    """A plain tree with its string-keyed dicts in the order of their keys."""
    kind = type(tree)
    if kind is dict:
        pairs = by_key(tree)
        return {k: v if type(v) in ATOMS else in_key_order(v) for k, v in pairs}
    if kind is list or kind is tuple:
        return kind([x if type(x) in ATOMS else in_key_order(x) for x in tree])
    return tree


def by_key(mapping: dict[Any, Any]) -> Collection[tuple[Any, Any]]:
    """The items of a dict, sorted if all its keys are exactly strings."""
    if len(mapping) < 2:
        return mapping.items()
    # Keys are unique, so that sorting the pairs never compares their values.
    only_texts = set(map(type, mapping)) == _TEXT
    return sorted(mapping.items()) if only_texts else mapping.items()


def redacted(tree: Any, redact: Callable[[str], str]) -> Any:
    """A plain tree with the secrets in its strings replaced."""
    kind = type(tree)
    if kind is str:
        return redact(tree)
    if kind is bytes:
        return redact(_text(tree)).encode("utf-8", "surrogateescape")
    if kind is dict:
        return {redacted(k, redact): redacted(v, redact) for k, v in tree.items()}
    if kind is list or kind is tuple:
        return kind([redacted(x, redact) for x in tree])
    return tree
