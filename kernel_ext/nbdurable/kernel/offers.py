"""What may be typed next on a line of `%durable` or `%%durable`. Pure.

The run is asked for only when its names are needed: completing `%durable st` opens
no store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from nbdurable.engine.past import settle
from nbdurable.engine.past.history import History
from nbdurable.engine.past.kept import names_of
from nbdurable.engine.past.tally import Ledger
from nbdurable.engine.past.waits import waiting
from nbdurable.engine.telling import reference
from nbdurable.kernel.options import OPTIONS
from nbdurable.kernel.words import WORDS, Word

_COMMAND: Final = re.compile(r"(?:^|.*=)\s*%durable\s+(?P<typed>.*)", re.DOTALL)
_MARK: Final = re.compile(r"(?:%%durable\s|\#[ \t]*durable[ \t]*:)(?P<typed>.*)")

_ANSWERS: Final = frozenset({"answer", "approve"})

ReadHistory = Callable[[], History | None]
"""Gives the run of the notebook, or None where there is none."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may stand in the place of the word that is being typed.

    Attributes:
        word: What is typed of it so far.
        instead: Whole words that begin like it, in the order to show them.
    """

    word: str
    instead: tuple[str, ...]


def offer(cell: str, line_number: int, column: int, run: ReadHistory) -> Offer | None:
    """What may come next, or None where the line is none of ours.

    Args:
        cell: The whole cell.
        line_number: The line of the cursor, from 0.
        column: The cursor's place in it, in characters.
        run: Reads the run.
    """
    lines = cell.split("\n")
    before = lines[line_number][:column]
    command = _COMMAND.fullmatch(before)
    if command is not None:
        return _begun(command["typed"], lambda given: _after(given, run))
    mark = _MARK.fullmatch(before.lstrip())
    if mark is not None and not any(map(str.strip, lines[:line_number])):
        return _begun(mark["typed"], lambda given: _unused(OPTIONS, given))
    return None


def _begun(typed: str, after: Callable[[Sequence[str]], Iterable[str]]) -> Offer:
    """The words that begin like the one that is typed."""
    given = typed.split()
    word = given.pop() if typed and not typed[-1].isspace() else ""
    words = (w for w in after([*given, word]) if w.startswith(word))
    return Offer(word, tuple(dict.fromkeys(words)))


def _after(given: Sequence[str], run: ReadHistory) -> Iterable[str]:
    """What may stand behind the words given; the last one is being typed."""
    name, *args = given
    if not args:
        return WORDS
    word = WORDS.get(name)
    if word is None or word.valued in args[:-1]:
        return ()
    if len(args) > 1 and args[-2] in word.named:
        return _steps(run) if args[-2] == "--at" else ()
    valued = [word.valued] if word.valued else []
    known = [*word.options, *word.unset, *word.named, *valued]
    options = _unused(known, args)
    plain = [a for a in args[:-1] if not a.startswith("-")]
    if args[-1].startswith("-") or len(plain) >= word.most:
        return _exclusive(word, args, options)
    return (n for n in [*_names(name, args[-1], run), *options] if n not in plain)


def _exclusive(
    word: Word, args: Sequence[str], options: Sequence[str]
) -> Sequence[str]:
    """Of answers to a question, one is enough."""
    answered = word.valued and any(a in word.options for a in args[:-1])
    return () if answered else options


def _unused(options: Iterable[str], given: Sequence[str]) -> list[str]:
    return [o for o in options if o not in given[:-1]]


def _names(command: str, begun: str, run: ReadHistory) -> Iterable[str]:
    """Names of the run that a command takes, the latest first."""
    named = {"why", "rebuild", "rerun", "resolve", "restore", "diff", *_ANSWERS}
    history = run() if command in named else None
    if history is None:
        return ()
    if command == "restore":
        known = names_of(history).known
        return [name for name, source in known.items() if not source.module][::-1]
    if command == "resolve":
        return [q.asked for q in settle.questions(history)]
    if command in _ANSWERS:
        return [asked.asked for asked in waiting(history) if asked.replies]
    if command == "rebuild":
        lost = names_of(history).lost.values()
        return dict.fromkeys(a.step.name for a in lost if not a.given)
    steps = _steps(lambda: history)
    if command == "diff":
        return [*dict.fromkeys(steps), *_attempts(history, begun)]
    return steps if command == "rerun" else [*steps, *_calls(history, begun)]


def _steps(run: ReadHistory) -> list[str]:
    """Names of the run's steps, the latest first."""
    history = run()
    steps = history.steps.values() if history else ()
    return [s.name for s in sorted(steps, key=lambda s: s.order, reverse=True)]


def _attempts(history: History, begun: str) -> list[str]:
    """The attempts of the step before the ``@``, the latest first."""
    name, at, _ = begun.rpartition("@")
    step = history.named(name) if at else None
    slot = history.attempts(step.slot) if step else ()
    return list(dict.fromkeys(f"{name}@{s.attempt}" for s in slot))


def _calls(history: History, begun: str) -> list[str]:
    """The calls of the step before the last dot: ``review.`` has ``review.1``."""
    wanted = begun.rpartition(".")[0]
    step = history.named(wanted) or history.named(reference.parse(wanted).step)
    if not wanted or step is None:
        return []
    return [f"{step.name}.{n}" for n in Ledger(history).numbered(step).values()]
