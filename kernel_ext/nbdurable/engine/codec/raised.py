"""Exceptions as stored outcomes: what was raised, for people and for the program.

Kept are the type's name, the message, the traceback as text and, where it survives the
round trip, the object. An exception of Python itself with plain arguments needs no
trust; any other travels through the pickle layer, without the auth headers that SDK
exceptions carry in their request. One that can't be kept is still told.
"""

from __future__ import annotations

import builtins
import traceback
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from nbdurable.engine.codec import layers, plain
from nbdurable.engine.codec.errors import Unreadable, Unstorable
from nbdurable.engine.values.redact import Secrets
from nbdurable.errors import DurableError

TEXT_MAX: Final = 32_000
"""Characters of a traceback that are kept: its end, where the cause stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An exception as it was stored.

    Attributes:
        type: Qualified name of its class.
        message: Its text, without secrets.
        text: Its traceback as Python prints it, without secrets.
        exception: The object, ready to be raised again; ``None`` where it could not be
            kept.
    """

    type: str
    message: str
    text: str = field(repr=False)
    exception: BaseException | None


def encode_exception(error: BaseException, *, secrets: Secrets) -> layers.Encoded:
    """Turn an exception into bytes; never raises for what the exception holds."""
    cls = type(error)
    told = {
        "type": f"{cls.__module__}.{cls.__qualname__}",
        "message": secrets.scrub(_message(error)),
        "text": secrets.scrub("".join(traceback.format_exception(error)))[-TEXT_MAX:],
    }
    if _is_builtin(error):
        try:
            full = {**told, "builtin": cls.__name__, "args": _arguments(error)}
            return layers.Encoded(layers.JSON, plain.encode(full, secrets))
        except (plain.NotPlain, Unstorable):
            pass
    for chain in (True, False):
        encoded = _pickled(told, error, secrets, chain=chain)
        if encoded is not None:
            return encoded
    return layers.Encoded(layers.JSON, plain.encode(told, secrets))


def decode_exception(
    codec: str,
    data: bytes,
    *,
    secrets: Secrets,
    namespace: MutableMapping[str, Any] | None = None,
) -> Raised:
    """Turn bytes of `encode_exception` back.

    Raises:
        Unreadable: They make no exception here.
        SecretAbsent: They need a secret that is not set here.
    """
    told: Any = layers.decode(codec, data, secrets=secrets, namespace=namespace)
    try:
        error = told.get("exception")
        if "builtin" in told:
            error = _builtin(told["builtin"])(*told["args"])
        if not isinstance(error, BaseException | None):
            raise TypeError(type(error).__name__)
        return Raised(
            type=str(told["type"]),
            message=str(told["message"]),
            text=str(told["text"]),
            exception=error,
        )
    except DurableError:
        raise
    except Exception as failure:
        why = f"{type(failure).__name__}: {failure}"
        raise Unreadable(codec=codec, why=why) from failure


def _is_builtin(error: BaseException) -> bool:
    cls = type(error)
    return (
        getattr(builtins, cls.__name__, None) is cls
        and not isinstance(error, BaseExceptionGroup)
        and not error.__dict__
        and error.__cause__ is None
        and error.__context__ is None
        and _same(_rebuilt(error), error)
    )


def _arguments(error: BaseException) -> Any:
    # An OSError keeps its file name beside its args; Python itself reduces it so.
    return error.__reduce__()[1]


def _rebuilt(error: BaseException) -> BaseException | None:
    try:
        return type(error)(*_arguments(error))
    except Exception:  # noqa: BLE001  # a constructor may raise anything
        return None


def _builtin(name: str) -> type[BaseException]:
    cls = getattr(builtins, name, None)
    if not (isinstance(cls, type) and issubclass(cls, BaseException)):
        raise TypeError(f"{name} is no exception of Python")
    return cls


def _pickled(
    told: dict[str, Any], error: BaseException, secrets: Secrets, *, chain: bool
) -> layers.Encoded | None:
    from nbdurable.engine.codec import (
        pickles,
        unpickles,
    )  # lazy: cloudpickle costs 15 ms

    try:
        data = pickles.encode({**told, "exception": error}, secrets, chain=chain)
        copy: Any = unpickles.decode(data, secrets)
    except DurableError:
        return None
    if not _same(copy["exception"], error):
        return None
    return layers.Encoded(layers.PICKLE, data)


def _same(copy: BaseException | None, error: BaseException) -> bool:
    return (
        type(copy) is type(error)
        and _message(copy) == _message(error)
        and _repr(copy.args) == _repr(error.args)
        and vars(copy).keys() == vars(error).keys()
        and getattr(copy, "filename", None) == getattr(error, "filename", None)
        and getattr(copy, "name", None) == getattr(error, "name", None)
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001  # a user's __str__ may raise anything
        return f"<{type(failure).__name__} in str()>"


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as failure:  # noqa: BLE001  # a user's __repr__ may raise anything
        return f"<{type(failure).__name__} in repr()>"
