"""Instances of attrs and pydantic classes, and of classes with odd ways."""

from __future__ import annotations

import copy
import functools
import typing
from collections.abc import Callable

import attrs
import pydantic
import pydantic.v1

Make = Callable[[], object]


@attrs.define
class Defined:
    """An attrs class with slots."""

    x: int
    y: list[int] = attrs.field(factory=list)


@attrs.define(slots=False)
class Loose:
    """An attrs class with a dict."""

    x: int


@attrs.frozen(cache_hash=True)
class Hashed:
    """An attrs class that keeps its hash, which differs in each process."""

    x: str


@attrs.frozen(cache_hash=True, slots=False)
class HashedLoose:
    """The same with a dict."""

    x: str


@attrs.define
class Squared:
    """An attrs class that keeps what it computed, in a slot."""

    x: int

    @functools.cached_property
    def square(self) -> int:
        """Computed on first touch."""
        return self.x**2


class Message(pydantic.BaseModel):
    """A model that keeps what it doesn't know, and something private."""

    model_config = pydantic.ConfigDict(extra="allow")

    text: str = "hi"
    tags: list[str] = []
    _seen: int = pydantic.PrivateAttr(default=0)

    @functools.cached_property
    def length(self) -> int:
        """Computed on first touch."""
        return len(self.text)


class Numbers(pydantic.RootModel[list[int]]):
    """A model of a list."""


T = typing.TypeVar("T")


class Box(pydantic.BaseModel, typing.Generic[T]):
    """A model of any type."""

    inside: T


class Login(pydantic.BaseModel):
    """A model with a secret."""

    user: str
    password: pydantic.SecretStr


class Old(pydantic.v1.BaseModel):
    """A model of pydantic 1."""

    text: str = "hi"


@pydantic.dataclasses.dataclass
class Checked:
    """A dataclass that pydantic checks."""

    x: int


class Reduced:
    """Says how it is rebuilt, with a list and a dict besides."""

    def __init__(self, *items: object) -> None:
        self.items = items

    def __reduce__(self) -> tuple[object, ...]:
        return Reduced, (), None, iter(self.items), iter({"n": len(self.items)}.items())

    def append(self, _: object) -> None:
        """What pickle would call."""

    def __setitem__(self, key: str, value: object) -> None:
        """What pickle would call."""


class Nosy:
    """Answers to every name."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return name


class Loud:
    """An instance whose comparison, hash and repr all raise."""

    __hash__ = None  # type: ignore[assignment]  # that is what is tested

    def __init__(self, n: int) -> None:
        self.n = n

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        raise RuntimeError("no")


def touched(value: object, *names: str) -> object:
    """The same object after something was computed and kept."""
    for name in names:
        getattr(value, name)
    return value


def hashed(value: object) -> object:
    """The same object after its hash was asked for."""
    assert isinstance(hash(value), int)
    return value


def private(n: int) -> Message:
    """A message that has been seen."""
    message = Message()
    message._seen = n
    return message


def invalid(value: object) -> Exception:
    """What pydantic says of a wrong value."""
    try:
        Message.model_validate({"text": value})
    except pydantic.ValidationError as error:
        return error
    raise AssertionError("it was valid")


EQUAL: dict[str, tuple[Make, ...]] = {
    "attrs": (lambda: Defined(1), lambda: copy.deepcopy(Defined(1, []))),
    "attrs with a dict": (lambda: Loose(1), lambda: copy.copy(Loose(1))),
    "attrs with a hash": (lambda: Hashed("a"), lambda: hashed(Hashed("a"))),
    "attrs with both": (lambda: HashedLoose("a"), lambda: hashed(HashedLoose("a"))),
    "attrs with a cache": (lambda: Squared(2), lambda: touched(Squared(2), "square")),
    "model": (
        Message,
        lambda: Message(text="hi"),
        lambda: Message.model_validate_json('{"text": "hi"}'),
        lambda: touched(Message(), "length"),
        lambda: Message.model_construct(text="hi", tags=[]),
    ),
    "extra": (lambda: Message(a=1, b=2), lambda: Message(b=2, a=1)),
    "private": (lambda: private(3), lambda: private(3)),
    "root": (lambda: Numbers([1]), lambda: Numbers.model_validate([1])),
    "generic": (lambda: Box[int](inside=1), lambda: Box[int](inside="1")),
    "secret": (
        lambda: Login(user="ann", password="one"),  # a made up one
        lambda: Login(user="ann", password="two"),  # as above
    ),
    "old model": (Old, lambda: Old(text="hi")),
    "checked": (lambda: Checked(1), lambda: Checked("1")),
    "invalid": (lambda: invalid(1), lambda: invalid(1)),
    "reduced": (lambda: Reduced(1, 2), lambda: Reduced(*range(1, 3))),
    "nosy": (lambda: Nosy(1), lambda: Nosy(1)),
    "loud": (lambda: [Loud(1)], lambda: [Loud(1)]),
}

DIFFERENT: dict[str, tuple[Make, ...]] = {
    "attrs": (
        lambda: Defined(1), lambda: Defined(2), lambda: Defined(1, [1]),
        lambda: Loose(1), lambda: Hashed("1"), lambda: HashedLoose("1"),
        lambda: Squared(1), lambda: Checked(1),
    ),
    "models": (
        Message, lambda: Message(text="ho"), lambda: Message(a=1), lambda: private(1),
        lambda: private(2), Old, lambda: Numbers([]), lambda: Box[int](inside=1),
        lambda: Box[float](inside=1), lambda: Message().model_dump(),
    ),
    "invalid": (lambda: invalid(1), lambda: invalid(2), lambda: invalid([])),
    "reduced": (lambda: Reduced(1), lambda: Reduced(2), lambda: Reduced(1, 2)),
    "odd": (lambda: Nosy(1), lambda: Nosy(2), lambda: Loud(1), lambda: Loud(2)),
}  # fmt: skip
