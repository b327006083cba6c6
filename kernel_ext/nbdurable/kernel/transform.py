"""What makes a cell durable: `%%durable` or `# durable:` on line 1, or a cell tag.

Pure. Two functions look at the same line for two readers. `as_comment` is IPython's
line transform: it turns the magic into a comment, so that the rest is an ordinary cell
with its own line numbers, top-level ``await`` and last expression. `read` tells the
runner what stood there. A cell magic that runs the body itself was rejected: it can't
await inside a running loop, reports "ok" after an error and prints tracebacks twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

TAG = "durable"
"""The cell tag that means the same as `%%durable` without a name."""

_MAGIC = r"%%durable(?![\w?])"
_COMMENT = r"\#[ \t]*durable[ \t]*:"
_MARK = re.compile(rf"(?:{_MAGIC}|(?i:{_COMMENT}))(?P<line>[^\n]*)")
_BELOW = re.compile(
    rf"(?P<magic>%%\w+)[^\n]*\n(?:%%[^\n]*\n)*\s*(?:{_MAGIC}|{_COMMENT})"
)
_COLON = re.compile(r"#[ \t]*(?P<word>[A-Za-z]{5,10})[ \t]*:")

ALIKE_MIN = 0.8
"""difflib ratio from which a word is a misspelt «durable»: «durabel» has 0.86, «trouble» 0.57."""


@dataclass(frozen=True, slots=True)
class Marking:
    """What a cell says about its durability.

    Attributes:
        durable: Whether it is to be run as a step.
        line: The words after the mark: name and options.
        warning: A sentence when it isn't durable although it looks so, else "".
    """

    durable: bool = False
    line: str = ""
    warning: str = ""


PLAIN = Marking()


def as_comment(lines: list[str]) -> list[str]:
    """IPython's line transform: line 1 becomes a comment, magics below it still work."""
    if not lines or not lines[0].startswith("%%"):
        return lines
    mark = _MARK.match(lines[0])
    return [f"# {lines[0]}", *_cell_magic(lines[1:])] if mark else lines


def read(raw_cell: str, tags: Collection[str] = ()) -> Marking:
    """What a cell, as the user wrote it, says about its durability."""
    start = raw_cell.lstrip() if raw_cell[:1].isspace() else raw_cell
    if start[:1] in ("%", "#"):
        mark = _MARK.match(start)
        if mark:
            return Marking(durable=True, line=_without_comment(mark["line"]))
        if TAG not in tags:
            return _suspicious(start)
    return Marking(durable=True) if TAG in tags else PLAIN


def _suspicious(start: str) -> Marking:
    below = _BELOW.match(start)
    if below:
        return Marking(
            warning=f"not durable: {below['magic']} stands above the mark · "
            "put %%durable on line 1"
        )
    colon = _COLON.match(start)
    if colon and _alike(colon["word"].lower()):
        return Marking(
            warning=f"not durable: «# {colon['word']}:» reads like «# durable:» · "
            "correct the word, or the cell runs without protection"
        )
    return PLAIN


def _alike(word: str) -> bool:
    import difflib

    return difflib.SequenceMatcher(None, word, "durable").ratio() >= ALIKE_MIN


def _without_comment(line: str) -> str:
    return re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()


def _cell_magic(lines: list[str]) -> list[str]:
    from IPython.core.inputtransformer2 import cell_magic

    blank = next((i for i, line in enumerate(lines) if line.strip()), 0)
    below: list[str] = cell_magic(lines[blank:])
    return [*lines[:blank], *below]
