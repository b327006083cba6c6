"""The words of `%durable`: how each is written, and the `nd` function it calls.

A reader takes what stands behind the word and gives the arguments of the function of the
same name in `nbdurable.api`. So whatever the magic can do, the function can.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbdurable.errors import OptionUnknown
from nbdurable.errors.pauses import PLACEHOLDER, STANDS_FOR
from nbdurable.kernel.errors import CommandIncomplete
from nbdurable.kernel.nearest import nearest

Evaluate = Callable[[str], object]
"""Makes a Python value of text, in the user's namespace."""


@dataclass(frozen=True, slots=True)
class Command:
    """A call of a function of `nbdurable.api`."""

    function: str
    args: tuple[str, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Word:
    """One word.

    Attributes:
        usage: How it is written.
        says: What it does, for the help page.
        most: Arguments it takes at most, options aside.
        least: Arguments it needs.
        options: Option → keyword argument that it sets.
        valued: The option that is followed by a value up to the end of the line.
        named: Option that is followed by a name → keyword argument that it sets.
        unset: Options → keyword argument that they set to False.
        typed: Keyword argument that gets what is left of the line, as it is typed.
        function: The function that it calls, where that has another name.
    """

    usage: str
    says: str
    most: int = 0
    least: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    valued: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    unset: Mapping[str, str] = field(default_factory=dict)
    typed: str = ""
    function: str = ""


ANY = 1000
"""As many names as fit on a line."""

WORDS: dict[str, Word] = {
    "restore": Word(
        usage="restore [NAME …] [--at STEP] [--overwrite]",
        says="bring variables back, executing nothing",
        most=ANY,
        options={"--overwrite": "overwrite"},
        named={"--at": "at"},
    ),
    "why": Word(usage="why [STEP]", says="why it ran, was replayed or waits", most=1),
    "rerun": Word(
        usage="rerun [STEP[.CALL[@DIGEST]]]",
        says="begin a step or a call afresh when its cell runs",
        most=1,
    ),
    "rebuild": Word(
        usage="rebuild [STEP]",
        says="make again what a step could not keep: its code runs, its calls are served",
        most=1,
    ),
    "resolve": Word(
        usage="resolve STEP.CALL@DIGEST --happened VALUE | --did-not | --keep | --again",
        says="say what became of a call",
        most=1,
        least=1,
        options={"--did-not": "did_not", "--keep": "keep", "--again": "again"},
        valued="--happened",
    ),
    "inbox": Word(usage="inbox", says="what waits for an answer, in all notebooks"),
    "approve": Word(
        usage="approve STEP.CALL@DIGEST [--no]",
        says="say yes, or no, to what asks for it",
        most=1,
        least=1,
        unset={"--no": "value"},
        function="answer",
    ),
    "answer": Word(
        usage="answer STEP.CALL@DIGEST VALUE",
        says="answer a question",
        most=1,
        least=1,
        typed="typed",
    ),
    "undo": Word(
        usage="undo [STEP]", says="take back what its writes did, latest first", most=1
    ),
    "back": Word(
        usage="back",
        says="give variables their values of before the last step",
    ),
    "diff": Word(
        usage="diff OLD [NEW]",
        says="what differs between two attempts, steps or runs",
        most=2,
        least=1,
    ),
    "fork": Word(
        usage="fork [--at STEP] [--of NOTEBOOK]",
        says="go on in a new run that shares what this one, or another notebook's, did",
        named={"--at": "at", "--of": "of"},
    ),
    "budget": Word(
        usage="budget [$AMOUNT | off]",
        says="let the run spend so much on model calls, or show how it stands",
        most=1,
    ),
    "forecast": Word(
        usage="forecast", says="what running the cells again would cost, running none"
    ),
    "new": Word(usage="new", says="close the run; the next durable cell begins one"),
    "capture": Word(
        usage="capture http HOST [--off]",
        says="journal requests to a host: GET reads, others write",
        most=2,
        options={"--off": "off"},
    ),
    "frozen": Word(
        usage="frozen [on | off]",
        says="serve recorded calls and refuse new ones",
        most=1,
    ),
    "status": Word(usage="status", says="store, run, and whether durable cells are on"),
    "off": Word(usage="off", says="run durable cells unprotected in this kernel"),
    "on": Word(usage="on", says="protect them again"),
}
"""Every word; without one, `%durable` shows the run."""


AT_A_SHELL = frozenset({"doctor", "fsck", "gc", "pin", "rm", "runs", "show", "unpin"})
"""Words of the command line alone: they act on the store, whatever kernel runs."""


def read(line: str, evaluate: Evaluate) -> Command:
    """What a line of `%durable` asks for.

    Raises:
        OptionUnknown: A word or option that doesn't exist.
        CommandIncomplete: Too few or too many arguments, or a value that is no Python.
    """
    name, _, rest = line.strip().partition(" ")
    if not name:
        return Command("run")
    word = WORDS.get(name)
    if word is None:
        meant = nearest(name, WORDS)
        instead = f"%durable {meant}" if meant else ""
        raise OptionUnknown(
            given=f"%durable {name}",
            nearest=f"!nbdurable {line.strip()}" if name in AT_A_SHELL else instead,
            known=tuple(WORDS),
        )
    rest, kwargs = _value(name, word, f" {rest}", evaluate)
    if word.typed:
        rest, _, text = rest.strip().partition(" ")
        kwargs[word.typed] = _unquoted(text.strip())
    args = _arguments(line, (name, word), rest.split(), kwargs)
    lacks = word.valued and len(kwargs) != 1
    lacks = lacks or (word.typed and not kwargs[word.typed])
    if lacks or not word.least <= len(args) <= word.most:
        raise CommandIncomplete(command=line.strip(), usage=word.usage)
    return Command(word.function or name, tuple(args), kwargs)


def _arguments(
    line: str, said: tuple[str, Word], parts: list[str], kwargs: dict[str, object]
) -> list[str]:
    """What is no option; those become keyword arguments."""
    name, word = said
    args = []
    left = iter(parts)
    for part in left:
        if part in word.named:
            kwargs[word.named[part]] = _name(line, word, next(left, "--"))
        elif part in word.unset:
            kwargs[word.unset[part]] = False
        elif part.startswith("--"):
            kwargs[_option(name, word, part)] = True
        else:
            args.append(part)
    return args


def _value(
    name: str, word: Word, rest: str, evaluate: Evaluate
) -> tuple[str, dict[str, object]]:
    """Split a value off the end of the line; it may hold blanks and dashes."""
    before, found, text = rest.partition(f" {word.valued} ")
    if not word.valued or not found:
        return rest, {}
    typed, command = text.strip(), f"{name}{rest}"
    try:
        value = evaluate(typed)
    except Exception as error:
        if typed != PLACEHOLDER:
            quoted = f"{name}{before} {word.valued} {typed!r}"
            raise CommandIncomplete(
                command=command, usage=quoted, why=f"{error!r}"
            ) from error
        value = PLACEHOLDER
    if isinstance(value, str) and value == PLACEHOLDER:
        why = f"{STANDS_FOR}: a Python literal, or an expression."
        raise CommandIncomplete(command=command, usage=word.usage, why=why)
    return before, {word.valued.removeprefix("--"): value}


def _unquoted(text: str) -> str:
    """A text that may stand in quotes, as it does at a shell."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, str) else text


def _name(line: str, word: Word, part: str) -> str:
    if part.startswith("--"):
        raise CommandIncomplete(command=line.strip(), usage=word.usage)
    return part


def _option(name: str, word: Word, part: str) -> str:
    if part in word.options:
        return word.options[part]
    known = [
        *word.options,
        *word.unset,
        *word.named,
        *([word.valued] if word.valued else []),
    ]
    if part in known:  # the option that takes a value, without one
        raise CommandIncomplete(command=f"{name} … {part}", usage=word.usage)
    meant = nearest(part, known)
    raise OptionUnknown(
        given=f"%durable {name} {part}",
        nearest=f"%durable {name} … {meant}" if meant else "",
        known=tuple(known) or ("no options",),
    )
