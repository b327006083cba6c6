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

from collections.abc import Collection, Iterator
from typing import Final, NoReturn

from nbdurable.engine.codec.errors import Unreadable
from nbdurable.engine.codec.guard import LONG_BYTES_MIN
from nbdurable.engine.codec.plain_read import Existing, Reader, scan
from nbdurable.engine.codec.plain_write import (
    ATOMS,
    DEPTH_MAX,
    NotPlain,
    Places,
    Writer,
)
from nbdurable.engine.codec.plain_write import SIZE_MAX as WRITTEN_MAX
from nbdurable.engine.values.redact import Secrets
from nbdurable_store.compact import compact, quoted
from nbdurable_store.protocol import Sink

__all__ = ["NotPlain", "decode", "encode", "hand_over"]

SIZE_MAX: Final = 1 << 30
"""Bytes of one JSON text; parsing needs several times as much memory."""

MISSED_MAX: Final = 100
"""Long texts that are looked for in the whole, because they aren't where they should."""

ELEMENT_BYTES: Final = 12
"""About what a number or a key takes."""

_TEXT: Final = frozenset({str})

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
            data = text.encode()
            return data if len(text) <= WRITTEN_MAX else _limited(data)
        except UnicodeEncodeError:  # lone surrogates
            pass
    return _limited(Writer(secrets, marks).encode(value))


def _limited(data: bytes) -> bytes:
    if len(data) > 4 * WRITTEN_MAX:
        raise NotPlain
    return data


def hand_over(data: bytes, value: object, sink: Sink) -> None:
    """Hand over what `encode` wrote, the long texts in it as pieces.

    Args:
        data: The text.
        value: What it says.
        sink: Where it goes.
    """
    view, at = memoryview(data), 0
    for begin, end in sorted(_places(data, value)):
        if begin >= at:
            sink.write(view[at:begin])
            sink.piece(view[begin:end])
            at = end
    sink.write(view[at:])


def _places(data: bytes, value: object) -> Iterator[tuple[int, int]]:
    """Where the long texts stand; one that was cut at a secret is not found."""
    at = missed = 0
    for text in _long_texts(value):
        # Without its quotes: the same chunk as in another layer.
        said = compact(text)[1:-1].encode("utf-8", "surrogatepass")
        begin = data.find(said, at)
        if begin < 0 and missed < MISSED_MAX:
            # What was there before stands behind what is new.
            missed += 1
            begin = data.find(said)
        if begin >= 0:
            at = begin + len(said)
            yield begin, at


def _long_texts(value: object) -> Iterator[str]:
    """The texts of 4 kB and more, in the order in which they are written."""
    stack = [value]
    while stack:
        found = stack.pop()
        kind = type(found)
        if kind is str:
            if len(found) >= LONG_BYTES_MIN:  # type: ignore[arg-type]  # a str
                yield found  # type: ignore[misc]  # a str
        elif kind in (list, tuple):
            stack += reversed(found)  # type: ignore[call-overload]  # a list or tuple
        elif kind is dict:
            for key, item in reversed(found.items()):  # type: ignore[attr-defined]
                stack += (item, key)


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
    if type(value) is str:
        if len(value) > WRITTEN_MAX:
            raise NotPlain
        return quoted(value)
    # A dict of atoms, which most calls are given, needs no census.
    flat = (
        type(value) is dict
        and _TEXT.issuperset(map(type, value))
        and ATOMS.issuperset(map(type, value.values()))
    )
    if not flat:
        census = Census()
        if not census.is_tree(value, DEPTH_MAX) or not census.apart:
            return None
    try:
        text = compact(value)
    except ValueError:  # nan, inf, huge integers: JSON can't say them
        return None
    if flat and len(text) > WRITTEN_MAX:
        raise NotPlain
    return text


class Census:
    """What a value is made of, as far as it is plain.

    Attributes:
        seen: Ids of its containers.
        size: About how many bytes its text has.
    """

    __slots__ = ("seen", "size")

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.size = 0

    @property
    def apart(self) -> bool:
        """Whether no container was met twice."""
        return len(set(self.seen)) == len(self.seen)

    def is_tree(self, value: object, room: int) -> bool:
        """Whether JSON keeps the value.

        Raises:
            NotPlain: It is too large.
        """
        items = _items(value)
        if items is None:
            return type(value) in ATOMS
        self.seen.append(id(value))
        self.size += ELEMENT_BYTES * len(items)
        for item in items:
            if type(item) is str:
                self.size += len(item)
            elif type(item) not in ATOMS and not (
                room and self.is_tree(item, room - 1)
            ):
                return False
            if self.size > WRITTEN_MAX:
                raise NotPlain
        return True


def _items(value: object) -> Collection[object] | None:
    """What a list or a dict with texts for keys holds; ``None`` for anything else."""
    if type(value) is list:
        return value
    if type(value) is dict and _TEXT.issuperset(map(type, value)):
        return value.values()
    return None


def _refuse(why: str, cause: BaseException | None = None) -> NoReturn:
    raise Unreadable(codec="json", why=why) from cause
