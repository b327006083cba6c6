"""What the kernel's side of a live view costs, and a page of the run list, in a real store.

    python benchmarks/live.py             a run with 100,000 calls; a list over as many
    python benchmarks/live.py 1000000     a list over a million; exits 1 with --check if missed

CPU time of this process, the least and the median of several turns; beside it what a clock
on the wall said, in which a busy machine counts too.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbdurable_store
from nbdurable.engine.values.redact import Secrets
from nbdurable.timeline.protocol import Message, plain
from nbdurable.timeline.source import Source
from nbdurable.timeline.told import Runs
from nbdurable_store.protocol import Store
from nbdurable_store.records import BlobRef, Kind, Plain, Record

CALLS = 100_000
"""Of the run that is watched."""

RUN_CALLS = 1_000
"""Of each run of the list."""

BATCH = 5_000
TURNS = 9

EVENT_MS_MAX = 250
PAGE_MS_MAX = 25
WHOLE_MS_MAX = 3_000
"""Once, when a view opens; while it goes on, as often as a rest of four times that lets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What one thing took, milliseconds of CPU and on the wall, median; and its limit."""

    what: str
    cpu_ms: float
    wall_ms: float
    most_ms: float

    def __str__(self) -> str:
        return f"{self.what:64}{self.cpu_ms:8.1f} ms {self.wall_ms:8.1f} ms   ≤ {self.most_ms:.0f} ms"


class Written:
    """Appends to a store what a kernel would."""

    def __init__(self, store: Store) -> None:
        self.store, self.us = store, 1_790_000_000_000_000
        self.result: BlobRef = store.put("json", b'"ok"')

    def record(
        self, kind: str, run: str, fields: dict[str, Plain], step: str, subject: str
    ) -> Record:
        """One record; time goes on."""
        self.us += 1_000
        blobs = (self.result,) if kind == Kind.CALL_COMPLETED else ()
        key = subject.encode().ljust(32, b"\0")[:32]
        return Record(
            kind=kind,
            run=run,
            step=step,
            subject=subject,
            key=key if kind != Kind.CALL_COMPLETED else b"",
            at_us=self.us,
            fields=fields,
            blobs=blobs,
        )

    def opens(self, run: str, number: int) -> None:
        """A run, and an attempt of a step in it."""
        opened: dict[str, Plain] = {"notebook": "/n/research.ipynb", "number": number}
        started: dict[str, Plain] = {"name": "agent", "slot": "c1", "attempt": 1}
        self.store.append(
            [
                self.record(Kind.RUN_OPENED, run, opened, "", run),
                self.record(Kind.STEP_STARTED, run, started, f"{run}.1", f"{run}.1"),
            ],
            sync=False,
        )

    def calls(self, run: str, first: int, count: int) -> None:
        """Calls that ran, one after the other."""
        self.store.append(list(self._calls(run, first, count)), sync=False)

    def asks(self, run: str, n: int) -> None:
        """A call that waits for somebody."""
        said: dict[str, Plain] = {
            "n": n,
            "attempt": 1,
            "name": "nd.approve",
            "effect": "read",
            "kind": "approval",
            "text": f"nd.approve('Send {n}?')",
            "wait": {"kind": "approval", "text": f"Send {n}?", "answer": "yes-no"},
        }
        step, call = f"{run}.1", f"{run}.c{n}"
        self.store.append(
            [self.record(Kind.CALL_STARTED, run, said, step, call)], sync=False
        )

    def _calls(self, run: str, first: int, count: int) -> Iterator[Record]:
        for n in range(first, first + count):
            call, step = f"{run}.c{n}", f"{run}.1"
            said: dict[str, Plain] = {
                "n": n,
                "attempt": 1,
                "name": "search",
                "effect": "read",
                "kind": "tool",
                "text": f"search('page {n}')",
            }
            yield self.record(Kind.CALL_STARTED, run, said, step, call)
            ended: dict[str, Plain] = {"attempt": 1, "ms": 0.5}
            yield self.record(Kind.CALL_COMPLETED, run, ended, step, call)


def timed(
    turn: Callable[[], object], before: Callable[[], object] = lambda: None
) -> list[tuple[float, float]]:
    """CPU and wall time of some turns, milliseconds."""
    took = []
    for _ in range(TURNS):
        before()
        cpu, wall = time.process_time(), time.perf_counter()
        turn()
        spent = time.process_time() - cpu, time.perf_counter() - wall
        took.append((spent[0] * 1_000, spent[1] * 1_000))
    return took


def watched(store: Store) -> Iterator[Took]:
    """One more call in a run that has very many."""
    written = Written(store)
    written.opens("watched", 1)
    for first in range(1, CALLS + 1, BATCH):
        written.calls("watched", first, BATCH)
    source = Source(
        store=store, run="watched", secrets=lambda: Secrets(dict(os.environ))
    )
    source.hear({"type": "open", "version": 1})
    told: list[list[Message]] = []
    nth = iter(range(CALLS + 1, CALLS + 10_000))
    one = lambda: written.calls("watched", next(nth), 1)  # noqa: E731  # two words
    look = lambda: told.append(_sent(source.poll()))  # noqa: E731  # two words
    one()
    look()  # the first one finds out that a look takes long
    yield _took(
        f"one more call of {CALLS:,}, told", timed(look, one), EVENT_MS_MAX, max
    )
    assert all(told), "a call was not told by the next look"
    asks = lambda: written.asks("watched", next(nth))  # noqa: E731  # two words
    yield _took(
        f"a question behind {CALLS:,} calls, told", timed(look, asks), EVENT_MS_MAX, max
    )
    again = lambda: source.hear({"type": "open", "version": 1})  # noqa: E731  # two words
    yield _took("the run as a whole, made and told", timed(again), WHOLE_MS_MAX, min)
    yield _took("a look while nothing happens", timed(look), 5, statistics.median)


def _sent(messages: list[Message]) -> list[Message]:
    for message in messages:
        plain(message)
    return messages


def listed(store: Store, calls: int) -> Iterator[Took]:
    """A page of the runs."""
    written = Written(store)
    runs = calls // RUN_CALLS
    for n in range(runs):
        written.opens(f"run{n}", n + 1)
        written.calls(f"run{n}", 1, RUN_CALLS)
    what = f"a page of {runs:,} runs over {calls:,} calls"
    for where in ("in segments", "in DuckDB"):
        source = Source(store=store, run="run0", secrets=lambda: Secrets({}))
        source.hear({"type": "open", "version": 1})
        yield from _pages(source, f"{what}, {where}")
        store.flush()


def _pages(source: Source, what: str) -> Iterator[Took]:
    """The first page, and the same again, warm."""
    ask = lambda: source.hear({"type": "find"})  # noqa: E731  # two words
    began, answers, unread = time.perf_counter(), 0, 1
    while unread:
        [page] = ask()
        assert isinstance(page, Runs)
        answers, unread = answers + 1, page.unread
    first_ms = (time.perf_counter() - began) * 1_000
    print(f"{what}, nothing read: {first_ms:.0f} ms on the wall, {answers} answers")
    yield _took(what, timed(ask), PAGE_MS_MAX, statistics.median)
    stale = lambda: setattr(source._runs, "_at_s", None)  # noqa: E731,SLF001  # as after two seconds
    yield _took(f"{what}, anew", timed(ask, stale), PAGE_MS_MAX, statistics.median)


def _took(
    what: str,
    turns: list[tuple[float, float]],
    most_ms: float,
    which: Callable[[list[float]], float],
) -> Took:
    cpu, wall = ([turn[n] for turn in turns] for n in (0, 1))
    return Took(what=what, cpu_ms=which(cpu), wall_ms=which(wall), most_ms=most_ms)


def main() -> None:
    """Print the table."""
    calls = next((int(word) for word in sys.argv[1:] if word.isdigit()), CALLS)
    found = []
    print(f"{'':64}{'CPU':>11}{'wall':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for name, made in (("w", watched), ("l", lambda s: listed(s, calls))):
            store = nbdurable_store.open(Path(folder) / name / ".nbdurable")
            for took in made(store):
                print(took, flush=True)
                found.append(took)
            store.close()
    if any(t.cpu_ms > t.most_ms for t in found) and "--check" in sys.argv:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
