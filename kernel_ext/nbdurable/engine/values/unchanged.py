"""A big array that provably wasn't written since it was hashed is not hashed again.

Theory of operation. What is watched is memory: the range of addresses of an array that
owns its memory, of which views are parts. A *stamp* is the digest of one layout
(address, shape, strides, dtype) within a range. Asked for a digest:

1. No page of the range was written, and its edges are as they were: every stamp holds.
2. Otherwise all stamps go. The pages are protected *before* anything is read: what is
   written while we hash is seen next time. Ranges that overlap this one are forgotten,
   for to protect their pages again hides what was written to them.
3. The two ends of an array share their pages with strangers, so their bytes are kept and
   compared instead.

A range is only ever asked about while a living array lies there, so it needs no word
of the death of an earlier one: memory that was given to another array is as it was, or
was written, or is new to the process, and then the scan refuses it. (A weak reference
would tell, but an array that has one can't be resized.) A child process starts anew,
since its pages are not the ones that its parent watches. Whatever can't be watched
(memory of files, of Arrow, of other allocators) is hashed, and so is everything when the
kernel answers with an error. What no page table sees is a device that writes to memory
pinned before: nobody hands such memory to numpy's own allocator.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from nbdurable.engine.identity.canonical import hashed
from nbdurable.engine.identity.forms import Content
from nbdurable.engine.values.pages import PAGE, Pages

WATCHED_BYTES_MIN = 16 << 20
"""From here watching pays, in bytes of the range: to hash them takes 3 ms."""

WRITES_MAX = 2
REST_DIGESTS = 8
"""After so many writes a range isn't watched for so many digests: to take the protection
off each page again costs more than to hash it, and it seems to be written a lot."""

RANGES_MAX = 64
"""The one that was asked about longest ago is forgotten: each costs the kernel memory."""

Layout = tuple[int, tuple[int, ...], tuple[int, ...], str]


@dataclass(slots=True)
class _Range:
    """Memory as it was when its pages were protected last.

    Attributes:
        start: Address of its first byte.
        stop: Address after its last byte.
        edges: The bytes of both ends that don't fill a page.
        stamps: Digests by layout.
        writes: How often it was found written.
        rest: For how many digests it isn't watched.
    """

    start: int
    stop: int
    edges: bytes = b""
    stamps: dict[Layout, bytes] = field(default_factory=dict)
    writes: int = 0
    rest: int = 0

    @property
    def whole_pages(self) -> tuple[int, int]:
        """The addresses between the edges."""
        return -(-self.start // PAGE) * PAGE, self.stop // PAGE * PAGE


class Unchanged:
    """Digests of big buffers, by reading only what may have been written."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._process = os.getpid()
        self._ranges: dict[tuple[int, int], _Range] = {}
        self._lock = Lock()

    def close(self) -> None:
        """Watch nothing any more; every digest is made by reading from now on."""
        with self._lock:
            self._process = 0
            self._ranges.clear()
            self._pages.close()

    def __call__(self, content: Content) -> bytes:
        """The digest of a buffer, from its stamp if that provably holds."""
        array = content.array
        owner = None if array is None else _owner(array)
        if owner is None or os.getpid() != self._process:
            return hashed(content)
        with self._lock:
            try:
                return self._digest(content, array, owner)
            except OSError:
                self._ranges.pop(_extent(owner), None)
                return hashed(content)

    def _digest(self, content: Content, array: Any, owner: Any) -> bytes:
        known = self._known(owner)
        if known.rest:
            return self._unwatched(known, content)
        if not self._holds(known, owner):
            known.writes += bool(known.stamps)
            known.stamps.clear()
            if known.writes > WRITES_MAX:
                known.rest = REST_DIGESTS
                self._pages.release(*known.whole_pages)
                return self._unwatched(known, content)
            self._forget_others(known)
            self._pages.protect(*known.whole_pages)  # before anything is read
            known.edges = _edges(owner, known)
        layout = _layout(array)
        stamp = known.stamps.get(layout)
        if stamp is None:
            stamp = known.stamps[layout] = hashed(content)
        return stamp

    def _unwatched(self, known: _Range, content: Content) -> bytes:
        known.rest -= 1
        if not known.rest:  # it may be another array by now
            self._ranges.pop((known.start, known.stop), None)
        return hashed(content)

    def _known(self, owner: Any) -> _Range:
        extent = _extent(owner)
        known = self._ranges.pop(extent, None)
        if known is None:
            known = _Range(*extent)
            self._pages.watch(*known.whole_pages)
        self._ranges[extent] = known  # the youngest is the last
        if len(self._ranges) > RANGES_MAX:
            self._release(self._ranges.pop(next(iter(self._ranges))))
        return known

    def _release(self, known: _Range) -> None:
        try:
            self._pages.release(*known.whole_pages)
        except OSError:
            return  # that memory was given back

    def _holds(self, known: _Range, owner: Any) -> bool:
        if not known.stamps or self._pages.written(*known.whole_pages):
            return False
        return _edges(owner, known) == known.edges

    def _forget_others(self, known: _Range) -> None:
        others = [
            extent
            for extent, other in self._ranges.items()
            if other is not known
            and other.start < known.stop
            and known.start < other.stop
        ]
        for extent in others:
            del self._ranges[extent]


def _owner(array: Any) -> Any:
    """The array whose memory this is, if it has pages that are nobody else's."""
    numpy = sys.modules["numpy"]
    owner = array
    while isinstance(owner.base, numpy.ndarray):
        owner = owner.base
    flags = owner.flags
    if owner.base is not None or not flags.owndata or not flags.forc:
        return None
    if owner.nbytes < WATCHED_BYTES_MIN or not _is_within(array, owner):
        return None
    core = getattr(numpy, "_core", None) or numpy.core
    allocated = core.multiarray.get_handler_name(owner) == "default_allocator"
    return owner if allocated else None


def _is_within(array: Any, owner: Any) -> bool:
    """Whether all elements lie in the owner's memory; strides can be made up."""
    first = last = _address(array)
    for size, stride in zip(array.shape, array.strides, strict=True):
        reach = (size - 1) * stride
        first, last = first + min(0, reach), last + max(0, reach)
    start, stop = _extent(owner)
    return start <= first and last + int(array.itemsize) <= stop


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _extent(owner: Any) -> tuple[int, int]:
    start = _address(owner)
    return start, start + int(owner.nbytes)


def _layout(array: Any) -> Layout:
    return _address(array), array.shape, array.strides, array.dtype.str


def _edges(owner: Any, known: _Range) -> bytes:
    first, last = known.whole_pages
    flat = owner.reshape(-1, order="A").view("u1")
    head, tail = first - known.start, known.stop - last
    return bytes(flat[:head]) + bytes(flat[len(flat) - tail :])
