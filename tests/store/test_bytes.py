"""The bytes of heads and MACs are those that ``docs/format.md`` says."""

from __future__ import annotations

import hmac
import json

import pytest

from nbdurable_store.journal.frames import decode_entry, encode_head
from nbdurable_store.keys import Signer, framed
from nbdurable_store.records import BlobRef, Place, Record

KEY = bytes(range(32))
SIGNER = Signer(KEY, "0123456789abcdef")
REF = BlobRef("json", b"i" * 32, 4, b"m" * 32, b"true")


def mac(*parts: bytes) -> bytes:
    """What the standard library says a MAC of these parts is."""
    return hmac.digest(KEY, framed(*parts), "sha256")


def test_a_record_has_the_mac_of_the_format() -> None:
    """HMAC-SHA256 over tag, store, owner, sequence number, previous MAC and head."""
    chain = SIGNER.chain("owner")
    head = b"head" * 100
    expected = mac(
        b"record/v1",
        b"0123456789abcdef",
        b"owner",
        (7).to_bytes(8, "little"),
        bytes(32),
        head,
    )
    assert chain.mac(7, bytes(32), head) == expected
    assert chain.mac(7, bytes(32), head) == expected, "what was begun is not changed"


def test_a_ref_has_the_mac_of_the_format() -> None:
    """HMAC-SHA256 over tag, store, codec, digest and size."""
    parts = (b"json", bytes(32), (9).to_bytes(8, "little"))
    assert SIGNER.blob("json", bytes(32), 9) == mac(
        b"blob/v1", b"0123456789abcdef", *parts
    )


@pytest.mark.parametrize(
    "text", ["plain", 'quotes " and \\ and \n\t\x00', "ä€😀", "\ud800"]
)
def test_a_head_is_the_json_of_its_record(text: str) -> None:
    """Members in the order of the format, no spaces, only lone surrogates escaped."""
    record = Record(
        kind=text,
        run=text,
        step=text,
        subject=text,
        key=b"k" * 32,
        at_us=-5,
        fields={text: [text, 1.5, None, True, {"n": 1 << 70}]},
        blobs=(REF, REF._replace(codec=text, inline=None)),
    )
    head = {
        "kind": text,
        "run": text,
        "step": text,
        "subject": text,
        "key": record.key.hex(),
        "tick": 3,
        "at": -5,
        "fields": record.fields,
        "refs": [
            ["json", REF.id.hex(), 4, REF.mac.hex(), 1],
            [text, REF.id.hex(), 4, REF.mac.hex(), 0],
        ],
    }
    ascii_only = text == "\ud800"
    said = json.dumps(head, ensure_ascii=ascii_only, separators=(",", ":")).encode()
    assert encode_head(record, 3) == said
    assert decode_entry("owner", 1, said, 0).record == record


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), {1, 2}, b"bytes"])
def test_what_json_cannot_say_is_refused(wrong: object) -> None:
    """Fields are finite plain data, or nothing is appended."""
    fields = {"x": wrong}
    record = Record(kind="k", run="r", at_us=1, fields=fields)  # type: ignore[arg-type]  # that is the test
    with pytest.raises((ValueError, TypeError)):
        encode_head(record, 1)


def test_refs_name_bytes_and_not_copies() -> None:
    """Where the bytes are found doesn't count when refs are compared."""
    read = REF._replace(inline=None, place=Place("owner", 1, 2))
    assert read == REF
    assert (read != REF) is False
    assert len({read, REF}) == 1
    assert read != REF._replace(codec="pickle5")
    assert REF.inline is not None
    assert repr(REF.inline) not in repr(REF)
