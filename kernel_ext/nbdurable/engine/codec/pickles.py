"""The `pickle5` layer: anything else, on its way to bytes.

Theory of operation
-------------------
The C pickler does the work. One ``reducer_override`` steps in, in this order: our table
by type (`reducers`), then cloudpickle for functions and classes that can't be imported,
then the object's own ``__reduce_ex__``. The object that was met last is remembered, so
that a refusal can be told with its place.

Large buffers (arrays, frames) stay beside the pickle: they are handed to the sink when
the pickler meets them, never copied and never collected. Everything that can spell a
text is searched for secrets on its way (`guard`): a pickle can't be cut open to put a
secret back, so a value that holds one is refused.

The head is `MAGIC` and a byte that says whether twins follow, then the pickle of the
value, then for each twin two pickles, the object that was there before and the twin,
and after the last twin a pickle of ``None``. With twins, in front of the value there may
be pickles of objects that can't be filled, in case they don't stand at their places any
more, and a pickle of ``None``; the byte says that, too. The leaves are the buffers.
"""

from __future__ import annotations

import functools
import pickle
import types
from collections.abc import Collection
from typing import Any, Final

import cloudpickle  # noqa: TID253  # this module is imported when it is needed

from nbdurable.engine.codec import (
    layout,
    meeting,
    owners,
    paths,
    plain,
    rebuild,
    reducers,
    shapes,
    statements,
    views,
)
from nbdurable.engine.codec.errors import Unstorable
from nbdurable.engine.codec.filling import stamp
from nbdurable.engine.codec.grafts import Marks
from nbdurable.engine.codec.guard import (
    LONG_BYTES_MIN,
    Gathering,
    Guard,
    Overflow,
    SecretFound,
)
from nbdurable.engine.codec.parts import Gathered
from nbdurable.engine.codec.unpickles import (
    ALONE,
    MAGIC,
    WITH_STANDING,
    WITH_TWINS,
)
from nbdurable.engine.values.redact import Secrets
from nbdurable_store.errors import StoreFull, StoreUnwritable
from nbdurable_store.protocol import Sink

_GLOBAL_MAX: Final = 64 * 1024
"""Bytes of a plain global that travels with a function of the notebook."""

_CODE: Final = (
    types.FunctionType,
    types.ModuleType,
    type,
    type(functools.lru_cache(len)),
)
"""Kinds of globals that always travel with a function of the notebook."""


class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle is untyped
    """One graph of objects on its way to bytes."""

    def __init__(
        self,
        guard: Guard,
        secrets: Secrets,
        *,
        chain: bool = True,
        outcome: bool = False,
        file: Gathering | None = None,
    ) -> None:
        super().__init__(file or guard, protocol=5, buffer_callback=self._keep)
        self.secrets: Secrets = secrets
        self.chain = chain
        self.outcome = outcome
        self.guard = guard
        self.last: object = None
        self._entries: dict[type, reducers.Reducer | str | None] = {}
        self._cells: dict[str, tuple[str, str]] = {}
        self._variables: dict[int, reducers.Variable] = {}
        self._storages: dict[tuple[int, Any], Any] = {}
        self._owners = owners.Owners()
        self._held: dict[int, set[int]] = {}

    def dump(self, value: Any) -> None:
        """One more root of the graph."""
        self._owners.add(value)
        super().dump(value)

    def reducer_override(self, value: Any) -> Any:
        """Take one object apart: our table, then cloudpickle, then its own way."""
        self.last = value
        kind = type(value)
        try:
            entry = self._entries[kind]
        except KeyError:
            entry = self._entries[kind] = reducers.find(kind)
        if entry is not None:
            reduced = entry(self, value) if callable(entry) else entry
            if isinstance(reduced, str):
                raise Unstorable(why=reduced)
            if reduced is not NotImplemented:
                return reduced
        reduced = super().reducer_override(value)
        if kind is types.CodeType:
            return reducers.code(self, value, self.dispatch_table[kind](value))
        if reduced is NotImplemented:
            return reduced
        if kind is types.FunctionType:
            return reducers.function(self, value, reduced)
        return self._class(value, reduced)

    def _class(self, cls: type, reduced: Any) -> Any:
        if cls.__module__ != "__main__" or len(reduced) != 6 or "<" in cls.__qualname__:
            return reduced
        if reducers.qualified(type(cls)) in statements.METACLASSES:
            return reducers.by_statement(self, cls, reduced)
        make, arguments, state, *_ = reduced
        cell = self.cell(statements.cell_of(cls))
        made = (cls.__qualname__, shapes.shape(cls), make, arguments, *cell)
        return rebuild.make_class, made, state, None, None, rebuild.set_class_state

    def travels(self, value: Any) -> bool:
        """Whether a global goes along with the function that reads it."""
        if issubclass(type(value), _CODE):
            return True
        if type(value) is types.BuiltinFunctionType:
            return type(value.__self__) is types.ModuleType
        try:
            return len(plain.encode(value, self.secrets)) <= _GLOBAL_MAX
        except (plain.NotPlain, Unstorable):
            return False

    def cell(self, filename: str) -> tuple[str, str]:
        """File name and text of a cell: the same objects each time, written once."""
        if filename not in self._cells:
            text = self.secrets.scrub(reducers.cell_text(filename))
            self._cells[filename] = filename, text
        return self._cells[filename]

    def variable(self, cell: types.CellType) -> Any:
        """What stands for a variable of a closure: the same object each time."""
        return self._variables.setdefault(id(cell), reducers.Variable(cell))

    def storage(self, memory: Any) -> Any:
        """What stands for the memory of tensors: the same object each time."""
        of = id(memory._untyped_storage), memory.dtype  # noqa: SLF001  # torch hands out a new view of it each time
        return self._storages.setdefault(of, memory)

    def keeps(self, owner: object) -> bool:
        """Whether an array is written whole anyway, or has to be; see `owners`."""
        return owner in self._owners

    def owning(self, owner: Any, value: Any) -> Any:  # noqa: ARG002  # one class asks for it
        """The array that a view is a part of: here the first one over this memory."""
        return owner

    def places(self, owner: Any) -> bool:  # noqa: ARG002  # one class asks for it
        """Whether a load finds it where it stood: here nothing is found."""
        return False

    def within(self, owner: Any) -> Collection[int]:
        """Ids of what an array holds, if it is one of objects."""
        if layout.is_bytes(owner) or not owner.dtype.hasobject:
            return ()
        if id(owner) not in self._held:
            self._held[id(owner)] = meeting.reached([owner])
        return self._held[id(owner)]

    def _keep(self, buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < LONG_BYTES_MIN:
            return True  # in the pickle
        form = memoryview(buffer).format.strip("<>=@!")
        self.guard.leaf(raw, texts=form not in _NUMBERS, wide=form not in "bB")
        return False


TOO_DEEP: Final = "it is nested too deeply"
"""Why a value is refused that pickle can't follow to its end."""

_NUMBERS: Final = frozenset("efdghilqnHILQN?") | {"Zf", "Zd", "Zg"}
"""Formats of buffers whose bytes spell no text: numbers of several bytes, booleans."""


class _Grafter(Pickler):
    """The same for a graph with objects that were there before."""

    def __init__(self, guard: Guard, secrets: Secrets, marks: Marks) -> None:
        self.file = Gathering(guard)
        super().__init__(guard, secrets, file=self.file)
        self.marks = marks
        self.kept: list[object] = []
        self.numbers: dict[int, int] = {}
        self.placed: set[int] = set()
        self.wholes: owners.Wholes | None = None
        self.twin: object = None

    def keeps(self, owner: object) -> bool:
        """The same; what was there before is."""
        return id(owner) in self.marks.found or super().keeps(owner)

    def owning(self, owner: Any, value: Any) -> Any:
        """One that was there before: what others see has to be its memory."""
        if id(owner) in self.marks.found:
            return owner
        if self.wholes is None:
            before = (each for each, _, _ in self.marks.found.values())
            self.wholes = owners.Wholes(before)
        whole = self.wholes.holding(value)
        return owner if whole is None else whole

    def places(self, owner: Any) -> bool:
        """Whether a load finds it where it stood, or makes one that lies like it."""
        return id(owner) in self.marks.found and views.can_be_placed(owner)

    def persistent_id(self, value: Any) -> Any:
        """Where an object was, instead of the object."""
        if id(value) in self.numbers:
            return self.numbers[id(value)], self.marks.place(value)
        if id(value) not in self.marks.found or type(value) is tuple:
            return None
        if value is self.twin:
            self.twin = None
            return None
        if id(value) not in self.placed:
            self.placed.add(id(value))
            self.kept.append(value)
        return self._pid(value)

    def _pid(self, value: Any) -> tuple[Any, ...]:
        pid = type(value), self.marks.place(value), stamp(value)
        if type(value) is bytearray:
            return (*pid, len(value))
        memory = self._memory(value) if views.is_array(value) else None
        return pid if memory is None else (*pid, memory)

    def _memory(self, value: Any) -> tuple[Any, ...] | None:
        owner = views.seen_in(self, value)
        if owner is not None and self.places(owner) and views.can_hold(owner, value):
            return self._pid(owner), *views.place_in(owner, value)
        if value.flags.c_contiguous or not layout.is_dense(value):
            return None
        return None, 0, layout.laid(value)

    def dump(self, value: Any) -> None:
        """The value, then each object that was there before with its twin."""
        if self.marks.standing:
            self._dump_standing(value)
        super().dump(value)
        for old in self.kept:  # which grows meanwhile
            super().dump(old)
            self.twin = old
            super().dump(old)
        super().dump(None)
        self.file.flush()

    def _dump_standing(self, value: Any) -> None:
        here = meeting.reached([value])
        for each in self.marks.standing.values():
            if id(each) in here:
                super().dump(each)
                self.numbers[id(each)] = len(self.numbers)
        super().dump(None)


def encode(
    value: object,
    secrets: Secrets,
    *,
    chain: bool = True,
    marks: Marks | None = None,
    outcome: bool = False,
    most: int | None = None,
) -> bytes:
    """The same as `write`, joined in memory.

    Args:
        value: The root of the graph.
        secrets: What must not be inside.
        chain: Whether exceptions take their cause and context along.
        marks: Objects in it that are written as the places where they were.
        outcome: It is what a call returned.
        most: How many bytes it may be.

    Raises:
        Unstorable: With the place of the culprit and the reason.
        Overflow: It is more than ``most`` bytes.
    """
    gathered = Gathered()
    guard = Guard(gathered, secrets, most)
    _write(value, guard, secrets, chain=chain, marks=marks, outcome=outcome)
    return gathered.joined()


def write(
    value: object,
    sink: Sink,
    secrets: Secrets,
    *,
    marks: Marks | None = None,
    outcome: bool = False,
) -> None:
    """Write any value that pickle, cloudpickle and our reducers keep.

    Args:
        value: The root of the graph.
        sink: Where it goes, while it is being written.
        secrets: What must not be inside.
        marks: Objects in it that are written as the places where they were.
        outcome: It is what a call returned.

    Raises:
        Unstorable: With the place of the culprit and the reason.
    """
    guard = Guard(sink, secrets)
    _write(value, guard, secrets, chain=True, marks=marks, outcome=outcome)


def _write(
    value: object,
    guard: Guard,
    secrets: Secrets,
    *,
    chain: bool,
    marks: Marks | None,
    outcome: bool,
) -> None:
    twins = WITH_STANDING if marks and marks.standing else WITH_TWINS
    guard.write(MAGIC + (ALONE if marks is None else twins))
    if marks is None:
        pickler = Pickler(guard, secrets, chain=chain, outcome=outcome)
    else:
        pickler = _Grafter(guard, secrets, marks)
    try:
        pickler.dump(value)
    except (Overflow, StoreFull, StoreUnwritable):
        raise
    except SecretFound as found:
        path = paths.secret_path(value, secrets)
        raise Unstorable(path=path, why=f"it holds a secret ({found})") from None
    except Unstorable as refusal:
        raise Unstorable(
            path=_place(value, pickler.last) + refusal.path, why=refusal.why
        ) from None
    except Exception as error:  # a user's __reduce__ may raise anything
        why = _reason(pickler.last, error)
        place = _place(value, pickler.last)
        raise Unstorable(path=place, why=why, final=False) from error


def _place(root: object, culprit: object) -> str:
    if culprit is None:  # no object was taken apart
        return ""
    return paths.path_to(root, lambda value: value is culprit) or ""


def _reason(culprit: object, error: Exception) -> str:
    name = reducers.qualified(type(culprit))
    if isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError):
        return TOO_DEEP
    return f"{name} can't be taken apart ({type(error).__name__}: {error})"
