"""Chunks that a thread cuts and names ahead of who writes them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from nbdurable_store.chunks.ahead import AHEAD_MAX, BATCH, named_ahead
from nbdurable_store.chunks.trees import id_of

DATA = memoryview(bytes(range(256)) * 16)


def pieces(count: int) -> Iterator[memoryview]:
    """So many different stretches."""
    for n in range(count):
        yield DATA[n : n + 100]


@pytest.mark.parametrize("count", [0, 1, 16, 17, 1000])
def test_all_come_in_order_with_their_names(count: int) -> None:
    """Whatever their number, none is lost or named like another one."""
    found = list(named_ahead(pieces(count)))
    assert [bytes(c) for c, _ in found] == [bytes(c) for c in pieces(count)]
    assert [name for _, name in found] == [id_of(c) for c in pieces(count)]


def test_a_slow_writer_and_a_slow_cutter_give_the_same_names() -> None:
    """Whoever of both waits for the other, each chunk has its own name."""
    count, far = 1000, threading.Event()

    def cut() -> Iterator[memoryview]:
        for n, piece in enumerate(pieces(count)):
            if n == BATCH * (AHEAD_MAX + 1):
                far.set()
            yield piece

    chunks = named_ahead(cut())
    found = [next(chunks)]  # handed over at once: nothing else was there to write
    assert far.wait(10)  # the other batches wait, so they come with their names
    found += chunks
    assert [name for _, name in found] == [id_of(c) for c in pieces(count)]


def test_an_error_is_raised_where_the_chunks_go() -> None:
    """What cutting raises ends the writing too."""

    def broken() -> Iterator[memoryview]:
        yield from pieces(40)
        raise MemoryError

    with pytest.raises(MemoryError):
        list(named_ahead(broken()))


def test_nobody_works_on_for_one_who_stopped() -> None:
    """A writer that gives up, because the disk is full, leaves no thread behind."""
    before = threading.active_count()
    for _ in named_ahead(pieces(100_000)):
        break
    assert threading.active_count() == before
