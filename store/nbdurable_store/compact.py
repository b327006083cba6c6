"""Compact JSON, the same text as `json.dumps` with these options, in less time."""

from __future__ import annotations

import json

_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
)
_make = getattr(json.encoder, "c_make_encoder", None)
quoted = json.encoder.encode_basestring
"""A string as JSON, quotes included."""
_pieces = _make and _make(
    None, _encoder.default, quoted, None, ":", ",", False, False, False
)


def compact(value: object) -> str:
    """A value as JSON without spaces, in Unicode.

    The encoder in C is made once: making it for each text takes a fifth of the time
    that writing a kilobyte does.

    Raises:
        ValueError: A float is not finite.
        TypeError: JSON can't say it.

    Example:
        >>> compact({"ä": [1, 2.5, None]})
        '{"ä":[1,2.5,null]}'
    """
    if _pieces is None:
        return _encoder.encode(value)
    return "".join(_pieces(value, 0))
