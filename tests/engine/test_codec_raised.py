"""Exceptions are stored as outcomes: told for people, and the object where it can be."""

from __future__ import annotations

import json
import sys
from typing import Any

import httpx2
import openai
import pytest

from nbdurable.engine import codec
from nbdurable.engine.codec import Raised
from nbdurable.engine.values.redact import SecretAbsent, Secrets

KEY = "sk-proj-abcdEFGH0123456789abcdEFGH0123456789"
SECRETS = Secrets({"OPENAI_API_KEY": KEY})


class Refused(Exception):
    """An exception whose ``__init__`` takes other arguments than it keeps."""

    def __init__(self, name: str, *, code: int) -> None:
        super().__init__(f"{name} refused")
        self.code = code


class Odd(Exception):
    """An exception that can't be compared, shown or taken apart."""

    def __init__(self) -> None:
        super().__init__(sys._getframe())

    def __str__(self) -> str:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        raise ZeroDivisionError


def _caught(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def _round(error: BaseException) -> tuple[str, Raised]:
    encoded = codec.encode_exception(error, secrets=SECRETS)
    back = codec.decode_exception(encoded.codec, encoded.data, secrets=SECRETS)
    return encoded.codec, back


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad"),
        KeyError("k", 1),
        FileNotFoundError(2, "No such file", "/x"),
        OSError(18, "Cross-device link", "/x", None, "/y"),
        TimeoutError(),
        StopIteration(3),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
        ZeroDivisionError("division by zero"),
    ],
    ids=repr,
)
def test_pythons_own_exceptions_need_no_trust(error: Exception) -> None:
    """A builtin exception with plain arguments is plain data, equal when rebuilt."""
    layer, back = _round(_caught(error))
    assert type(back.exception) is type(error)
    assert back.exception.args == error.args
    assert str(back.exception) == str(error)
    assert back.type == f"builtins.{type(error).__name__}"
    assert "raise error from cause" in back.text
    assert layer == "json"


def test_an_exception_of_a_program_keeps_its_attributes() -> None:
    """A custom exception comes back without calling its ``__init__``."""
    layer, back = _round(_caught(Refused("ann", code=7)))
    assert layer == "pickle5"
    assert isinstance(back.exception, Refused)
    assert (str(back.exception), back.exception.code) == ("ann refused", 7)


def test_cause_and_notes_come_along() -> None:
    """What led to the exception and what was noted on it are kept."""
    error = _caught(Refused("ann", code=7), KeyError("k"))
    error.add_note("while paying")
    exception = _round(error)[1].exception
    assert exception is not None
    assert isinstance(exception.__cause__, KeyError)
    assert exception.__notes__ == ["while paying"]


def test_a_cause_that_cannot_be_kept_costs_only_itself() -> None:
    """The exception is kept without its chain if the chain can't be."""
    exception = _round(_caught(Refused("ann", code=7), Odd()))[1].exception
    assert isinstance(exception, Refused)
    assert exception.__cause__ is None


def test_what_cannot_be_kept_is_still_told() -> None:
    """Type and traceback stay for people where the object is lost."""
    layer, back = _round(_caught(Odd()))
    assert layer == "json"
    assert back.exception is None
    assert back.type.endswith(".Odd")
    assert "raise error from cause" in back.text


def _rate_limit() -> openai.RateLimitError:
    request = httpx2.Request(
        "POST", "https://api.test/v1", headers={"Authorization": f"Bearer {KEY}"}
    )
    response = httpx2.Response(
        429,
        request=request,
        headers={"x-request-id": "r1", "set-cookie": "session=abcdef0123456789"},
        json={"error": {"message": "slow down"}},
    )
    return openai.RateLimitError(
        "slow down", response=response, body={"message": "slow down"}
    )


def test_an_sdk_exception_comes_back_without_its_key() -> None:
    """An agent catches the same type with the same details; the key was not stored."""
    error = _rate_limit()
    encoded = codec.encode_exception(error, secrets=SECRETS)
    assert not SECRETS.holds(encoded.data)
    assert b"session=" not in encoded.data
    back = codec.decode_exception(encoded.codec, encoded.data, secrets=SECRETS)
    exception: Any = back.exception
    assert type(exception) is openai.RateLimitError
    assert exception.status_code == 429
    assert exception.request_id == "r1"
    assert exception.body == {"message": "slow down"}
    assert exception.response.json() == {"error": {"message": "slow down"}}
    without = codec.decode_exception(encoded.codec, encoded.data, secrets=Secrets({}))
    assert type(without.exception) is openai.RateLimitError


def test_a_secret_in_the_message_is_masked_for_people_and_put_back_for_programs() -> (
    None
):
    """The text shows the name of the secret; the arguments get it from the environment."""
    back = _round(_caught(ValueError(f"bad key {KEY}")))[1]
    assert back.message == "bad key ‹secret:OPENAI_API_KEY›"
    assert KEY not in back.text
    assert str(back.exception) == f"bad key {KEY}"
    encoded = codec.encode_exception(ValueError(KEY), secrets=SECRETS)
    with pytest.raises(SecretAbsent):
        codec.decode_exception(encoded.codec, encoded.data, secrets=Secrets({}))


@pytest.mark.parametrize(
    "told",
    [
        {"builtin": "eval", "args": ["1"]},
        {"builtin": "Odd", "args": []},
        {"builtin": "ValueError"},
        {"exception": "no"},
        {},
    ],
    ids=repr,
)
def test_a_forged_exception_is_refused(told: dict[str, object]) -> None:
    """Plain bytes can name exceptions of Python and nothing else."""
    whole = {"type": "x", "message": "", "text": "", **told} if told else {}
    with pytest.raises(codec.Unreadable):
        codec.decode_exception("json", json.dumps(whole).encode(), secrets=SECRETS)
