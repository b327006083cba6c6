"""A real kernel is killed at every named moment of a call, and run again.

What the outside counts is the truth: no call whose result was acknowledged happens
twice, and no `write` that may have happened is repeated without being asked about.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbdurable.testing.kernel import KernelDiedError
from nbdurable_store.killpoints import CALL_POINTS, STEP_POINTS, STORE_POINTS
from tests.crash.kills import CALLS, CELLS, Story

pytestmark = pytest.mark.slow

OPEN = {
    "write": {"started.synced", "effect.done", "result.durable"},
    "read": {"started.written", "effect.done", "result.durable"},
}
"""Moments between `started` and `completed`: the call is in doubt afterwards."""

UNREACHED = {
    "write": {"started.written", "raised.synced"},
    "read": {"started.synced", "raised.synced"},
}
"""Moments that a call with this effect, and without an exception, doesn't pass."""

CASES = [
    (effect, cell, point)
    for effect in ("write", "read")
    for cell in CELLS
    for point in sorted(CALL_POINTS - UNREACHED[effect])
]


@pytest.mark.parametrize(("effect", "cell", "point"), CASES)
def test_a_call_killed_at_any_moment(
    story: Callable[[str, str], Story], effect: str, cell: str, point: str
) -> None:
    """Run again, the cell is served what was acknowledged, and asks about the rest."""
    told = story(effect, cell)
    told.killed_at(f"{point}#2=kill")
    before = told.counted()
    assert before[0] == 1
    assert before[2] == 0
    with told.kernel() as kernel:
        ran = told.run(kernel)
        asked = effect == "write" and point in OPEN[effect]
        assert ran.ok is not asked, ran.text
        if asked:
            assert "may or may not have happened" in ran.text
            assert told.counted() == before, "a write was repeated unasked"
            told.settle(kernel, ran.text)
            ran = told.run(kernel)
        assert ran.ok, ran.text
        assert told.results(kernel) == [told.receipt(i) for i in range(CALLS)]
    repeated = effect == "read" and point in {"effect.done", "result.durable"}
    assert told.counted() == {0: 1, 1: 2 if repeated else 1, 2: 1}


@pytest.mark.parametrize("effect", ["write", "read"])
@pytest.mark.parametrize("point", sorted(STEP_POINTS))
def test_a_step_killed_at_any_moment(
    story: Callable[[str, str], Story], effect: str, point: str
) -> None:
    """A step that dies before or after its calls loses none of them."""
    told = story(effect, "sync")
    told.killed_at(f"{point}=kill")
    began = point.startswith("step.started")
    assert told.counted() == ({} if began else {0: 1, 1: 1, 2: 1})
    with told.kernel() as kernel:
        ran = told.run(kernel)
        assert ran.ok, ran.text
        assert told.results(kernel) == [told.receipt(i) for i in range(CALLS)]
    assert told.counted() == {0: 1, 1: 1, 2: 1}


@pytest.mark.parametrize("effect", ["write", "read"])
def test_a_raised_call_killed_after_it_was_recorded(
    story: Callable[[str, str], Story], effect: str
) -> None:
    """A kernel that dies on an exception leaves a write in doubt, a read to be asked."""
    told = story(effect, "sync")
    failing = (
        "import nbdurable as nd\nfrom nbdurable.testing.effects import effect\n"
        f"@nd.tool(effect={effect!r})\ndef call(i):\n"
        f"    effect('call', i=i, size={told.size})\n    raise ValueError(i)"
    )
    with told.kernel("raised.synced=kill") as kernel:
        assert kernel.run(failing).ok
        with pytest.raises(KernelDiedError):
            kernel.run("%%durable s\ncall(0)")
    with told.kernel() as kernel:
        assert kernel.run(failing).ok
        ran = kernel.run("%%durable s\ncall(0)")
        expected = "CallInDoubt" if effect == "write" else "ValueError"
        assert ran.reply["ename"] == expected
    assert told.counted() == {0: 1 if effect == "write" else 2}


LARGE = 100_000
"""Characters of a result that gets a file of its own."""

FOLDER_POINTS = {"store.created", "format.written", "segment.created", "segment.header"}
"""Moments of the first creation of the store and of a segment."""

APPEND_POINTS = {p for p in STORE_POINTS if p.startswith(("record.", "blob."))}
"""Moments of an append and of a large blob; the others are killed in tests/store."""


@pytest.mark.parametrize("point", sorted(FOLDER_POINTS))
def test_a_store_killed_while_it_is_made(
    story: Callable[[str, str], Story], point: str
) -> None:
    """A creation that was cut short is done again by the next kernel."""
    told = story("write", "sync")
    told.killed_at(f"{point}=kill")
    assert told.counted() == {}
    with told.kernel() as kernel:
        ran = told.run(kernel)
        assert ran.ok, ran.text
    assert told.counted() == {0: 1, 1: 1, 2: 1}


@pytest.mark.parametrize("point", sorted(APPEND_POINTS))
def test_a_store_killed_while_it_writes(
    story: Callable[[str, str], Story], point: str
) -> None:
    """Whatever the store was writing, the next kernel repeats no write unasked."""
    told = story("write", "sync")
    told.padding = LARGE
    told.killed_at(f"{point}#2=kill")
    before = told.counted()
    with told.kernel() as kernel:
        ran = told.run(kernel)
        if not ran.ok:
            assert "may or may not have happened" in ran.text
            assert told.counted() == before
            told.settle(kernel, ran.text)
            ran = told.run(kernel)
        assert ran.ok, ran.text
        assert told.results(kernel) == [told.receipt(i) for i in range(CALLS)]
    assert told.counted() == {0: 1, 1: 1, 2: 1}
