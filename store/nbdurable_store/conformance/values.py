"""Promises about bytes and plain data: what comes back is what went in."""

from __future__ import annotations

from nbdurable_store.conformance.harness import (
    Check,
    Harness,
    promise,
    record,
    refuses,
    subjects,
)
from nbdurable_store.errors import BlobDamaged, BlobMissing
from nbdurable_store.protocol import Sink
from nbdurable_store.records import BlobRef

CHECKS: list[Check] = []


@promise(CHECKS)
def blobs_come_back(harness: Harness) -> None:
    """Bytes of every size come back to every process, before and after a kill."""
    store = harness.open()
    sizes = [0, 1, 65_535, 65_536, 65_537, 300_000]
    values = [bytes([n]) * size for n, size in enumerate(sizes)]
    refs = tuple(store.put("raw", value) for value in values)
    assert [store.get(ref) for ref in refs] == values
    (entry,) = store.append([record(blobs=refs)], sync=True)
    assert entry.record.blobs == refs
    assert [ref.inline for ref in entry.record.blobs] == [None] * len(refs)
    assert [store.get(ref) for ref in entry.record.blobs] == values
    harness.kill(store)
    later = harness.open()
    (read,) = later.read("run")[0]
    assert [ref.inline for ref in read.record.blobs] == [None] * len(refs)
    assert [later.get(ref) for ref in read.record.blobs] == values


@promise(CHECKS)
def blobs_are_read_as_they_were_handed_over(harness: Harness) -> None:
    """Head and leaves come back apart, in order, to every process."""
    store = harness.open()
    leaves = [b"", b"l" * 5_000, bytes(range(256)) * 4_000]

    def fill(sink: Sink) -> None:
        sink.write(b"begin")
        for leaf in leaves:
            sink.leaf(leaf)
            sink.piece(b"long text " * 900)
        sink.write(b"end" * 1_000)

    head = b"begin" + b"long text " * 2_700 + b"end" * 1_000
    ref = store.put("x", fill)
    assert ref.size == len(head) + sum(map(len, leaves))
    store.append([record(blobs=(ref,))], sync=True)
    harness.kill(store)
    for later in (store, harness.open()):
        stored = later.get(ref, stream=True)
        assert not isinstance(stored, bytes)
        assert stored.head().read() == head
        assert [bytes(leaf) for leaf in stored.leaves()] == leaves
        stored.close()
        assert later.get(ref) == head + b"".join(leaves)


@promise(CHECKS)
def half_a_blob_is_no_blob(harness: Harness) -> None:
    """Of a blob whose writer raises nothing is kept, and its error is passed on."""
    store = harness.open()

    def fill(sink: Sink) -> None:
        sink.leaf(b"l" * 100_000)
        raise KeyError("half")

    refuses(KeyError, lambda: store.put("x", fill))
    whole = store.put("x", lambda sink: sink.leaf(b"l" * 100_000))
    assert store.get(whole) == b"l" * 100_000


@promise(CHECKS)
def equal_bytes_have_one_name(harness: Harness) -> None:
    """Equal bytes are named alike by every process; the codec is part of the name."""
    one, other = harness.open(), harness.open()
    for value in (b"small", b"large" * 20_000):
        assert one.put("json", value) == other.put("json", value)
        assert one.put("json", value) != one.put("npy", value)
        assert one.put("json", value).id == one.put("npy", value).id


@promise(CHECKS)
def forged_refs_are_refused(harness: Harness) -> None:
    """A ref with another codec, size, digest or MAC hands out nothing."""
    store = harness.open()
    for value in (b"small", b"large" * 20_000):
        ref = store.put("json", value)
        forged = [
            ref._replace(codec="pickle5"),
            ref._replace(size=ref.size - 1),
            ref._replace(id=bytes(32)),
            ref._replace(mac=bytes(32)),
        ]
        for bad in forged:
            refuses(BlobDamaged, lambda bad=bad: store.get(bad))  # type: ignore[misc]


@promise(CHECKS)
def other_bytes_are_never_handed_out(harness: Harness) -> None:
    """Inline bytes that aren't the named ones are refused."""
    store = harness.open()
    ref = store.put("json", b"true")
    refuses(BlobDamaged, lambda: store.get(ref._replace(inline=b"fals")))


@promise(CHECKS)
def unknown_bytes_are_missing(harness: Harness) -> None:
    """A ref whose bytes nobody has is an error of its own."""
    store = harness.open()
    ref = store.put("json", b"never appended")
    refuses(BlobMissing, lambda: store.get(_bare(ref)))


def _bare(ref: BlobRef) -> BlobRef:
    return ref._replace(inline=None, place=None)


@promise(CHECKS)
def hostile_text_is_literal(harness: Harness) -> None:
    """Whatever text holds comes back as it was and means nothing."""
    store = harness.open()
    texts = [
        "",
        "\0",
        "\ud800",
        "'; drop table entries; --",
        "😀\n\r\t\x7f",
        "a" * 9000,
    ]
    for text in texts:
        made = record(
            text, subject=text, step=text, kind=f"x{text}", fields={text: text}
        )
        store.append([made], sync=False)
        (entry,) = harness.open().read(text)[0]
        assert entry.record == made
        assert len(store.scan([f"x{text}"])[0]) == 1


@promise(CHECKS)
def plain_data_comes_back(harness: Harness) -> None:
    """Fields come back with equal values and types."""
    store = harness.open()
    fields = {
        "atoms": [None, True, False, 0, -1, 2**80, 0.1, -0.0, 1e300, "x"],
        "nested": {"a": [{"b": []}, {}], "c": {"d": None}},
    }
    store.append([record(fields=fields)], sync=False)
    (entry,) = harness.open().read("run")[0]
    assert repr(entry.record.fields) == repr(fields)


@promise(CHECKS)
def what_json_cannot_say_is_refused(harness: Harness) -> None:
    """Fields that aren't plain data are refused, and nothing of that append is kept."""
    store = harness.open()
    for bad, error in ((float("nan"), ValueError), (object(), TypeError)):
        batch = [record(subject="before"), record(fields={"bad": bad})]
        refuses(error, lambda batch=batch: store.append(batch, sync=False))  # type: ignore[misc]
    (entry,) = store.append([record(subject="after")], sync=True)
    assert entry.seq == 1
    assert subjects(harness.open().read("run")[0]) == ["after"]
