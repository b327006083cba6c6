"""The quick search for secrets says what Python's own says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.engine.values.occurs import LONG_BYTES_MIN, occurs, spells_wide
from nbdurable.engine.values.redact import Secrets

KEY = "sk-" + "a1B2" * 10


@given(
    st.binary(min_size=1, max_size=5),
    st.binary(max_size=40),
    st.sampled_from([b"", b"\0" * LONG_BYTES_MIN, b"sk" * LONG_BYTES_MIN]),
)
def test_what_occurs(sought: bytes, data: bytes, filling: bytes) -> None:
    """In few bytes and in many, at either end, with zeros in both."""
    for whole in (data + filling, filling + data, data + filling + sought):
        assert occurs(sought, whole) == (sought in whole)


@given(
    st.text(st.characters(min_codepoint=1, max_codepoint=127), min_size=3),
    st.sampled_from(["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]),
    st.binary(max_size=9),
)
def test_what_may_be_wide_text(text: str, encoding: str, around: bytes) -> None:
    """Text of two or four bytes a character is seen at every offset."""
    assert spells_wide(around + text.encode(encoding) + around)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("before", [0, 1, 2, 3, 100_001, (1 << 20) - 7])
def test_a_key_is_found_in_any_width(encoding: str, before: int) -> None:
    """Among zeros and other bytes, across the windows that are looked at."""
    secrets = Secrets({"MY_API_KEY": "correct horse battery"})
    for text in (KEY, "correct horse battery"):
        data = b"\xf7\0\0" * (before // 3) + b"\0" * (before % 3)
        assert secrets.find(data) is None
        assert secrets.find(data + text.encode(encoding) + b"\0" * 9)
