"""Foreign stores by the byte: what a stranger may have put into a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from blake3 import blake3

from nbdurable_store.journal.frames import encode_frame, encode_head
from nbdurable_store.records import BlobRef, Record
from tests.stories import Story

OWNER = "a" * 16
NO_MAC = bytes(32)

Head = dict[str, object]
"""A record as JSON, before anything is checked."""


def make(root: Path, **claims: object) -> Path:
    """A folder whose FORMAT names a key that is nobody's here."""
    said = {"version": 1, "store": "0" * 16, "key": "f" * 16, "made": 1}
    root.mkdir()
    (root / "journal").mkdir()
    claim = {**said, "journal": "journal", "mac": "00", **claims}
    (root / "FORMAT").write_text(json.dumps(claim))
    return root


def heads_of(*stories: Story) -> list[Head]:
    """The records of some runs."""
    heads: list[Head] = []
    for nth, story in enumerate(stories):
        story.run = f"run-{nth}"
        story.relabel()
        for entry in story.entries:
            heads.append(json.loads(encode_head(entry.record, len(heads) + 1)))
    return heads


def bodies_of(*stories: Story) -> list[bytes]:
    """The values of the same records, as they lie in a segment."""
    refs = (e.record.blobs for story in stories for e in story.entries)
    return [b"".join(ref.inline or b"" for ref in blobs) for blobs in refs]


def frames(heads: Iterable[object], bodies: Iterable[bytes] = ()) -> bytes:
    """A segment with these records, each with a valid CRC and no MAC."""
    left = iter(bodies)
    return b"".join(
        encode_frame(seq, NO_MAC, NO_MAC, json.dumps(head).encode(), next(left, b""))
        for seq, head in enumerate(heads)
    )


def segment(root: Path, data: bytes, name: str = f"{OWNER}.seg") -> None:
    """Lay a segment into the folder."""
    (root / "journal" / name).write_bytes(data)


def record(kind: str, tick: int, subject: str, **fields: object) -> Head:
    """A record of one run, written by hand."""
    made = Record(kind=kind, run="r", step="", subject=subject, at_us=tick * 1_000_000)
    return {**json.loads(encode_head(made, tick)), "fields": fields}


def begun(**fields: object) -> list[Head]:
    """A run with one step that has begun."""
    step = record("step.started", 2, "s", name="a", slot="x", **fields)
    opened = record("run.opened", 1, "r", notebook="n.ipynb", number=1)
    return [opened, {**step, "step": "s"}]


def call(tick: int, subject: str, **fields: object) -> Head:
    """A call of that step that has begun."""
    made = record("call.started", tick, subject, **{"name": "t", "n": 1, **fields})
    return {**made, "step": "s"}


def with_value(head: Mapping[str, object], codec: str, data: bytes) -> Head:
    """A record that carries a value; its bytes go into the frame's body."""
    digest = blake3(data).hexdigest()
    return {**head, "refs": [[codec, digest, len(data), "00" * 32, 1]]}


def ref(codec: str, data: bytes, size: int | None = None) -> BlobRef:
    """A ref to bytes that lie in a file of their own."""
    digest = blake3(data).digest()
    claimed = len(data) if size is None else size
    return BlobRef(codec=codec, id=digest, size=claimed, mac=NO_MAC)
