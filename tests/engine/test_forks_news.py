"""What a parent's kernel writes meanwhile is known to a fork, whatever is looked at when."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import nbdurable as nd
from nbdurable.engine.asking import commands
from nbdurable.engine.asking.forking import fork
from nbdurable.engine.calls.pauses import OtherInDoubt
from nbdurable.engine.past.forks import HappenedInParent
from nbdurable.errors import AlreadyHappened, CallInDoubt
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.protocol import START, Cursor
from nbdurable_store.records import Entry, Record
from tests.engine.notebooks import Notebook

PAY = """
@tool
def pay(who):
    done = world(f"pay {who}")
    if who in world.refused: raise world.refused_with
    return done
"""
OTHER = """
@tool
def other(what): return world(f"other {what}")
"""


class Torn(tuple[Entry, ...]):
    """Entries in the midst of which an interrupt comes."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Entry]:
        """Begin, and no more."""
        raise KeyboardInterrupt


class Shaky(MemoryStore):
    """A store of which one read is interrupted in the midst, or one append fails."""

    torn = ""
    full = False

    def read(
        self, run: str, after: Cursor = START, *, calls_with: str = ""
    ) -> tuple[tuple[Entry, ...], Cursor]:
        """What is new of a run."""
        entries, cursor = super().read(run, after, calls_with=calls_with)
        if entries and run == self.torn:
            self.torn = ""
            entries = Torn(entries)
        return entries, cursor

    def append(self, records: tuple[Record, ...], *, sync: bool) -> tuple[Entry, ...]:  # type: ignore[override]  # as the engine calls it
        """Append, unless the disk is full."""
        if self.full:
            self.full = False
            message = "no space left"
            raise OSError(message)
        return super().append(records, sync=sync)


@pytest.fixture
def kernels() -> tuple[Notebook, Notebook]:
    """Two kernels in one run: the second one stays there when the first one forks it."""
    world = World()
    first = Notebook(store=Shaky(world))
    second = Notebook(store=MemoryStore(world), world=first.world)
    for nb in (first, second):
        nb.plain(PAY + OTHER)
        nb.run("plan = 1", "plan")
    first.namespace |= {
        "second": lambda source: second.run(source, "elsewhere"),
        "look": first.session.refresh,
        "nd": nd,
    }
    return first, second


def test_news_of_the_parent_answer_no_question_of_the_fork(
    kernels: tuple[Notebook, Notebook],
) -> None:
    """A call in doubt is asked about, also if the parent makes some write meanwhile."""
    first, _ = kernels
    fork(first.session, "plan")
    first.world.refused.add("ann")
    with pytest.raises(KeyboardInterrupt):
        first.run("b = pay('ann')", "bill")
    first.world.refused.clear()
    with pytest.raises(CallInDoubt):
        first.run("second(\"o = other('x')\"); b = pay('ann')", "bill")
    assert first.world.effects == ["pay ann", "other x"]


def test_news_of_the_parent_make_no_edited_tool_an_unknown_one(
    kernels: tuple[Notebook, Notebook],
) -> None:
    """A call by an edited tool is asked about, also if the parent writes meanwhile."""
    first, _ = kernels
    fork(first.session, "plan")
    first.run("b = pay('ann')", "bill")
    first.plain(PAY.replace("return done", "return done + ''"))
    with pytest.raises(AlreadyHappened):
        first.run("second(\"o = other('x')\"); b = pay('ann')", "bill")
    assert first.world.effects == ["pay ann", "other x"]


@pytest.mark.parametrize("look", ["look()", "nd.wait_for('go', timeout=0, default=1)"])
def test_a_look_in_the_middle_of_a_cell_swallows_no_news(
    kernels: tuple[Notebook, Notebook], look: str
) -> None:
    """What the parent paid after an equal call of the cell asks, whoever looked first."""
    first, _ = kernels
    fork(first.session, "plan")
    with pytest.raises(HappenedInParent):
        first.run(
            f"a = pay('ann'); second(\"b = pay('ann')\"); {look}; b = pay('ann')", "s"
        )
    assert first.world.effects == ["pay ann", "pay ann"]


def test_a_look_in_the_middle_of_a_cell_swallows_no_doubt(
    kernels: tuple[Notebook, Notebook],
) -> None:
    """A payment that failed in the parent meanwhile is asked about, whoever looked first."""
    first, second = kernels
    fork(first.session, "plan")
    second.world.refused.add("ann")
    second.world.refused_with = OSError

    def meanwhile() -> None:
        with pytest.raises(OSError, match=r"^$"):
            second.run("b = pay('ann')", "elsewhere")

    first.namespace["meanwhile"] = meanwhile
    with pytest.raises(OtherInDoubt):
        first.run("a = pay('xen'); meanwhile(); look(); b = pay('bob')", "s")
    assert first.world.effects == ["pay xen", "pay ann"]


def test_a_failed_append_loses_no_news(kernels: tuple[Notebook, Notebook]) -> None:
    """The run is read anew then; what the parent paid meanwhile asks, by its run's name."""
    first, _ = kernels
    fork(first.session, "plan")
    cell = "fail()\ntry: other('y')\nexcept OSError: pass\nlook()\n"
    first.namespace["fail"] = lambda: setattr(first.store, "full", True)
    with pytest.raises(HappenedInParent, match="already happened in run 1"):
        first.run(cell + "second(\"b = pay('ann')\"); b = pay('ann')", "s")
    assert first.world.effects == ["pay ann"]


@pytest.mark.slow
def test_a_call_that_was_served_is_not_served_again_after_a_failed_append(
    kernels: tuple[Notebook, Notebook],
) -> None:
    """The run is read anew in the middle of a cell; two equal payments stay two."""
    first, _ = kernels
    first.run("a = pay('ann')", "s")
    fork(first.session, "s")
    first.namespace["fail"] = lambda: setattr(first.store, "full", True)
    cell = "a = pay('ann'); fail()\ntry: other('y')\nexcept OSError: pass\n"
    first.run(cell + "look(); b = pay('ann')", "s")
    assert first.world.effects == ["pay ann", "pay ann"]


def test_an_interrupt_while_news_are_read_loses_none(
    kernels: tuple[Notebook, Notebook],
) -> None:
    """The next look reads them again."""
    first, second = kernels
    parent = first.session.run_id
    fork(first.session, "plan")
    second.run("b = pay('ann')", "elsewhere")
    assert isinstance(first.store, Shaky)
    first.store.torn = parent
    with pytest.raises(KeyboardInterrupt):
        first.run("x = 1", "other")
    with pytest.raises(HappenedInParent):
        first.run("b = pay('ann')", "bill")
    assert first.world.effects == ["pay ann"]


def test_a_new_run_follows_no_parent_of_the_fork_before_it(
    kernels: tuple[Notebook, Notebook],
) -> None:
    """A run that is no fork has no parent that it could ask about."""
    first, second = kernels
    fork(first.session, "plan")
    commands.new(first.session)
    first.run("x = 1", "own")
    second.run("b = pay('ann')", "elsewhere")
    first.run("b = pay('ann')", "bill")
    assert first.world.effects == ["pay ann", "pay ann"]
