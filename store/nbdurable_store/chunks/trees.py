"""How a blob in chunks hangs together: lists of chunks, and their names. Pure.

A blob is a tree. Its leaves are bytes, everything above them is a *list*: a chunk whose
bytes name other chunks. A long list is cut into sections by the content of its entries,
so that one that grew at its end shares all sections but the last with what it was.
``docs/format.md`` §5 gives the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from blake3 import blake3

from nbdurable_store.records import Buffer

ID_BYTES: Final = 32
LITERAL_BYTES_MAX: Final = 1 << 10
"""Shorter stretches stand in the list itself; an entry that names them costs 41 bytes."""

LIST_ENTRIES_MAX: Final = 64
"""A longer list is cut into sections."""

SECTION_ENTRIES_MAX: Final = 128
SECTION_ENDS_BELOW: Final = 16
"""A section ends after an id whose first byte is below this: 16 of 256, so after
sixteen named entries on average."""

DEPTH_MAX: Final = 12
"""Lists inside lists. Three levels of sections name more than any disk holds."""

LIST_CONTEXT: Final = "nbdurable list v1"
"""Sets the names of lists apart from those of bytes: neither is ever the other."""

APART_BYTES_MIN: Final = 256
"""Literals of a list that are longer together stand in a chunk of their own: they may
change where the names beside them, which nothing shrinks, don't."""

_LITERAL = struct.Struct("<BH")
_NAMED = struct.Struct(f"<B{ID_BYTES}sQ")


class How(IntEnum):
    """What an entry of a list stands for."""

    LITERAL = 0
    CHUNK = 1
    LIST = 2
    SECTION = 3
    TEXT = 4
    SLICE = 5


class Entry(NamedTuple):
    """One entry of a list.

    Attributes:
        how: What it stands for.
        name: The id of a chunk or list; of a literal, its bytes; of a slice, nothing.
        size: How many bytes it makes.
    """

    how: How
    name: bytes
    size: int


Keep = Callable[[bytes], bytes]
"""Keeps the bytes of a list and returns its id."""

Load = Callable[[bytes], bytes]
"""The bytes of a list by its id, verified."""


class BrokenList(ValueError):
    """Bytes that are no list of ours."""


def id_of(data: Buffer) -> bytes:
    """The name of a chunk of bytes."""
    return blake3(data).digest()


def list_id_of(data: bytes) -> bytes:
    """The name of a list."""
    return blake3(data, derive_key_context=LIST_CONTEXT).digest()


def literal(data: bytes) -> Entry:
    """An entry that is its own bytes."""
    assert len(data) <= LITERAL_BYTES_MAX
    return Entry(How.LITERAL, data, len(data))


def encode(entries: Sequence[Entry]) -> bytes:
    """A list as bytes."""
    return b"".join(
        _LITERAL.pack(how, size) + name
        if how in (How.LITERAL, How.SLICE)
        else _NAMED.pack(how, name, size)
        for how, name, size in entries
    )


def decode(data: bytes) -> list[Entry]:
    """A list from its bytes.

    Raises:
        BrokenList: They are none.
    """
    entries, at = [], 0
    try:
        while at < len(data):
            if data[at] == How.LITERAL:
                _, size = _LITERAL.unpack_from(data, at)
                at += _LITERAL.size
                name = data[at : at + size]
                at += size
                if len(name) != size:
                    raise BrokenList("it is cut off")
                entries.append(Entry(How.LITERAL, name, size))
                continue
            if data[at] == How.SLICE:
                _, size = _LITERAL.unpack_from(data, at)
                at += _LITERAL.size
                entries.append(Entry(How.SLICE, b"", size))
                continue
            how, name, size = _NAMED.unpack_from(data, at)
            at += _NAMED.size
            entries.append(Entry(How(how), name, size))
    except (struct.error, ValueError) as e:
        raise BrokenList(str(e)) from e
    return entries


def sectioned(entries: Sequence[Entry], keep: Keep) -> list[Entry]:
    """The same entries in sections, if they are many."""
    found = list(entries)
    while len(found) > LIST_ENTRIES_MAX:
        found = [
            Entry(How.SECTION, _kept(part, keep), sum(e.size for e in part))
            for part in _sections(found)
        ]
    return found


def _sections(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    begin = 0
    for at, (how, name, _) in enumerate(entries, 1):
        ends = how is not How.LITERAL and name[0] < SECTION_ENDS_BELOW
        # Two at least, or a list of ends alone would never get shorter.
        if (ends and at - begin > 1) or at - begin == SECTION_ENTRIES_MAX:
            yield entries[begin:at]
            begin = at
    if begin < len(entries):
        yield entries[begin:]


def joined(entries: Sequence[Entry], keep: Keep) -> Entry:
    """One entry that makes what the entries make, one after the other."""
    if len(entries) == 1:
        return entries[0]
    parts = sectioned(entries, keep)
    return Entry(How.LIST, _kept(parts, keep), sum(e.size for e in parts))


def _kept(entries: Sequence[Entry], keep: Keep) -> bytes:
    """The id of a list, its literals in a chunk of their own if they are long."""
    text = b"".join(e.name for e in entries if e.how is How.LITERAL)
    if len(text) < APART_BYTES_MIN:
        return keep(encode(entries))
    apart = [
        Entry(How.SLICE, b"", e.size) if e.how is How.LITERAL else e for e in entries
    ]
    named = Entry(How.SECTION, keep(encode(apart)), sum(e.size for e in entries))
    return keep(encode([Entry(How.TEXT, keep(text), len(text)), named]))


def _united(entries: list[Entry], load: Load) -> Iterator[Entry]:
    """The entries with literals for slices."""
    first = entries[0] if entries else None
    if first is None or first.how is not How.TEXT:
        yield from entries
        return
    if len(entries) != 2 or entries[1].how is not How.SECTION:
        raise BrokenList("its text stands alone")
    text, at = load(first.name), 0
    for entry in decode(load(entries[1].name)):
        if entry.how is How.SLICE:
            yield Entry(How.LITERAL, text[at : at + entry.size], entry.size)
            at += entry.size
        else:
            yield entry
    if at != len(text):
        raise BrokenList("its text doesn't fit")


def expanded(entries: Sequence[Entry], load: Load, depth: int = 0) -> Iterator[Entry]:
    """The entries with those of sections in their place.

    Raises:
        BrokenList: A section is no list, or doesn't make what its entry says.
    """
    for entry in entries:
        if entry.how is How.SECTION:
            yield from expanded(_listed(entry, load, depth), load, depth + 1)
        else:
            yield entry


def stretches(entry: Entry, load: Load, depth: int = 0) -> Iterator[Entry]:
    """The literals and chunks that make an entry's bytes, in order.

    Raises:
        BrokenList: A list is none, or doesn't make what its entry says.
    """
    if entry.how in (How.LITERAL, How.CHUNK):
        yield entry
        return
    for inner in _listed(entry, load, depth):
        yield from stretches(inner, load, depth + 1)


def reached(root: bytes, load: Load, seen: set[bytes]) -> None:
    """Add to ``seen`` the ids of a blob's chunks and lists that aren't in it yet.

    Raises:
        BrokenList: A list is none.
    """
    todo = [root]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for entry in decode(load(name)):
            if entry.how in (How.CHUNK, How.TEXT):
                seen.add(entry.name)
            elif entry.how in (How.LIST, How.SECTION):
                todo.append(entry.name)


def _listed(entry: Entry, load: Load, depth: int) -> list[Entry]:
    if depth > DEPTH_MAX:
        raise BrokenList("its lists are nested too deeply")
    entries = list(_united(decode(load(entry.name)), load))
    if sum(e.size for e in entries) != entry.size:
        raise BrokenList("its sizes don't add up")
    return entries
