"""The fast path: finite trees of plain data are hashed as one marshal stream.

marshal version 2 writes equal trees as equal bytes on every Python, whatever is
interned or shared (versions 3 and 4 don't). But it writes *anything* with a buffer
as bytes, so a census of exact types comes first.

Whether a tree takes this path depends on its expanded value alone, never on ids,
sharing or the stack: a tree that is shared 60 levels deep and its copy go the same way.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain, compress
from types import NoneType
from typing import Any

from nbdurable.engine.identity.held import held_by

LEVELS_MAX = 16
"""Deepest tree of the fast path. marshal stops at 2,000; each level of a deeper tree
takes a census of its own, and this bounds what they cost together."""

NODES_MAX = 1 << 18
"""Biggest tree of the fast path, in elements and items: bounds the copy that marshal makes, and
the census of a small object whose shared children expand without end."""

ATOMS = frozenset({NoneType, bool, int, float, complex, str, bytes})
_SEQUENCES = frozenset({list, tuple})
TREES = _SEQUENCES | {dict}
PLAIN = ATOMS | TREES
TEXTS = frozenset({str, bytes})
"""Atoms that may hold a secret."""

_TEXT = {str}
_MARSHAL_VERSION = 2


def census(value: object, texts: list[str] | None = None) -> set[type] | None:
    """The exact types in a plain tree, or ``None`` if it isn't one.

    Texts that are keys of dicts may be left out: `held_by` gives all elements
    of lists, tuples and dicts at once, and whatever can't be a text for certain.

    Args:
        value: Any value.
        texts: Takes every string of the tree, and its bytes as text, if given.
    """
    level: Sequence[Any] = (value,)
    found: set[type] = set()
    room = NODES_MAX
    for _ in range(LEVELS_MAX):
        types = set(map(type, level))
        found |= types
        if not types <= PLAIN:
            return None
        if texts is not None:
            _collect(level, types, texts)
        if types <= ATOMS:
            return found
        room -= _size(level, types)
        if room < 0:
            return None
        level = held_by(*level)
    return None


def _size(level: Sequence[Any], types: set[type]) -> int:
    """How many elements and items the trees of a level have, each counted as it stands.

    Before they are put into one list: shared children expand without end.
    """
    if types <= TREES:
        return sum(map(len, level))
    return sum(map(len, compress(level, map(_is_tree, map(type, level)))))


_is_tree = TREES.__contains__
_flat = chain.from_iterable


def _collect(level: Sequence[Any], types: set[type], texts: list[str]) -> None:
    if types == _TEXT:
        texts += level
    elif str in types:
        texts += [x for x in level if type(x) is str]
    if bytes in types:
        texts += [_text(x) for x in level if type(x) is bytes]
    if dict in types:
        # Other keys than texts come with the next level.
        dicts = [x for x in level if type(x) is dict]
        texts += [key for key in _flat(dicts) if type(key) is str]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def stream(tree: Any) -> bytes:
    """The canonical bytes of a plain tree."""
    return marshal.dumps(tree, _MARSHAL_VERSION)


def of_atoms(named: dict[str, Any], found: Callable[[str], object]) -> bytes | None:
    """The canonical bytes of a dict of atoms, its order not counted.

    What most calls are given: no census, and a tenth of the time.

    Args:
        named: Texts to any values.
        found: Whether a text holds a secret; the texts are asked about at once.

    Returns:
        What `stream` gives for the dict in key order; ``None`` where it isn't one of
        atoms, or holds a secret.
    """
    kinds = {*map(type, named.values())}
    if not kinds <= ATOMS:
        return None
    texts: Iterable[str] = named
    if not kinds.isdisjoint(TEXTS):
        texts = [*named]
        for value in named.values():
            if type(value) in TEXTS:
                texts.append(value if type(value) is str else _text(value))
    if found("\0".join(texts)):
        return None
    return marshal.dumps(dict(by_key(named)), _MARSHAL_VERSION)


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
