"""The `pickle5` layer: bytes back into values, only after verification.

What the bytes are is told where they are written (`pickles`).
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, NoReturn

from nbdurable.engine.codec import rebuild
from nbdurable.engine.codec.errors import Unreadable
from nbdurable.engine.codec.grafts import Grafting
from nbdurable.engine.codec.parts import Parts, parts_of
from nbdurable.engine.values.redact import Secrets
from nbdurable.errors import DurableError

MAGIC: Final = b"nbp2"
"""The first bytes of a head."""

ALONE, WITH_TWINS, WITH_STANDING = b"\0", b"\1", b"\2"
"""The byte behind them: whether twins follow the value, and what stands before it."""


def decode(
    data: bytes | Parts,
    secrets: Secrets,
    namespace: MutableMapping[str, Any] | None = None,
    grafting: Grafting | None = None,
) -> object:
    """Load what `pickles` wrote. Only with what the store has verified.

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
    head, how = opened(parts)
    try:
        with rebuild.loading(secrets, namespace) as loading:
            value = _load(head, parts, grafting, how)
            loading.finish(value)
            return value
    except DurableError:
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise Unreadable(codec="pickle5", why=why) from error


def opened(parts: Parts) -> tuple[BinaryIO, bytes]:
    """The head behind its beginning, and the byte that says what comes in it.

    Raises:
        Unreadable: It is no pickle of ours.
    """
    head = parts.head()
    magic, how = head.read(len(MAGIC)), head.read(1)
    if magic != MAGIC or how not in (ALONE, WITH_TWINS, WITH_STANDING):
        _refuse("it is no pickle of ours")
    return head, how


@dataclass(frozen=True, slots=True)
class Places:
    """What stands for objects that were there before, in one head.

    Attributes:
        grafting: Finds them.
        contents: What those were that can't be filled.
    """

    grafting: Grafting
    contents: list[object] = field(default_factory=list)

    def found(self, pid: Any) -> object:
        """The object that a pickle names by its place."""
        if len(pid) == _STANDING:
            number, place = pid
            return self.grafting.standing(place, self.contents[number])
        return self.grafting.existing(*pid)

    def read(self, load: Callable[[], object], how: bytes) -> Iterator[Any]:
        """The value, then each object with its twin.

        Args:
            load: Gives what the next pickle of the head holds.
            how: What `opened` gave.
        """
        while how == WITH_STANDING and (content := load()) is not None:
            self.contents.append(content)
        yield load()
        while how != ALONE and (old := load()) is not None:
            yield old, load()


_STANDING: Final = 2
"""Parts of a persistent id that names one that can't be filled; others have more."""


class _Unpickler(pickle.Unpickler):
    """Finds the objects that were there before."""

    def __init__(
        self,
        file: BinaryIO,
        buffers: Iterator[bytearray | memoryview],
        places: Places,
    ) -> None:
        super().__init__(file, buffers=buffers)
        self.places = places

    def persistent_load(self, pid: Any) -> object:
        """The object that was there before."""
        return self.places.found(pid)


def _load(
    head: BinaryIO, parts: Parts, grafting: Grafting | None, how: bytes
) -> object:
    places = Places(grafting or Grafting())
    pieces = places.read(_Unpickler(head, parts.leaves(), places).load, how)
    value = next(pieces)
    for old, new in pieces:
        places.grafting.twin(old, new)
    if grafting is None:
        places.grafting.apply()
    return value


def _refuse(why: str, cause: BaseException | None = None) -> NoReturn:
    raise Unreadable(codec="pickle5", why=why) from cause
