"""Bytes of any origin: the plain layers read them safely or refuse them by name."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.engine import codec
from nbdurable.engine.codec.parts import Gathered
from nbdurable.engine.values.redact import SecretAbsent, Secrets

SECRETS = Secrets({})


class Boom:
    """Would run code if it were ever unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("code of a stored value was run",)


def _npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


JSON = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b'"\xff"',
    "two values": b"1 2",
    "a constant": b"NaN",
    "a constant inside an envelope": b'{"$":["tuple",[Infinity]]}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep envelopes": b'{"$":["tuple",[' * 50_000,
    "a huge integer": b"1" * 1_000_000,
    "an unknown tag": b'{"$":["module","os"]}',
    "no tag": b'{"$":[]}',
    "no list": b'{"$":"tuple"}',
    "more keys": b'{"$":["tuple",[]],"a":1}',
    "a tag that is no text": b'{"$":[["tuple"],[]]}',
    "a tuple of a text": b'{"$":["tuple","abc"]}',
    "a set of lists": b'{"$":["set",[[1]]]}',
    "a dict of triples": b'{"$":["dict",[[1,2,3]]]}',
    "a path of another class": b'{"$":["path",["Popen","x"]]}',
    "a zone outside": b'{"$":["zone","../../etc/passwd"]}',
    "a month too many": b'{"$":["datetime",["2026-13-01",0,null]]}',
    "bytes that are no base64": b'{"$":["bytes","a*b="]}',
    "half a float": b'{"$":["float","00"]}',
    "a secret of a number": b'{"$":["secret",5]}',
    "an int that is code": b'{"$":["int","__import__"]}',
}

NPY = {
    "nothing": b"",
    "no magic": b"NUMPY",
    "an object array": _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"),
    "more than there is": _npy(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"
    ),
    "a negative shape": _npy(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1)}", bytes(8)
    ),
    "code in the header": _npy("__import__('os').system('true')"),
    "a field": _npy(
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", bytes(8)
    ),
    "half a number": _npy(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", bytes(5)
    ),
}


@pytest.mark.parametrize("case", JSON)
def test_json(case: str) -> None:
    """A hostile text is refused with one error, quickly and without running anything."""
    with pytest.raises(codec.Unreadable) as raised:
        codec.decode("json", JSON[case], secrets=SECRETS)
    assert raised.value.codec == "json"
    assert len(raised.value.why) < 300


@pytest.mark.parametrize("case", NPY)
def test_npy(case: str) -> None:
    """A hostile array is refused with one error, without taking memory for it."""
    with pytest.raises(codec.Unreadable) as raised:
        codec.decode("npy", NPY[case], secrets=SECRETS)
    assert raised.value.codec == "npy"


@pytest.mark.parametrize("name", ["json", "npy", "arrow", "", "pickle", "yaml"])
def test_no_layer_falls_back_to_pickle(name: str) -> None:
    """A pickle under another layer's name is never loaded."""
    sink = io.BytesIO()
    array = np.empty(1, dtype=object)
    array[0] = Boom()
    np.save(sink, array, allow_pickle=True)
    for data in (pickle.dumps(Boom()), sink.getvalue()):
        with pytest.raises(codec.Unreadable):
            codec.decode(name, data, secrets=SECRETS)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Whatever the bytes, a plain layer raises nothing but its own error."""
    for name in sorted(codec.PLAIN):
        with contextlib.suppress(codec.Unreadable):
            codec.decode(name, data, secrets=SECRETS)


TAGS = st.sampled_from(
    [
        "tuple",
        "dict",
        "set",
        "frozenset",
        "bytes",
        "bytearray",
        "str",
        "secret",
        "int",
        "float",
        "complex",
        "datetime",
        "date",
        "time",
        "timedelta",
        "timezone",
        "zone",
        "decimal",
        "uuid",
        "path",
        "range",
        "slice",
        "ellipsis",
        "x",
    ]
)
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda c: (
        st.lists(c, max_size=4)
        | st.dictionaries(st.text(max_size=2), c, max_size=2)
        | st.builds(lambda t, b: {"$": [t, b]}, TAGS, c)
    ),
    max_leaves=8,
)


@pytest.mark.slow
@given(TAGS, BODIES)
def test_any_envelope_is_read_or_refused(tag: str, body: object) -> None:
    """An envelope with any body makes plain data, or one named error."""
    data = json.dumps({"$": [tag, body]}).encode()
    with contextlib.suppress(codec.Unreadable, SecretAbsent):
        codec.decode("json", data, secrets=SECRETS)


@pytest.mark.slow
@given(BODIES)
def test_user_data_is_never_taken_for_an_envelope(value: object) -> None:
    """Data that looks exactly like our envelopes comes back as that data."""
    encoded = codec.encode(value, secrets=SECRETS)
    assert codec.decode(encoded.codec, encoded.data, secrets=SECRETS) == value


@pytest.mark.parametrize("cut", [0, 5, 20, -1])
def test_a_cut_pickle_is_unreadable(cut: int) -> None:
    """Bytes that are too short or too long are refused before they are loaded."""
    encoded = codec.encode({"a": np.arange(5000), 1: {2}}, secrets=SECRETS)
    for data in (encoded.data[:cut], encoded.data + b"x", b"nbp9" + encoded.data[4:]):
        with pytest.raises(codec.Unreadable):
            codec.decode("pickle5", data, secrets=SECRETS)


def test_a_class_that_is_gone_is_named() -> None:
    """An object of a module that is not there raises an error that names it."""
    gathered = Gathered()
    gathered.write(b"nbp2\0")
    data = pickle.dumps(Boom)
    gathered.write(data.replace(b"test_codec_hostile", b"test_codec_missing"))
    with pytest.raises(codec.Unreadable, match="test_codec_missing"):
        codec.decode("pickle5", gathered.joined(), secrets=SECRETS)
