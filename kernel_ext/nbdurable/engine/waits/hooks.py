"""Addresses by which a service sends one value into a run, without an account.

Theory of operation. `nd.webhook` draws an id, which the journal keeps like any other draw. The
token in the address is made of it, of the run and of what only the owner of the store can know, so who
reads a journal can't make it, and the same cell has the same address ever after. In no file
of ours does the token stand: what it is for lies beside the user's keys, in a file that is
named by the token's digest. The server finds the run there; whether the address was used is
what the journal says, since the value is a signal that has the id of the draw.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from nbdurable.engine.identity import keys
from nbdurable.engine.past.history import History
from nbdurable.engine.past.waits import WaitKind, is_open, is_parked, wait_of
from nbdurable.errors import DurableError, Remedy
from nbdurable_store.files import create, write_all
from nbdurable_store.keys import data_dir

PLACE: Final = "nbdurable/hook"
"""What stands before the token in an address, below the server's base address."""

HOOKS_MAX: Final = 10_000
"""Addresses of one user at a time; the oldest go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """What an address is for.

    Attributes:
        store: The folder of the store.
        run: Id of the run.
        name: The name that is waited for.
        draw: The id that was drawn for it.
        made_us: When it was made, microseconds since 1970 UTC.
        until_us: Until when it is good.
        base: What stands before `PLACE` in it: the server's base path, or its whole
            address. An address stays as it was given out.
    """

    store: str
    run: str
    name: str
    draw: str
    made_us: int
    until_us: int
    base: str = ""

    def address(self, token: str) -> str:
        """The address with this token."""
        return f"{self.base}{PLACE}/{token}"

    @property
    def signal(self) -> str:
        """Id of the signal that it sends: an address that was used has sent it."""
        return f"hook-{self.draw}"


def base(said: str) -> str:
    """What stands before `PLACE`, from what the setting says.

    Args:
        said: The base path of a server, or where services reach it.

    Example:
        >>> base("/"), base("/user/ann/"), base("https://my.host/user/ann")
        ('', 'user/ann/', 'https://my.host/user/ann/')
    """
    path = said.strip().rstrip("/")
    path = path if "://" in path else path.lstrip("/")
    return f"{path}/" if path else ""


def over(hook: Hook, history: History, now_us: int) -> bool:
    """Whether an address is good no more: used, expired, or nobody waits any longer.

    Args:
        hook: What it is for.
        history: The fold of its run.
        now_us: The present, microseconds since 1970 UTC.
    """
    late = now_us >= hook.until_us
    if late or history.closed is not None or hook.signal in history.signals:
        return True
    waits = [
        (wait, is_open(history, call), not is_parked(call))
        for call in history.calls.values()
        if (wait := wait_of(call)) is not None
        and (wait.kind, wait.text) == (WaitKind.SIGNAL, hook.name)
        and (call.ended_us or call.started_us) >= hook.made_us
    ]
    going = [wait for wait, is_going, _ in waits if is_going]
    if going:
        return all(wait.deadline_us and now_us >= wait.deadline_us for wait in going)
    return any(ended for _, _, ended in waits)


# ---- what an address is for, beside the user's keys --------------------------------------


@dataclass(kw_only=True, eq=False)
class AddressUnkept(DurableError):
    """What an address is for can't be written beside the user's keys.

    Attributes:
        name: The name that is waited for.
        folder: Where it is kept.
        why: What the system said.
    """

    slug: ClassVar[str] = "address-unkept"
    name: str
    folder: str
    why: str

    def fact(self) -> str:
        """Which address, and why."""
        where = f"what it is for can't be written to {self.folder}: {self.why}"
        return f"nd.webhook({self.name!r}) has no address: {where}."

    def detail(self) -> str:
        """What was not done."""
        return "None was given out: nobody could have found the run by it."

    def remedies(self) -> tuple[Remedy, ...]:
        """Look, or another folder, for kernel and server both."""
        return (
            Remedy("look at the folder", f'!ls -ld "{self.folder}"'),
            Remedy("another one, for both", "JUPYTER_DATA_DIR=FOLDER jupyter lab"),
        )


def keep(hook: Hook, token: str) -> Hook:
    """Write down what an address is for, unless that is known; gives what is known.

    Where its store was moved, what is known leads there from now on.

    Raises:
        AddressUnkept: The folder can't be made, or written.
    """
    path = _folder() / keys.hook_digest(token)
    known = _read(path)
    if known is not None:
        if known.store == hook.store or Path(known.store).exists():
            return known
        hook = replace(known, store=hook.store)
    try:
        path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        _write(path, json.dumps(asdict(hook)).encode())
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        told = AddressUnkept(name=hook.name, folder=str(path.parent), why=why)
        raise told from error
    _sweep(path.parent)
    return hook


def _write(path: Path, data: bytes) -> None:
    temp = path.with_name(f".{secrets.token_hex(8)}")
    fd = create(temp)
    try:
        try:
            write_all(fd, data, 0)
        finally:
            os.close(fd)
        temp.rename(path)
    except BaseException:
        temp.unlink(missing_ok=True)
        raise


def find(token: str) -> Hook | None:
    """What an address is for; None for one that was never given out, or long ago."""
    return _read(_folder() / keys.hook_digest(token))


def of_store(place: str) -> list[Hook]:
    """What the addresses into a store are for, oldest first."""
    folder = _folder()
    found = (_read(path) for path in folder.iterdir()) if folder.is_dir() else ()
    mine = (hook for hook in found if hook is not None and hook.store == place)
    return sorted(mine, key=lambda hook: hook.made_us)


def _folder() -> Path:
    return data_dir() / "nbdurable" / "hooks"


def _read(path: Path) -> Hook | None:
    try:
        return Hook(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _sweep(folder: Path) -> None:
    """Remove the oldest where there are too many."""
    there = sorted(_aged(folder))
    for _, path in there[: max(0, len(there) - HOOKS_MAX)]:
        path.unlink(missing_ok=True)


def _aged(folder: Path) -> Iterator[tuple[float, Path]]:
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another kernel removed it
            yield path.stat().st_mtime, path
