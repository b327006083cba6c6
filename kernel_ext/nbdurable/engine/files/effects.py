"""What the code of a step did to the world beside its calls.

Theory of operation. Python's audit events tell of files opened for writing, of deletions,
of processes and of connections. What happens inside a call is the call's: it is recorded
and served. The rest would happen again if the code ran again, so a step with nothing of
it may run again by itself, for variables that can't be kept, and no other.

What libraries do for themselves doesn't count: an import, a font cache, a look at the
machine. What doesn't go through Python is not told: Parquet written by pyarrow, child
processes of C code, connections of drivers written in C.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any, Final

from nbdurable.engine.files import requested
from nbdurable.engine.files.counted import Counted, absolute
from nbdurable.engine.files.typed import Typed

EFFECTS_MAX: Final = 50
"""Effects remembered per step: who has read so many knows enough."""

TEXT_CHARS_MAX: Final = 120
"""Of one effect, as it is recorded; commands can be long."""

SEEN_CHARS_MAX: Final = 10_000
"""The same before secrets are masked: a key that was cut would be none any more."""

_FRAMES_MAX: Final = 200
"""Frames looked at for who asks; an import may stand far out."""

_BETWEEN: Final = frozenset(
    {
        "asyncio", "codecs", "genericpath", "http", "io", "os", "pathlib", "shutil",
        "socket", "ssl", "subprocess", "tempfile", "urllib",
    }
)  # fmt: skip
"""Top modules that act on behalf of their caller."""

_QUIET: Final = frozenset(
    {
        "ctypes", "distro", "inspect", "ipykernel", "jupyter_client", "linecache",
        "matplotlib", "nbdurable", "nbdurable_store", "pkg_resources", "platform",
        "setuptools", "site", "sysconfig", "uuid", "zmq", "zoneinfo",
    }
)  # fmt: skip
"""Top modules that act for themselves: they look at the machine, and keep caches."""

_WRITERS: Final = frozenset({"matplotlib"})
"""Of these, those that write files for people; their caches don't count anyway."""

NOTEBOOK: Final = "__main__"

RAN: Final = "ran "
"""How what is told of a process begins; a shell line is told as it was typed."""


class Effects:
    """What one step did. Called from any thread of it.

    Args:
        counted: Says of a path whether it counts.

    Attributes:
        refuse: Called with an effect before it happens; what it raises prevents it.
        typed: The cell whose code it is, as it was typed.
    """

    def __init__(self, counted: Counted) -> None:
        self.refuse: Callable[[str], None] = lambda _: None
        self.typed = Typed()
        self._counted = counted
        self._seen: dict[str, int] = {}
        self._hosts: dict[object, str] = {}

    def told(self, event: str, args: Sequence[Any]) -> str:
        """What people read of an event; "" if it is no effect."""
        return " ".join(TOLD[event](self, *args).split())[:SEEN_CHARS_MAX]

    def note(self, told: str, frame: FrameType | None = None) -> None:
        """The step's own code is about to have an effect.

        Args:
            told: What people read of it.
            frame: Where it happens, to find the line of the cell.

        Raises:
            BaseException: Whatever `refuse` raises.
        """
        line = self.typed.line(frame)
        if told.startswith(RAN):
            told = self.typed.shell(line) or told
        self.refuse(told)
        if len(self._seen) < EFFECTS_MAX:
            self._seen.setdefault(told, line)

    def wrote(self, path: str) -> None:
        """A file that the step names is another one by now, and nobody told of it."""
        self._seen[f"wrote {self._counted.named(path)}"] = 0

    def seen(self, scrub: Callable[[str], str]) -> list[str]:
        """What it did, in order, each once.

        Args:
            scrub: Masks secrets.
        """
        return [scrub(told)[:TEXT_CHARS_MAX] for told in self._seen]

    def shown(self, scrub: Callable[[str], str]) -> list[str]:
        """The same with the lines of the cell that did it, where they are known."""
        lines = (f" (line {line})" if line else "" for line in self._seen.values())
        return [told + line for told, line in zip(self.seen(scrub), lines, strict=True)]

    def path(self, path: Any) -> str:
        """The name of a file that counts, else ""."""
        if isinstance(path, int):
            return ""
        whole = absolute(os.fsdecode(path))
        return self._counted.named(whole) if self._counted(whole) else ""

    def requested(self, host: object, port: object) -> None:
        """A request is sent there: it says more than its connection."""
        self._seen.pop(_connection(f"{host}:{port}"), None)

    def looked_up(self, host: object, port: object) -> None:
        """The step asked for the address of a host."""
        self._hosts[port] = str(host)

    def host(self, address: object) -> str:
        """Where a connection goes, by name if that was looked up."""
        if not isinstance(address, tuple):
            return os.fsdecode(address) if isinstance(address, (str, bytes)) else ""
        name, port = address[:2]
        return f"{self._hosts.get(port, name)}:{port}"


def is_quiet(event: str, frame: FrameType | None) -> bool:
    """Whether an import or a library does this for itself."""
    between, quiet = True, _QUIET - _WRITERS if event == "open" else _QUIET
    for _ in range(_FRAMES_MAX):
        if frame is None:
            return False
        name = frame.f_globals.get("__name__")
        top = name.partition(".")[0] if isinstance(name, str) else ""
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        if between and top in quiet:
            return True
        between = between and top in _BETWEEN
        if name == NOTEBOOK:
            return False
        frame = frame.f_back
    return False


# --- the events


def _open(effects: Effects, path: Any, mode: object, flags: int) -> str:
    del mode
    writes = flags & (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC)
    name = effects.path(path) if writes else ""
    return name and f"wrote {name}"


def _wrote(effects: Effects, path: Any, *_: object) -> str:
    name = effects.path(path)
    return name and f"wrote {name}"


def _linked(effects: Effects, _: Any, path: Any, *__: object) -> str:
    return _wrote(effects, path)


def _deleted(effects: Effects, path: Any, *_: object) -> str:
    name = effects.path(path)
    return name and f"deleted {name}"


def _renamed(effects: Effects, old: Any, new: Any, *_: object) -> str:
    name = effects.path(old) or effects.path(new)
    return name and f"renamed {name}"


def _database(effects: Effects, database: Any) -> str:
    text = os.fsdecode(database)
    if text in {"", ":memory:"} or "mode=memory" in text or "mode=ro" in text:
        return ""
    name = effects.path(text.removeprefix("file:").partition("?")[0])
    return name and f"opened the database {name}"


def _process(_: Effects, program: Any, args: Any = (), *__: object) -> str:
    words = [args] if isinstance(args, (str, bytes)) else list(args or [program])
    texts = [os.fsdecode(w) for w in words]
    return f"{RAN}{texts[0] if len(texts) == 1 else shlex.join(texts)}"


def _system(_: Effects, command: Any) -> str:
    return f"{RAN}{os.fsdecode(command)}"


def _forked(_: Effects) -> str:
    return f"{RAN}another process"


def _killed(_: Effects, pid: int, number: int) -> str:
    return f"sent signal {number:d} to process {pid}"


def _connected(effects: Effects, _: object, address: Any) -> str:
    host = effects.host(address)
    return host and _connection(host)


def _connection(host: str) -> str:
    return f"connected to {host}"


def _sent(effects: Effects, connection: Any, data: object) -> str:
    told = requested.sent(data)
    if told:
        effects.requested(connection.host, connection.port)
    return told


def _looked_up(effects: Effects, host: Any, port: Any, *_: object) -> str:
    effects.looked_up(host, port)
    return ""


TOLD: Final[Mapping[str, Callable[..., str]]] = {
    "http.client.send": _sent,
    "open": _open,
    "os.exec": _process,
    "os.fork": _forked,
    "os.forkpty": _forked,
    "os.kill": _killed,
    "os.link": _linked,
    "os.posix_spawn": _process,
    "os.remove": _deleted,
    "os.rename": _renamed,
    "os.rmdir": _deleted,
    "os.symlink": _linked,
    "os.system": _system,
    "os.truncate": _wrote,
    "shutil.rmtree": _deleted,
    "socket.connect": _connected,
    "socket.getaddrinfo": _looked_up,
    "socket.sendto": _connected,
    "sqlite3.connect": _database,
    "subprocess.Popen": _process,
}
"""Per event what people read of it; "" where it is no effect."""
