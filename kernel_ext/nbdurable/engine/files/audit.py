"""What running steps open and do, as Python's audit events tell it.

One hook per process, installed by the first step and never removed, since Python has
no way to do so. It costs 0.3 µs per event of any kind while no step runs. It raises only
where a step must not have an effect: an exception here is the user's.

What doesn't go through Python is not told: readers of Parquet in pyarrow and polars,
DuckDB, HDF5, child processes. For those `named` looks at the names that a cell has.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any
from urllib.parse import unquote

from nbdurable.engine.files import effects
from nbdurable.engine.files.counted import absolute
from nbdurable.engine.files.watched import Watched
from nbdurable.engine.where.frames import current_frame

_SYSTEM = frozenset(
    {
        "IPython", "importlib", "inspect", "ipykernel", "jupyter_client", "linecache",
        "matplotlib", "mimetypes", "nbdurable", "nbdurable_store", "netrc",
        "pkg_resources", "pkgutil", "setuptools", "site", "ssl", "sysconfig",
        "tokenize", "traceback", "zoneinfo",
    }
)  # fmt: skip
"""Top modules that open files for themselves: sources, fonts, settings."""

_BETWEEN = frozenset({"codecs", "genericpath", "glob", "io", "os", "pathlib", "shutil"})
"""Top modules that open and list on behalf of their caller."""

_NOTEBOOK_OPEN = "_modified_open"
"""The function that IPython gives notebooks as ``open``: cells open files by it."""

_MATCHERS = frozenset(
    {"glob", "pathlib", "pathlib._abc", "pathlib._local", "pathlib._os", "os"}
)
"""Modules that list folders for a pattern."""

_STEPS_MAX = 20
"""Frames looked at for who asks."""

_watching = 0
_installed = False
_telling = set[int]()
"""Threads in which a log is being told; what that opens is not the step's."""


@contextlib.contextmanager
def watching() -> Iterator[None]:
    """A step runs: what it opens and does is told to its attempt."""
    global _watching, _installed  # noqa: PLW0603  # the hook is one of the process
    if not _installed:
        _installed = True
        sys.addaudithook(_hook)
    _watching += 1
    try:
        yield
    finally:
        _watching -= 1


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not _watching:
        return
    tell = _EVENTS.get(event)
    if tell is not None:
        with contextlib.suppress(Exception):
            _told(tell, args)
    if event in effects.TOLD:
        with contextlib.suppress(Exception):
            _done(event, args)


def _done(event: str, args: tuple[Any, ...]) -> None:
    frame, thread = current_frame(), threading.get_ident()
    if frame is None or frame.covered or thread in _telling:
        return  # what a call does is the call's
    if frame.quiet and event.startswith("socket."):
        return  # the connection of a request that a seam has named
    done = frame.attempt.used.effects
    if done is None:
        return
    _telling.add(thread)
    try:
        told = done.told(event, args)
        # Who asks is looked for last: most of what is opened is read.
        here = sys._getframe(2)  # noqa: SLF001  # there is no other way
        if told and not effects.is_quiet(event, here):
            done.note(told, here)
    finally:
        _telling.discard(thread)


def _told(tell: Callable[..., None], args: tuple[Any, ...]) -> None:
    frame, thread = current_frame(), threading.get_ident()
    watched = getattr(frame.attempt, "files", None) if frame is not None else None
    if frame is None or watched is None or thread in _telling:
        return
    if _is_system(sys._getframe(2)):  # noqa: SLF001  # there is no other way
        return
    _telling.add(thread)
    try:
        tell(watched, frame.parent, *args)
    finally:
        _telling.discard(thread)


def _is_system(frame: FrameType | None) -> bool:
    """Whether Python, IPython or a library opens this file for itself."""
    for _ in range(_STEPS_MAX):
        if frame is None:
            break
        name = frame.f_globals.get("__name__")
        top = name.partition(".")[0] if isinstance(name, str) else ""
        if frame.f_code.co_name == _NOTEBOOK_OPEN and top == "IPython":
            return False
        if top in _SYSTEM or frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        if top not in _BETWEEN:
            break
        frame = frame.f_back
    return False


# --- the events


def _open(watched: Watched, call: str, path: Any, mode: object, flags: int) -> None:
    del mode
    if isinstance(path, int):
        return
    access = flags & os.O_ACCMODE
    made = flags & (os.O_CREAT | os.O_TRUNC)
    if access == os.O_RDONLY:
        watched.read(_absolute(path), call)
    elif access == os.O_RDWR and not made:
        watched.update(_absolute(path), call)
    else:
        watched.write(_absolute(path))


def _connect(watched: Watched, call: str, database: Any) -> None:
    path = os.fsdecode(database)
    if path.startswith("file:"):
        path = unquote(path.removeprefix("file:").partition("?")[0])
    if path and path != ":memory:":
        watched.update(_absolute(path), call)


def _rename(watched: Watched, call: str, old: Any, new: Any, *_: object) -> None:
    del call
    watched.rename(_absolute(old), _absolute(new))


def _truncate(watched: Watched, call: str, path: Any, *_: object) -> None:
    del call
    if not isinstance(path, int):
        watched.write(_absolute(path))


def _list(watched: Watched, call: str, path: Any = None) -> None:
    if not isinstance(path, int) and not _is_matching(sys._getframe(3)):  # noqa: SLF001  # as above
        watched.list(_absolute("." if path is None else path), call)


def _is_matching(frame: FrameType | None) -> bool:
    """Whether a folder is listed for a pattern, which tells itself."""
    for _ in range(_STEPS_MAX):
        module = frame.f_globals.get("__name__") if frame is not None else None
        if frame is None or module not in _MATCHERS:
            return False
        # From Python 3.13 on that module lists for pathlib, whose own frame is gone.
        if module == "glob" or frame.f_code.co_name in {"glob", "rglob", "iglob"}:
            return True
        frame = frame.f_back
    return False


def _glob(watched: Watched, call: str, pattern: Any, *_: object) -> None:
    watched.match(_absolute(pattern), call)


def _path_glob(
    watched: Watched, call: str, path: Any, pattern: Any, *_: object
) -> None:
    watched.match(_absolute(path / pattern), call)


def _path_rglob(
    watched: Watched, call: str, path: Any, pattern: Any, *_: object
) -> None:
    watched.match(_absolute(path / "**" / pattern), call)


def _absolute(path: Any) -> str:
    return absolute(os.fsdecode(path))


_EVENTS: dict[str, Callable[..., None]] = {
    "open": _open,
    "glob.glob": _glob,
    "os.listdir": _list,
    "os.rename": _rename,
    "os.scandir": _list,
    "os.truncate": _truncate,
    "pathlib.Path.glob": _path_glob,
    "pathlib.Path.rglob": _path_rglob,
    "sqlite3.connect": _connect,
}
