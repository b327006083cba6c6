"""Compares two attempts or runs. Reads values; executes nothing.

How variables are read is an argument: a kernel loads them, the command line reads plain
data only and never unpickles.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.past.attempts import StepPast, StepState
from nbdurable.engine.past.evidence import Compared, not_compared
from nbdurable.engine.past.fields import text
from nbdurable.engine.past.money import spent, tokens
from nbdurable.engine.past.pairs import Pair, aligned
from nbdurable.engine.past.pasts import CallPast, CallState
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.past.waits import is_parked
from nbdurable.engine.steps.alike import changes
from nbdurable.engine.telling import details
from nbdurable.engine.telling.sides import Side
from nbdurable.engine.values.differences import differences, short
from nbdurable.engine.values.plainly import Unreadable, read
from nbdurable.engine.where.dollars import dollars
from nbdurable.engine.where.moments import duration, size
from nbdurable.errors import DurableError
from nbdurable.timeline import previews
from nbdurable.timeline.around import tool_of
from nbdurable.timeline.diff import MINUS, PLUS, Diff, StepDiff
from nbdurable.timeline.exchanges import answer_content, is_answer
from nbdurable.timeline.previews import Get, line
from nbdurable_store.records import BlobRef

LINES_MAX: Final = 8
"""Lines of one part of a step; more are counted."""

MS_TOLD_MIN: Final = 1_000
"""Below a second, and below a tenth of the longer one, a duration is no difference."""

Values = Callable[[StepPast, Collection[str]], Mapping[str, object]]
"""The values that an attempt made of these names; one that can't be read is `Unread`."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A value that is not read here.

    Attributes:
        kind: What is known of it, such as ``pickle5, 12 kB``.
    """

    kind: str


@dataclass(frozen=True, slots=True)
class Reader:
    """How what is stored is read.

    Attributes:
        get: Bytes of plain data.
        values: Variables that a step made.
        compared: Compares what two attempts were given and was not written down.
    """

    get: Get
    values: Values
    compared: Compared = not_compared


def diff(old: Side, new: Side, reader: Reader) -> Diff:
    """What differs between two sides.

    Args:
        old: The earlier one.
        new: The later one.
        reader: How values are read.
    """
    if not (old.whole and new.whole):
        pairs = [
            (old.steps[-1] if old.steps else None, new.steps[-1] if new.steps else None)
        ]
    else:
        pairs = list(_merged(old.steps, new.steps))
    steps = (_step(old, new, pair, reader) for pair in pairs)
    return Diff(old=line(old.label), new=line(new.label), steps=tuple(steps))


def _merged(
    old: Sequence[StepPast], new: Sequence[StepPast]
) -> Iterator[tuple[StepPast | None, StepPast | None]]:
    """The steps of two runs by name, in the order of the earlier run.

    Example:
        >>> from nbdurable.engine.past.attempts import StepPast
        >>> old, new = ([StepPast.begun(n, n, n) for n in names] for names in ("abd", "bcd"))
        >>> ["".join(s.name if s else "-" for s in pair) for pair in _merged(old, new)]
        ['a-', 'bb', '-c', 'dd']
    """
    known, there = {s.name: s for s in old}, {s.name for s in new}
    told = set[str]()
    for step in new:
        if step.name not in known:
            yield None, step
            continue
        for before in known.values():  # what stands before it in the earlier run
            if before.name == step.name:
                break
            if before.name not in there | told:
                told.add(before.name)
                yield before, None
        yield known[step.name], step
    yield from ((s, None) for n, s in known.items() if n not in there | told)


def _step(
    old: Side, new: Side, pair: tuple[StepPast | None, StepPast | None], reader: Reader
) -> StepDiff:
    before, after = pair
    if before is None or after is None:
        there = before or after
        name = line(there.name) if there else ""
        sign, side = (MINUS, old) if before else (PLUS, new)
        return StepDiff(name=name, only=line(side.label), sign=sign)
    calls = Ledger(old.history).calls(before), Ledger(new.history).calls(after)
    pairs = aligned(*calls)
    told = [tuple(call_lines(p, reader.get)) for p in pairs]
    evidence_of = previews.evidence_of(reader.get)
    was, now = (details.Side(s, evidence_of(s)) for s in (before, after))
    texts = was.evidence.source, now.evidence.source
    code = list(details.source(*texts)) if before.source != after.source else []
    inputs = [d for d in details.details(was, now, reader.compared) if d not in code]
    return StepDiff(
        name=line(after.name),
        code=_bounded(code),
        inputs=_bounded(inputs),
        values=_bounded(list(_values(before, after, reader))),
        calls=_bounded([t for lines in told for t in lines]),
        output=_bounded(list(_output(before, after, reader.get))),
        end=_end(before, after),
        cost=tuple(_cost((before, calls[0]), (after, calls[1]))),
        equal=sum(not lines for lines in told),
    )


def _bounded(lines: list[str]) -> tuple[str, ...]:
    rest = len(lines) - LINES_MAX
    shown = tuple(map(line, lines[:LINES_MAX]))
    return (*shown, f"and {rest:,} more") if rest > 0 else shown


# ---- variables ---------------------------------------------------------------------------


def _values(old: StepPast, new: StepPast, reader: Reader) -> Iterator[str]:
    before, after = _places(old), _places(new)
    gone = [n for n in before if n not in after]
    more = [n for n in after if n not in before]
    yield from (f"{MINUS} {name} is not made any more" for name in gone)
    yield from (f"{PLUS} {name} is new" for name in more)
    names = [n for n in after if n in before and before[n] != after[n]]
    if not names:
        return
    was, now = reader.values(old, names), reader.values(new, names)
    for name in names:
        yield from _value(name, was.get(name), now.get(name))


def _places(step: StepPast) -> dict[str, tuple[bytes, int]]:
    """Where the value of each variable is: blob, and place in it."""
    return {
        name: (ref.id, nth)
        for group, ref in step.stored
        for nth, name in enumerate(group)
        if name.isidentifier()
    }


def _value(name: str, old: object, new: object) -> list[str]:
    if isinstance(old, Unread) and isinstance(new, Unread):
        same = old.kind == new.kind
        return (
            [f"{name} ({new.kind}) is another one"]
            if same
            else [f"{name} was {old.kind}, is {new.kind}"]
        )
    if isinstance(old, Unread) or isinstance(new, Unread):
        sides = (v.kind if isinstance(v, Unread) else short(v) for v in (old, new))
        return ["{} was {}, is {}".format(name, *sides)]
    return changes(name, old, new)


def plain_values(get: Get) -> Values:
    """Reads variables that are plain data, and unpickles nothing."""

    def values(step: StepPast, names: Collection[str]) -> dict[str, object]:
        found: dict[str, object] = {}
        for group, ref in step.stored:
            if any(name in names for name in group):
                found.update(zip(group, _plain_group(group, ref, get), strict=True))
        return found

    return values


def _plain_group(group: tuple[str, ...], ref: BlobRef, get: Get) -> list[object]:
    try:
        value = read(ref.codec, get(ref) if ref.codec == "json" else b"")
    except (Unreadable, DurableError):
        return [Unread(f"{line(ref.codec)}, {size(ref.size)}")] * len(group)
    if len(group) == 1:
        return [value]
    whole = isinstance(value, list) and len(value) == len(group)
    return (
        list(value)
        if whole and isinstance(value, list)
        else [Unread("json")] * len(group)
    )


# ---- calls, output, cost -----------------------------------------------------------------


def call_lines(pair: Pair, get: Get) -> Iterator[str]:
    """How two calls differ: arguments, then answers."""
    old, new = pair
    if old is None or new is None:
        sign, call = (PLUS, new) if old is None else (MINUS, old)
        yield f"{sign} {call.text or call.name}" if call else sign
        return
    arguments_of = previews.arguments_of(get)
    label = tool_of(new)
    if old.key != new.key:
        arguments = list(differences(arguments_of(old), arguments_of(new)))
        yield from (f"{label}: {d}" for d in arguments)
        if not arguments:
            yield f"{label}: was {old.text}, is {new.text}"
    if old.state is not new.state or None in {old.outcome, new.outcome}:
        was, now = (_gave(call, get) for call in (old, new))
        if was != now:
            yield f"{label}: {was}, now {now}"
        return
    answers = _answer(old, get), _answer(new, get)
    if answers[0] != answers[1]:
        found = differences(*answers, most=2, root="answer")
        yield from (f"{label}: {d}" for d in found)


def _gave(call: CallPast, get: Get) -> str:
    """What became of a call, in words."""
    if call.state is CallState.COMPLETED and call.outcome is not None:
        return f"gave {short(_answer(call, get))}"
    if call.wait and is_parked(call):
        return "waits"
    if raised := text(call.fields, "type"):
        return f"raised {raised.rpartition('.')[2]}"
    return "gave nothing that was kept"


def _answer(call: CallPast, get: Get) -> object:
    """What a call gave back, as plain data; the name of its blob where it isn't that."""
    outcome = call.outcome
    assert outcome is not None
    try:
        value = read(outcome.codec, get(outcome) if outcome.codec == "json" else b"")
    except (Unreadable, DurableError):
        return f"{outcome.codec} {outcome.id.hex()[:8]}"
    if is_answer(value) and isinstance(value, Mapping):
        return answer_content(value)
    return value


def _output(old: StepPast, new: StepPast, get: Get) -> Iterator[str]:
    if "paused" in {old.how, new.how}:
        return  # it showed a question of ours, which `end` tells
    lines = [_shown(step, get).splitlines() for step in (old, new)]
    matcher = difflib.SequenceMatcher(None, lines[0], lines[1], autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        for nth in range(max(j - i, m - k)):
            was = lines[0][i + nth] if i + nth < j else None
            now = lines[1][k + nth] if k + nth < m else None
            yield from _line_diff(k + nth + 1, was, now)


def _line_diff(number: int, was: str | None, now: str | None) -> Iterator[str]:
    if was is None:
        yield f"line {number} is new: {short(now)}"
    elif now is None:
        yield f"line {number} is gone (was {short(was)})"
    else:
        yield from map(str, differences(was, now, root=f"line {number}"))


def _shown(step: StepPast, get: Get) -> str:
    shown = previews.outputs(step.blobs[0] if step.blobs else None, get)
    return shown.text if shown else ""


def _end(old: StepPast, new: StepPast) -> tuple[str, ...]:
    was, now = (_how(step) for step in (old, new))
    return () if was == now else (f"{was}, now {now}",)


def _how(step: StepPast) -> str:
    if step.state is StepState.COMPLETED:
        return "completed"
    error = str(step.fields.get("type")).rpartition(".")[2]
    told = {"paused": "waits for your answer", "raised": f"ended with {error}"}
    return told.get(step.how, step.how or "did not end")


Spent = tuple[StepPast, list[CallPast]]


def _cost(old: Spent, new: Spent) -> Iterator[str]:
    used = [tokens(calls) for _, calls in (old, new)]
    paid = [spent(calls) for _, calls in (old, new)]
    if paid[0] != paid[1]:
        yield f"{dollars(paid[0])}, now {dollars(paid[1])}"
    elif used[0] != used[1]:
        yield f"{used[0]:,} tokens, now {used[1]:,}"
    ms = old[0].ms, new[0].ms
    if abs(ms[0] - ms[1]) >= max(MS_TOLD_MIN, max(ms) / 10):
        yield f"{duration(ms[0])}, now {duration(ms[1])}"
