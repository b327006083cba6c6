"""The bytes of one record in a segment: a frame. Pure; ``docs/format.md`` says it all.

    magic 4 · crc32 4 · head length 4 · body length 4 · seq 8 · previous MAC 32 · MAC 32
    head (JSON: the record, and for each blob its name) · body (inline bytes, joined)

The CRC covers everything after itself and finds a torn or flipped frame without a key.
The MAC covers owner, seq, previous MAC and head; the head holds the digests of the
inline bytes, so a list of records is verified without reading a single body.
"""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast
from zlib import crc32

from nbdurable_store.compact import compact, quoted
from nbdurable_store.keys import Chain, same
from nbdurable_store.records import BlobRef, Entry, Place, Plain, Record

MAGIC = b"\xabNB1"
HEADER = struct.Struct("<4sIIIQ32s32s")
HEADER_BYTES = HEADER.size
CRC_FROM = 8
"""The CRC covers a frame from this byte on."""
_BEFORE = struct.Struct("<4sI")
_AFTER_CRC = struct.Struct("<IIQ32s32s")
FIRST_MAC = bytes(32)
"""What stands as previous MAC in a segment's first frame."""
HEAD_BYTES_MAX = 1 << 24
"""No record describes itself in more; keeps a flipped length from reading gigabytes."""
BODY_BYTES_MAX = 1 << 28
"""Four thousand inline blobs of the largest size; more go to files of their own."""

DIGEST_BYTES = 32
NUMBER_MAX = 1 << 57
"""A tick, a size, a time in microseconds: the year 6500, and what DuckDB can hold."""

ABOUT_SEGMENT = b'{"kind":"segment.'
"""How the head of a frame begins that speaks of the segment itself."""
OPENED = "segment.opened"
CLOSED = "segment.closed"
"""The first frame of every segment, and the last of one that was closed in order."""
REMOVED = "segment.removed"
ABOUT_REMOVED = b'{"kind":"segment.removed"'
"""A filler: it stands where records were removed, and is as long as they were."""

_decode = json.JSONDecoder().raw_decode
_encode_ascii = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Frame(NamedTuple):
    """One frame that was found whole.

    Attributes:
        seq: Its place in the chain.
        prev_mac: MAC of the frame before it.
        mac: Its own MAC.
        head: JSON of the record.
        offset: Where it begins in the segment, in bytes.
        body_len: Length of its inline bytes.
    """

    seq: int
    prev_mac: bytes
    mac: bytes
    head: bytes
    offset: int
    body_len: int

    @property
    def body_offset(self) -> int:
        """Where its inline bytes begin in the segment."""
        return self.offset + HEADER_BYTES + len(self.head)

    @property
    def end(self) -> int:
        """Where the next frame begins in the segment."""
        return self.body_offset + self.body_len


class Torn(NamedTuple):
    """No whole frame stands here, and ``need`` says how many bytes one would have."""

    need: int


def encode_head(record: Record, tick: int) -> bytes:
    """The JSON of a record. The order of its members is part of the format."""
    refs = ",".join(map(_ref, record.blobs)) if record.blobs else ""
    try:
        # Put together by hand: a dict for `compact` takes twice as long.
        return (
            f'{{"kind":{quoted(record.kind)},"run":{quoted(record.run)},'
            f'"step":{quoted(record.step)},"subject":{quoted(record.subject)},'
            f'"key":"{record.key.hex()}","tick":{tick},"at":{record.at_us},'
            f'"fields":{compact(record.fields)},"refs":[{refs}]}}'
        ).encode()
    except UnicodeEncodeError:
        return _encode_escaped(record, tick)


def _ref(ref: BlobRef) -> str:
    inline = 0 if ref.inline is None else 1
    name = f'{quoted(ref.codec)},"{ref.id.hex()}",{ref.size},"{ref.mac.hex()}"'
    return f"[{name},{inline}]"


def _encode_escaped(record: Record, tick: int) -> bytes:
    """The same for a record that holds text which UTF-8 can't say."""
    head = {
        "kind": record.kind,
        "run": record.run,
        "step": record.step,
        "subject": record.subject,
        "key": record.key.hex(),
        "tick": tick,
        "at": record.at_us,
        "fields": record.fields,
        "refs": [json.loads(_ref(ref)) for ref in record.blobs],
    }
    return encode_json(head)


def encode_json(value: object) -> bytes:
    """Compact JSON in UTF-8; text that UTF-8 can't say (lone surrogates) is escaped."""
    try:
        return compact(value).encode()
    except UnicodeEncodeError:
        return _encode_ascii(value).encode()


def encode_frame(
    seq: int, prev_mac: bytes, mac: bytes, head: bytes, body: bytes
) -> bytes:
    """The bytes of one frame."""
    assert len(head) <= HEAD_BYTES_MAX
    assert len(body) <= BODY_BYTES_MAX
    rest = _AFTER_CRC.pack(len(head), len(body), seq, prev_mac, mac) + head + body
    return _BEFORE.pack(MAGIC, crc32(rest)) + rest


def decode_frame(data: bytes, at: int, base: int) -> Frame | Torn:
    """The frame that begins at ``data[at]``, if it is whole.

    Args:
        data: A stretch of a segment.
        at: Where in it the frame begins.
        base: Offset of ``data[0]`` in the segment.
    """
    if len(data) - at < HEADER_BYTES:
        return Torn(HEADER_BYTES)
    magic, crc, head_len, body_len, seq, prev_mac, mac = HEADER.unpack_from(data, at)
    if magic != MAGIC or head_len > HEAD_BYTES_MAX or body_len > BODY_BYTES_MAX:
        return Torn(0)
    body_at = at + HEADER_BYTES + head_len
    end = body_at + body_len
    if len(data) < end:
        return Torn(end - at)
    if crc32(memoryview(data)[at + CRC_FROM : end]) != crc:
        return Torn(0)
    head = data[at + HEADER_BYTES : body_at]
    return Frame(seq, prev_mac, mac, head, base + at, body_len)


def verified(frame: Frame, chain: Chain) -> bool:
    """Whether the frame's MAC is ours."""
    return same(chain.mac(frame.seq, frame.prev_mac, frame.head), frame.mac)


def about_segment(frame: Frame) -> bool:
    """Whether the frame speaks of the segment itself and holds no record."""
    return frame.head.startswith(ABOUT_SEGMENT)


def is_filler(frame: Frame) -> bool:
    """Whether the frame stands where records were removed."""
    return frame.head.startswith(ABOUT_REMOVED)


def following(frame: Frame) -> int:
    """The sequence number of the frame after this one."""
    if is_filler(frame):
        with contextlib.suppress(ValueError, LookupError, TypeError):
            said = json.loads(frame.head)["next"]
            if type(said) is int and frame.seq < said <= NUMBER_MAX:
                return said
    return frame.seq + 1


def filler(chain: Chain, seq: int, next_seq: int, size: int) -> bytes:
    """A frame in the place of records.

    Args:
        chain: The MACs of the segment's owner.
        seq: Sequence number of the first of them.
        next_seq: Sequence number of the frame after them.
        size: How many bytes they took.
    """
    head = encode_json({"kind": REMOVED, "next": next_seq})
    body = min(size - HEADER_BYTES - len(head), BODY_BYTES_MAX)
    assert body >= 0, "a record is longer than what says that it is gone"
    head = head.ljust(size - HEADER_BYTES - body)
    mac = chain.mac(seq, FIRST_MAC, head)
    return encode_frame(seq, FIRST_MAC, mac, head, bytes(body))


def candidates(data: bytes, at: int) -> Iterator[int]:
    """Where, from ``at`` on, a frame might begin."""
    found = data.find(MAGIC, at)
    while found >= 0:
        yield found
        found = data.find(MAGIC, found + 1)


def decode_entry(owner: str, seq: int, head: bytes, body_offset: int) -> Entry:
    """The entry that a verified head describes.

    Args:
        owner: Id of the segment's owner.
        seq: The frame's sequence number.
        head: The frame's head, verified.
        body_offset: Where the frame's inline bytes begin in the segment.
    """
    said, _end = _decode(head.decode())
    blobs: tuple[BlobRef, ...] = ()
    if said["refs"]:
        blobs = _refs(said["refs"], owner, seq, body_offset)
    record = Record(
        kind=said["kind"],
        run=said["run"],
        step=said["step"],
        subject=said["subject"],
        key=bytes.fromhex(said["key"]),
        at_us=said["at"],
        fields=said["fields"],
        blobs=blobs,
    )
    return Entry(owner=owner, seq=seq, tick=said["tick"], record=record)


def sound(owner: str, frame: Frame) -> Entry | None:
    """The entry of a frame that nobody vouches for; ``None`` if it is none.

    Everything is of the type, and within the bounds, that readers of our own records
    rely on. What the record's fields say is another matter.
    """
    try:
        entry = decode_entry(owner, frame.seq, frame.head, frame.body_offset)
        return entry if _typed(entry) else None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _typed(entry: Entry) -> bool:
    record = entry.record
    texts = (record.kind, record.run, record.step, record.subject)
    numbers = (entry.tick, record.at_us, *(ref.size for ref in record.blobs))
    digests = [ref.id for ref in record.blobs] + ([record.key] if record.key else [])
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(ref.codec, str) for ref in record.blobs)
        and isinstance(record.fields, dict)
        and all(type(n) is int and 0 <= n <= NUMBER_MAX for n in numbers)
        and all(len(digest) == DIGEST_BYTES for digest in digests)
    )


def _refs(
    refs: Sequence[tuple[str, str, int, str, int]], owner: str, seq: int, offset: int
) -> tuple[BlobRef, ...]:
    found = []
    for codec, digest, size, mac, inline in refs:
        place = Place(owner, seq, offset) if inline else None
        offset += size if inline else 0
        name, signature = bytes.fromhex(digest), bytes.fromhex(mac)
        found.append(BlobRef(codec, name, size, signature, None, place))
    return tuple(found)


def placed(record: Record, owner: str, seq: int, offset: int) -> Record:
    """A record as it is read again: its refs name places and carry no bytes.

    Args:
        record: What was appended.
        owner: Id of the segment's owner.
        seq: Its sequence number.
        offset: Where its inline bytes begin in the segment.
    """
    blobs = []
    for codec, name, size, mac, inline, _ in record.blobs:
        place = None if inline is None else Place(owner, seq, offset)
        offset += 0 if inline is None else size
        blobs.append(BlobRef(codec, name, size, mac, None, place))
    # Not `_replace`, which takes three times as long.
    return Record(*record[:-1], tuple(blobs))


def body_of(record: Record) -> bytes:
    """The inline bytes of a record, joined in the order of its refs."""
    if len(record.blobs) == 1:  # most that have any
        return record.blobs[0].inline or b""
    return b"".join([b.inline for b in record.blobs if b.inline is not None])


def closing(seq: int) -> bytes:
    """The head of the last frame of a segment that is closed in order."""
    return encode_json({"kind": CLOSED, "records": seq - 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a segment's first frame says.

    Attributes:
        store: Id of the store.
        owner: Id of the owner.
        pid: Process id of the owner on its machine.
        since_us: When the owner began, microseconds since 1970 UTC.
        format: Version of the format.
    """

    store: str
    owner: str
    pid: int
    since_us: int
    format: int

    def encode(self) -> bytes:
        """Its JSON."""
        return encode_json(
            {
                "kind": OPENED,
                "store": self.store,
                "owner": self.owner,
                "pid": self.pid,
                "since": self.since_us,
                "format": self.format,
            }
        )

    @classmethod
    def decode(cls, head: bytes) -> Opening | None:
        """What a first frame says, or ``None`` if it is no opening."""
        said = cast("dict[str, Plain]", json.loads(head))
        if said.get("kind") != OPENED:
            return None
        return cls(
            store=str(said["store"]),
            owner=str(said["owner"]),
            pid=cast("int", said["pid"]),
            since_us=cast("int", said["since"]),
            format=cast("int", said["format"]),
        )
