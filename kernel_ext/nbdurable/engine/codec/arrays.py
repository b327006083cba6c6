"""The `npy` layer: arrays of plain numbers and texts as raw buffers, read without trust.

Only arrays that ``.npy`` keeps exactly are taken: exact type, no objects, no fields, no
dtype metadata. numpy is never imported to find out that a value is no array.
"""

from __future__ import annotations

import io
import mmap
import sys
from typing import Any, Final, NoReturn

from nbdurable.engine.codec.errors import Unreadable, Unstorable
from nbdurable.engine.codec.parts import Parts
from nbdurable.engine.values.redact import Secrets
from nbdurable_store.protocol import Sink

_KINDS: Final = "biufcSUmM"
_HEADER_MAX: Final = 10_000
"""Characters of a header; numpy evaluates it as a literal."""


def takes(value: object) -> bool:
    """Whether this layer keeps the value exactly."""
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value) is not numpy.ndarray:
        return False
    array: Any = value
    dtype = array.dtype
    return bool(
        dtype.kind in _KINDS
        and not dtype.metadata
        and array.flags.writeable
        and numpy.dtype(dtype.str) == dtype
        and (array.ndim == 0 or array.flags.c_contiguous or array.flags.f_contiguous)
        and not is_mapped(array)
    )


def is_mapped(array: Any) -> bool:
    """Whether what is written to it is written to a file, or seen by other processes."""
    owner = array.base
    while hasattr(owner, "__array_interface__"):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    # Exactly: memory that a store asks for is of a class of its own.
    return type(owner) is mmap.mmap


def encode(value: object, secrets: Secrets) -> bytes:
    """Write an array that `takes` accepts.

    Raises:
        Unstorable: It holds a secret.
    """
    from numpy.lib import format as npy  # lazy: numpy is optional

    array: Any = value
    sink = io.BytesIO()
    npy.write_array(sink, array, allow_pickle=False)
    data = sink.getvalue()
    wide = array.dtype.kind == "U"
    if _spells(array.dtype) and (name := secrets.find(data, wide=wide)):
        raise Unstorable(why=f"it holds a secret ({name})")
    return data


def write(value: object, sink: Sink, secrets: Secrets) -> None:
    """Hand over an array that `takes` accepts: its header, and its memory as a leaf.

    Raises:
        Unstorable: It holds a secret.
    """
    import numpy  # noqa: ICN001  # lazy: numpy is optional
    from numpy.lib import format as npy

    array: Any = value
    header = io.BytesIO()
    said = npy.header_data_from_array_1_0(array)
    npy.write_array_header_1_0(header, said)
    # As bytes: dates are numbers that no buffer can say.
    memory = memoryview(array.ravel(order="K").view(numpy.uint8))
    wide = array.dtype.kind == "U"
    if _spells(array.dtype) and (name := secrets.find(memory, wide=wide)):
        raise Unstorable(why=f"it holds a secret ({name})")
    sink.write(header.getvalue())
    sink.leaf(memory)


def decode(data: bytes | Parts) -> object:
    """Read what `encode` or `write` wrote; safe for bytes of any origin.

    Raises:
        Unreadable: This is no such array, or its header claims more than there is.
    """
    if not isinstance(data, bytes):
        with data.head() as head:
            return _made(head.read(), next(data.leaves(), None))
    return _made(data, None)


def _made(data: bytes, memory: bytearray | memoryview | None) -> object:
    try:
        import numpy  # noqa: ICN001  # lazy: numpy is optional
        from numpy.lib import format as npy
    except ImportError as error:
        _refuse(f"{type(error).__name__}: {error}", error)
    source = io.BytesIO(data)
    try:
        version = npy.read_magic(source)
        read = npy.read_array_header_1_0 if version == (1, 0) else _header_2(npy)
        shape, fortran, dtype = read(source, max_header_size=_HEADER_MAX)
        if dtype.kind not in _KINDS:
            _refuse(f"arrays of {dtype} are not written like this")
        body = bytearray(data[source.tell() :]) if memory is None else memory
        flat: Any = numpy.frombuffer(body, dtype=dtype)
        return flat.reshape(shape, order="F" if fortran else "C")
    except (ValueError, TypeError, OverflowError) as error:
        _refuse(f"{type(error).__name__}: {error}", error)


def _header_2(npy: Any) -> Any:
    return npy.read_array_header_2_0


def _spells(dtype: Any) -> bool:
    """Whether bytes of this type can spell a text."""
    return dtype.kind in "SU" or (dtype.kind in "iu" and dtype.itemsize == 1)


def _refuse(why: str, cause: BaseException | None = None) -> NoReturn:
    raise Unreadable(codec="npy", why=why) from cause
