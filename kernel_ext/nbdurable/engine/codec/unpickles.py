"""The `pickle5` layer: bytes back into values, only after verification.

What the bytes are is told where they are written (`pickles`).
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, MutableMapping
from typing import Any, BinaryIO, Final, NoReturn

from nbdurable.engine.codec import rebuild
from nbdurable.engine.codec.errors import Unreadable
from nbdurable.engine.codec.grafts import Grafting
from nbdurable.engine.codec.parts import Parts, parts_of
from nbdurable.engine.values.redact import Secrets
from nbdurable.errors import DurableError

MAGIC: Final = b"nbp2"
"""The first bytes of a head."""

ALONE, WITH_TWINS = b"\0", b"\1"
"""The byte behind them: whether twins follow the value."""


def decode(
    data: bytes | Parts,
    secrets: Secrets,
    namespace: MutableMapping[str, Any] | None = None,
    grafting: Grafting | None = None,
) -> object:
    """Load what `pickles.encode` or `pickles.write` wrote. Only with what the store has verified.

    Args:
        data: The bytes, or where they are read from; loading runs code that they name.
        secrets: Where keys of clients come from.
        namespace: Globals of the notebook; default: those of ``__main__``.
        grafting: Finds the objects that places stand for; without it new ones are
            made and filled.

    Raises:
        Unreadable: They make no object here.
        SecretAbsent: A client needs a key that is not set.
    """
    try:
        parts = parts_of(data)
    except ValueError as error:
        _refuse(str(error), error)
    head, with_twins = opened(parts)
    try:
        with rebuild.loading(secrets, namespace):
            own = grafting if with_twins else None
            return _load(head, parts, own, with_twins=with_twins)
    except DurableError:
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise Unreadable(codec="pickle5", why=why) from error


def opened(parts: Parts) -> tuple[BinaryIO, bool]:
    """The head behind its beginning, and whether twins follow the value.

    Raises:
        Unreadable: It is no pickle of ours.
    """
    head = parts.head()
    magic, how = head.read(len(MAGIC)), head.read(1)
    if magic != MAGIC or how not in (ALONE, WITH_TWINS):
        _refuse("it is no pickle of ours")
    return head, how == WITH_TWINS


class _Unpickler(pickle.Unpickler):
    """Finds the objects that were there before."""

    def __init__(
        self,
        file: BinaryIO,
        buffers: Iterator[bytearray | memoryview],
        grafting: Grafting,
    ) -> None:
        super().__init__(file, buffers=buffers)
        self.grafting = grafting

    def persistent_load(self, pid: Any) -> object:
        """The object that a place stands for."""
        return self.grafting.existing(*pid)


def _load(
    head: BinaryIO, parts: Parts, grafting: Grafting | None, *, with_twins: bool
) -> object:
    own = grafting or Grafting()
    unpickler = _Unpickler(head, parts.leaves(), own)
    value = unpickler.load()
    if not with_twins:
        return value
    while (old := unpickler.load()) is not None:
        own.twin(old, unpickler.load())
    if grafting is None:
        own.apply()
    return value


def _refuse(why: str, cause: BaseException | None = None) -> NoReturn:
    raise Unreadable(codec="pickle5", why=why) from cause
