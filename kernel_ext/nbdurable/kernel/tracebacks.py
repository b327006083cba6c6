"""What a user sees when a cell raises: the user's frames, and what would help.

A wrapper of `shell.showtraceback` prepares the exception and lets IPython show it.
Three things are prepared: our own frames are taken out of the chain (IPython's
``__tracebackhide__`` would leave a line «skipping hidden frame» for each call), an
awaiting cell that was interrupted shows KeyboardInterrupt, and a NameError about a name
that the journal keeps says how to get it back.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import nbdurable
import nbdurable_store

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

OUR_FOLDERS = tuple(
    str(Path(package.__path__[0])) + os.sep for package in (nbdurable, nbdurable_store)
)

PYTHON = str(Path(os.__file__).parent) + os.sep
"""Where Python's own modules are, and below it, in a folder of theirs, all others."""

CHAIN_MAX = 100
"""Exceptions that hang together by cause and context; a longer chain is left alone."""

Kept = Callable[[str], str]
"""Name → where it is kept and how to get it back, as behind a NameError; or ""."""


class Tracebacks:
    """Installed on a shell until `close`."""

    def __init__(self, shell: InteractiveShell, kept: Kept) -> None:
        self._shell = shell
        self._kept = kept
        self._show = shell.showtraceback
        self._instead: Callable[[BaseException], BaseException] | None = None
        shell.showtraceback = self.showtraceback  # type: ignore[method-assign]

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Show the exception as IPython does, prepared."""
        with contextlib.suppress(Exception):  # IPython shows it unprepared
            exc_tuple = self._prepared(exc_tuple)
        self._show(exc_tuple, *args, **kwargs)

    @contextlib.contextmanager
    def showing(
        self, instead: Callable[[BaseException], BaseException]
    ) -> Generator[None]:
        """In this block, show another exception in the place of one."""
        before, self._instead = self._instead, instead
        try:
            yield
        finally:
            self._instead = before

    def close(self) -> None:
        """Put IPython's own method back, unless somebody wrapped ours."""
        self._kept = _keeps_nothing
        if vars(self._shell).get("showtraceback") == self.showtraceback:
            del self._shell.showtraceback

    def _prepared(self, exc_tuple: Any) -> Any:
        value = (exc_tuple or sys.exc_info())[1]
        if not isinstance(value, BaseException):
            return exc_tuple
        if self._instead is not None:
            value = self._instead(value)
        for exception in _chain(value):
            _strip(exception)
        if type(value) is NameError:
            self._add_hint(value)
        return type(value), value, value.__traceback__

    def _add_hint(self, error: NameError) -> None:
        """Let the exception render itself, with the hint on its last line."""
        hint = self._kept(error.name) if error.name else ""
        if not hint:
            return

        def render() -> list[str]:
            lines: list[str] = self._shell.InteractiveTB.structured_traceback(
                type(error), error, error.__traceback__
            )
            return [*lines[:-1], lines[-1].rstrip("\n") + hint]

        error._render_traceback_ = render  # type: ignore[attr-defined]  # IPython's protocol


def _keeps_nothing(_name: str) -> str:
    return ""


def _chain(value: BaseException) -> Iterator[BaseException]:
    """The exception, its causes and contexts, and the members of groups."""
    seen: set[int] = set()
    queue: list[BaseException | None] = [value]
    while queue and len(seen) < CHAIN_MAX:
        exception = queue.pop()
        if exception is None or id(exception) in seen:
            continue
        seen.add(id(exception))
        yield exception
        queue += [exception.__cause__, exception.__context__]
        if isinstance(exception, BaseExceptionGroup):
            queue += exception.exceptions


def line_of(exception: BaseException, filename: str) -> int:
    """The line of a cell in which an exception was raised or passed by; 0 if in none."""
    links = _links(exception.__traceback__)
    lines = [x.tb_lineno for x in links if x.tb_frame.f_code.co_filename == filename]
    return lines[0] if lines else 0


def _strip(exception: BaseException) -> None:
    """Take our frames out of a traceback, unless nothing would be left."""
    links = list(_links(exception.__traceback__))
    waited = isinstance(exception, KeyboardInterrupt)
    told = _without_wait(links) if waited else links
    kept = [link for link in told if not _is_ours(link)]
    if len(kept) == len(links) or not kept:
        return
    for link, following in zip(kept, [*kept[1:], None], strict=True):
        link.tb_next = following
    exception.__traceback__ = kept[0]


def _without_wait(links: list[TracebackType]) -> list[TracebackType]:
    """Without the lock at its end in which a call of ours waited when it was interrupted."""
    ours = max((n for n, link in enumerate(links) if _is_ours(link)), default=-1)
    waits = ours >= 0 and all(map(_is_python, links[ours + 1 :]))
    return links[: ours + 1] if waits else links


def _links(link: TracebackType | None) -> Iterator[TracebackType]:
    while link is not None:
        yield link
        link = link.tb_next


def _is_ours(link: TracebackType) -> bool:
    return link.tb_frame.f_code.co_filename.startswith(OUR_FOLDERS)


def _is_python(link: TracebackType) -> bool:
    name = link.tb_frame.f_code.co_filename
    return name.startswith(PYTHON) and "site-packages" not in name
