"""What can be loaded of a graph of which a part can't be.

Theory of operation
-------------------
Names that share an object are one graph, and one pickle. Where a class is gone, or an
object raises while it is made, the C unpickler stops, and with it all names would be lost.
So that pickle is read once more, by the unpickler in Python: what can't be made is
*spoilt*, a stand-in takes its place, and reading goes on.

No code is given anything spoilt: what would be made of it, or filled with it, is spoilt
too. So stand-ins are in plain containers alone, and whoever reaches nothing spoilt is
what was stored, to the last object.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar, Final, NamedTuple

from nbdurable.engine.codec import rebuild
from nbdurable.engine.codec.grafts import Grafting
from nbdurable.engine.codec.parts import Parts, parts_of
from nbdurable.engine.codec.unpickles import Places, opened
from nbdurable.engine.identity.held import held_by
from nbdurable.engine.values.redact import Secrets
from nbdurable.errors import DurableError

_PLAIN: Final = frozenset({list, tuple, set, frozenset, dict})
"""Containers that a stand-in may be in."""


class Salvaged(NamedTuple):
    """A graph, and what of it is not what was stored.

    Attributes:
        value: The root.
        spoilt: By id: the object, which is held so that its id stays its own, and why.
    """

    value: object
    spoilt: dict[int, tuple[object, str]]


def salvage(
    data: bytes | Parts,
    secrets: Secrets,
    namespace: MutableMapping[str, Any] | None = None,
) -> Salvaged:
    """Load what can be loaded of a graph. Only with what the store has verified.

    Args:
        data: What `pickles.encode` or `pickles.write` wrote.
        secrets: Where keys of clients come from.
        namespace: Globals of the notebook; default: those of ``__main__``.

    Raises:
        Exception: It makes no graph at all.
    """
    parts = parts_of(data)
    head, how = opened(parts)
    places, spoilt = Places(Grafting()), _Spoilt()
    with rebuild.loading(secrets, namespace) as loading:
        unpickler = _Salvaging(head, parts.leaves(), places, spoilt)
        pieces = places.read(unpickler.load, how)
        value = next(pieces)
        for old, new in pieces:
            _twin(places.grafting, spoilt, old, new)
        places.grafting.apply()
        loading.finish(value)
    return Salvaged(value, spoilt.found)


def _twin(grafting: Grafting, spoilt: _Spoilt, old: object, new: object) -> None:
    why = spoilt.within((old, new))
    if not why:
        try:
            grafting.twin(old, new)
        except TypeError as error:
            why = _told(error)
    if why:
        spoilt.add(old, why)


@dataclass(slots=True)
class _Spoilt:
    """What is spoilt, and what is known to hold nothing of it."""

    found: dict[int, tuple[object, str]] = field(default_factory=dict)
    clean: dict[int, object] = field(default_factory=dict)

    def add(self, value: object, why: str) -> None:
        self.found.setdefault(id(value), (value, why))
        self.clean.clear()

    def within(self, values: Iterable[object]) -> str:
        """Why something in there is spoilt, or ""; only plain containers are opened."""
        if not self.found:
            return ""
        todo = [*values]
        while todo:
            value = todo.pop()
            if id(value) in self.found:
                return self.found[id(value)][1]
            if type(value) in _PLAIN and id(value) not in self.clean:
                self.clean[id(value)] = value
                todo += held_by(value)
        return ""


class _StandIn:
    """Stands where an object could not be made."""


class _Salvaging(pickle._Unpickler):  # noqa: SLF001  # the only one that can go on
    """Goes on behind what can't be made."""

    dispatch: ClassVar = dict(pickle._Unpickler.dispatch)  # noqa: SLF001
    stack: list[Any]
    metastack: list[list[Any]]
    append: Callable[[object], None]
    pop_mark: Callable[[], list[Any]]

    def __init__(
        self,
        file: BinaryIO,
        buffers: Iterator[bytearray | memoryview],
        places: Places,
        spoilt: _Spoilt,
    ) -> None:
        super().__init__(file, buffers=buffers)
        self.places = places
        self.spoilt = spoilt

    def stand_in(self, why: str) -> object:
        """What takes the place of an object."""
        made = _StandIn()
        self.spoilt.add(made, why)
        return made

    def find_class(self, module: str, name: str) -> object:
        """A class or function by its name."""
        try:
            return super().find_class(module, name)
        except Exception as error:  # noqa: BLE001  # a module may raise anything
            return self.stand_in(_told(error))

    def persistent_load(self, pid: Any) -> object:
        """The object that a place stands for."""
        why = self.spoilt.within(pid)
        try:
            return self.stand_in(why) if why else self.places.found(pid)
        except Exception as error:  # noqa: BLE001  # its class may raise anything
            return self.stand_in(_told(error))

    def make(self, how: _How, count: int) -> None:
        """Make an object of the last ones on the stack."""
        at = len(self.stack) - count
        parts = self.stack[at:]
        why = self.spoilt.within(parts) or self.tried(how)
        if why:
            if _fills(*parts):
                self.spoilt.add(parts[1][0], why)
            del self.stack[at:]
            self.append(self.stand_in(why))

    def fill(self, how: _How, count: int) -> None:
        """Give an object what stands on the stack behind it."""
        at = len(self.stack) - count
        filled, *content = self.stack[at - 1 :]
        why = self.spoils(filled, content) or self.tried(how)
        del self.stack[at:]
        self.filled(filled, content, why)

    def fill_marked(self, how: _How) -> None:
        """The same with all that stands behind a mark."""
        filled, content = self.metastack[-1][-1], self.stack
        why = self.spoils(filled, content)
        if why:
            self.pop_mark()
        self.filled(filled, content, why or self.tried(how))

    def spoils(self, filled: object, content: list[object]) -> str:
        """Why an object must not be given some others, or ""."""
        if type(filled) in _PLAIN:
            return ""
        return self.spoilt.within((filled, *content))

    def filled(self, filled: object, content: list[object], why: str) -> None:
        """An object was given others, unless there is a reason why not."""
        if why:
            self.spoilt.add(filled, why)
        elif self.spoilt.within(content):
            self.spoilt.clean.clear()

    def buffer(self, how: _How) -> None:
        """Memory of an array; where it is damaged that costs what is over it."""
        if why := self.tried(how):
            self.append(self.stand_in(why))

    def read_only(self, how: _How) -> None:
        """The same, to be read only."""
        if not self.spoilt.within(self.stack[-1:]):
            how(self)

    def tried(self, how: _How) -> str:
        """Why something can't be done, or ""."""
        try:
            how(self)
        except Exception as error:  # noqa: BLE001  # a user's object may raise anything
            return _told(error)
        return ""


_How = Callable[[Any], None]


def _fills(function: object, arguments: tuple[Any, ...], *_: object) -> bool:
    """Whether it is one of those that give an object its state."""
    name = getattr(function, "__name__", "")
    return bool(arguments) and ("set_" in name or "setstate" in name)


def _told(error: Exception) -> str:
    if isinstance(error, DurableError):
        return error.fact().rstrip(".")
    return f"{type(error).__name__}: {error}"


_WAYS: Final[dict[bytes, tuple[Any, ...]]] = {
    pickle.REDUCE: (_Salvaging.make, 2),
    pickle.NEWOBJ: (_Salvaging.make, 2),
    pickle.NEWOBJ_EX: (_Salvaging.make, 3),
    pickle.BUILD: (_Salvaging.fill, 1),
    pickle.APPEND: (_Salvaging.fill, 1),
    pickle.SETITEM: (_Salvaging.fill, 2),
    pickle.APPENDS: (_Salvaging.fill_marked,),
    pickle.SETITEMS: (_Salvaging.fill_marked,),
    pickle.ADDITEMS: (_Salvaging.fill_marked,),
    pickle.NEXT_BUFFER: (_Salvaging.buffer,),
    pickle.READONLY_BUFFER: (_Salvaging.read_only,),
}
"""What takes the place of the instructions that run code of objects."""


def _instead(how: _How, method: Callable[..., None], *more: int) -> _How:
    return lambda unpickler: method(unpickler, how, *more)


for _code, _way in _WAYS.items():
    _Salvaging.dispatch[_code[0]] = _instead(_Salvaging.dispatch[_code[0]], *_way)
