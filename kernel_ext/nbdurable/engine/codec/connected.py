"""Which variables hang together: they reach an object that can be changed in common.

The walk asks the garbage collector what an object refers to, so it runs none of the
user's code. It doesn't go through atoms, types, modules and the globals of functions:
everything meets there, and nothing that is stored by name can lose its identity.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import logging
import pathlib
import re
import types
import uuid
import weakref
import zoneinfo
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from nbdurable.engine.codec import clients
from nbdurable.engine.codec.reducers import qualified
from nbdurable.engine.identity.held import held_by

OBJECTS_MAX: Final = 5_000_000
"""Objects that are looked at; what is left then counts as one group."""

_ATOMS: Final = frozenset(
    {type(None), bool, int, float, complex, str, bytes, range, slice, type(...)}
)
_LEAVES: Final = (
    *(type, types.ModuleType, types.CodeType),
    *(dt.date, dt.time, dt.timedelta, dt.timezone, zoneinfo.ZoneInfo),
    *(decimal.Decimal, uuid.UUID, pathlib.PurePath, re.Pattern, enum.Enum),
    *(logging.Logger, logging.Handler, logging.Manager),
    # An error that is kept leaves them behind; they lead to all variables there are.
    *(types.TracebackType, types.FrameType),
)
_OF_THE_KERNEL: Final = frozenset(
    {"IPython.core.interactiveshell.InteractiveShell", "ipykernel.kernelbase.Kernel",
     "ipykernel.iostream.OutStream", "comm.base_comm.BaseComm",
     "asyncio.events.AbstractEventLoop"}
)  # fmt: skip
"""They lead to all variables, too, and no variable is kept with one, but for a stream,
which is found by its name."""

_LEAF_NAMES: Final = frozenset(
    {"numpy.dtype", "pandas.Index", "pandas.core.indexes.base.Index", *clients.NAMES,
     *_OF_THE_KERNEL}
)  # fmt: skip
PASSED: Final = frozenset(
    {tuple, frozenset, types.MethodType, types.BuiltinFunctionType}
)
"""Kinds that can't be changed themselves: sharing one means nothing."""


class Connected(NamedTuple):
    """Names whose values hang together.

    Attributes:
        names: The names.
        reached: Ids of the objects looked out for that they reach.
    """

    names: tuple[str, ...]
    reached: frozenset[int] = frozenset()


def connected(
    values: Mapping[str, object], known: Collection[int] = ()
) -> list[Connected]:
    """Names in groups of those that hang together.

    Args:
        values: The variables.
        known: Ids of objects to look out for.
    """
    if len(values) == 1 and not known:
        return [Connected(tuple(values))]
    walk = _Walk(list(values), known)
    for index, value in enumerate(values.values()):
        walk.visit(index, value)
    return walk.groups()


class _Walk:
    """Joins names where their values meet: a union-find.

    Objects are taken by the thousand: what is asked of each of millions is asked in C.
    """

    def __init__(self, names: list[str], known: Collection[int]) -> None:
        self.names = names
        self.known = frozenset(known)
        self.parents = list(range(len(names)))
        self.reached: dict[int, int] = {}
        self.owners: dict[int, int] = {}
        self.alive: list[list[object]] = []
        self.kinds: dict[type, Referents | None] = {}

    def visit(self, index: int, value: object) -> None:
        stack = [[value]]
        passed: set[int] = set()
        while stack:
            for kind, found in by_kind(stack.pop()):
                referents = self._referents(kind)
                if referents is None:
                    continue
                if kind in PASSED:
                    new = [f for f in found if id(f) not in passed]
                    passed.update(map(id, new))
                else:
                    new = self._claim(index, found)
                stack += filter(None, map(no_atoms, parts(referents, new)))

    def _referents(self, kind: type) -> Referents | None:
        if kind not in self.kinds:
            self.kinds[kind] = referents_of(kind)
        return self.kinds[kind]

    def _claim(self, index: int, found: list[object]) -> list[object]:
        """Those that nobody has met; whoever met the others is joined."""
        ids = [*map(id, found)]
        self.reached.update(dict.fromkeys(self.known.intersection(ids), index))
        if not self.owners.keys().isdisjoint(ids):
            for owner in {self.owners[i] for i in ids if i in self.owners}:
                self._join(owner, index)
            found = [f for f in found if id(f) not in self.owners]
            ids = [*map(id, found)]
        if found and len(self.owners) >= OBJECTS_MAX:
            self._join(0, index)
            return []
        before = len(self.owners)
        self.owners.update(dict.fromkeys(ids, index))
        if len(self.owners) - before < len(ids):  # one of them stands here twice
            found = [*dict(zip(ids, found, strict=True)).values()]
        self.alive.append(found)  # or an id could become another object's
        return found

    def _root(self, index: int) -> int:
        while self.parents[index] != index:
            index = self.parents[index]
        return index

    def _join(self, one: int, other: int) -> None:
        first, second = sorted((self._root(one), self._root(other)))
        self.parents[second] = first

    def groups(self) -> list[Connected]:
        found: dict[int, list[str]] = {}
        for index, name in enumerate(self.names):
            found.setdefault(self._root(index), []).append(name)
        reached: dict[int, set[int]] = {}
        for seen, index in self.reached.items():
            reached.setdefault(self._root(index), set()).add(seen)
        return [
            Connected(tuple(names), frozenset(reached.get(root, ())))
            for root, names in found.items()
        ]


def by_kind(found: list[object]) -> Iterable[tuple[type, list[object]]]:
    """Objects parted by their types."""
    kinds = {*map(type, found)}
    if len(kinds) == 1:
        return [(kinds.pop(), found)]
    parted: dict[type, list[object]] = {kind: [] for kind in kinds}
    for each in found:
        parted[type(each)].append(each)
    return parted.items()


def parts(referents: Referents, found: list[object]) -> Iterator[list[object]]:
    """What objects of one kind refer to, some thousand of them at a time."""
    if referents is held_by:
        for at in range(0, len(found), _AT_A_TIME):
            yield held_by(*found[at : at + _AT_A_TIME])
    else:
        yield from ([*referents(each)] for each in found)


def no_atoms(found: list[object]) -> list[object]:
    """Those that could refer to something."""
    if _ATOMS.issuperset(map(type, found)):
        return []
    return [each for each in found if type(each) not in _ATOMS]


_AT_A_TIME: Final = 1 << 12
"""Objects that are asked in one call: their parts are in memory together."""

Referents = Callable[[Any], Iterable[object]]


def referents_of(kind: type) -> Referents | None:
    """How to ask an object of this kind what it refers to; ``None`` for a leaf."""
    names = {qualified(cls) for cls in kind.__mro__}
    if kind in _ATOMS or issubclass(kind, _LEAVES) or names & _LEAF_NAMES:
        return None
    found = (ask for name, ask in _ASKED.items() if name in names)
    return next(found, held_by)


def _in_function(function: types.FunctionType) -> Iterable[object]:
    named = {**(function.__kwdefaults__ or {}), **vars(function)}
    return (
        *(function.__closure__ or ()),
        *(function.__defaults__ or ()),
        *named.values(),
    )


def _in_partial(partial: Any) -> Iterable[object]:
    named = {**partial.keywords, **vars(partial)}
    return (partial.func, *partial.args, *named.values())


def _in_array(array: Any) -> Iterable[object]:
    return [array.base, *beside_base(array)]


def beside_base(array: Any) -> Iterable[object]:
    """What an array refers to, but for the one whose memory it sees."""
    held = array.ravel().tolist() if array.dtype.hasobject else ()
    return [*getattr(array, "__dict__", {}).values(), *held]


def _in_frame(frame: Any) -> Iterable[object]:
    # Frames share indexes and blocks all the time, and copy them before they write.
    columns = [frame] if frame.ndim == 1 else [c for _, c in frame.items()]
    return [item for c in columns if c.dtype == object for item in c.array]


def _in_thread(thread: Any) -> Iterable[object]:
    """Without whom it would tell of an error: that is the shell."""
    told = {"_invoke_excepthook", "_stderr"}
    return [value for name, value in [*vars(thread).items()] if name not in told]


def _in_widget(widget: Any) -> Iterable[object]:
    """What is kept of it: not its connection to the page, which leads to the shell."""
    own = vars(widget).get("_trait_values", {})
    names = own.get("keys") or own.keys() - {"comm"}
    return [own[name] for name in names if name in own]


def _in_tensor(tensor: Any) -> Iterable[object]:
    try:
        memory = tensor.untyped_storage()
    except (RuntimeError, NotImplementedError):  # a sparse one has none
        return held_by(tensor)
    return [memory, tensor.grad if tensor.is_leaf else None, *vars(tensor).values()]


def _weakly_held(container: Any) -> Iterable[object]:
    """What is held weakly comes back alive only beside what holds it."""
    if isinstance(container, weakref.ref):
        return [container()]
    if isinstance(container, weakref.WeakSet):
        return list(container)
    return [*container.keys(), *container.values()]


_ASKED: Final[dict[str, Referents]] = {
    "weakref.ReferenceType": _weakly_held,
    "weakref.WeakValueDictionary": _weakly_held,
    "weakref.WeakKeyDictionary": _weakly_held,
    "_weakrefset.WeakSet": _weakly_held,
    "builtins.function": _in_function,
    "functools.partial": _in_partial,
    "numpy.ndarray": _in_array,
    "torch.Tensor": _in_tensor,
    "threading.Thread": _in_thread,
    "ipywidgets.widgets.widget.Widget": _in_widget,
    "pandas.DataFrame": _in_frame,
    "pandas.Series": _in_frame,
    "pandas.core.frame.DataFrame": _in_frame,
    "pandas.core.series.Series": _in_frame,
}
