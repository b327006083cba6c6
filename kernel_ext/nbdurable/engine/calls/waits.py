"""How long a call waits before it is tried again.

The doubling and its limits are tenacity's. Its jitter isn't used: it draws from
Python's `random`, whose state belongs to the user's code and is restored with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nbdurable.engine.past.retry import Retry

CAUSES_MAX: Final = 10
"""Exceptions behind an exception that are asked for an answer's headers."""

HEADER_CHARS_MAX: Final = 100
"""A longer header says nothing about a wait."""


def wait_s(retry: Retry, number: int, fraction: float, asked_s: float) -> float | None:
    """Seconds to wait before the next attempt, or None if there is none.

    Args:
        retry: What the tool's author said.
        number: Which attempt of the series has just ended, from 1.
        fraction: A number drawn from 0 to 1.
        asked_s: What the other side asked for, seconds; 0 for nothing.
    """
    if number >= retry.attempts or asked_s > retry.max_wait:
        return None
    backed_off = _doubled(retry, number) + fraction * retry.jitter
    return max(asked_s, min(backed_off, retry.max_wait))


def _doubled(retry: Retry, number: int) -> float:
    import tenacity  # lazy: it takes 20 ms, and most calls succeed

    state = tenacity.RetryCallState(None, None, (), {})  # type: ignore[arg-type]  # the wait looks at its number only
    state.attempt_number = number
    return tenacity.wait_exponential(multiplier=retry.wait, max=retry.max_wait)(state)


def asked_s(error: BaseException, now_us: int) -> float:
    """The wait that the answer behind an exception asks for, seconds; 0 for none.

    Answers of httpx, httpx2, requests, aiohttp and botocore are read, and those of SDKs
    on them, also where another exception wraps theirs.

    Args:
        error: What a call raised.
        now_us: Wall clock, microseconds since 1970 UTC.
    """
    for behind in _chain(error):
        headers = _headers(behind)
        if headers is not None:
            return _asked_by(headers, now_us)
    return 0.0


def _chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    for _ in range(CAUSES_MAX):
        if found is None:
            return
        yield found
        found = found.__cause__ or (
            None if found.__suppress_context__ else found.__context__
        )


def _headers(error: BaseException) -> Mapping[str, object] | None:
    try:
        response: Any = getattr(error, "response", None)
        if isinstance(response, Mapping):
            headers: Any = response["ResponseMetadata"]["HTTPHeaders"]
        else:
            holder: Any = error if response is None else response
            headers = holder.headers
        names = {str(name).lower(): headers[name] for name in headers}
    except Exception:  # noqa: BLE001  # whatever an exception of somebody else's holds
        return None
    return names


def _asked_by(headers: Mapping[str, object], now_us: int) -> float:
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if isinstance(value, str) and len(value) <= HEADER_CHARS_MAX:
            asked = _number(value)
            if asked is not None:
                return max(0.0, asked * unit_s)
            if name == "retry-after" and (until := _date_us(value)) is not None:
                return max(0.0, (until - now_us) / 1_000_000)
    return 0.0


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _date_us(value: str) -> int | None:
    from email.utils import parsedate_to_datetime  # lazy, as tenacity is

    try:
        return int(parsedate_to_datetime(value).timestamp() * 1_000_000)
    except (ValueError, OverflowError, TypeError):
        return None
