"""What exactly differs between two attempts: the value, the line, the version. Pure.

`causes` names what changed; this shows it, old and new. What was not written down when
the attempt started is told by its digest, so that there is always an answer.
"""

from __future__ import annotations

import difflib
import io
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.identity import keys
from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.evidence import Compared, Evidence, not_compared
from nbdurable.engine.telling.wording import both, listed
from nbdurable.engine.values.differences import differences, short
from nbdurable.engine.values.plainly import visible
from nbdurable.engine.where.moments import size

MOST: Final = 4
"""Places told of one step; more are counted."""

LINE_CHARS_MAX: Final = 60
"""Characters shown of a line of code."""

DIGEST_CHARS: Final = 8
"""Hex digits shown of a digest, enough to see that it is another one."""

MISSING: Final = keys.MISSING.hex()
"""Stands in `reads` for a name that is not bound."""


@dataclass(frozen=True, slots=True)
class Side:
    """An attempt, and what was written down of it."""

    step: StepPast
    evidence: Evidence


def details(old: Side, new: Side, compared: Compared = not_compared) -> tuple[str, ...]:
    """What differs in what two attempts of a cell were given, the source first.

    A line by digest stands last, and for code only where nothing else is known: the
    digest of a function is another one because of what it reaches, which is told.

    Args:
        old: The earlier attempt.
        new: The later one.
        compared: Loads and compares values that were not written down.
    """
    found, loaded, left = list(_texts(old, new)), list[str](), list[str]()
    changed = _changed(old.step, new.step)
    for name in (*changed, *_through(old, new)):
        told = value(name, old, new)
        found += told
        if not told and name in changed:
            more = () if _is_code(name, new) else compared(old.step, new.step, name)
            loaded += more
            left += [] if more else [name]
    found += loaded
    found += [by_digest(name, old, new) for name in left if not _is_code(name, new)]
    found = found or [by_digest(name, old, new) for name in left]
    rest = len(found) - MOST
    return (*found[:MOST], *([f"and {rest} more"] if rest > 0 else []))


def _texts(old: Side, new: Side) -> Iterator[str]:
    """The lines of code that differ, and the versions."""
    if old.step.source != new.step.source:
        yield from source(old.evidence.source, new.evidence.source)
    yield from code(old.evidence, new.evidence)
    yield from _versions(old.evidence, new.evidence)


def _changed(old: StepPast, new: StepPast) -> list[str]:
    """Names that both or one of them read, whose digests differ."""
    names = dict.fromkeys((*old.reads, *new.reads))
    return [n for n in names if old.reads.get(n) != new.reads.get(n)]


def _through(old: Side, new: Side) -> list[str]:
    """Names that only code reads, whose values were written down and differ."""
    known = old.evidence.values.keys() & new.evidence.values.keys()
    direct = {*old.step.reads, *new.step.reads}
    return sorted(known - direct)


# ---- values ------------------------------------------------------------------------------


def value(name: str, old: Side, new: Side) -> list[str]:
    """How the value of a name differs, as far as it was written down.

    Args:
        name: The name.
        old: The earlier attempt.
        new: The later one.
    """
    before, after = old.evidence, new.evidence
    if name in before.values and name in after.values:
        pair = before.values[name], after.values[name]
        found = [str(d) for d in differences(*pair, root=name)]
        if found:
            return found
    was, now = old.step.reads.get(name), new.step.reads.get(name)
    if was == now:
        return []
    shown = _shown(name, old), _shown(name, new)
    if shown[0] == shown[1]:
        shown = before.kinds.get(name, ""), after.kinds.get(name, "")
    if MISSING in {was, now} or None in {was, now}:
        return [_appeared(name, (was, now), shown)]
    if shown[0] != shown[1] and all(shown):
        return [f"{name} was {shown[0]}, is {shown[1]}"]
    return []


def by_digest(name: str, old: Side, new: Side) -> str:
    """That a value is another one, where nothing but its digest says it."""
    was, now = old.step.reads.get(name), new.step.reads.get(name)
    shown = _shown(name, new)
    kind = f" ({shown})" if shown else ""
    return f"{name}{kind} was {_hex(was)}, is {_hex(now)} by its digest"


def _is_code(name: str, side: Side) -> bool:
    kinds, values = side.evidence.kinds, side.evidence.values
    unknown = name not in kinds and name not in values
    return unknown or kinds.get(name) == "function"


def _appeared(
    name: str, digests: tuple[str | None, str | None], shown: tuple[str, str]
) -> str:
    was, now = digests
    if was == MISSING:
        return f"{name} was not defined, is {shown[1] or _hex(now)}"
    if now == MISSING:
        return f"{name} was {shown[0] or _hex(was)}, is not defined"
    if was is None:
        return f"{name} was not read or had no digest, is {shown[1] or _hex(now)}"
    return f"{name} was {shown[0] or _hex(was)}, is not read or has no digest"


def _shown(name: str, side: Side) -> str:
    if name in side.evidence.values:
        return short(side.evidence.values[name])
    return side.evidence.kinds.get(name, "")


def _hex(digest: object) -> str:
    known = isinstance(digest, str) and digest
    return f"{str(digest)[:DIGEST_CHARS]}…" if known else "without one"


def bare(step: StepPast) -> list[str]:
    """The inputs without a digest, and why each has none."""
    why = fields.mapping(step.fields, "bare")
    return [f"{name}: {told}" for name, told in why.items()]


def unsaved(step: StepPast) -> list[str]:
    """The variables that could not be kept, why, and what makes each again."""
    effects = fields.texts(step.fields, "effects")
    again = f"%durable rebuild {step.name}" if effects else "its code makes it again"
    repeats = f", which repeats: {listed(effects)}" if effects else ""
    why = fields.mapping(step.fields, "unsaved")
    return [
        f"{name} is not kept ({told}): {again}{repeats}" if name else str(told)
        for name, told in why.items()
    ]


def files(old: StepPast, new: StepPast, told: Mapping[str, str]) -> Iterator[str]:
    """The files that changed: their sizes, or their digests where that says nothing.

    Args:
        old: The earlier attempt.
        new: The later one.
        told: What became of each.
    """
    for name, fate in told.items():
        was, now = _file_size(old, name), _file_size(new, name)
        digests = [fields.mapping(s.fields, "files").get(name) for s in (old, new)]
        before = size(was) if was is not None else _hex(digests[0])
        if digests[1] is None:
            yield f"{name} was {before}, {fate}"
        elif was is not None and now is not None and was != now:
            yield f"{name} was {size(was)}, is {size(now)}"
        else:
            pair = _hex(digests[0]), _hex(digests[1])
            yield f"{name} was {pair[0]}, is {pair[1]} by its digest"


def _file_size(step: StepPast, name: str) -> int | None:
    state = fields.mapping(step.fields, "states").get(name)
    found = state[2] if isinstance(state, (list, tuple)) and len(state) > 2 else None
    return found if isinstance(found, int) else None


def dynamic(step: StepPast) -> list[str]:
    """Whether all variables count as read, and through what."""
    openers = fields.texts(step.fields, "dynamic")
    return [f"all variables count as read ({both(openers)})"] if openers else []


# ---- code --------------------------------------------------------------------------------


def code(old: Evidence, new: Evidence) -> Iterator[str]:
    """The definitions whose own text differs, with the first line that does."""
    for name in sorted(old.code.keys() & new.code.keys()):
        before, after = old.code[name], new.code[name]
        if before != after:
            pair = _numbered(before), _numbered(after)
            first = next(_blocks(*pair), None)
            yield f"{name}: {_told(*first)}" if first else f"{name} changed"


def _versions(old: Evidence, new: Evidence) -> Iterator[str]:
    for name in sorted(old.versions.keys() & new.versions.keys()):
        if old.versions[name] != new.versions[name]:
            yield f"{name} was {old.versions[name]}, is {new.versions[name]}"
    for name in sorted(old.versions.keys() & new.code.keys()):
        yield f"{name} was {old.versions[name]}, is local code"
    for name in sorted(old.code.keys() & new.versions.keys()):
        yield f"{name} was local code, is {new.versions[name]}"


def source(old: str, new: str) -> Iterator[str]:
    r"""The lines of a cell that differ; comments and blank lines don't count.

    Example:
        >>> list(source("a = 1\nb = 2  # two", "# one\na = 1\nb = 3"))
        ['line 3 was «b = 2», is «b = 3»']
    """
    if old and new:
        for before, after in _blocks(_numbered(old), _numbered(new)):
            yield _told(before, after, numbered=True)


Lines = Sequence[tuple[int, str]]
"""Lines of code with their numbers, from 1; without comments and blank ones."""


def _blocks(old: Lines, new: Lines) -> Iterator[tuple[Lines, Lines]]:
    texts = [t for _, t in old], [t for _, t in new]
    matcher = difflib.SequenceMatcher(None, *texts, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            yield old[i:j], new[k:m]


def _told(old: Lines, new: Lines, *, numbered: bool = False) -> str:
    number = (new or old)[0][0]
    where = f"line {number} " if numbered else ""
    more = max(len(old), len(new)) - 1
    rest = f" (and {more} more)" if more else ""
    if not old:
        return f"{where}«{_cut(new[0][1])}» is new{rest}"
    if not new:
        return f"{where}«{_cut(old[0][1])}» is gone{rest}"
    return f"{where}was «{_cut(old[0][1])}», is «{_cut(new[0][1])}»{rest}"


def _cut(text: str) -> str:
    shown = visible(text.strip(), lines=False)
    if len(shown) <= LINE_CHARS_MAX:
        return shown
    return f"{shown[: LINE_CHARS_MAX - 1]}…"


def _numbered(text: str) -> Lines:
    """The lines that count, as far as text alone says it."""
    lines = text.splitlines()
    for row, column in _comments(text).items():
        lines[row] = lines[row][:column]
    pairs = enumerate((line.rstrip() for line in lines), 1)
    return [(n, t) for n, t in pairs if t and not t.startswith("%%durable")]


def _comments(text: str) -> Mapping[int, int]:
    """Row → column of each comment; magics in a text are no reason to miss the rest."""
    lines = text.splitlines(keepends=True)
    plain = ["\n" if t.lstrip()[:1] in {"%", "!", "?"} else t for t in lines]
    found: dict[int, int] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO("".join(plain)).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0] - 1] = token.start[1]
    except (tokenize.TokenError, SyntaxError, UnicodeEncodeError):
        return found
    return found
