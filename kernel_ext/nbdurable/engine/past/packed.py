"""Names of blobs as a history of very many calls keeps them: a third of the memory. Pure.

A `BlobRef` that was read from the journal is eight objects, 370 bytes; what it says fits
into one of 130. It is made again when somebody asks for the value, which is seldom.
"""

from __future__ import annotations

import itertools
import struct
from typing import Final

from nbdurable_store.records import BlobRef, Place

_FORM: Final = struct.Struct("<32s32sqiiqq")
_HASH_BYTES: Final = 32
_NOWHERE: Final = -1

_NUMBERS: dict[str, int] = {}
_WORDS: dict[int, str] = {}
_NEXT: Final = itertools.count()
"""Codecs and owners by number: a few dozen, however many blobs."""

Packed = bytes | BlobRef | None
"""A ref as it is kept; itself where it is not one that was read from a journal."""


def packed(ref: BlobRef | None) -> Packed:
    """A ref as it is kept.

    Args:
        ref: The ref.

    Example:
        >>> ref = BlobRef("json", b"i" * 32, 5, b"m" * 32, None, Place("k1", 7, 900))
        >>> unpacked(packed(ref)) == ref, unpacked(packed(ref)).place == ref.place
        (True, True)
    """
    if ref is None or ref.inline is not None or not _fits(ref):
        return ref
    codec, id_, size, mac, _, place = ref
    owner, seq, offset = place or ("", 0, 0)
    where = _NOWHERE if place is None else _number(owner)
    try:
        return _FORM.pack(id_, mac, size, _number(codec), where, seq, offset)
    except struct.error:  # a number that no journal has
        return ref


def unpacked(kept: Packed) -> BlobRef | None:
    """The ref that was packed.

    Args:
        kept: As `packed` returned it.
    """
    if not isinstance(kept, bytes):
        return kept
    id_, mac, size, codec, owner, seq, offset = _FORM.unpack(kept)
    place = None if owner == _NOWHERE else Place(_WORDS[owner], seq, offset)
    return BlobRef(_WORDS[codec], id_, size, mac, None, place)


def _fits(ref: BlobRef) -> bool:
    return len(ref.id) == len(ref.mac) == _HASH_BYTES


def _number(word: str) -> int:
    """The number of a word; two threads that see it first agree on one."""
    number = _NUMBERS.get(word)
    if number is None:
        fresh = next(_NEXT)
        _WORDS[fresh] = word  # before anybody else can learn its number
        number = _NUMBERS.setdefault(word, fresh)
    return number
