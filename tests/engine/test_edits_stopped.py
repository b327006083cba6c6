"""Cells that are interrupted in a payment, edited and moved: nothing is paid twice unasked.

A person says of each question what the account of the world says: a call that may have
happened did, and is the one that is made now if that is given the same.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbdurable.engine.calls.pauses import InsteadOrAlso, MadeInEarlierTry, OtherInDoubt
from nbdurable.engine.past.settle import Answer
from nbdurable.errors import CallInDoubt, CallPause
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_edits_moved import Run, edited
from tests.engine.test_edits_property import SIGNATURES, Interrupting

Stopped = tuple[Run, int | None]
"""A cell that is run, and the argument of the write in which it is interrupted."""


@st.composite
def stopped(draw: st.DrawFn) -> list[Stopped]:
    """Cells that are edited and run, some of them interrupted."""
    return [(r, draw(st.sampled_from([None, None, *r.body]))) for r in draw(edited())]


def said(asked: CallPause) -> tuple[Answer, str | None]:
    """The answer, and the value of a call that happened."""
    (mine,), (its,) = (
        re.findall(r"\((?:\w+=)?(\d+)", text)
        for text in (asked.call, asked.earlier or asked.call)
    )
    if isinstance(asked, CallInDoubt | OtherInDoubt) and mine == its:
        return Answer.HAPPENED, f"write {mine}#said"
    others = isinstance(asked, OtherInDoubt | InsteadOrAlso | MadeInEarlierTry)
    return (Answer.AGAIN if others and mine != its else Answer.KEEP), None


def ends(nb: Notebook, run: Run) -> bool:
    """Run a cell until it ends; whether it did, and was not interrupted."""
    for _ in range(15):
        try:
            nb.run(run.source(), "", run.cell)
        except KeyboardInterrupt:
            return False
        except CallPause as asked:
            settle(nb, asked.reference, *said(asked))
        except ZeroDivisionError:
            return True
        else:
            return True
    raise AssertionError(run)


@dataclass
class Held:
    """Who has which results.

    Attributes:
        results: By cell, those of its last attempt, unless that failed.
        doubts: By cell, what was in flight when it was interrupted in this kernel: it
            asks about that itself.
    """

    results: dict[str, list[str]] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)

    def begins(self, run: Run) -> None:
        """A cell is about to run."""
        if run.killed:
            self.doubts.clear()
        self.doubts.pop(run.cell, None)

    def takes(self, cell: str, got: list[str]) -> Counter[str]:
        """A cell has got results; gives how many of each effect others still have."""
        for other in self.results.keys() - {cell}:
            left = self.results[other]
            self.results[other] = [r for r in left if "said" in r or r not in got]
        self.results.pop(cell, None)
        others = [r for results in self.results.values() for r in results]
        return effects(others) + Counter(self.doubts.values())


def effects(results: list[str]) -> Counter[str]:
    """How many results of each effect there are."""
    return Counter(r.partition("#")[0] for r in results)


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(max_examples=120)
@given(runs=stopped())
def test_what_happens_again_is_somebody_elses(runs: list[Stopped]) -> None:
    """A write happens only if each one like it has its place in some cell by then."""
    nb, held = Notebook(world=Interrupting()), Held()
    for run, stop in runs:
        held.begins(run)
        before = Counter(nb.world.effects)
        if run.killed:
            nb.restart()
        nb.plain(SIGNATURES[run.signature].format(name=run.name))
        nb.world.stops = "" if stop is None else f"write {stop}"  # type: ignore[attr-defined]  # it interrupts
        done = ends(nb, run)
        got = nb.namespace["r"]
        assert isinstance(got, list)
        if done:
            assert [r.partition("#")[0] for r in got] == [
                f"write {x}" for x in run.body
            ]
        else:
            held.doubts[run.cell] = f"write {stop}"
        others = held.takes(run.cell, got)
        for effect in Counter(nb.world.effects) - before:
            happened = nb.world.effects.count(effect)
            assert happened <= others[effect] + effects(got)[effect], effect
        held.results[run.cell] = got if done and not run.fails else []
