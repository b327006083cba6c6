"""A key seeded in many places is in no stored byte."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import httpx2
import numpy as np
import openai
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.engine import codec
from nbdurable.engine.values.redact import SecretAbsent, Secrets

KEY = "sk-proj-abcdEFGH0123456789abcd/EFGH+01"
PASSWORD = 'sesame "é" \\ open/ğ+'
ENVIRONMENT = {"OPENAI_API_KEY": KEY, "DB_PASSWORD": PASSWORD}
SECRETS = Secrets(ENVIRONMENT)
BEARER = {"Authorization": "Bearer typed-in-by-hand-0123456789"}
REQUEST = httpx.Request("POST", "https://x.test/v1", headers=BEARER, json={"a": 1})


@dataclasses.dataclass
class Settings:
    """Holds a key as a field."""

    key: str


class Callback:
    """Holds a key in an attribute and in a closure."""

    def __init__(self, key: str) -> None:
        self.headers = {"x": [key]}
        self.call = lambda: key


def _sdk_error() -> openai.APIStatusError:
    response = httpx2.Response(
        429,
        request=httpx2.Request("POST", "https://x.test", headers=BEARER),
        headers={"set-cookie": "session=abcdef0123456789"},
        json={"error": {"message": "slow down"}},
    )
    return openai.RateLimitError("slow down", response=response, body={"a": 1})


def _raw(value: object) -> bytes:
    return json.dumps(value).encode()


def _noted(key: str) -> ValueError:
    error = ValueError("x")
    error.add_note(f"tried {key}")
    return error


PLACES: dict[str, Callable[[str], Any]] = {
    "str": str,
    "nested": lambda key: [{"a": ({"b": f"Bearer {key}"},)}],
    "dict key": lambda key: {key: {key: 1}},
    "set": lambda key: {key, "x"},
    "bytes": lambda key: b"\0" + key.encode() + b"\xff",
    "bytearray": lambda key: [bytearray(key.encode())],
    "JSON in a str": lambda key: json.dumps({"k": key}),
    "JSON in JSON": lambda key: json.dumps(json.dumps([key])),
    "percent-encoded": lambda key: f"https://x.test?k={quote(key, safe='')}",
    "base64": lambda key: base64.b64encode(b"user:" + key.encode()).decode(),
    "long list": lambda key: [*["x"] * 1000, key],
    "dataclass": Settings,
    "object": Callback,
    "text array": lambda key: np.array(["a", key]),
    "byte array": lambda key: np.frombuffer(key.encode(), "u1").copy(),
    "large text array": lambda key: {"a": np.array([key] * 1000)},
    "object array": lambda key: np.array([1, key], object),
    "frame cell": lambda key: pd.DataFrame({"a": ["x", key]}),
    "frame of many": lambda key: pd.DataFrame({"a": ["x", key] * 5000}),
    "column name": lambda key: pd.DataFrame({key: [1]}),
    "exception": lambda key: ValueError(f"bad key {key}"),
    "exception's attribute": _noted,
    "client": lambda key: openai.OpenAI(api_key=KEY, default_headers={"x": key}),
    "async client": lambda _: openai.AsyncOpenAI(api_key=KEY),
    "client of another key": lambda _: openai.OpenAI(api_key="literal-0123456789abc"),
    "httpx client": lambda _: httpx.Client(headers={"Authorization": f"Bearer {KEY}"}),
    "httpx client's typed key": lambda _: httpx.Client(headers=BEARER),
    "request": lambda _: REQUEST,
    "headers": lambda _: httpx.Headers({"X-Api-Key": KEY}),
    "response": lambda _: httpx.Response(200, request=REQUEST, text="ok"),
    "SDK exception": lambda _: _sdk_error(),
}


REFUSED = {
    "dataclass",
    "object",
    "text array",
    "byte array",
    "large text array",
    "object array",
    "frame cell",
    "frame of many",
    "column name",
    "exception",
    "exception's attribute",
    "client of another key",
    "httpx client's typed key",
}


def _needles(key: str) -> list[bytes]:
    shifted = [base64.b64encode(b"\0" * n + key.encode())[4:-4] for n in range(3)]
    return [
        *(key.encode(encoding) for encoding in ("utf-8", "utf-32-le", "utf-16-le")),
        *shifted,
        json.dumps(key)[1:-1].encode(),
        quote(key, safe="").encode(),
        b"typed-in-by-hand",
        b"literal-0123456789abc",
        b"session=abcdef",
    ]


def _found(encoded: codec.Encoded) -> list[bytes]:
    needles = [*_needles(KEY), *_needles(PASSWORD)]
    return [needle for needle in needles if needle in encoded.data]


@pytest.mark.wide
@pytest.mark.parametrize("key", [KEY, PASSWORD])
@pytest.mark.parametrize("place", PLACES)
def test_no_encoded_byte_holds_the_key(place: str, key: str) -> None:
    """A value with the key is cut at it, described without it, or refused."""
    value = PLACES[place](key)
    error = value if isinstance(value, BaseException) else RuntimeError(value)
    encodings = [codec.encode_exception(error, secrets=SECRETS)]
    if place in REFUSED:
        with pytest.raises(codec.Unstorable, match=r"secret|keys are not stored"):
            codec.encode(value, secrets=SECRETS)
    else:
        encodings.append(codec.encode(value, secrets=SECRETS))
    for encoded in encodings:
        assert not _found(encoded), encoded.data


@pytest.mark.parametrize("key", [KEY, PASSWORD])
@pytest.mark.parametrize("place", list(PLACES)[: list(PLACES).index("dataclass")])
def test_plain_values_get_their_key_back(place: str, key: str) -> None:
    """Plain data is equal again, with the key from the environment."""
    value = PLACES[place](key)
    encoded = codec.encode(value, secrets=SECRETS)
    assert encoded.codec == "json"
    assert codec.decode(encoded.codec, encoded.data, secrets=SECRETS) == value


def test_the_key_of_another_day_is_put_in() -> None:
    """A value stored under one key loads with the key of today."""
    encoded = codec.encode({"auth": f"Bearer {KEY}"}, secrets=SECRETS)
    today = Secrets({"OPENAI_API_KEY": "another-key-0123"})
    value = codec.decode(encoded.codec, encoded.data, secrets=today)
    assert value == {"auth": "Bearer another-key-0123"}


def test_without_the_variable_the_value_is_not_loaded() -> None:
    """The error names the variable that is missing."""
    for value in ([KEY], b"x" + KEY.encode(), openai.OpenAI(api_key=KEY)):
        encoded = codec.encode(value, secrets=SECRETS)
        with pytest.raises(SecretAbsent, match="OPENAI_API_KEY"):
            codec.decode(encoded.codec, encoded.data, secrets=Secrets({}))


def test_our_mark_in_a_text_is_only_a_text() -> None:
    """A user's text that looks like a mask is not replaced by the key."""
    for value in ("‹secret:OPENAI_API_KEY›", ["‹secret:OPENAI_API_KEY›", KEY]):
        encoded = codec.encode(value, secrets=SECRETS)
        assert codec.decode(encoded.codec, encoded.data, secrets=SECRETS) == value


@pytest.mark.parametrize("value", [{"k": "ghp_" + "aB3d" * 9}, "ghp_" + "aB3d" * 9])
def test_a_key_known_by_shape_only_is_refused(value: object) -> None:
    """What can't be put back is not stored at all, instead of stored changed."""
    with pytest.raises(codec.Unstorable, match="github-token"):
        codec.encode(value, secrets=SECRETS)


def test_the_place_of_a_secret_is_named() -> None:
    """The refusal says where in the value the secret is."""
    with pytest.raises(codec.Unstorable) as raised:
        codec.encode({"conf": [Settings(KEY)]}, secrets=SECRETS)
    assert raised.value.path == "['conf'][0].key"


def test_masked_headers_come_back_where_they_can() -> None:
    """A header with a known key is whole again; one typed in is only masked."""
    headers = httpx.Headers({"X-Api-Key": KEY, **BEARER, "a": "b"})
    known = Secrets({"K_KEY": KEY})
    encoded = codec.encode(headers, secrets=known)
    back: Any = codec.decode(encoded.codec, encoded.data, secrets=known)
    assert back["x-api-key"] == headers["x-api-key"]
    assert back["authorization"] == "<authorization is not stored>"
    assert back["a"] == "b"
    masked: Any = codec.decode(encoded.codec, encoded.data, secrets=Secrets({}))
    assert masked["x-api-key"] == "<x-api-key is not stored>"


@given(st.recursive(st.text(max_size=5), lambda c: st.lists(c) | st.tuples(c, c)))
def test_a_secret_at_any_place_of_a_tree_is_cut(tree: object) -> None:
    """Wherever the key stands in plain data, it is cut out and put back."""
    value = {"tree": tree, "key": [KEY, (PASSWORD,)]}
    encoded = codec.encode(value, secrets=SECRETS)
    assert not _found(encoded)
    assert codec.decode(encoded.codec, encoded.data, secrets=SECRETS) == value
