"""The `arrow` layer: texts, and tables with texts, read without trust.

Taken is only what Arrow keeps exactly: long lists of texts, tables of pyarrow and of
polars without extension types or objects, and pandas frames and series on the list of
`_frames`. Anything else goes on to the next layer.

The head is a length (u32), what the value is (JSON), and an IPC stream of its columns.
Columns of a pandas frame that are plain numbers are no part of the stream, but leaves:
so they are stored and loaded without a copy.
"""

from __future__ import annotations

import importlib.util
import json
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, NoReturn

from nbdurable.engine.codec import arrow_frames
from nbdurable.engine.codec.errors import Unreadable, Unstorable
from nbdurable.engine.codec.guard import LONG_BYTES_MIN, Guard, SecretFound
from nbdurable.engine.codec.parts import Gathered, Parts, parts_of
from nbdurable.engine.values.redact import Secrets
from nbdurable.errors import DurableError
from nbdurable_store.protocol import Sink

ROWS: Final = 100_000
"""Rows of a batch of a table."""

BATCH_BYTES: Final = 1 << 22
"""About how many bytes of texts are copied at a time."""

TEXTS_MIN: Final = 10_000
"""Texts in a list that is worth a table; fewer are plain data or quickly pickled."""

_LENGTH: Final = struct.Struct("<I")
SAID_MAX: Final = 1 << 24
"""Bytes of what a value is: names of columns."""


def takes(value: object) -> bool:
    """Whether this layer keeps the value exactly. Imports nothing to find out."""
    kind = type(value)
    if kind is list:
        return len(value) >= TEXTS_MIN and _are_texts(value)  # type: ignore[arg-type]
    if "pyarrow" not in sys.modules:
        return False
    package = str(kind.__module__).partition(".")[0]
    test = _TAKES.get((package, kind.__name__))
    return test is not None and test(value)


def encode(value: object, secrets: Secrets, most: int) -> bytes:
    """The same as `write`, joined in memory.

    Raises:
        Unstorable: It holds a secret.
        Overflow: It is more than ``most`` bytes.
    """
    gathered = Gathered()
    _write(value, Guard(gathered, secrets, most))
    return gathered.joined()


def write(value: object, sink: Sink, secrets: Secrets) -> None:
    """Hand over a value that `takes` accepts.

    Raises:
        Unstorable: It holds a secret.
    """
    _write(value, Guard(sink, secrets))


def _write(value: object, guard: Guard) -> None:
    import pyarrow as pa  # lazy: optional

    said, columns, leaves = _apart(value)
    text = json.dumps(said).encode()
    try:
        guard.write(_LENGTH.pack(len(text)) + text)
        for leaf in leaves:
            guard.leaf(leaf, texts=False, wide=False)
        schema, batches = columns
        with pa.ipc.new_stream(_File(guard), schema) as stream:
            for batch in batches:
                stream.write_batch(batch)
    except SecretFound as found:
        raise Unstorable(why=f"it holds a secret ({found})") from None


def decode(data: bytes | Parts) -> object:
    """Read what `write` wrote; safe for bytes of any origin.

    Raises:
        Unreadable: They are nothing of the kind, or a package is missing.
    """
    try:
        import pyarrow as pa  # lazy: optional

        parts = parts_of(data)
        with parts.head() as head:
            said = _said(head)
            stream = pa.ipc.open_stream(pa.PythonFile(head, "r"))
            return _MAKE[said["is"]](said, stream, parts.leaves())
    except DurableError:
        raise
    except Exception as error:  # noqa: BLE001  # of any origin: pyarrow may say anything
        _refuse(f"{type(error).__name__}: {error}", error)


class _File:
    """What pyarrow writes to."""

    closed = False

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def write(self, data: Any) -> int:
        view = memoryview(data)
        if view.nbytes < LONG_BYTES_MIN:
            return self._guard.write(bytes(view))
        return self._guard.stretch(view)

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """The sink is closed by the store."""


def _said(head: BinaryIO) -> dict[str, Any]:
    (length,) = _LENGTH.unpack(head.read(_LENGTH.size))
    if length > SAID_MAX:
        _refuse("it is no table of ours")
    said: dict[str, Any] = json.loads(head.read(length))
    return said


Columns = tuple[Any, Iterator[Any]]
"""A schema, and batches of it."""


def _apart(value: Any) -> tuple[dict[str, Any], Columns, Iterator[Any]]:
    import pyarrow as pa

    kind = type(value)
    package = str(kind.__module__).partition(".")[0]
    if kind is list:
        schema = pa.schema([("", pa.large_string())])
        return {"is": "texts"}, (schema, _batches_of_texts(value, schema)), iter(())
    if package == "pandas":
        said, table, leaves = arrow_frames.apart(value)
        return said, _of_table(table), leaves
    if package == "polars":
        return _of_polars(value)
    return {"is": "table"}, _of_table(value), iter(())


def _are_texts(value: list[object]) -> bool:
    if importlib.util.find_spec("pyarrow") is None or set(map(type, value)) != {str}:
        return False
    # A lone surrogate is no UTF-8; texts that are ASCII have none.
    return all(t.isascii() or _is_unicode(t) for t in value)  # type: ignore[attr-defined]  # texts


def _is_unicode(text: Any) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _batches_of_texts(value: list[str], schema: Any) -> Iterator[Any]:
    import pyarrow as pa

    # Its own pool takes 64 MB from the system for the first few.
    pool = pa.system_memory_pool()

    def made() -> Any:
        column = pa.array(batch, pa.large_string(), memory_pool=pool)
        return pa.record_batch([column], schema=schema)

    batch: list[str] = []
    size = 0
    for text in value:
        batch.append(text)
        size += len(text) + 8
        if size >= BATCH_BYTES:
            yield made()
            batch, size = [], 0
    yield made()


def _of_table(table: Any) -> Columns:
    return table.schema, iter(table.to_batches(max_chunksize=ROWS))


def _of_polars(value: Any) -> tuple[dict[str, Any], Columns, Iterator[Any]]:
    series = type(value).__name__ == "Series"
    frame = value.to_frame() if series else value
    said = {"is": "polars", "series": series, "name": value.name if series else ""}
    return said, _of_table(frame.to_arrow()), iter(())


def _make_texts(_: Any, stream: Any, __: Any) -> list[str]:
    made: list[str] = []
    for batch in stream:
        made += batch.column(0).to_pylist()
    return made


def _make_table(_: Any, stream: Any, __: Any) -> Any:
    return stream.read_all()


def _make_polars(said: dict[str, Any], stream: Any, _: Any) -> Any:
    import polars as pl

    frame: Any = pl.from_arrow(stream.read_all(), rechunk=False)
    return frame.to_series().alias(said["name"]) if said["series"] else frame


def _make_pandas(said: dict[str, Any], stream: Any, leaves: Iterator[Any]) -> Any:
    return arrow_frames.made(said, stream.read_all(), leaves)


def _takes_table(value: Any) -> bool:
    return value.num_columns > 0 and not any(map(_is_odd, value.schema.types))


def _is_odd(kind: Any) -> bool:
    import pyarrow as pa

    inner = [kind.field(n).type for n in range(kind.num_fields)]
    if pa.types.is_dictionary(kind) or pa.types.is_union(kind):
        return True
    return isinstance(kind, pa.BaseExtensionType) or any(map(_is_odd, inner))


_POLARS: Final = frozenset(
    [
        "Int8",
        "Int16",
        "Int32",
        "Int64",
        "UInt8",
        "UInt16",
        "UInt32",
        "UInt64",
        "Float32",
        "Float64",
        "Boolean",
        "String",
        "Binary",
        "Date",
        "Datetime",
        "Duration",
        "Time",
    ]
)


def _takes_polars(value: Any) -> bool:
    dtypes = [value.dtype] if type(value).__name__ == "Series" else value.dtypes
    return bool(dtypes) and all(
        type(d).__name__ in _POLARS or getattr(d, "__name__", "") in _POLARS
        for d in dtypes
    )


_TAKES: Final[dict[tuple[str, str], Callable[[Any], bool]]] = {
    ("pyarrow", "Table"): _takes_table,
    ("polars", "DataFrame"): _takes_polars,
    ("polars", "Series"): _takes_polars,
    ("pandas", "DataFrame"): arrow_frames.takes,
    ("pandas", "Series"): arrow_frames.takes,
}
_MAKE: Final[dict[str, Callable[[Any, Any, Any], object]]] = {
    "texts": _make_texts,
    "table": _make_table,
    "polars": _make_polars,
    "pandas": _make_pandas,
}


def _refuse(why: str, cause: BaseException | None = None) -> NoReturn:
    raise Unreadable(codec="arrow", why=why) from cause
