"""Any edit of any notebook: nobody is served another's result, nothing is paid twice.

Tools put their arguments into their results and number their effects, so that each
wrong serving, repetition or loss shows.
"""

from __future__ import annotations

import contextlib
import linecache
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbdurable.engine.calls import call
from nbdurable.engine.past.history import History
from nbdurable.errors import CallInDoubt
from nbdurable_store.records import Entry, Kind
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import TOOLS

MADE = """
@tool(effect="read")
def outer(x): return [write(x), world(f"outer {x}")][1]
def boom(x): raise ZeroDivisionError
"""

Call = tuple[str, int]

calls = st.tuples(st.sampled_from(["read", "write", "pure"]), st.integers(0, 2))
bodies = st.lists(calls, max_size=6)
endings = st.sampled_from([False, False, True])


@st.composite
def edited(draw: st.DrawFn) -> list[list[Call]]:
    """Versions of one cell, each a permutation, insertion or deletion of the last."""
    body = draw(bodies)
    versions = [body]
    for _ in range(draw(st.integers(1, 4))):
        kept = [call for call in body if draw(st.integers(0, 4))]
        body = draw(st.permutations(kept + draw(st.lists(calls, max_size=2))))
        versions.append(body)
    return versions


def run(nb: Notebook, body: list[Call], cell: str, *, fails: bool = False) -> list[str]:
    """Run a cell with these calls; gives their results in order."""
    lines = [f"{cell}_r = []"] + [f"{cell}_r.append({tool}({x}))" for tool, x in body]
    try:
        nb.run("\n".join([*lines, *["boom(1)"] * fails]), "", cell)
    except ZeroDivisionError:
        assert fails
    results = nb.namespace[f"{cell}_r"]
    assert isinstance(results, list)
    return results


def opened(nb: Notebook | None = None) -> Notebook:
    """A notebook with the tools, in a fresh kernel."""
    nb = nb or Notebook()
    if nb.count:
        nb.restart()
    nb.plain(TOOLS)
    nb.plain(MADE)
    return nb


def effects(nb: Notebook, *tools: str) -> Counter[str]:
    """How often each call of these tools was executed."""
    return Counter(e for e in nb.world.effects if e.partition(" ")[0] in tools)


def most(versions: list[list[Call]], *tools: str) -> Counter[str]:
    """The most often that one version makes each call of these tools."""
    counts = [Counter(f"{t} {x}" for t, x in v if t in tools) for v in versions]
    total: Counter[str] = Counter()
    for count in counts:
        total |= count
    return total


@pytest.mark.slow
@settings(max_examples=60)
@given(versions=edited(), fails=st.lists(endings), kills=st.lists(st.booleans()))
def test_edits_of_one_cell(
    versions: list[list[Call]], fails: list[bool], kills: list[bool]
) -> None:
    """Each call gets its own result; a write runs as often as one version needs it."""
    nb = opened()
    for number, body in enumerate(versions):
        if kills[number : number + 1] == [True]:
            opened(nb)
        results = run(nb, body, "c1", fails=fails[number : number + 1] == [True])
        assert [r.partition("#")[0] for r in results] == [f"{t} {x}" for t, x in body]
        own = [r for r in results if not r.startswith("pure")]
        assert len(set(own)) == len(own)
    assert effects(nb, "write") == most(versions, "write")
    assert effects(nb, "pure") <= most(versions, "pure")


@pytest.mark.slow
@settings(max_examples=40)
@given(versions=edited(), kills=st.lists(st.booleans()))
def test_reads_without_new_writes(
    versions: list[list[Call]], kills: list[bool]
) -> None:
    """A read runs again for no edit but a new write before it."""
    nb = opened()
    reads = [[("read", x) for _, x in body] for body in versions]
    for number, body in enumerate(reads):
        if kills[number : number + 1] == [True]:
            opened(nb)
        run(nb, body, "c1")
    assert effects(nb, "read") == most(reads, "read")


@pytest.mark.slow
@settings(max_examples=60)
@given(
    edits=st.lists(
        st.tuples(st.sampled_from(["c1", "c2", "c3"]), bodies, endings), max_size=8
    )
)
def test_calls_that_move_between_cells(
    edits: list[tuple[str, list[Call], bool]],
) -> None:
    """No two cells hold one write, whatever was moved, copied, failed or run again."""
    nb = opened()
    held: dict[str, list[str]] = {}
    for cell, body, fails in edits:
        results = run(nb, body, cell, fails=fails)
        assert [r.partition("#")[0] for r in results] == [f"{t} {x}" for t, x in body]
        held[cell] = [] if fails else [r for r in results if r.startswith("write")]
        writes = [r for results in held.values() for r in results]
        assert len(set(writes)) == len(writes), (cell, held)


@pytest.mark.slow
@settings(max_examples=40)
@given(
    versions=st.lists(
        st.lists(
            st.tuples(st.sampled_from(["outer", "write"]), st.integers(0, 1)),
            max_size=4,
        ),
        min_size=2,
        max_size=4,
    )
)
def test_calls_inside_calls(versions: list[list[Call]]) -> None:
    """Whatever is called beside a tool that calls it too happens beside it."""
    nb = opened()
    for body in versions:
        results = run(nb, body, "c1")
        assert [r.partition("#")[0] for r in results] == [f"{t} {x}" for t, x in body]
        made = Counter(f"write {x}" for _, x in body)
        assert effects(nb, "write") >= made


ENGINE = Path(call.__file__).parent
INTERRUPTED = "a = write(1)\nb = write(2)"


def _is_with(frame: FrameType) -> bool:
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    return line.lstrip().startswith(("with ", "async with "))


def interrupted(nth: int) -> tuple[Notebook, bool]:
    """A cell that is interrupted at the nth line of the protocol that it executes.

    Not at a `with`: its line comes once more before a lock is let go, where Python never
    looks for signals.
    """
    nb, left = opened(), nth

    def line(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal left
        left -= event == "line"
        if event == "line" and left <= 0 and not _is_with(frame):
            left = sys.maxsize
            raise KeyboardInterrupt
        return line

    def entered(frame: FrameType, _event: str, _arg: object) -> Any:
        return line if Path(frame.f_code.co_filename).parent == ENGINE else None

    nb.namespace["trace"] = lambda: sys.settrace(entered)
    before = sys.gettrace()
    try:
        nb.run(f"trace()\n{INTERRUPTED}", "s", "c1")
    except KeyboardInterrupt:
        return nb, True
    finally:
        sys.settrace(before)
    return nb, False


@pytest.mark.slow
@pytest.mark.parametrize("first", [1, 28, 55])
def test_an_interrupt_anywhere(first: int) -> None:
    """Wherever it hits, no write is made twice unasked, and nothing waits for it."""
    nb, hit = interrupted(first)
    assert hit
    nth = first
    while hit:
        for _ in range(2):
            with contextlib.suppress(CallInDoubt):
                nb.run(INTERRUPTED, "s", "c1")
            assert max(effects(nb, "write").values(), default=0) <= 1, nth
            opened(nb)
        nth += 81
        nb, hit = interrupted(nth)
    assert nth > 100


def test_an_interrupt_while_the_history_is_folded() -> None:
    """What was to be folded then is read again, and no call is forgotten."""
    nb = opened()
    apply = History.apply

    def interrupted(self: History, entries: Iterable[Entry]) -> None:
        taken = list(entries)
        if any(e.record.kind == Kind.CALL_COMPLETED for e in taken):
            raise KeyboardInterrupt
        apply(self, taken)

    History.apply = interrupted  # type: ignore[method-assign]  # the user's finger
    try:
        with pytest.raises(KeyboardInterrupt):
            nb.run("a = write(1)", "s", "c1")
    finally:
        History.apply = apply  # type: ignore[method-assign]
    nb.run("a = write(1); b = 1", "s", "c1")
    assert nb.world.effects == ["write 1"]
