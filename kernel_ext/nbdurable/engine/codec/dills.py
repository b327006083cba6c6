"""The `dill` layer: what pickle and cloudpickle refuse, loaded only after verification.

dill rebuilds some objects that are tied to their process, a lock for one; what our
table refuses is refused here too.
"""

from __future__ import annotations

import io
from typing import Any

from nbdurable.engine.codec import paths, reducers
from nbdurable.engine.codec.errors import Unreadable, Unstorable
from nbdurable.engine.values.redact import Secrets


def encode(value: object, secrets: Secrets) -> bytes:
    """Write with dill, the last resort.

    Raises:
        Unstorable: It refused too, or the value holds a secret.
    """
    import dill  # lazy: seldom needed

    try:
        sink = io.BytesIO()
        _refusing(dill.Pickler)(sink, protocol=5, recurse=True).dump(value)
        data = sink.getvalue()
    except Exception as error:
        raise Unstorable(why=f"{type(error).__name__}: {error}") from error
    if name := secrets.find(data):
        path = paths.secret_path(value, secrets)
        raise Unstorable(path=path, why=f"it holds a secret ({name})")
    return data


def _refusing(base: Any) -> Any:
    class Refusing(base):  # type: ignore[misc]  # dill is untyped
        def reducer_override(self, value: object) -> Any:
            entry = reducers.find(type(value))
            if isinstance(entry, str):
                raise Unstorable(why=entry)
            return NotImplemented

    return Refusing


def decode(data: bytes) -> object:
    """Load what `encode` wrote. Only ever called with verified bytes.

    Raises:
        Unreadable: They make no object here.
    """
    import dill  # lazy: seldom needed

    try:
        return dill.loads(data)  # noqa: S301, TID251  # the one place
    except Exception as error:
        raise Unreadable(
            codec="dill", why=f"{type(error).__name__}: {error}"
        ) from error
