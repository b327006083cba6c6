"""The words after `%%durable`: a name for the step and options. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from nbdurable.errors import OptionUnknown
from nbdurable.kernel.errors import LimitUnusable, NameUnusable
from nbdurable.kernel.nearest import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What one durable cell asks for.

    Attributes:
        name: Name of the step, or "".
        quiet: Show neither the status line nor the replay mark.
        fresh: Serve no recorded call, each time the cell runs.
        no_files: Don't look at the files that it reads and writes.
        timeout: How long it may take, as it was typed, or "".
    """

    name: str = ""
    quiet: bool = False
    fresh: bool = False
    no_files: bool = False
    timeout: str = ""

    @property
    def timeout_s(self) -> float:
        """How long it may take, seconds; 0 for no limit."""
        found = _TIME.fullmatch(self.timeout)
        return float(found["number"]) * _UNITS_S[found["unit"]] if found else 0.0


OPTIONS: dict[str, str] = {
    "--quiet": "no status line, no «replayed» mark",
    "--fresh": "begin afresh each time: nothing recorded is served",
    "--no-files": "replay also when a file that it read has changed",
    "--timeout": "interrupt the cell after so long: `90s`, `5m`, `2h`",
}
"""Option → what it means. With underscores it is the field of `Options` that it sets."""

_UNITS_S = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}
_TIME = re.compile(r"(?P<number>\d{1,6}(\.\d{1,3})?)(?P<unit>s|m|min|h|)")

_NAME = re.compile(r"[^\W\d][\w-]*")


def parse(line: str) -> Options:
    """Read name and options.

    Raises:
        OptionUnknown: A word that begins with ``-`` and is no option.
        NameUnusable: A second name, or one that can't be typed in a command.
        LimitUnusable: ``--timeout`` without a duration.
    """
    options = Options()
    words = iter(line.replace("--timeout=", "--timeout ").split())
    for word in words:
        if word == "--timeout":
            options = _limited(options, next(words, ""), line)
        elif word.startswith("-"):
            options = _with_option(options, word, line)
        elif options.name or not _NAME.fullmatch(word):
            raise NameUnusable(word=word, line=line)
        else:
            options = replace(options, name=word)
    return options


def _limited(options: Options, given: str, line: str) -> Options:
    limited = replace(options, timeout=given)
    if limited.timeout_s <= 0:
        raise LimitUnusable(given=given, line=line)
    return limited


def _with_option(options: Options, word: str, line: str) -> Options:
    if word not in OPTIONS:
        meant = nearest(word, OPTIONS)
        right = f"%%durable {line.replace(word, meant, 1)}" if meant else ""
        raise OptionUnknown(
            given=f"%%durable {word}", nearest=right, known=tuple(OPTIONS)
        )
    field = word.removeprefix("--").replace("-", "_")
    return replace(options, **{field: True})  # type: ignore[arg-type]  # all of them are flags
