"""What the store raises.

An error states a fact about the user's own call, says what was not done, offers
remedies that can be pasted, and ends in a stable slug that names its page under
``docs/errors/``.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from nbdurable_store.form import Remedy, tell


class Told:
    """The shared form: subclasses are dataclasses with keyword-only fields."""

    slug: ClassVar[str]

    def fact(self) -> str:
        """One line about the user's own call."""
        raise AssertionError(f"{type(self).__name__} tells no fact")

    def detail(self) -> str:
        """What happened and what was not done; may be several lines."""
        return ""

    def remedies(self) -> tuple[Remedy, ...]:
        """The ways out, each with a command to paste."""
        return ()

    def told(self) -> str:
        """The whole message, class name included."""
        name = type(self).__name__
        return tell(name, self.fact(), self.detail(), self.remedies(), self.slug)

    def __str__(self) -> str:
        return tell("", self.fact(), self.detail(), self.remedies(), self.slug)

    def __reduce__(self) -> tuple[object, ...]:
        fields = {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)  # type: ignore[arg-type]  # every subclass is a dataclass
        }
        return _rebuild, (type(self), fields)

    def _render_traceback_(self) -> list[str]:
        return self.told().splitlines()


def _rebuild(cls: type[Told], fields: dict[str, object]) -> Told:
    return cls(**fields)


@dataclasses.dataclass(kw_only=True, eq=False)
class DurableError(Told, Exception):
    """What a program may catch: the call was refused, and nothing was lost."""


@dataclasses.dataclass(kw_only=True, eq=False)
class DurablePause(Told, BaseException):
    """What ``except Exception`` must not swallow: somebody has to decide first."""


ELSEWHERE = Remedy("use another place", "%env NBDURABLE_STORE=/path/to/a/folder")
"""What always helps when a place doesn't."""


def _age(seconds: float) -> str:
    """An age as a person says it: ``4 s``, ``7 min``, ``3 h``, ``2 days``."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{round(seconds / unit)} {name}"
    return f"{round(seconds / 86_400)} days"


@dataclasses.dataclass(kw_only=True, eq=False)
class StoreFull(DurableError):
    """The disk is full; the records of this append exist nowhere.

    Attributes:
        place: The store's folder.
    """

    slug: ClassVar[str] = "store-full"
    place: str

    def fact(self) -> str:
        """Say what stopped."""
        return f"the disk that holds {self.place} is full."

    def detail(self) -> str:
        """Say what was not done."""
        return "Nothing was recorded, and what needs a record first was not started."

    def remedies(self) -> tuple[Remedy, ...]:
        """Make room, or go elsewhere."""
        return (
            Remedy("make room, then run the cell again", f'!df -h "{self.place}"'),
            ELSEWHERE,
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class StoreUnwritable(DurableError):
    """The place can't be written: read-only, gone, closed, forked, or a broken disk.

    Attributes:
        place: The store's folder.
        why: What the system said, or which rule forbids it.
        unknown: Whether records of this append may be in the journal all the same.
        left: Whether it was removed while this process had it open.
    """

    slug: ClassVar[str] = "store-unwritable"
    place: str
    why: str
    unknown: bool = False
    left: bool = False

    def fact(self) -> str:
        """Say what stopped."""
        return f"{self.place} can't be written: {self.why}."

    def detail(self) -> str:
        """Say whether anything was recorded."""
        if self.unknown:
            return "The last records may or may not survive a power cut."
        return "Nothing was recorded, and what needs a record first was not started."

    def remedies(self) -> tuple[Remedy, ...]:
        """Look, and go elsewhere; or begin anew what was removed."""
        look = Remedy("look at the folder", f'!ls -ld "{self.place}"')
        if self.left:
            return (Remedy("to begin one there", "restart the kernel"), look)
        return (look, ELSEWHERE)


@dataclasses.dataclass(kw_only=True, eq=False)
class StoreForeign(DurableError):
    """A store that this user's key didn't sign; nothing of it was loaded.

    Attributes:
        place: The store's folder.
        key: Id of the key that it names.
        why: What doesn't fit.
    """

    slug: ClassVar[str] = "store-foreign"
    place: str
    key: str
    why: str = "its key is not among yours"

    def fact(self) -> str:
        """Say whose it is not."""
        return f"{self.place} was not signed by you: {self.why} ({self.key})."

    def detail(self) -> str:
        """Say what was not loaded, and what trusting means."""
        return """Nothing of it was loaded and nothing was changed. Values in it can run \
code when they are loaded, so trust it only if you know its author."""

    def remedies(self) -> tuple[Remedy, ...]:
        """Look at it, trust it, or begin another."""
        return (
            Remedy("look at it, unverified", f'!nbdurable runs "{self.place}"'),
            Remedy("you know where it comes from", f'!nbdurable trust "{self.place}"'),
            ELSEWHERE,
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class StoreNewer(DurableError):
    """A store of a later format than this version reads; its bytes are unchanged.

    Attributes:
        place: The store's folder.
        version: Format version it has.
        ours: Highest format version that is read here.
    """

    slug: ClassVar[str] = "store-newer"
    place: str
    version: int
    ours: int

    def fact(self) -> str:
        """Say both versions."""
        return (
            f"{self.place} has format {self.version}; this nbdurable knows {self.ours}."
        )

    def detail(self) -> str:
        """Say what was not done."""
        return "It was not opened, and not a byte of it was changed."

    def remedies(self) -> tuple[Remedy, ...]:
        """Upgrade, or begin another."""
        return (
            Remedy("read it", "%pip install --upgrade nbdurable"),
            ELSEWHERE,
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class NotAStore(DurableError):
    """Something else stands where the store should be; it was left as it is.

    Attributes:
        place: The path.
        why: What stands there.
    """

    slug: ClassVar[str] = "not-a-store"
    place: str
    why: str

    def fact(self) -> str:
        """Say what stands there."""
        return f"{self.place} is not a store: {self.why}."

    def detail(self) -> str:
        """Say what was not done."""
        return "Nothing was written into it, so nothing is durable yet."

    def remedies(self) -> tuple[Remedy, ...]:
        """Look, or go elsewhere."""
        return (
            Remedy("look at it", f'!ls -la "{self.place}"'),
            ELSEWHERE,
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class RunBusy(DurableError):
    """Another living process executes in the run.

    Attributes:
        run: Id of the run.
        pid: Process id of the one that executes, 0 if it didn't say.
        age_s: For how long it has held the run, in seconds.
    """

    slug: ClassVar[str] = "run-busy"
    run: str
    pid: int
    age_s: float

    def fact(self) -> str:
        """Say who has it."""
        who = f"process {self.pid}" if self.pid else "another process"
        return f"run {self.run} belongs to {who}, since {_age(self.age_s)}."

    def detail(self) -> str:
        """Say what was not done."""
        return "Nothing was executed here, so that no call happens twice."

    def remedies(self) -> tuple[Remedy, ...]:
        """Wait, end the other one, or begin another run."""
        return (
            Remedy("stop the other kernel, then again", "%durable status"),
            Remedy("begin a run of its own", "%durable new"),
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class BlobUnserved(DurableError):
    """A value's bytes can't be handed out, for one of the reasons below.

    Attributes:
        id: Digest of the bytes, as hex.
        place: The store's folder.
    """

    id: str
    place: str

    def detail(self) -> str:
        """Say what was not done."""
        return "It was not served. A call whose value is gone counts as unrecoverable."

    def remedies(self) -> tuple[Remedy, ...]:
        """See what else is affected."""
        return (Remedy("see everything", f'!nbdurable fsck "{self.place}"'),)


@dataclasses.dataclass(kw_only=True, eq=False)
class BlobMissing(BlobUnserved):
    """A value is named by the journal, and its bytes are nowhere."""

    slug: ClassVar[str] = "blob-missing"

    def fact(self) -> str:
        """Say which value."""
        return f"the value {self.id[:12]}… is recorded, but its bytes are gone."


@dataclasses.dataclass(kw_only=True, eq=False)
class BlobDamaged(BlobUnserved):
    """A value's bytes or its signature don't fit; it is never handed out.

    Attributes:
        why: What doesn't fit.
    """

    slug: ClassVar[str] = "blob-damaged"
    why: str

    def fact(self) -> str:
        """Say which value and what doesn't fit."""
        return f"the value {self.id[:12]}… is damaged: {self.why}."


@dataclasses.dataclass(kw_only=True, eq=False)
class KeyUnsafe(DurableError):
    """The file of your signing key could be read or replaced by others.

    Attributes:
        path: The key file or its folder.
        why: What is wrong with it.
    """

    slug: ClassVar[str] = "key-unsafe"
    path: str
    why: str

    def fact(self) -> str:
        """Say what is wrong."""
        return f"the key at {self.path} is not used: {self.why}."

    def detail(self) -> str:
        """Say what was not done."""
        return "No store was opened or made, and the file was not changed."

    def remedies(self) -> tuple[Remedy, ...]:
        """Make it private, or name another."""
        return (
            Remedy("make it yours alone", f'!chmod go-rwx "{self.path}"'),
            Remedy("use another key", "%env NBDURABLE_KEY_FILE=/path/to/a/key"),
        )


@dataclasses.dataclass(kw_only=True, eq=False)
class PlatformUnsupported(DurableError):
    """The store needs file locks and syncs that this system doesn't have.

    Attributes:
        system: What the system calls itself.
    """

    slug: ClassVar[str] = "platform-unsupported"
    system: str

    def fact(self) -> str:
        """Say which system."""
        return f"durable cells don't work on {self.system} yet."

    def detail(self) -> str:
        """Say what was not done."""
        return (
            "Nothing was recorded. Linux and macOS are supported; WSL counts as Linux."
        )

    def remedies(self) -> tuple[Remedy, ...]:
        """Where it works."""
        return (Remedy("start Jupyter inside WSL", "wsl jupyter lab"),)
