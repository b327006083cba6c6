"""What an attempt differs in from those before it, and what is asked for that. Pure.

Theory of operation. An equal call is served, and a call that nobody made yet runs. In
four circumstances that isn't enough for a `write`, since money would go unasked:

- *new data*: the cell is as it was when it last completed, and what it reads is not
  (`queue.pop(0)`, `today`). A `write` that happened before may be meant once more.
- *in doubt with other arguments*: a call of the tool may have happened, and this one,
  with other arguments (a fresh uuid), may be the same.
- *instead or also*: a model has answered anew, in an edited cell or after an attempt
  that failed, and the tool has a call that this attempt wasn't served. This one may
  stand in its place.
- *earlier try*: the cell runs again as it was, after an attempt that stopped or for a
  rerun, and its payments have fresh arguments (`beside`).

The answers are remembered for the cell and the tool until the cell's source is edited
or a rerun is asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import StepPast, StepState
from nbdurable.engine.past.decide import Past
from nbdurable.engine.past.forks import is_own
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pasts import CallPast, CallState, Order, Said

KEEP: Final = "keep"
AGAIN: Final = "again"

_INSTEAD: Final = ([Past.INSTEAD.name], (Past.INSTEAD.name,))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an attempt differs in from those before it.

    Attributes:
        slot: Its slot.
        step: Its id.
        source: Digest of its normalised source, hex.
        before: Where the latest completed attempt ended, if the data is new since.
        differs: Whether its source was edited, or the attempt before it didn't complete.
        open: Logical ids of the calls of which earlier ones had to ask whether this cell
            makes another one instead.
        again: Ids of the attempts with the same source and data since the latest one
            that completed and is to be done no more: this one begins as they did.
        used: By the id of a call the order of the latest of those that used it: they
            were served what other code of the cell has made, too.
        alike: Ids of the calls that shared an argument with a call which asked about them.
    """

    slot: str
    step: str
    source: str = ""
    before: Order | None = None
    differs: bool = False
    open: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()
    used: Mapping[str, Order] = field(default_factory=dict)
    alike: frozenset[str] = frozenset()

    def was_of(self, call: CallPast) -> bool:
        """Whether an attempt that began as this one did made it, or was served it."""
        own = call.step in self.again or call.id in self.used
        return own or not self.again.isdisjoint(call.taken_in)


def circumstances(
    history: History, slot: str, step: str, data: Collection[str]
) -> Circumstances:
    """What an attempt differs in from those before it.

    Args:
        history: The fold of the run; the attempt's start is in it.
        slot: Its slot.
        step: Its id.
        data: The names it reads that hold data, and no code.
    """
    this = history.steps.get(step)
    if this is None:
        return Circumstances(slot, step)
    earlier = [s for s in history.attempts(slot) if s.id != step]
    done = next((s for s in earlier if s.state is StepState.COMPLETED), None)
    new = done is not None and _has_new_data(done, this, data)
    last = earlier[0] if earlier else None
    again = [*_runs_again(history, this, earlier, data)]
    again += _ran_in_parent(history, this, earlier, data)
    return Circumstances(
        slot,
        step,
        this.source,
        done.ended_order if done is not None and new else None,
        last is not None
        and (last.source != this.source or last.state is not StepState.COMPLETED),
        frozenset(_asked_instead(earlier)),
        frozenset(s.id for s in again),
        {call: s.order for s in reversed(again) for call in s.used},
        frozenset(call for s in earlier for call in fields.texts(s.fields, "alike")),
    )


def _runs_again(
    history: History, this: StepPast, earlier: Iterable[StepPast], data: Collection[str]
) -> Iterator[StepPast]:
    """The attempts that began as this one does, latest first."""
    for step in earlier:
        if not _unfinished(step) and not _is_reopened(history, step):
            return
        if _began_alike(step, this, data):
            yield step


def _ran_in_parent(
    history: History, this: StepPast, earlier: Iterable[StepPast], data: Collection[str]
) -> Iterator[StepPast]:
    """The attempts behind a fork that began as this one does, until one ends in it."""
    if not any(not _unfinished(s) and is_own(history, s.order) for s in earlier):
        mine = (s for s in history.behind.values() if s.slot == this.slot)
        yield from (s for s in mine if _began_alike(s, this, data))


def _began_alike(step: StepPast, this: StepPast, data: Collection[str]) -> bool:
    alike = step.source == this.source and step.algorithm == this.algorithm
    return alike and not _has_new_data(step, this, data)


def _is_reopened(history: History, done: StepPast) -> bool:
    """Whether a rerun of it was asked for since, or something said of its calls."""
    reset = history.slot(done.slot).reset
    if reset is not None and reset > done.ended_order:
        return True
    used = filter(None, map(history.calls.get, done.used))
    return any(call.ended_order > done.ended_order for call in used)


def _asked_instead(earlier: Iterable[StepPast]) -> Iterator[str]:
    for step in itertools.takewhile(_unfinished, earlier):
        for said in fields.mapping(step.fields, "asked").values():
            if isinstance(said, (list, tuple)) and said[1:] in _INSTEAD:
                yield str(said[0])


def _unfinished(step: StepPast) -> bool:
    return step.state is not StepState.COMPLETED


def _has_new_data(done: StepPast, this: StepPast, data: Collection[str]) -> bool:
    """Whether an input of the same source differs; one without a digest doesn't."""
    if done.source != this.source or done.algorithm != this.algorithm:
        return False
    pairs = ((done.reads.get(n), this.reads.get(n)) for n in data)
    return any(old and new and old != new for old, new in pairs)


def remembered(history: History, where: Circumstances, tool: str, past: Past) -> str:
    """What was answered to this question about the tool in this cell: ``keep``, ``again``.

    "" if nothing was, or the cell was edited or a rerun asked for since.
    """
    said = answered(history, where, tool, past)
    return said.how if said is not None else ""


def answered(
    history: History, where: Circumstances, tool: str, past: Past
) -> Said | None:
    """The latest answer to this question, as long as it holds."""
    said = history.answers.get((where.slot, tool, past.name))
    return said if said is not None and holds(history, where, said) else None


def holds(history: History, where: Circumstances, said: Said) -> bool:
    """Whether neither the cell was edited nor a rerun asked for since an answer."""
    reset = history.slot(where.slot).reset
    return said.source == where.source and (reset is None or reset < said.order)


def stands_in(
    history: History, where: Circumstances, tool: str, *, as_now: bool = False
) -> Iterator[CallPast]:
    """The calls of which a person said that they are what this cell calls now.

    Args:
        history: The fold of the run.
        where: The attempt that is about to make a call.
        tool: The name that the tool had.
        as_now: Only where the cell has not completed with other data since.
    """
    for call_id, shown in history.instead.get((where.slot, tool), {}).items():
        said = shown.said
        same_data = where.before is None or said.order > where.before
        if holds(history, where, said) and (same_data or not as_now):
            yield history.calls[call_id]


def in_doubt(history: History, call: CallPast) -> bool:
    """Whether a write may have happened and nobody has settled it."""
    if not call.writes or call.step not in history.steps:
        return False
    if call.resolved:
        return False
    if call.state in {CallState.STARTED, CallState.INTERRUPTED}:
        return True
    raised = call.state is CallState.RAISED and call.blamed
    return raised and not call.fields.get("not_done")


def writes_of(
    history: History, where: Circumstances
) -> Mapping[str, Sequence[CallPast]]:
    """The writes that earlier attempts of this slot made, by tool.

    Or that came with a call which they were made in, when that was moved here.
    """
    found: dict[str, list[CallPast]] = {}
    for call in history.calls.values():
        earlier = call.writes and call.step != where.step
        if earlier and where.slot in {call.slot, _slot_around(history, call)}:
            found.setdefault(call.name, []).append(call)
    return found


def _slot_around(history: History, call: CallPast) -> str:
    """The slot of the outermost call that a call was made in, and that it stands in still."""
    seen: set[str] = set()
    while (outer := history.calls.get(call.parent)) is not None:
        if outer.id in seen or (call.adopted_from and call.slot != outer.slot):
            break
        seen.add(outer.id)
        call = outer
    return call.slot
