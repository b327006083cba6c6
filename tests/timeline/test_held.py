"""How much memory a view takes in a kernel where it stays open all day."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nbdurable.engine.values.redact import Secrets
from nbdurable.timeline import model, protocol
from nbdurable.timeline.protocol import Changed, Page, Snapshot
from nbdurable.timeline.source import Source
from nbdurable_store.backends.memory import MemoryStore, World
from nbdurable_store.records import Kind, Plain, Record
from tests.timeline.test_source import OPEN, one

CALLS = 500
HELD = 5_000
MB = 1 << 20


class Day:
    """A kernel in which one cell runs again and again, and is served all its calls."""

    def __init__(self) -> None:
        self.store, self.us, self.attempts = (
            MemoryStore(World()),
            1_790_000_000_000_000,
            0,
        )
        said: dict[str, Plain] = {"notebook": "a.ipynb", "number": 1}
        self.append(Kind.RUN_OPENED, "run", said)
        self.step = ""

    def append(
        self, kind: str, subject: str, said: dict[str, Plain], step: str = ""
    ) -> None:
        """One record; time goes on."""
        self.us += 1_000
        key = subject.encode().ljust(32, b"\0") if kind == Kind.CALL_STARTED else b""
        self.store.append(
            [
                Record(
                    kind=kind,
                    run="run",
                    step=step,
                    subject=subject,
                    key=key,
                    at_us=self.us,
                    fields=said,
                )
            ],
            sync=False,
        )

    def begins(self) -> None:
        """An attempt."""
        self.attempts += 1
        self.step = f"step-{self.attempts}"
        said: dict[str, Plain] = {
            "name": "agent",
            "slot": "c",
            "attempt": self.attempts,
        }
        self.append(Kind.STEP_STARTED, self.step, said, self.step)

    def ends(self) -> None:
        """The attempt, which was served every call of the first one."""
        used: list[Plain] = ["".join((f"call-{n}", "-" * 24)) for n in range(CALLS)]
        said: dict[str, Plain] = {"used": used, "replayed": CALLS, "ms": 5.0}
        self.append(Kind.STEP_COMPLETED, self.step, said, self.step)

    def calls(self, first: int, count: int) -> None:
        """Calls that run."""
        for n in range(first, first + count):
            call = f"call-{n}" + "-" * 24
            about: dict[str, Plain] = {"n": n + 1, "name": "search", "effect": "read"}
            about |= {"kind": "tool", "text": f"search({n})", "attempt": 1}
            self.append(Kind.CALL_STARTED, call, about, self.step)
            self.append(Kind.CALL_COMPLETED, call, {"ms": 0.5, "attempt": 1}, self.step)

    def source(self) -> Source:
        """What answers a view of it."""
        return Source(store=self.store, run="run", secrets=lambda: Secrets({}))


@contextmanager
def measured() -> Iterator[list[int]]:
    """What is allocated meanwhile and still there at the end, bytes."""
    held: list[int] = []
    gc.collect()
    tracemalloc.start()
    try:
        yield held
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(300)
def test_a_cell_that_runs_again_all_day_takes_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """200 attempts with 100,000 served calls take hardly more than the calls themselves."""
    monkeypatch.setattr(model, "HELD_MAX", HELD)
    day = Day()
    day.begins()
    day.calls(0, CALLS)
    day.ends()
    for _ in range(200):
        day.begins()
        day.ends()
    with measured() as held:
        source = day.source()
        shown = one(source.hear(OPEN))
        assert isinstance(shown, Snapshot)
        assert shown.left_out + len(shown.calls.id) == 201 * CALLS
        assert len(shown.calls.id) == HELD
        del shown
    assert held[0] < 8 * MB, f"{held[0] / MB:.1f} MB"
    day.begins()
    day.calls(CALLS, 1)
    changed = one(source.poll())
    assert isinstance(changed, Changed)
    assert changed.calls.id == (f"call-{CALLS}" + "-" * 24,)


def test_what_is_held_no_more_comes_page_by_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Older calls are found in the journal, in their order, none twice and none left out."""
    monkeypatch.setattr(model, "HELD_MAX", 700)
    monkeypatch.setattr(protocol, "CALLS_MAX", 600)
    day = Day()
    day.begins()
    day.calls(0, CALLS)
    day.ends()
    for _ in range(3):
        day.begins()
        day.ends()
    source = day.source()
    shown = one(source.hear(OPEN))
    assert isinstance(shown, Snapshot)
    rows, left = (
        [*zip(shown.calls.attempt, shown.calls.id, strict=True)],
        shown.left_out,
    )
    assert len(rows) == 600
    words = shown.calls.names
    rows = [(words[attempt], call) for attempt, call in rows]
    while left:
        more = one(source.hear({"type": "older", "left_out": left}))
        assert isinstance(more, Page)
        words, left = more.calls.names, more.left_out
        ids = zip(more.calls.attempt, more.calls.id, strict=True)
        rows = [*((words[a], call) for a, call in ids), *rows]
    assert len(rows) == len(set(rows)) == 4 * CALLS
    assert [attempt for attempt, _ in rows] == [
        f"step-{n}" for n in range(1, 5) for _ in range(CALLS)
    ]
    assert [call for _, call in rows] == 4 * [call for _, call in rows[:CALLS]]


def test_a_cell_that_stopped_is_seen_by_all_its_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """How it would go on counts calls that a view has no room for, too."""
    monkeypatch.setattr(model, "HELD_MAX", 10)
    day = Day()
    day.begins()
    day.calls(0, 50)
    day.append(Kind.STEP_FAILED, day.step, {"how": "interrupted"}, day.step)
    shown = one(day.source().hear(OPEN))
    assert isinstance(shown, Snapshot)
    assert shown.cells[0].would == "goes on, 50 calls replayed"
