"""What could be written and never loaded is refused when it is kept."""

from __future__ import annotations

import abc
import enum
from typing import Any, NamedTuple, Self

import pytest

from nbdurable.engine import codec
from nbdurable.engine.values.redact import Secrets
from tests.engine.notebooks import Notebook

SECRETS = Secrets({})


class Page:
    """Made by a text that it doesn't keep."""

    def __new__(cls, text: str) -> Self:
        """Takes what a pickle doesn't say."""
        made = super().__new__(cls)
        made.__dict__["length"] = len(text)
        return made


class Said(Page):
    """The same, which says so."""

    def __getnewargs__(self) -> tuple[str]:
        """What it was made by."""
        return ("x" * self.__dict__["length"],)


class Usual:
    """One with defaults."""

    def __new__(cls, text: str = "", *more: str) -> Self:
        """Takes what it needn't."""
        del text, more
        return super().__new__(cls)


class Meters(int):
    """A number with a unit; numbers say what they are made by."""

    def __new__(cls, value: int) -> Self:
        """Takes the number."""
        return super().__new__(cls, value)


class Colour(enum.Enum):
    """Enumerations are found by name."""

    RED = "r"


class Pair(NamedTuple):
    """Tuples say what they are made of."""

    a: int


KEPT = {
    "says it": (Said("xyz"), lambda back: back.__dict__["length"] == 3),
    "has defaults": (Usual("a"), lambda back: type(back) is Usual),
    "a number": (Meters(3), lambda back: back == 3),
    "a member": (Colour.RED, lambda back: back is Colour.RED),
    "a tuple": (Pair(1), lambda back: back == Pair(1)),
    "a class": (abc.ABC, lambda back: back is abc.ABC),
}


@pytest.mark.parametrize(("value", "same"), KEPT.values(), ids=KEPT)
def test_what_can_be_made_again_is_kept(value: object, same: Any) -> None:
    """The arguments are said, have defaults, or aren't needed."""
    kept = codec.encode([value], secrets=SECRETS)
    (back,) = codec.decode(kept.codec, kept.data, secrets=SECRETS)
    assert same(back)


def test_what_was_made_by_arguments_is_refused() -> None:
    """At once, with the reason, and not when somebody wants it back."""
    with pytest.raises(
        codec.Unstorable, match="Page is made by arguments, and doesn't"
    ):
        codec.encode([Page("xyz")], secrets=SECRETS)


def test_it_costs_itself_and_nothing_else() -> None:
    """What shares an object with it comes back without it."""
    nb = Notebook()
    nb.plain("class Page:\n    def __new__(cls, text): return super().__new__(cls)\n")
    nb.run("rows = [1]", "rows", "c1")
    line = nb.run("page = Page('a'); page.rows = rows", "page", "c2")
    assert "not kept: page" in line
    nb.restart()
    assert "replayed" in nb.run("rows = [1]", "rows", "c1")
    assert nb.namespace["rows"] == [1]
