"""Stored plain data as people read it. Pure; runs no code, restores no secret.

The `json` codec keeps what JSON can't say in envelopes, ``{"$": [tag, body]}``. Here
they are opened for reading only: what comes out is shown and compared, never used.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

from nbdurable.engine.where import moments

READABLE: Final = frozenset({"json"})
"""Codecs whose bytes can be shown. Anything else is named by its codec and size."""

BYTES_MAX: Final = 1 << 20
"""Larger values aren't parsed for a preview of 2 kB."""

DEPTH_MAX: Final = 100
"""Levels of a value; the codec writes no more, so deeper bytes are not its own."""

_HIDDEN: Final = frozenset(
    map(chr, [0x061C, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF])
) | frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
"""Marks that reorder or hide text around them; shown by their number instead."""


class Unreadable(ValueError):
    """These bytes are not plain data that can be shown."""


def read(codec: str, data: bytes, most: int = BYTES_MAX) -> object:
    """Plain data for reading: str, int, float, bool, None, list, dict.

    Args:
        codec: The layer that wrote it.
        data: Its bytes.
        most: How many of them are parsed at most.

    Raises:
        Unreadable: Another codec wrote it, it is too large, or it is damaged.
    """
    if codec not in READABLE or len(data) > most:
        raise Unreadable(codec)
    try:
        return _open(json.loads(data), 0)
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise Unreadable(type(error).__name__) from error


def text_of(value: object) -> str:
    """A value laid out over lines; a string is itself."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def visible(text: str, *, lines: bool = True) -> str:
    r"""Text in which nothing acts: no control, no reordering mark, no surrogate.

    Args:
        text: Any text.
        lines: Whether line breaks and tabs stay; otherwise they are spaces.

    Example:
        >>> visible("a\x1b[31mb", lines=False)
        'a␛[31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    kept = {"\n": "\n", "\t": "\t"} if lines else {"\n": " ", "\t": " "}
    return "".join(kept.get(c) or _visible(c) for c in text.replace("\r\n", "\n"))


def _visible(char: str) -> str:
    if char.isprintable() and char not in _HIDDEN:
        return char
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if char in _HIDDEN:
        return _mark(f"U+{code:04X}")
    if unicodedata.category(char) in {"Cc", "Cs", "Cn", "Co", "Zl", "Zp"}:
        return "\N{REPLACEMENT CHARACTER}"
    return char


def _mark(what: str) -> str:
    """A word of ours within text of the user's."""
    return f"\u2039{what}\u203a"


def _open(tree: object, depth: int) -> object:
    if depth > DEPTH_MAX:
        raise Unreadable("depth")
    if isinstance(tree, list):
        return [_open(item, depth + 1) for item in tree]
    if not isinstance(tree, Mapping):
        return tree
    if set(tree) == {"$"}:
        tag, body = tree["$"]
        return _OPENED.get(tag, _by_tag(tag))(body, depth + 1)
    return {key: _open(item, depth + 1) for key, item in tree.items()}


def _list(body: object) -> list[Any]:
    if not isinstance(body, list):
        raise TypeError(type(body).__name__)
    return body


def _items(body: object, depth: int) -> object:
    return [_open(item, depth) for item in _list(body)]


def _pairs(body: object, depth: int) -> object:
    return {_key(_open(k, depth)): _open(v, depth) for k, v in _list(body)}


def _key(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(key, default=str)


def _secret(body: object, depth: int) -> object:
    parts = [_open(part, depth) for part in _list(body)]
    parts[1::2] = [_mark(f"secret:{name}") for name in parts[1::2]]
    return "".join(map(str, parts))


def _bytes(body: object, _: int) -> object:
    length = len(body) * 3 // 4 if isinstance(body, str) else 0
    return _mark(f"bytes, {moments.size(length)}")


def _itself(body: object, depth: int) -> object:
    return _open(body, depth)


def _by_tag(tag: str) -> Callable[[object, int], object]:
    def show(body: object, depth: int) -> object:
        told = json.dumps(_open(body, depth), ensure_ascii=False, default=str)
        return _mark(f"{tag} {told}")

    return show


_OPENED: Final[Mapping[str, Callable[[object, int], object]]] = {
    "tuple": _items,
    "set": _items,
    "frozenset": _items,
    "dict": _pairs,
    "secret": _secret,
    "bytes": _bytes,
    "bytearray": _bytes,
    "decimal": _itself,
    "date": _itself,
    "int": _itself,
}
