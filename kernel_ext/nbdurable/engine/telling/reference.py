"""What a person means by ``review``, ``review.2`` or ``review.2.1``. Pure.

A step is called by its name, a call by its step and its number in the step's latest
attempt, a call inside a call by one more number. An unknown word is answered with the
nearest one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from nbdurable.engine.past import fields
from nbdurable.engine.past.history import CallPast, History, StepPast
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.telling.wording import listed
from nbdurable.engine.values.plainly import visible
from nbdurable.engine.where.whereabouts import RunRow
from nbdurable.errors import DurableError, ReferenceUnknown, Remedy

LISTED_MAX: Final = 8
"""Names listed where an unknown one was typed."""

SHAPE: Final = re.compile(r"(?P<step>.*?)(?P<call>(\.\d+)*)", re.DOTALL)

ASKED: Final = re.compile(r"(?P<call>.*\.\d+)@(?P<shown>[0-9a-f]*)", re.DOTALL)
"""A question and the digest of what was shown. `review@1` is an attempt of a step."""

NUMBER: Final = re.compile(r"\d{1,5}")
"""The number of a run; an id that begins with these digits alone isn't meant by them."""

OFFERED_MAX: Final = 3
"""Names offered instead of an unknown one; more are no help."""


@dataclass(kw_only=True, eq=False)
class RunUnknown(DurableError):
    """The store has no run of this number or id.

    Attributes:
        wanted: What was typed.
        known: The runs there are, latest first.
    """

    slug: ClassVar[str] = "run-unknown"
    wanted: str
    known: tuple[str, ...] = ()

    def fact(self) -> str:
        """Which run is unknown."""
        return f"this store has no run {self.wanted!r}."

    def detail(self) -> str:
        """Which runs it has."""
        if not self.known:
            return "It has no runs: no durable cell has run here yet."
        return f"Its latest: {', '.join(self.known[:OFFERED_MAX])}."

    def remedies(self) -> tuple[Remedy, ...]:
        """The list of runs, and another store."""
        return (
            Remedy("list them", "nbdurable runs"),
            Remedy("another store", "nbdurable --store PATH runs"),
        )


@dataclass(kw_only=True, eq=False)
class RunUnclear(DurableError):
    """Several notebooks have a run of this number, and one of them would be changed.

    Attributes:
        number: What was typed.
        command: What it was typed for.
        found: The notebook and the id of each such run, latest first.
    """

    slug: ClassVar[str] = "run-unclear"
    number: str
    command: str
    found: tuple[tuple[str, str], ...] = ()

    def fact(self) -> str:
        """How many there are."""
        return f"{len(self.found)} notebooks have a run {self.number}."

    def detail(self) -> str:
        """What was not done."""
        return "Nothing was done."

    def remedies(self) -> tuple[Remedy, ...]:
        """Each of them by its id, and the list of all."""
        each = (
            Remedy(f"of {notebook}", f"{self.command} {run}")
            for notebook, run in self.found[:OFFERED_MAX]
        )
        return (*each, Remedy("list them", "nbdurable runs"))


@dataclass(frozen=True, slots=True)
class Reference:
    """What was typed, taken apart.

    Attributes:
        step: The step's name, or "" for the last one.
        call: The call's number, such as ``2`` or ``2.1``, or "" for the step itself.
    """

    step: str
    call: str = ""

    def __str__(self) -> str:
        return f"{self.step}.{self.call}" if self.call else self.step


def parse(text: str) -> Reference:
    """Take a reference apart; any text is one.

    Example:
        >>> parse("review"), parse("review.2.1")
        (Reference(step='review', call=''), Reference(step='review', call='2.1'))
    """
    found = SHAPE.fullmatch(text.strip())
    assert found is not None
    return Reference(found["step"], found["call"].lstrip("."))


def apart(text: str) -> tuple[str, str]:
    """STEP.CALL and DIGEST of a question that was seen; "" for no digest.

    Example:
        >>> apart("review.1@3fa2c1"), apart("review.1"), apart("review@1")
        (('review.1', '3fa2c1'), ('review.1', ''), ('review@1', ''))
    """
    found = ASKED.fullmatch(text.strip())
    return (found["call"], found["shown"]) if found else (text.strip(), "")


def nearest(wanted: str, known: Iterable[str]) -> tuple[str, ...]:
    """Known words, those like the wanted one first; empty ones are left out."""
    words = list(dict.fromkeys(w for w in known if w))
    first = alike(wanted, words)
    return (*first, *(w for w in words if w not in first))


def alike(wanted: str, known: Iterable[str]) -> tuple[str, ...]:
    """Known words that may be meant by one that is none of them.

    Example:
        >>> alike("reviw", ["load", "review"]), alike("nope", ["load", "review"])
        (('review',), ())
    """
    lower = {w.lower(): w for w in known}
    close = difflib.get_close_matches(wanted.lower(), lower, OFFERED_MAX, 0.5)
    return tuple(lower[w] for w in close)


def few(known: Sequence[str]) -> tuple[str, ...]:
    """As many names as a person reads, and how many there are besides."""
    return (listed(known, LISTED_MAX),) if known else ()


def find_step(history: History, text: str, command: str = "%durable why") -> StepPast:
    """The latest attempt of the step that is meant; the last step for "".

    Raises:
        ReferenceUnknown: The run has no step of this name.
    """
    wanted = text.strip()
    latest = _latest(history, wanted)
    if latest is None:
        raise _no_step(history, wanted, command)
    return latest


def _latest(history: History, name: str) -> StepPast | None:
    """What was executed or replayed last, of the steps of a name or, for "", of all."""
    steps = [s for s in history.steps.values() if name in {"", s.name}]
    return max(steps, key=lambda s: (s.active_us, s.order), default=None)


def find_call(
    history: History,
    text: str,
    command: str = "%durable why",
    wanted: Callable[[CallPast], bool] | None = None,
) -> CallPast:
    """The call that is meant by ``review.2``.

    Args:
        history: The fold of the run.
        text: What was typed.
        command: The command in which it was typed, for the error.
        wanted: What is looked for, where it narrows the choice: earlier attempts of
            the step are searched for a call of that number of which this is true.

    Raises:
        ReferenceUnknown: The run has no such step, or the step no such call.
    """
    reference = parse(text)
    step = find_step(history, reference.step, command)
    ledger = Ledger(history)
    attempts = _attempts(history, step)
    found = [c for s in attempts for c in _numbered(ledger, s, reference.call)]
    narrow = [c for c in found if wanted is not None and wanted(c)]
    if narrow or found:
        return (narrow or found)[0]
    raise _no_call(ledger, attempts, reference, command)


def find(
    history: History, text: str, command: str = "%durable why"
) -> StepPast | CallPast:
    """The step or the call that is meant.

    A step whose name itself ends in a number is found by its whole name first.

    Raises:
        ReferenceUnknown: The run has no such step, or the step no such call.
    """
    whole = _latest(history, text.strip())
    if whole is not None or not parse(text).call:
        return whole or find_step(history, text, command)
    return find_call(history, text, command)


def find_run(runs: Sequence[RunRow], text: str, command: str = "") -> RunRow:
    """The run that is meant; the one that was active last for "".

    A number alone means the run of that number that was active last, whatever its
    notebook; ``report.ipynb:3`` names the notebook too, and ``report.ipynb`` its run that
    was active last.

    Args:
        runs: All runs of the store.
        text: What was typed.
        command: What it was typed for, where only one run can be meant: a number alone is
            refused then if several notebooks have it.

    Raises:
        RunUnknown: The store has no such run, or several ids begin like this.
        RunUnclear: Several notebooks have a run of this number.
    """
    wanted = text.strip().removeprefix("run ").strip()
    newest = sorted(runs, key=lambda r: r.active_us, reverse=True)
    notebook, _, number = wanted.rpartition(":")
    found = [r for r in newest if str(r.number) == number and _of(r, notebook)]
    if command and len({r.notebook for r in found}) > 1:
        rows = tuple((r.title, r.id) for r in found)
        raise RunUnclear(number=number, command=command, found=rows)
    found = found or [r for r in newest if wanted == r.id]
    found = found or [r for r in newest if _of(r, wanted)]
    begins = [] if NUMBER.fullmatch(wanted) else _beginning(newest, wanted)
    if not found and len(begins) == 1:
        found = begins
    if not found:
        known = tuple(f"run {r.number} of {r.notebook}" for r in newest)
        raise RunUnknown(wanted=text, known=known[:OFFERED_MAX])
    return found[0]


def _beginning(runs: Sequence[RunRow], text: str) -> list[RunRow]:
    return [r for r in runs if r.id.startswith(text)]


def _of(run: RunRow, notebook: str) -> bool:
    return (
        not notebook
        or run.notebook == notebook
        or (run.notebook.endswith(f"/{notebook}"))
    )


def name_of(history: History, call: CallPast, ledger: Ledger | None = None) -> str:
    """What to type for a call: ``review.2``, or its tool's name if nothing finds it."""
    known = ledger or Ledger(history)
    step = history.steps.get(call.step)
    if step is None:
        return call.name
    number = known.numbered(step).get(call.id, "")
    return f"{step.name}.{number}" if number else step.name


def _attempts(history: History, latest: StepPast) -> list[StepPast]:
    """Attempts of the step's slot, latest first, each once."""
    slot = dict.fromkeys(s.id for s in history.attempts(latest.slot))
    ids = [latest.id, *(i for i in slot if i != latest.id)]
    return [history.steps[i] for i in ids]


def _numbered(ledger: Ledger, step: StepPast, number: str) -> list[CallPast]:
    """The call of an attempt with this number; at most one."""
    known, numbers = ledger.history.calls, ledger.numbered(step)
    return [known[i] for i, n in numbers.items() if n == number]


def _no_step(history: History, wanted: str, command: str) -> ReferenceUnknown:
    newest = sorted(history.steps.values(), key=lambda s: s.order, reverse=True)
    known = nearest(wanted, (s.name for s in newest))
    close = alike(wanted, known)
    return ReferenceUnknown(
        given=f"step called {wanted!r}" if wanted else "steps",
        nearest=f"{command} {close[0]}" if close else "",
        known=few(known),
        run=_run_called(history),
    )


def _run_called(history: History) -> str:
    """What people call a run: a store may have several notebooks."""
    opened, name = history.opened, history.notebook.rpartition("/")[2]
    if opened is None or not name:
        return "this run"
    number = fields.number(opened.fields, "number", 1)
    return f"run {number} of {visible(name, lines=False)}"


def _no_call(
    ledger: Ledger, attempts: Sequence[StepPast], reference: Reference, command: str
) -> ReferenceUnknown:
    numbers = [n for s in attempts for n in ledger.numbered(s).values()]
    outer = sorted({int(n) for n in numbers if "." not in n})
    step = attempts[0].name
    known = [f"{step}.{n}" for n in (outer[:1] + outer[1:][-1:])]
    return ReferenceUnknown(
        given=f"call {step}.{reference.call}",
        nearest=f"{command} {known[-1] if known else step}",
        known=(" to ".join(known),) if known else (),
        run=_run_called(ledger.history),
    )
