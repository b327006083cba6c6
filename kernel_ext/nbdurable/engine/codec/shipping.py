"""A function on its way to another process of this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nbdurable.engine.where.frames import outside


def shipped(
    fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The same call as pickle can carry it: a notebook's functions have no address.

    Example:
        >>> call, args, kwargs = shipped(lambda n: n + 1, (2,), {})
        >>> call(*args, **kwargs)
        3
    """
    import cloudpickle  # lazy: it costs 15 ms

    return unpacked, (cloudpickle.dumps((fn, tuple(args), dict(kwargs))),), {}


def unpacked(data: bytes) -> object:
    """Over there: the call that `shipped` has packed in this program's parent."""
    import cloudpickle  # lazy: it costs 15 ms

    fn, args, kwargs = cloudpickle.loads(data)
    with outside():  # a fork inherits the cell, and not its journal
        result: object = fn(*args, **kwargs)
    return result
