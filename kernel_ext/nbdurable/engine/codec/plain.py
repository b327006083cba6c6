"""The `json` layer: plain data as JSON with tags, readable without trust.

Theory of operation
-------------------
Most results are trees of ``str int float bool None list dict``. A census makes sure of
that (exact types, string keys, no container met twice), and then the C encoder writes
them as ordinary JSON.

What JSON can't say is an *envelope*: an object with the single key ``$``, holding
``[tag, body]``. A user's dict that has a key ``$`` is itself written in an envelope, as
pairs. So no data of the user can look like one of ours, and a text without ``"$":`` has
none and is decoded at full speed.

A value is plain only if the decoded one is equal in type, value, order and structure:
an object that is met twice and can be changed belongs to another layer, which keeps
aliases. A text that holds a secret is cut at it: `Secrets.parts`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NoReturn

from nbdurable.engine.codec.errors import Unreadable
from nbdurable.engine.codec.plain_read import Existing, Reader, scan
from nbdurable.engine.codec.plain_write import (
    ATOMS,
    DEPTH_MAX,
    NotPlain,
    Places,
    Writer,
    encode_tree,
)
from nbdurable.engine.redact import Secrets

__all__ = ["NotPlain", "decode", "encode"]

SIZE_MAX: Final = 1 << 30
"""Bytes of one JSON text; parsing needs several times as much memory."""

_ENVELOPE: Final = '"$":'


def encode(value: object, secrets: Secrets, marks: Places | None = None) -> bytes:
    """Write plain data.

    Args:
        value: The data.
        secrets: What must not be inside.
        marks: Objects in it that are written as the places where they were.

    Raises:
        NotPlain: Another layer has to keep this value.
        Unstorable: It is plain, and holds a secret that can't be put back.
    """
    text = _fast(value) if marks is None else None
    if text is not None and _ENVELOPE not in text and secrets.found(text) is None:
        try:
            return _limited(text.encode())
        except UnicodeEncodeError:  # lone surrogates
            pass
    return _limited(Writer(secrets, marks).encode(value))


def _limited(data: bytes) -> bytes:
    if len(data) > SIZE_MAX:
        raise NotPlain
    return data


def decode(data: bytes, secrets: Secrets, grafting: Existing | None = None) -> object:
    """Read what `encode` wrote; safe for bytes of any origin.

    Args:
        data: The bytes.
        secrets: What masked texts are put back from.
        grafting: Finds the objects that places stand for; without it a text that has
            places is refused.

    Raises:
        Unreadable: This is not such a text, or it exceeds a limit.
        SecretAbsent: It needs a secret that is not known here.
    """
    if len(data) > SIZE_MAX:
        _refuse(f"it is larger than {SIZE_MAX >> 20} MiB")
    try:
        text = data.decode()
        if _ENVELOPE not in text:
            value, end = scan(text)
        else:
            value, end = Reader(secrets, grafting).scan(text)
    except (ValueError, RecursionError) as error:
        _refuse(f"{type(error).__name__}: {error}", error)
    if end != len(text):
        _refuse("something follows the value")
    return value


def _fast(value: object) -> str | None:
    seen: list[int] = []
    if not _is_tree(value, seen, DEPTH_MAX) or len(set(seen)) != len(seen):
        return None
    try:
        return encode_tree(value)
    except ValueError:  # nan, inf, huge integers
        return None


def _is_tree(value: object, seen: list[int], room: int) -> bool:
    """Whether JSON keeps the value; collects the ids of its containers."""
    kind = type(value)
    items: Iterable[object]
    if kind is dict:
        for key in value:  # type: ignore[attr-defined]  # a dict
            if type(key) is not str:
                return False
        items = value.values()  # type: ignore[attr-defined]  # a dict
    elif kind is list:
        items = value  # type: ignore[assignment]  # a list
    else:
        return kind in ATOMS
    seen.append(id(value))
    for item in items:
        if type(item) not in ATOMS and not (room and _is_tree(item, seen, room - 1)):
            return False
    return True


def _refuse(why: str, cause: BaseException | None = None) -> NoReturn:
    raise Unreadable(codec="json", why=why) from cause
