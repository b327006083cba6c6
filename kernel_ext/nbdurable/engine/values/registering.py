"""`nd.register_digest`: a digest for types that have none, or a better one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from nbdurable.engine.identity import plain, registry
from nbdurable.errors import DigestRefused

__all__ = ["register_digest"]

StandIn = TypeVar("StandIn", bound=Callable[[Any], object])
VERSION_CHARS_MAX = 200
"""A version is a label, not a value, in characters."""


@overload
def register_digest(
    type_: type | str, fn: StandIn, *, version: str = ...
) -> StandIn: ...
@overload
def register_digest(
    type_: type | str, *, version: str = ...
) -> Callable[[StandIn], StandIn]: ...
def register_digest(type_: type | str, fn: Any = None, *, version: str = "1") -> Any:
    """Say what a value of some type is, where its digest is made.

    The function takes an instance and gives back any value that has a digest: what
    identifies the instance, such as a tuple of its options. Two instances of one class
    are the same value if what it gives for them is.

    It holds for the class and its subclasses; of several that fit, the one of the
    nearest class counts. An instance of a subclass is never the same value as one of
    its base: the name of the class is part of the digest. So is ``version``: raise it
    when the function means something else by what it gives.

    If the function raises, the value has no digest, and the question or the status
    line that follows says so. Registering a type again replaces the function. A new
    kernel knows nothing of it: register before the first durable cell.

    Args:
        type_: The class; or its full name, as ``"package.module.Class"``, which imports
            nothing and holds for a class of the notebook after it was defined again.
        fn: From an instance to a value. Left out, this is a decorator.
        version: The meaning of what ``fn`` gives.

    Raises:
        DigestRefused: ``type_`` is no class or is plain data, ``fn`` can't be called,
            or ``version`` is no short text.

    Example:
        >>> import nbdurable as nd
        >>> class Session:
        ...     def __init__(self, host, lock):
        ...         self.host, self.lock = host, lock
        >>> @nd.register_digest(Session)
        ... def session_by_host(session):
        ...     return session.host
    """
    _check(type_, version)

    def register(stand_in: Any) -> Any:
        if not callable(stand_in):
            raise DigestRefused(what=f"{stand_in!r} can't be called with an instance")
        registry.register(type_, stand_in, version)
        return stand_in

    return register if fn is None else register(fn)


def _check(type_: object, version: object) -> None:
    if isinstance(type_, str):
        module, _, name = type_.rpartition(".")
        if not module or not name.isidentifier():
            raise DigestRefused(what=f"{type_!r} is no full name of a class")
    elif not isinstance(type_, type):
        raise DigestRefused(what=f"{type(type_).__name__} {type_!r} is no class")
    elif type_ in plain.PLAIN or type_ is object:
        raise DigestRefused(what=f"{type_.__name__} is plain data, which is its value")
    if not isinstance(version, str) or not 0 < len(version) <= VERSION_CHARS_MAX:
        raise DigestRefused(what=f"version={version!r} is no short text")
