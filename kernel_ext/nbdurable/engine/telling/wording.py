"""The lines people read. Pure: numbers, names and the present come in, text goes out.

Each function is one kind of line of DESIGN §7. Parts are joined by a middle dot, the
step's name comes first, what to type comes last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.tally import Tally
from nbdurable.engine.telling.cost import cost, spent
from nbdurable.engine.where.moments import Now, count, duration, moment, since

DOT: Final = " · "

LISTED_MAX: Final = 5
"""Names or places on one line; more are counted. A line is read, a list is scanned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """How a kernel ended in the middle of a step.

    Attributes:
        at_us: When it was last heard of, microseconds since 1970 UTC.
        step: What people call the step.
        number: The call that was under way, such as ``2`` or ``2.1``, or "" for none.
        call: The name of its tool.
        effect: What the call does to the world.
        others: How many more calls were under way.
        waited: Whether the call waited, for somebody or for a moment.
    """

    at_us: int
    step: str
    number: str = ""
    call: str = ""
    effect: Effect = Effect.WRITE
    others: int = 0
    waited: bool = False


def listed(items: Sequence[str], most: int = LISTED_MAX) -> str:
    """Names separated by commas; beyond ``most`` they are counted.

    Example:
        >>> listed(["a", "b", "c"], most=2)
        'a, b and 1 more'
    """
    shown = ", ".join(items[:most])
    rest = len(items) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def both(items: Sequence[str]) -> str:
    """Names in a sentence.

    Example:
        >>> both(["hits"]), both(["hits", "notes"])
        ('hits', 'hits and notes')
    """
    if len(items) > LISTED_MAX:
        return listed(items)
    head, last = items[:-1], items[-1] if items else ""
    return f"{', '.join(head)} and {last}" if head else last


def line(*parts: str) -> str:
    """Parts of a status line; empty ones are left out."""
    return DOT.join(part for part in parts if part)


# ---- a step has run ----------------------------------------------------------------


def ran(name: str, tally: Tally, *notes: str, fresh: bool = False) -> str:
    """A step was executed.

    Example:
        >>> from decimal import Decimal
        >>> print(ran("findings", Tally(ran=30, ms=96_000)))
        findings · 30 calls ran · 96 s · these 30 are not paid again
        >>> print(ran("ask", Tally(ran=1, ms=900, usd=Decimal("0.12"))))
        ask · 1 call ran · 0.9 s · $0.12 · this call is not paid again
        >>> print(ran("plot", Tally(ms=1_400)))
        plot · ran, no calls · 1.4 s
        >>> print(ran("news", Tally(ran=2, ms=1_400), fresh=True))
        news · 2 calls ran · 1.4 s · --fresh: paid again each time
    """
    if not tally.calls:
        return line(name, f"ran, {calls_told(tally)}", duration(tally.ms), *notes)
    if tally.served:
        return line(name, calls_told(tally), duration(tally.ms), cost(tally), *notes)
    took = duration(tally.ms), spent(tally), _not_again(tally, fresh=fresh)
    ending = (spent(tally), *notes) if any(notes) else took
    return line(name, calls_told(tally), *ending)


def ran_again(name: str, because: str, tally: Tally, *notes: str) -> str:
    """A step was executed although it had completed before.

    Example:
        >>> print(ran_again("findings", "PROMPT changed (cell 2)", Tally(served=25, ran=5)))
        findings · ran again because PROMPT changed (cell 2) · 5 new, 25 replayed
    """
    parts = [f"{tally.ran:,} new"] if tally.ran else []
    parts += [f"{tally.served:,} replayed"] if tally.served else []
    parts += [count(tally.answers, "answer")] if tally.answers else []
    told = ", ".join(parts), cost(tally) if tally.usd or tally.saved_usd else ""
    return line(name, f"ran again because {because}", *told, *notes)


def replayed(name: str, at_us: int, now: Now, *notes: str, again: str = "") -> str:
    """A step was replayed as a whole.

    Args:
        name: What people call the step.
        at_us: When it had run, microseconds since 1970 UTC.
        now: The present.
        notes: More parts, such as a file that is gone.
        again: What its code made again, if it ran.
    """
    return line(
        name,
        f"replayed from {moment(at_us, now)}, {again or 'nothing ran'}",
        *notes,
        f"fresh answers: %durable rerun {name}",
    )


def stopped_by(
    name: str, tally: Tally, how: str, *, by: str = "", fresh: bool = False
) -> str:
    """A step ended without completing; its calls are kept.

    Args:
        name: What people call the step.
        tally: What it did with its calls.
        how: ``raised``, ``interrupted`` or ``paused``.
        by: The error, where it doesn't stand above.
        fresh: Whether its cell begins afresh each time.

    Example:
        >>> print(stopped_by("review", Tally(ran=6, ms=12_000), "raised"))
        review · stopped by the error above · 6 calls ran · 12 s · these 6 are not paid again
        >>> print(stopped_by("review", Tally(ran=6, lost=1, ms=12_000), "interrupted"))
        review · interrupted · 6 calls ran · 12 s · 5 of them are not paid again
    """
    calls = calls_told(tally) if tally.calls or tally.answers else ""
    return line(
        name,
        stop(how, by or "the error above"),
        calls,
        duration(tally.ms),
        spent(tally),
        _not_again(tally, fresh=fresh) if tally.ran else "",
    )


def stop(how: str, by: str) -> str:
    """How a step stopped."""
    told = {"interrupted": "interrupted", "paused": "waits for your answer"}
    return told.get(how, f"stopped by {by}")


def calls_told(tally: Tally) -> str:
    """What became of the calls of an attempt.

    Example:
        >>> calls_told(Tally(served=16, ran=14)), calls_told(Tally(ran=1))
        ('30 calls: 16 replayed, 14 ran', '1 call ran')
        >>> calls_told(Tally(ran=2, answers=1)), calls_told(Tally(answers=1))
        ('2 calls ran, 1 answer', '1 answer')
    """
    parts = [_counted(tally)] if tally.calls or not tally.answers else []
    parts += [count(tally.answers, "answer")] if tally.answers else []
    return ", ".join(parts)


def _counted(tally: Tally) -> str:
    if not tally.served:
        return f"{count(tally.ran, 'call')} ran" if tally.ran else "no calls"
    if not tally.ran:
        return f"{count(tally.served, 'call')} replayed, none ran"
    calls = count(tally.calls, "call")
    return f"{calls}: {tally.served:,} replayed, {tally.ran:,} ran"


def _not_again(tally: Tally, *, fresh: bool) -> str:
    kept = tally.ran - tally.lost - tally.unpaid
    if fresh:
        return "--fresh: paid again each time"
    if not kept:
        return ""
    if tally.lost or tally.unpaid:
        return f"{kept:,} of them {'is' if kept == 1 else 'are'} not paid again"
    if kept == 1:
        return "this call is not paid again"
    return f"these {kept:,} are not paid again"


# ---- notes at the end of such a line -------------------------------------------------


def not_recorded(effects: Sequence[str]) -> str:
    """Effects that were seen and are no calls.

    Example:
        >>> print(not_recorded(["!git push (line 9)"]))
        not recorded: !git push (line 9): happens again if this cell runs again. Protect it: @nd.tool
    """
    if not effects:
        return ""
    again = "happens again if this cell runs again. Protect it: @nd.tool"
    return f"not recorded: {listed(effects)}: {again}"


def not_kept(names: Mapping[str, str]) -> str:
    """Variables that could not be stored, and why.

    Example:
        >>> not_kept({"stream": "a generator"})
        'not kept: stream (a generator)'
    """
    told = [f"{name} ({why})" if why else name for name, why in names.items()]
    return f"not kept: {listed(told)}" if told else ""


def reads_all(openers: Sequence[str]) -> str:
    """A cell may read any variable, through builtins of which text says no more.

    Example:
        >>> reads_all(["eval"])
        'all variables count as read (eval)'
    """
    return f"all variables count as read ({listed(openers)})" if openers else ""


def by_size(names: Sequence[str]) -> str:
    """Files that are too big to be compared by content.

    Example:
        >>> by_size(["big.parquet"])
        'counts by size and time: big.parquet'
    """
    return f"counts by size and time: {listed(names)}" if names else ""


def not_watched(count: int) -> str:
    """Files beyond those that are remembered.

    Example:
        >>> not_watched(40_000)
        '40,000 more files that it read are not watched'
    """
    return f"{count:,} more files that it read are not watched" if count else ""


def from_elsewhere(served: Mapping[str, int]) -> str:
    """Calls that were served from other steps, by step.

    Example:
        >>> from_elsewhere({"review": 3})
        '3 of them from review'
    """
    told = [f"{calls:,} of them from {step}" for step, calls in served.items()]
    return listed(told)


def writes_served(calls: Sequence[str]) -> str:
    """Writes that were replayed although the cell was edited.

    Example:
        >>> writes_served(["send_invoice('anna', 1200)"])
        "not repeated: send_invoice('anna', 1200)"
    """
    return f"not repeated: {listed(calls)}" if calls else ""


# ---- lines of their own ----------------------------------------------------------------


def assumed_write(tool: str) -> str:
    """A tool whose author did not say what it does to the world."""
    return (
        f"{tool} has no effect=, so it is treated as a write. "
        'Only reads? @nd.tool(effect="read")'
    )


def restored(
    names: int,
    *,
    total: int,
    when: str,
    not_back: Mapping[str, str],
    kept: Sequence[str] = (),
    waiting: str = "",
) -> str:
    """Variables were brought back.

    Args:
        names: How many are back.
        total: How many are known.
        when: The moment whose values they have, and how long it took.
        not_back: What to do for each name that is not back, such as ``run cell 1``.
        kept: Names left alone because they were assigned since the kernel started.
        waiting: Those of the names that are loaded when a cell uses them.

    Example:
        >>> print(restored(14, total=16, when="Tue 18:02, 1.4 s",
        ...                not_back={"client": "run cell 1"}, kept=["df"]))
        14 of 16 names as of Tue 18:02, 1.4 s, nothing executed · not back: client → run cell 1 · kept yours: df (--overwrite)
        >>> print(restored(0, total=1, when="", not_back={}, kept=["df"]))
        nothing was brought back: df is there already (--overwrite)
        >>> print(restored(3, total=3, when="Tue 18:02, 12 ms", not_back={},
        ...                waiting="df (84 MB)"))
        3 names as of Tue 18:02, 12 ms, nothing executed · loaded when used: df (84 MB)
    """
    if not (names or not_back):
        are = "is" if total == 1 else "are"
        return (
            f"nothing was brought back: {both(kept)} {are} there already (--overwrite)"
        )
    many = count(names, "name") if names == total else f"{names:,} of {total:,} names"
    lost = [f"{name} → {cure}" if cure else name for name, cure in not_back.items()]
    return line(
        f"{many} as of {when}, nothing executed",
        f"loaded when used: {waiting}" if waiting else "",
        f"not back: {listed(lost)}" if lost else "",
        f"kept yours: {listed(kept)} (--overwrite)" if kept else "",
    )


def name_is_lost(name: str, step: str, cure: str, how: str = "kept") -> str:
    """What is put behind a NameError when the value could not be kept or loaded."""
    return f"   ← {name} could not be {how} ({step}): {cure}"


def name_is_kept(name: str, step: str, at_us: int, now: Now) -> str:
    """What is put behind a NameError when the journal holds the name."""
    known = f"{step}, {moment(at_us, now)}"
    return f"   ← {name} is kept ({known}): %durable restore {name}"


def kernel_stopped(stop: Stop, now: Now) -> str:
    """A kernel ended in the middle of a step."""
    where = f"Kernel stopped {moment(stop.at_us, now)} in {stop.step}"
    if not stop.number:
        return f"{where}, between calls"
    others = f" and {stop.others} more" if stop.others else ""
    if stop.waited:
        return f"{where} while call {stop.number}{others} waited, {stop.call}"
    fate = what_happens_after_doubt(stop.effect)
    told = f"{stop.call} ({stop.effect.value}: {fate})"
    return f"{where} during call {stop.number}{others}, {told}"


def what_happens_after_doubt(effect: Effect) -> str:
    """What becomes of a call whose outcome is not known."""
    return "may have happened" if effect is Effect.WRITE else "asked again"


# ---- which run ---------------------------------------------------------------------------


def run_continues(number: int, opened_us: int, now: Now) -> str:
    """An interactive kernel goes on with the notebook's open run."""
    return f"run {number}, since {since(opened_us, now)}"


def run_resumes(number: int, opened_us: int, now: Now, stopped_in: str) -> str:
    """A headless kernel goes on with an unfinished run."""
    where = f", stopped in {stopped_in}" if stopped_in else ""
    return line(f"run {number}", f"resumes {moment(opened_us, now)}{where}")


def run_begins(number: int, left: tuple[int, str] | None = None) -> str:
    """A new run begins, and maybe leaves an unfinished one behind.

    Args:
        number: The new run.
        left: Number of the unfinished run and the step in which it stopped.

    Example:
        >>> print(run_begins(9, (8, "findings")))
        run 9 · new · run 8 stopped in findings and is left as it is: NBDURABLE_RUN=resume continues it
    """
    if left is None:
        return line(f"run {number}", "new")
    where = f"stopped in {left[1]}" if left[1] else "is not finished"
    behind = f"run {left[0]} {where} and is left as it is"
    return line(f"run {number}", "new", f"{behind}: NBDURABLE_RUN=resume continues it")
