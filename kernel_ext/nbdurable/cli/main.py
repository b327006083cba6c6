"""From words on a command line to an answer and an exit code.

Each command is a function in `commands` that returns an `Answer`; here it is printed,
as text or as JSON. Modules are imported when their command is called: ``--help`` is
quick, and nothing loads DuckDB that doesn't need it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from nbdurable.cli import shell
from nbdurable.cli.usage import Parser, parsed
from nbdurable.errors import DurableError, DurablePause
from nbdurable.errors.pauses import PLACEHOLDER, STANDS_FOR

if TYPE_CHECKING:
    from nbdurable.cli.answers import Answer

OK: Final = 0
DAMAGE: Final = 1
USAGE: Final = 2
BUSY: Final = 3
NEWER: Final = 4
FOREIGN: Final = 5
INTERRUPTED: Final = 130

CODES: Final = {
    "blob-missing": DAMAGE,
    "blob-damaged": DAMAGE,
    "run-busy": BUSY,
    "run-in-use": BUSY,
    "store-busy": BUSY,
    "store-damaged": DAMAGE,
    "store-in-use": BUSY,
    "store-newer": NEWER,
    "store-foreign": FOREIGN,
}
"""Exit codes of errors by slug; any other error is `USAGE`: nothing was done."""

Command = Callable[[str, str, str], Parser]
"""Adds a command: its word, its function, and what it does."""

FORMAT: Final = "FORMAT"
"""The file that makes a folder a store."""

NUMBERED: Final = re.compile(r":\d+$")
"""How ``NOTEBOOK:NUMBER`` ends, a run whose notebook's path has slashes too."""

EPILOG: Final = """\
exit codes: 0 ok, 1 damage or a difference was found, 2 it could not be done, 3 another process has it,
4 the store is of a newer version, 5 the store is not signed by you (runs, show and why
look at it unverified), 6 the notebook that was run waits for an answer

The store is --store (or PATH), else NBDURABLE_STORE, else .nbdurable in this folder.
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        words: The words behind ``nbdurable``; those of the process by default.

    Returns:
        The exit code.
    """
    typed = sys.argv[1:] if words is None else words
    as_json = "--json" in typed
    try:
        given = parsed(*_parsers(), typed)
        if given is None:
            _print(parser().format_help().rstrip(), sys.stdout)
            return OK
        _read_path(given)
        answer = _run(given)
    except (DurableError, DurablePause) as error:
        _say_error(error, as_json=as_json)
        return CODES.get(error.slug, USAGE)
    except KeyboardInterrupt:
        return INTERRUPTED
    try:
        _say(answer, as_json=as_json)
    except BrokenPipeError:
        # Whoever read us has seen enough; Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return answer.code


def _run(given: argparse.Namespace) -> Answer:
    module, _, name = given.does.partition(":")
    found = importlib.import_module(f"nbdurable.cli.{module}")
    answer: Answer = getattr(found, name)(given)
    return answer


def _say(answer: Answer, *, as_json: bool) -> None:
    text = json.dumps(answer.data, indent=2) if as_json else answer.text
    _print(text, sys.stdout)


def _say_error(error: DurableError | DurablePause, *, as_json: bool) -> None:
    if as_json:
        said = {"error": error.slug, "told": shell.told(error)}
        _print(json.dumps(said, indent=2), sys.stdout)
    else:
        _print(shell.told(error), sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    """Write a text; what the terminal's encoding lacks becomes a question mark."""
    encoding = stream.encoding or "utf-8"
    if text:
        stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    stream.flush()


# ---- the words -------------------------------------------------------------------------


def parser() -> Parser:
    """Everything that can be typed."""
    return _parsers()[0]


def _parsers() -> tuple[Parser, dict[str, Parser]]:
    """The same, and the parser of each command."""
    shared = Parser(add_help=False)
    _add_shared(shared, argparse.SUPPRESS)
    whole = Parser(
        prog="nbdurable",
        description="Look at the durable runs of notebooks, with or without a kernel.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_shared(whole, None)
    commands = whole.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, does: str, says: str) -> Parser:
        made = commands.add_parser(
            name, help=says, description=says, parents=[shared], allow_abbrev=False
        )
        made.set_defaults(does=does, command=name)
        return made

    runs = command("runs", "commands:runs", "list the runs of the store, latest first")
    _add_path(runs)
    show = command("show", "commands:show", "show a run: its cells and calls")
    _add_path(show, "run")
    _add_run(show)
    why = command("why", "commands:why", "why a step or call ran, or was replayed")
    _add_path(why, "what")
    why.add_argument("what", nargs="?", default="", metavar="STEP[.CALL]")
    _add_run_option(why)
    diff = command("diff", "commands:diff", "what differs between attempts or runs")
    diff.add_argument("old", metavar="OLD", help="STEP, STEP@2 or a run's number")
    diff.add_argument("new", nargs="?", default="", metavar="NEW", help="the same")
    _add_run_option(diff)
    _add_resolve(command("resolve", "commands:resolve", "say what became of a call"))
    _add_inbox(command)
    _add_timeline(
        command("timeline", "commands:timeline", "write the page or picture of a run")
    )
    _add_executing(command)
    _add_disk(command)
    command("fsck", "commands:fsck", "read the whole store and say what is damaged")
    _add_trust(
        command("trust", "commands:trust", "sign somebody else's store as yours")
    )
    command("doctor", "doctor:doctor", "check that durable cells work here")
    return whole, commands.choices


def _add_shared(to: argparse.ArgumentParser, default: str | None) -> None:
    off = False if default is None else default
    to.add_argument("--store", default=default, metavar="PATH", help="the store")
    to.add_argument("--json", action="store_true", default=off, help="answer in JSON")


def _add_path(to: argparse.ArgumentParser, word: str = "") -> None:
    """The store's folder may stand before the one word that a command takes."""
    says = "the store's folder, instead of --store"
    to.add_argument("path", nargs="?", default="", metavar="PATH", help=says)
    to.set_defaults(word=word)


def _read_path(given: argparse.Namespace) -> None:
    """Tell a path from a run or step that stands alone."""
    path, word = getattr(given, "path", ""), getattr(given, "word", "")
    if path and word and not getattr(given, word) and not _is_path(path):
        setattr(given, word, path)
    elif path:
        given.store = path


def _is_path(word: str) -> bool:
    """Whether a word is a folder's: it is a store, or it has a slash and is no run."""
    if (Path(word) / FORMAT).exists():
        return True
    return os.sep in word and not NUMBERED.search(word)


_RUN: Final = "a number, NOTEBOOK, NOTEBOOK:NUMBER or an id"


def _add_run(to: argparse.ArgumentParser) -> None:
    says = f"{_RUN}; the latest by default"
    to.add_argument("run", nargs="?", default="", metavar="RUN", help=says)


def _add_timeline(to: argparse.ArgumentParser) -> None:
    _add_run(to)
    shape = to.add_mutually_exclusive_group(required=True)
    shape.add_argument("--html", metavar="FILE", help="a page, with previews of values")
    shape.add_argument("--svg", metavar="FILE", help="its picture, without any value")


def _add_inbox(command: Command) -> None:
    inbox = command("inbox", "inbox:inbox", "what waits for an answer, oldest first")
    _add_run_option(inbox)
    approve = command("approve", "inbox:approve", "say yes, or no, to what asks for it")
    _add_asked(approve)
    approve.add_argument("--no", action="store_true", help="refuse it")
    answer = command("answer", "inbox:answer", "answer a question")
    _add_asked(answer)
    answer.add_argument("value", metavar="VALUE", help="a Python literal, or text")
    send = command("send", "inbox:send", "send a value that nd.wait_for waits for")
    send.add_argument("name", metavar="NAME", help="the name it waits under")
    send.add_argument(
        "value", nargs="?", default="None", metavar="VALUE", help="the same"
    )
    hooks = command("hooks", "hooks:hooks", "the addresses that nd.webhook gave out")
    only = "show the addresses for this name: whoever has one can send"
    hooks.add_argument("name", nargs="?", default="", metavar="NAME", help=only)
    for does in (approve, answer, send, hooks):
        _add_run_option(does)


def _add_asked(to: argparse.ArgumentParser) -> None:
    says = "as inbox shows it, such as review.2@3fa2c1: what was seen is answered"
    to.add_argument("call", metavar="STEP.CALL@DIGEST", help=says)


def _add_trust(to: argparse.ArgumentParser) -> None:
    to.add_argument("path", metavar="PATH", help="the store's folder")


def _add_check(to: argparse.ArgumentParser) -> None:
    to.add_argument("notebook", metavar="NOTEBOOK", help="the notebook's file")
    update = "record it again: new calls are made, in its latest run"
    to.add_argument("--update", action="store_true", help=update)
    run = "against this run; its newest completed one by default"
    to.add_argument("--run", default="", metavar="RUN", help=run)


def _add_executing(command: Command) -> None:
    _add_check(command("check", "check:check", "replay a notebook, making no new call"))
    to = command("run", "running:run", "execute a notebook without a person")
    to.add_argument("notebook", metavar="NOTEBOOK", help="the notebook's file")
    resume = "go on in its unfinished run, however old that is"
    to.add_argument("--resume", action="store_true", help=resume)
    output = "write the notebook with its outputs there; its own file is left as it is"
    to.add_argument("--output", default="", metavar="FILE", help=output)


def _add_disk(command: Command) -> None:
    gc = command("gc", "disk:gc", "give back the room that no run needs")
    age = "runs and threads unused for so long go too, such as 30d"
    gc.add_argument("--older-than", type=_age, metavar="AGE", help=age)
    size = "closed runs, then others go too until the store is this small, such as 2GB"
    gc.add_argument("--size", type=_size, metavar="SIZE", help=size)
    rm = command("rm", "disk:rm", "remove runs")
    named = f"{_RUN}; or thread:ID for a thread of LangGraph"
    rm.add_argument("run", nargs="+", metavar="RUN", help=named)
    for does in (gc, rm):
        how = does.add_mutually_exclusive_group()
        how.add_argument("--yes", action="store_true", help="do it, without a question")
        only = "only say what would go; what happens without --yes"
        how.add_argument("--dry-run", action="store_true", help=only)
    for name, says in (
        ("pin", "keep a run, whatever gc is asked for"),
        ("unpin", "let a pinned run go when its time comes"),
    ):
        _add_run(command(name, f"disk:{name}", says))


def _age(text: str) -> int:
    from nbdurable.cli.disk import age_us

    return age_us(text)


def _size(text: str) -> int:
    from nbdurable.cli.disk import bytes_of

    return bytes_of(text)


def _returned(text: str) -> str:
    if text == PLACEHOLDER:
        raise argparse.ArgumentTypeError(STANDS_FOR)
    return text


def _add_run_option(to: argparse.ArgumentParser) -> None:
    says = "the run; the latest by default"
    to.add_argument("--run", default="", metavar="RUN", help=says)


def _add_resolve(to: argparse.ArgumentParser) -> None:
    named = "STEP.CALL@DIGEST"
    to.add_argument("call", metavar=named, help="such as review.2@3fa2c1")
    said = to.add_mutually_exclusive_group(required=True)
    value = "it happened, and returned this: a Python literal, or text"
    said.add_argument("--happened", type=_returned, metavar=PLACEHOLDER, help=value)
    said.add_argument("--did-not", action="store_true", help="it did not happen")
    said.add_argument("--keep", action="store_true", help="keep the recorded result")
    said.add_argument("--again", action="store_true", help="do it once more")
    _add_run_option(to)
