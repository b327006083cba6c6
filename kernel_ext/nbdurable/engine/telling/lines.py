"""Status lines made from the history, in the words of `wording`."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nbdurable.engine.past import circumstances, fields, money
from nbdurable.engine.past.history import CallPast, CallState, History, StepPast
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.past.waits import Waiting, WaitKind
from nbdurable.engine.telling import cost, waits, wording
from nbdurable.engine.telling.reference import name_of
from nbdurable.engine.where.moments import Now, count, duration
from nbdurable.engine.where.zones import LocalZone

if TYPE_CHECKING:
    from nbdurable.engine.where.whereabouts import Choice, RunRow


def now(us: int) -> Now:
    """The present in this machine's time zone."""
    return Now(us, LocalZone())


def run_line(
    choice: Choice, now_us: int, rows: Sequence[RunRow] = (), *, whole: bool = True
) -> str:
    """The first line of a kernel: which run it is in.

    Args:
        choice: That run.
        now_us: The present, microseconds since 1970 UTC.
        rows: All runs of the store, which may be of notebooks with one file name.
        whole: Whether a notebook with cells of another one has all of them.
    """
    run, here = choice.run, now(now_us)
    if run is None:
        left = choice.left
        if left and choice.reason == "copy":
            return copied(choice.number, left, rows, whole=whole)
        behind = (left.number, left.stopped_in) if left else None
        begins = wording.run_begins(choice.number, behind)
        beside = choice.beside
        other = f"run {beside.number} is open in another kernel" if beside else ""
        return wording.line(begins, other)
    if choice.reason == "resumes":
        return wording.run_resumes(run.number, run.opened_us, here, run.stopped_in)
    return wording.run_continues(run.number, run.opened_us, here)


FOREIGN = (
    "this notebook shows outputs of a run that is not in this store: nothing of it is served,"
    " and a write that was made in it would be made again"
)
"""A notebook of somebody else, or of a store that is gone."""


def copied(
    number: int, original: RunRow, rows: Sequence[RunRow] = (), *, whole: bool = True
) -> str:
    """A copy of a notebook begins a run of its own, as one with some of its cells does."""
    name = original.title
    whose = f"this is a copy of {name}" if whole else f"this has cells of {name}"
    several = {row.notebook for row in rows if row.title == name} > {original.notebook}
    spaced = bool(set(name) & set(string.whitespace))
    of = original.id if several or spaced else name  # it is typed
    return wording.line(
        f"run {number}",
        "new",
        f"{whose}, and nothing of its run {original.number} is served:"
        f" to go on from there, %durable fork --of {of}",
    )


def removed(history: History) -> str:
    """A kernel notices that its run was removed from the store."""
    opened = history.opened
    number = fields.number(opened.fields, "number", 1) if opened else 0
    which = f"run {number}" if number else "the run of this kernel"
    return f"{which} was removed from the store: nothing of it is served any more"


def stays_open(number: int, doubts: Sequence[tuple[str, str]]) -> str:
    """A run is left with calls that may have happened: the first, with its command.

    Args:
        number: What people call the run.
        doubts: Each call, and its STEP.CALL@DIGEST.

    Example:
        >>> print(stays_open(3, [("send_invoice('anna', 1200)", "review.2@3fa2c1")]))
        send_invoice('anna', 1200) may have happened, and stays open in run 3:
          it did not   nbdurable resolve review.2@3fa2c1 --did-not --run 3
          it happened  nbdurable resolve review.2@3fa2c1 --happened VALUE --run 3
    """
    (call, called), *more = doubts
    others = f", and {count(len(more), 'other call')}" if more else ""
    stay = "stay" if more else "stays"
    return (
        f"{call}{others} may have happened, and {stay} open in run {number}:\n"
        f"  it did not   nbdurable resolve {called} --did-not --run {number}\n"
        f"  it happened  nbdurable resolve {called} --happened VALUE --run {number}"
    )


def waiting(pid: int, age_s: float) -> str:
    """A cell waits for a run that another kernel executes in."""
    return (
        f"waiting for process {pid}, which has been executing in this run for"
        f" {duration(age_s * 1000)}; interrupt to stop waiting"
    )


def waiting_for(call: str, pid: int, age_s: float) -> str:
    """A call waits for itself, under way in another process or task."""
    return (
        f"waiting for {call}, which process {pid} began {duration(age_s * 1000)} ago;"
        " interrupt to stop waiting"
    )


def trying_again(call: CallPast, of: tuple[int, int], wait_s: float) -> str:
    """A call waits before it is tried again."""
    number, attempts = of
    kind = fields.text(call.fields, "type").rpartition(".")[2]
    return (
        f"{call.text} raised {kind}: attempt {number} of {attempts} in"
        f" {duration(wait_s * 1000)}; interrupt to stop waiting"
    )


def nothing_kept(name: str, silent_s: float, calls: int) -> str:
    """A cell has worked for long, and a restart would lose it."""
    kept = f" ({count(calls, 'call')} of it kept)" if calls else ""
    return (
        f"{name} · {duration(silent_s * 1000)} without a record: a restart would begin"
        f" this cell again{kept} · keep what it has: nd.checkpoint(value)"
    )


def waits_for_turn(name: str, limits: str) -> str:
    """Calls of a tool wait because of its limits."""
    return f"{name} waits for its turn: {limits}, over all kernels on this store"


def asks(waiting: Waiting) -> str:
    """A call waits for somebody who isn't asked in the notebook."""
    no = " (or --no)" if waiting.wait.kind is WaitKind.APPROVAL else ""
    return (
        f"{waiting.reference} waits · {waiting.wait.text} · {waiting.command}{no}"
        " · interrupt to free the kernel"
    )


def came_late(call: CallPast) -> str:
    """A call that timed out, or was interrupted, has returned after all."""
    return (
        f"{call.text} returned after all, {duration(call.ms)} after it began: recorded,"
        " and served when its cell runs again"
    )


def came_twice(call: CallPast) -> str:
    """The same, where it was made again meanwhile."""
    return (
        f"{call.text} returned after all, and was made again meanwhile: it may have"
        " happened twice"
    )


def late_unrecorded(call: str, error: Exception) -> str:
    """What came late could not be recorded."""
    return f"{call} ended after its time, and that was not recorded: {error}"


def ended(
    history: History,
    step: StepPast,
    *,
    because: str = "",
    fresh: bool = False,
    notes: Sequence[str] = (),
    unseen: str = "",
) -> str:
    """The line of a step that ended, however it did.

    Args:
        history: The fold of the run.
        step: The attempt that ended.
        because: Why it ran again.
        fresh: Whether its cell begins afresh each time.
        notes: More parts of the line.
        unseen: What ended it, where the user hasn't seen it.
    """
    ledger = Ledger(history)
    tally = ledger.attempt(step)
    tried = _tried(step, ledger)
    taken = _taken_over(history, step, ledger)
    notes = (*tried, *taken, *notes, *_without_outcome(history, step, ledger))
    if step.how == "interrupted":
        notes = (waits.parked(history, step), *notes)
    if step.how:
        stopped = wording.stopped_by(step.name, tally, step.how, by=unseen, fresh=fresh)
        return wording.line(stopped, *notes)
    if because:
        return wording.ran_again(step.name, because, tally, *notes)
    return wording.ran(step.name, tally, *notes, fresh=fresh)


def prices_unknown(history: History, step: StepPast) -> tuple[str, ...]:
    """Whose price isn't known, of the models that a step asked; one line each."""
    calls = [c for c in history.calls_of(step) if c.step == step.id]
    return (
        *money.unpriced(calls),
        *map(cost.unknown, money.unknown_models(calls)),
        *map(cost.unmetered, money.unmetered_models(calls)),
    )


def _taken_over(history: History, step: StepPast, ledger: Ledger) -> Iterator[str]:
    """What a cell was served that another one had made; a `write` is named."""
    found: dict[str, list[CallPast]] = {}
    for call in ledger.calls(step):
        here = step.id in call.taken_in and not call.parent
        if here and call.adopted_from not in {"", step.slot}:
            found.setdefault(call.adopted_from, []).append(call)
    for slot, calls in found.items():
        owner = history.latest(slot)
        which = [call for call in calls if call.writes] or calls
        more = f" and {len(calls) - 1:,} more" if len(calls) > 1 else ""
        yield f"from {owner.name if owner else 'another cell'}: {which[0].text}{more}"


def _tried(step: StepPast, ledger: Ledger) -> Iterator[str]:
    """That calls were tried more than once, which their number doesn't say."""
    made = ((c, (*c.earlier, c)) for c in ledger.calls(step) if not c.is_step)
    tries = [(c, sum(e.step == step.id for e in each)) for c, each in made]
    tried = [(call, many) for call, many in tries if many > 1]
    if len(tried) == 1:
        (call, many), *_ = tried
        asked, arrow, _ = call.text.partition(" ← ")
        name = asked if arrow and call.kind == "http" else call.name
        yield f"{name} took {many} attempts"
    elif tried:
        yield f"{len(tried):,} calls took {sum(n for _, n in tried):,} attempts"


def _without_outcome(history: History, step: StepPast, ledger: Ledger) -> Iterator[str]:
    """What a cell went on without: a swallowed timeout, an answer that it left early."""
    if step.how:
        return  # the error above says it
    for call in ledger.calls(step):
        if call.step != step.id or call.parent or call.state != CallState.INTERRUPTED:
            continue
        named = call.text or call.name
        if circumstances.in_doubt(history, call):
            which = name_of(history, call, ledger)
            yield f"{named} may have happened: %durable why {which}"
        elif call.effect is Effect.READ and call.kind == "http":
            yield f"{named} was not read to its end: asked again if this cell runs again"


def replayed(step: StepPast, now_us: int, *notes: str, again: str = "") -> str:
    """The line of a step that was replayed; `again` is what its code made again."""
    here = now(now_us)
    return wording.replayed(step.name, step.ended_us, here, *notes, again=again)
