"""Python's collector of garbage, while maps run."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import pytest

from nbdurable.engine.fanout.failures import MapFailed
from nbdurable.engine.fanout.sparing import OTHERS_MIN, sparing
from tests.engine.notebooks import Notebook

SETUP = """
import gc, weakref, nbdurable as nd

class Ring: pass

def ring():
    one = Ring()
    one.itself = one
    return weakref.ref(one)

@tool(effect="read")
def aside(n):
    return gc.get_freeze_count()

@tool(effect="read")
def inner(n):
    return max(nd.map(aside, [10 * n, 10 * n + 1]))

@tool(effect="read")
def collected(n):
    left = ring()
    gc.collect()
    return left() is None

@tool(effect="read")
def fails(n):
    raise ValueError(n)
"""


@pytest.fixture
def nb() -> Iterator[Notebook]:
    """A notebook with tools that look at the collector; it is as it was afterwards."""
    gc.unfreeze()
    notebook = Notebook()
    notebook.plain(SETUP)
    yield notebook
    gc.unfreeze()


def test_what_was_there_is_set_aside_for_a_map(nb: Notebook) -> None:
    """Old objects are left alone while it runs, and looked at again afterwards."""
    nb.run("seen = nd.map(aside, range(3))", "s", "c1")
    assert min(nb.namespace["seen"]) > OTHERS_MIN
    assert gc.get_freeze_count() == 0


def test_new_garbage_is_collected(nb: Notebook) -> None:
    """A ring that an item leaves is found while the map runs."""
    nb.run("seen = nd.map(collected, range(3), limit=1)", "s", "c1")
    assert all(nb.namespace["seen"])


@pytest.mark.slow
def test_a_map_in_a_map(nb: Notebook) -> None:
    """The first one that ends leaves what the other one set aside."""
    nb.run("seen = nd.map(inner, [1, 2], limit=1)", "s", "c1")
    assert min(nb.namespace["seen"]) > OTHERS_MIN
    assert gc.get_freeze_count() == 0


def test_a_map_that_fails(nb: Notebook) -> None:
    """Nothing stays aside."""
    with pytest.raises(MapFailed):
        nb.run("nd.map(fails, range(3))", "s", "c1")
    assert gc.get_freeze_count() == 0


@pytest.mark.slow
def test_what_others_set_aside_stays_there(nb: Notebook) -> None:
    """Whoever has done so for a reason of their own finds it as they left it."""
    gc.freeze()
    before = gc.get_freeze_count()
    nb.run("seen = nd.map(aside, range(3))", "s", "c1")
    assert max(nb.namespace["seen"]) <= before
    assert gc.get_freeze_count() > OTHERS_MIN


def interrupted_at(nth: int, work: Callable[[], None]) -> bool:
    """Whether an interrupt came in that line of the module, counted as they run."""
    file, left = sparing.__code__.co_filename, nth

    def note(frame: FrameType, event: str, _: object) -> object:
        nonlocal left
        if frame.f_code.co_filename != file:
            return None
        left -= event == "line"
        if left == 0 and event == "line":
            sys.settrace(None)
            raise KeyboardInterrupt
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.slow
def test_an_interrupt_anywhere_leaves_nothing_aside(nb: Notebook) -> None:
    """While what is there is set aside, and while it is taken back."""

    def spare() -> None:
        with sparing():
            pass

    def lines() -> int:
        nth = 1
        while interrupted_at(nth, spare):
            assert gc.get_freeze_count() == 0, nth
            with sparing():
                assert gc.get_freeze_count() > OTHERS_MIN
            nth += 1
        return nth

    # What a trace raises may stay behind as the exception that its thread handles.
    with ThreadPoolExecutor(1) as own:
        assert own.submit(lines).result() > 10
    assert nb.namespace
