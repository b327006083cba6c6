"""The `pickle5` and `dill` layers: anything else, loaded only after verification.

Theory of operation
-------------------
The C pickler does the work. One ``reducer_override`` steps in, in this order: our table
by type (`reducers`), then cloudpickle for functions and classes that can't be imported,
then the object's own ``__reduce_ex__``. The object that was met last is remembered, so
that a refusal can be told with its place.

Large buffers (arrays, frames) stay outside the pickle and are appended to it, so they
are copied once and never scanned for what pickle means by them. Everything that can
spell a text is searched for secrets before the bytes leave this module: a pickle can't
be cut open to put a secret back, so a value that holds one is refused.
"""

from __future__ import annotations

import functools
import io
import pickle
import struct
import sys
import types
from collections.abc import MutableMapping
from typing import Any, Final, NoReturn

import cloudpickle  # noqa: TID253  # this module is imported when it is needed

from nbdurable.engine.codec import paths, plain, rebuild, reducers, shapes, statements
from nbdurable.engine.codec.errors import Unreadable, Unstorable
from nbdurable.engine.codec.grafts import Grafting, Marks, stamp
from nbdurable.engine.redact import Secrets
from nbdurable.errors import DurableError

_HEAD: Final = struct.Struct("<4sBBxxIIQ")
"""Magic, Python's major and minor version if there is bytecode inside else 0, number of
twins, number of buffers, length of the pickles; then eight bytes for the length of each
buffer. The first pickle is the value; two follow for each twin: the object that was
there before, and the twin."""

_MAGIC: Final = b"nbp1"

_BUFFER_MIN: Final = 1024
"""Smaller buffers, in bytes, stay inside the pickle."""

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
        file: io.BytesIO,
        secrets: Secrets,
        *,
        chain: bool = True,
        outcome: bool = False,
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=self._keep)
        self.secrets: Secrets = secrets
        self.chain = chain
        self.outcome = outcome
        self.buffers: list[memoryview] = []
        self.texts: list[tuple[memoryview, bool]] = []
        self.last: object = None
        self.bytecode = False
        self._entries: dict[type, reducers.Reducer | str | None] = {}
        self._cells: dict[str, tuple[str, str]] = {}

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
            self.bytecode = True
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
        made = (cls.__qualname__, shapes.shape(cls), make, arguments)
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

    def _keep(self, buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _BUFFER_MIN:
            return True  # in the pickle
        self.buffers.append(raw)
        form = memoryview(buffer).format.strip("<>=@!")
        if form not in _NUMBERS:
            self.texts.append((raw, form not in "bB"))
        return False


_NUMBERS: Final = frozenset("efdghilqnHILQN?") | {"Zf", "Zd", "Zg"}
"""Formats of buffers whose bytes spell no text: numbers of several bytes, booleans."""


class _Grafter(Pickler):
    """The same for a graph with objects that were there before."""

    def __init__(self, file: io.BytesIO, secrets: Secrets, marks: Marks) -> None:
        super().__init__(file, secrets)
        self.marks = marks
        self.kept: dict[int, object] = {}
        self.twin: object = None

    def persistent_id(self, value: Any) -> Any:
        """Where an object was, instead of the object."""
        if id(value) not in self.marks.found or type(value) is tuple:
            return None
        if value is self.twin:
            self.twin = None
            return None
        self.kept[id(value)] = value
        return type(value), self.marks.place(value), stamp(value)

    def dump(self, value: Any) -> None:
        """The value, then each object that was there before with its twin."""
        super().dump(value)
        done = 0
        while done < len(self.kept):
            old = list(self.kept.values())[done]
            super().dump(old)
            self.twin = old
            super().dump(old)
            done += 1


def encode(
    value: object,
    secrets: Secrets,
    *,
    chain: bool = True,
    marks: Marks | None = None,
    outcome: bool = False,
) -> bytes:
    """Write any value that pickle, cloudpickle and our reducers keep.

    Args:
        value: The root of the graph.
        secrets: What must not be inside.
        chain: Whether exceptions take their cause and context along.
        marks: Objects in it that are written as the places where they were.
        outcome: It is what a call returned.

    Raises:
        Unstorable: With the place of the culprit and the reason.
    """
    sink = io.BytesIO()
    if marks is None:
        pickler = Pickler(sink, secrets, chain=chain, outcome=outcome)
    else:
        pickler = _Grafter(sink, secrets, marks)
    try:
        pickler.dump(value)
    except Unstorable as refusal:
        raise Unstorable(
            path=_place(value, pickler.last) + refusal.path, why=refusal.why
        ) from None
    except Exception as error:  # a user's __reduce__ may raise anything
        why = _reason(pickler.last, error)
        place = _place(value, pickler.last)
        raise Unstorable(path=place, why=why, final=False) from error
    head = sink.getvalue()
    texts: list[tuple[bytes | memoryview, bool]] = [(head, True), *pickler.texts]
    for text, wide in texts:
        if name := secrets.find(text, wide=wide):
            raise Unstorable(
                path=_secret_place(value, secrets), why=f"it holds a secret ({name})"
            )
    return _join(head, pickler)


def _join(head: bytes, pickler: Pickler) -> bytes:
    python = sys.version_info[:2] if pickler.bytecode else (0, 0)
    twins = len(pickler.kept) if isinstance(pickler, _Grafter) else 0
    count = len(pickler.buffers)
    lengths = [buffer.nbytes for buffer in pickler.buffers]
    return b"".join(
        [
            _HEAD.pack(_MAGIC, *python, twins, count, len(head)),
            struct.pack(f"<{count}Q", *lengths),
            head,
            *pickler.buffers,
        ]
    )


def decode(
    data: bytes,
    secrets: Secrets,
    namespace: MutableMapping[str, Any] | None = None,
    grafting: Grafting | None = None,
) -> object:
    """Load what `encode` wrote. Only ever called with bytes the store has verified.

    Args:
        data: The bytes; loading them runs code that they name.
        secrets: Where keys of clients come from.
        namespace: Globals of the notebook; default: those of ``__main__``.
        grafting: Finds the objects that places stand for; without it new ones are
            made and filled.

    Raises:
        Unreadable: They make no object here.
        SecretAbsent: A client needs a key that is not set.
    """
    head, buffers, twins = _split(data)
    try:
        with rebuild.loading(secrets, namespace):
            if twins:
                return _load_grafted(head, buffers, twins, grafting)
            return pickle.loads(head, buffers=buffers)  # noqa: S301, TID251  # the one place
    except DurableError:
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise Unreadable(codec="pickle5", why=why) from error


class _Unpickler(pickle.Unpickler):
    """Finds the objects that were there before."""

    def __init__(
        self, file: io.BytesIO, buffers: list[bytearray], grafting: Grafting
    ) -> None:
        super().__init__(file, buffers=buffers)
        self.grafting = grafting

    def persistent_load(self, pid: Any) -> object:
        """The object that a place stands for."""
        return self.grafting.existing(*pid)


def _load_grafted(
    head: memoryview, buffers: list[bytearray], twins: int, grafting: Grafting | None
) -> object:
    own = grafting or Grafting()
    unpickler = _Unpickler(io.BytesIO(head), buffers, own)
    value = unpickler.load()
    for _ in range(twins):
        old = unpickler.load()
        own.twin(old, unpickler.load())
    if grafting is None:
        own.apply()
    return value


def _split(data: bytes) -> tuple[memoryview, list[bytearray], int]:
    view = memoryview(data)
    try:
        magic, major, minor, twins, count, length = _HEAD.unpack_from(data)
        lengths = struct.unpack_from(f"<{count}Q", data, _HEAD.size)
    except struct.error as error:
        _refuse("it is cut off", error)
    here = sys.version_info[:2]
    if magic != _MAGIC:
        _refuse("it is no pickle of ours")
    if major and (major, minor) != here:
        _refuse(f"it holds code of Python {major}.{minor}")
    start = _HEAD.size + 8 * count
    head = view[start : start + length]
    start += length
    buffers = []
    for size in lengths:
        # bytearray: an array over bytes could not be written to.
        buffers.append(bytearray(view[start : start + size]))
        start += size
    if start != len(data):
        _refuse("its length doesn't fit")
    return head, buffers, twins


def _place(root: object, culprit: object) -> str:
    return paths.path_to(root, lambda value: value is culprit) or ""


def _secret_place(root: object, secrets: Secrets) -> str:
    def spells(value: object) -> bool:
        return isinstance(value, str) and secrets.found(value) is not None

    return paths.path_to(root, spells) or ""


def _reason(culprit: object, error: Exception) -> str:
    name = reducers.qualified(type(culprit))
    if isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError):
        return "it is nested too deeply"
    return f"{name} can't be taken apart ({type(error).__name__}: {error})"


def _refuse(why: str, cause: BaseException | None = None) -> NoReturn:
    raise Unreadable(codec="pickle5", why=why) from cause


# --- dill ----------------------------------------------------------------------------


def encode_dill(value: object, secrets: Secrets) -> bytes:
    """Write with dill, the last resort.

    Raises:
        Unstorable: It refused too, or the value holds a secret.
    """
    import dill  # lazy: seldom needed

    try:
        sink = io.BytesIO()
        _refusing(dill.Pickler)(sink, protocol=5, recurse=True).dump(value)
        data = sink.getvalue()
    except Exception as error:
        raise Unstorable(why=f"{type(error).__name__}: {error}") from error
    if name := secrets.find(data):
        path = _secret_place(value, secrets)
        raise Unstorable(path=path, why=f"it holds a secret ({name})")
    return data


def _refusing(base: Any) -> Any:
    """A pickler that refuses what our table refuses: dill would rebuild a lock."""

    class Refusing(base):  # type: ignore[misc]  # dill is untyped
        def reducer_override(self, value: object) -> Any:
            entry = reducers.find(type(value))
            if isinstance(entry, str):
                raise Unstorable(why=entry)
            return NotImplemented

    return Refusing


def decode_dill(data: bytes) -> object:
    """Load what `encode_dill` wrote. Only ever called with verified bytes.

    Raises:
        Unreadable: They make no object here.
    """
    import dill  # lazy: seldom needed

    try:
        return dill.loads(data)  # noqa: S301, TID251  # the one place
    except Exception as error:
        raise Unreadable(
            codec="dill", why=f"{type(error).__name__}: {error}"
        ) from error
