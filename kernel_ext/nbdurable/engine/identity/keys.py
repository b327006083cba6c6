"""Every tag, digest and key of the engine is made here, and nowhere else.

A digest is BLAKE3 over a domain string and length-prefixed fields, so no two kinds
of thing can share one, and ``("ab", "c")`` is not ``("a", "bc")``. The domain string
carries `ALGORITHM`: a change of meaning anywhere in this package raises it, and then
old keys match nothing instead of matching wrongly (`matching` then compares otherwise).
"""

from __future__ import annotations

import functools
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from blake3 import blake3

if TYPE_CHECKING:
    from collections.abc import Callable

ALGORITHMS: Mapping[str, str] = {"1": "0.1.0"}
"""Versions of all digests and keys, each with the release that brought it. A change of
meaning anywhere in this package adds one; the last one is in use."""

ALGORITHM = [*ALGORITHMS][-1]
"""The version in use. Records carry it, so that keys of another one are not compared."""

SHOWN_DIGITS = 6
"""Hex digits of what was shown: among the few questions that are open at a time, two
have the same ones once in millions."""

DIGEST_BYTES = 32
"""Length of every digest and key, in bytes."""

_DIGEST_FOLLOWS = DIGEST_BYTES.to_bytes(8, "little")
"""What `field` puts before a digest."""

Buffer: TypeAlias = bytes | bytearray | memoryview
"""Bytes to be hashed; a memoryview must be flat and of single bytes."""


def field(data: Buffer) -> bytes:
    """Bytes with their length before them."""
    return len(data).to_bytes(8, "little") + data


def _domain(name: str) -> bytes:
    return field(f"nbdurable/{ALGORITHM}/{name}".encode())


class Tag(Enum):
    """What a digest is a digest of. Values are stored: add, never rename."""

    # keys
    STEP = "key.step"
    CALL = "key.call"
    HTTP = "key.http"
    # what people saw
    SHOWN = "shown"
    ASKED = "asked"
    # code
    SOURCE = "source"
    FUNCTION = "function"
    CLASS = "class"
    MADE_CLASS = "class.made"
    CLOSURE = "function.imported"
    BYTECODE = "function.bytecode"
    TOOL = "tool"
    NAMED = "named"
    MODULE = "module"
    LOCAL_MODULE = "module.local"
    MISSING = "missing"
    UNKNOWN = "unknown"
    BOUND = "bound"
    OPAQUE = "opaque"
    STATE = "state"
    IMPORTED = "module.imported"
    GIVEN_CODE = "code.given"
    # files
    FILE = "file"
    NAMES = "file.names"
    # values
    PLAIN = "plain"
    LIST = "list"
    TUPLE = "tuple"
    DICT = "dict"
    RUN = "run"
    ATTRIBUTES = "attributes"
    SET = "set"
    FROZENSET = "frozenset"
    BYTEARRAY = "bytearray"
    BUFFER = "buffer"
    CONTENT = "content"
    TEXTS = "texts"
    NUMBERS = "array.array"
    SINGLETON = "singleton"
    RANGE = "range"
    SLICE = "slice"
    PROXY = "mappingproxy"
    TIME = "time"
    ZONE = "zone"
    PATH = "path"
    REGEX = "regex"
    MEMBER = "enum"
    EXCEPTION = "exception"
    NUMBER = "number"
    ADDRESS = "address"
    MATCH = "match"
    METHOD = "method"
    PARTIAL = "partial"
    DESCRIPTOR = "descriptor"
    MEMORY_FILE = "memory-file"
    INSTANCE = "instance"
    REDUCED = "reduced"
    STAND_IN = "registered"
    CYCLE = "cycle"
    CYCLE_MEMBER = "cycle.member"
    ARRAY = "numpy.array"
    STRUCTURED = "numpy.structured"
    SCALAR = "numpy.scalar"
    DTYPE = "numpy.dtype"
    MASKED = "numpy.masked"
    FRAME = "pandas.frame"
    SERIES = "pandas.series"
    INDEX = "pandas.index"
    COLUMN = "pandas.column"
    MOMENT = "pandas.moment"
    ARROW = "arrow.array"
    ARROW_TABLE = "arrow.table"
    ARROW_TYPE = "arrow.type"
    POLARS_FRAME = "polars.frame"
    POLARS_SERIES = "polars.series"
    POLARS_TYPE = "polars.type"
    SPARSE = "scipy.sparse"
    GRAPH = "networkx.graph"
    IMAGE = "pillow.image"
    TENSOR = "torch.tensor"
    CLIENT = "client"
    SECRET = "secret"  # noqa: S105  # a tag

    hasher: Callable[[], blake3]
    """A fresh hasher that has already taken this tag's domain string."""

    def __init__(self, name: str) -> None:
        self.hasher = blake3(_domain(name)).copy


def tagged(tag: Tag, *fields: Buffer) -> bytes:
    """The digest of some fields under a tag; big fields are not copied."""
    hasher = tag.hasher()
    for data in fields:
        if len(data) <= _JOINED_BYTES_MAX:
            hasher.update(len(data).to_bytes(8, "little") + data)
        else:
            hasher.update(len(data).to_bytes(8, "little"))
            hasher.update(data)
    return hasher.digest()


def content_digest(data: Buffer) -> bytes:
    """The digest of a big buffer, which is hashed on its own."""
    if len(data) < _THREADED_BYTES_MIN:
        return tagged(Tag.CONTENT, data)
    hasher = blake3(_domain(Tag.CONTENT.value), max_threads=blake3.AUTO)
    hasher.update(len(data).to_bytes(8, "little"))
    return hasher.update(data).digest()


_THREADED_BYTES_MIN = 32 << 20
"""From here more threads than one are quicker; they cost 40 µs to start."""

_JOINED_BYTES_MAX = 4096
"""Up to here copying a field costs less than another call of the hasher, in bytes."""

MISSING = tagged(Tag.MISSING)
"""Stands for a name that is not bound: defining it later is a change."""

UNKNOWN = tagged(Tag.UNKNOWN)
"""Stands for an input whose value has no digest."""


_PLAIN = Tag.PLAIN.hasher


def step_key(
    source: bytes,
    reads: Iterable[tuple[str, bytes | None]],
    codes: Iterable[tuple[str, bytes]] = (),
) -> bytes:
    """What a step is matched by; the order of the pairs doesn't count.

    Args:
        source: `source_digest` of the cell.
        reads: Each name the cell reads with the digest of its value, `MISSING`, or
            ``None`` when the value has no digest.
        codes: Each notebook class whose instances are read, with its code digest.
    """
    fields = [source]
    for name, value in sorted(reads, key=_name):
        fields += [b"read", name.encode(), UNKNOWN if value is None else value]
    for name, code in sorted(codes, key=_name):
        fields += [b"code", name.encode(), code]
    return tagged(Tag.STEP, *fields)


def _name(pair: tuple[str, object]) -> str:
    return pair[0]


def call_key(name: str, arguments: bytes) -> bytes:
    """What a call of a tool is matched by.

    Args:
        name: The tool's identity: its name, or ``name=``.
        arguments: Digest of the bound arguments, made with ``call_arguments=True``.
    """
    return tagged(Tag.CALL, name.encode(), arguments)


def plain_call_key(name: str, arguments: bytes) -> bytes:
    """The same, where the arguments are a plain tree.

    Args:
        name: The tool's identity: its name, or ``name=``.
        arguments: Canonical bytes of the bound arguments, as `plain.stream` gives them.
    """
    plain, call = _PLAIN(), _called(name)()
    plain.update(len(arguments).to_bytes(8, "little"))
    plain.update(arguments)
    call.update(_DIGEST_FOLLOWS + plain.digest())
    return call.digest()


@functools.lru_cache(maxsize=1024)
def _called(name: str) -> Callable[[], blake3]:
    """A fresh hasher of a call's key that has already taken the tool's identity."""
    hasher = Tag.CALL.hasher()
    hasher.update(field(name.encode()))
    return hasher.copy


def given_code(code: bytes, given: Iterable[tuple[str, bytes]]) -> bytes:
    """The code of a call whose arguments bring code of their own.

    Args:
        code: Digest of the tool's code.
        given: The name and the code digest of each class and function that it is given;
            their order doesn't count. With none, the tool's digest is the code.
    """
    fields = [code]
    for name, digest in sorted(given):
        fields += [name.encode("utf-8", "surrogatepass"), digest]
    return tagged(Tag.GIVEN_CODE, *fields)


def http_key(
    *,
    method: str,
    url: str,
    query: Iterable[tuple[str, str]],
    headers: Iterable[tuple[str, str]],
    body: bytes,
) -> bytes:
    """What an HTTP exchange is matched by; all parts are canonical already.

    Args:
        method: In capitals.
        url: Scheme, host and path.
        query: Pairs that count, credentials left out; their order doesn't count.
        headers: Headers that count, by allow-list; their order doesn't count.
        body: The canonical body, secrets replaced.
    """
    fields = [method.encode(), url.encode()]
    for kind, pairs in ((b"query", query), (b"header", headers)):
        for name, value in sorted(pairs):
            fields += [kind, name.encode(), value.encode()]
    return tagged(Tag.HTTP, *fields, b"body", body)


def source_digest(normal_form: bytes) -> bytes:
    """Digest of a cell's source, given its normal form."""
    return tagged(Tag.SOURCE, normal_form)


def file_digest(chunks: Iterable[Buffer]) -> bytes:
    """Digest of what a file holds; how it is cut doesn't count."""
    hasher = blake3()
    for data in chunks:
        hasher.update(data)
    return tagged(Tag.FILE, hasher.digest())


def names_digest(names: Iterable[str]) -> bytes:
    """Digest of the names in a folder, in their order."""
    return tagged(Tag.NAMES, *(n.encode("utf-8", "surrogateescape") for n in names))


def shown_digest(run: str, call: str, key: bytes, preview: str) -> str:
    """What a person saw of a question, short enough to be typed: 6 hex digits.

    Args:
        run: The id of the run: the same text of another one is another question.
        call: The logical id of the call that asks.
        key: The key of the call, which holds its text and what is shown with it.
        preview: What is shown, as text, where that has no digest; else "".

    Example:
        >>> len(shown_digest("r1", "a1", b"key", ""))
        6
    """
    digest = tagged(Tag.SHOWN, run.encode(), call.encode(), key, preview.encode())
    return digest.hex()[:SHOWN_DIGITS]


def hook_token(pepper: bytes, run: str, draw: str) -> str:
    """What stands in the address of a webhook: 43 letters that nobody can guess.

    No `ALGORITHM` is in it: an upgrade must not change an address that was given away.

    Args:
        pepper: What only the owner of the store can know, 32 bytes.
        run: The id of the run: a fork has the draw too, and an address of its own.
        draw: The id that was drawn for the address.

    Example:
        >>> len(hook_token(bytes(32), "r1", "a1"))
        51
    """
    parts = (b"nbdurable/hook/1", run.encode(), draw.encode())
    made = blake3(b"".join(map(field, parts)), key=pepper).digest()
    return f"nbdhook_{urlsafe_b64encode(made).decode().rstrip('=')}"


def hook_digest(token: str) -> str:
    """What a token is known by where it must not stand, hex."""
    parts = (b"nbdurable/hooked/1", token.encode("utf-8", "surrogatepass"))
    return blake3(b"".join(map(field, parts))).hexdigest()


def asked_digest(run: str, slot: str, call: str, attempt: int, past: str) -> str:
    """What a person is asked about a call, short enough to be typed: 6 hex digits.

    Args:
        run: The id of the run: a fork asks about its parent's calls anew.
        slot: The slot in which it is asked.
        call: The logical id of the call that it is asked about.
        attempt: That call's latest attempt: what was said of one says nothing of the next.
        past: What is asked about it.

    Example:
        >>> len(asked_digest("r1", "c1", "a1", 1, "IN_DOUBT"))
        6
    """
    parts = (run, slot, call, str(attempt), past)
    fields = (part.encode("utf-8", "surrogatepass") for part in parts)
    return tagged(Tag.ASKED, *fields).hex()[:SHOWN_DIGITS]


def idempotency_key(store: str, call: str, happened: int) -> str:
    """The key of a logical call for services outside, a UUID.

    No `ALGORITHM` is in it: an upgrade must not change the key of a call in doubt.

    Args:
        store: The store's id.
        call: The call's logical id.
        happened: How often it completed before.

    Example:
        >>> idempotency_key("00ff", "a1", 0) == idempotency_key("00ff", "a1", 0)
        True
        >>> idempotency_key("00ff", "a1", 0) == idempotency_key("00ff", "a1", 1)
        False
    """
    parts = (b"nbdurable/idempotency/1", store.encode(), call.encode())
    hasher = blake3(b"".join(map(field, (*parts, str(happened).encode()))))
    return str(UUID(bytes=hasher.digest(16), version=5))
