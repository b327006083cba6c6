"""`nd.register_digest` says what values of a type are."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import nbdurable as nd
from nbdurable.engine.identity import registry
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.errors import DigestRefused
from tests.docs.blocks import blocks

PAGE = Path(__file__).parents[2] / "docs" / "digests.md"


class Session:
    """Has no digest, since it holds a lock."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.lock = threading.Lock()


class Narrow(Session):
    """A subclass."""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What a test registers is gone after it."""
    before = dict(registry._registered)
    yield
    registry._registered.clear()
    registry._registered.update(before)
    registry._resolved.clear()


def by_host(session: Session) -> str:
    """What a session is."""
    return session.host


def test_a_type_has_no_digest_until_it_is_registered() -> None:
    """The refusal names the place of what is in the way."""
    with pytest.raises(Undigestible, match=r"^\.lock: _thread\.lock has no digest"):
        digest(Session("a"))
    nd.register_digest(Session, by_host)
    assert digest(Session("a")) == digest(Session("a"))
    assert digest(Session("a")) != digest(Session("b"))
    assert digest([Session("a")]) != digest(["a"])


def test_subclasses_are_values_of_their_own() -> None:
    """A function holds for subclasses, and the nearest one counts."""
    nd.register_digest(Session, by_host)
    assert digest(Narrow("a")) == digest(Narrow("a"))
    assert digest(Narrow("a")) != digest(Session("a"))
    nd.register_digest(Narrow, lambda narrow: narrow.host.lower())
    assert digest(Narrow("A")) == digest(Narrow("a"))
    assert digest(Session("A")) != digest(Session("a"))


def test_the_version_is_part_of_the_digest() -> None:
    """A function that means something else is a new version, and new digests."""
    nd.register_digest(Session, by_host)
    before = digest(Session("a"))
    nd.register_digest(Session, by_host, version="2")
    assert digest(Session("a")) != before


def test_a_name_stands_for_a_class_that_is_defined_later() -> None:
    """A type can be registered by its full name, before and after it exists."""
    nd.register_digest(f"{__name__}.Session", by_host)
    assert digest(Session("a")) == digest(Session("a"))

    def defined() -> object:
        class Later(Session):
            __qualname__ = "Later"

        return Later("a")

    nd.register_digest(f"{__name__}.Later", by_host, version="3")
    assert digest(defined()) == digest(defined())


def test_a_function_that_raises_refuses_the_value() -> None:
    """The refusal says what came, and where."""
    nd.register_digest(Session, lambda session: session.port)
    with pytest.raises(Undigestible) as caught:
        digest({"s": Session("a")})
    assert str(caught.value) == (
        f"['s']: {__name__}.Session has no digest, because reading it raised"
        " AttributeError"
    )


def test_what_a_function_gives_may_be_refused_in_turn() -> None:
    """The path leads on into what stands for the value."""
    nd.register_digest(Session, vars)
    with pytest.raises(Undigestible, match=r"^\['lock'\]: _thread\.lock"):
        digest(Session("a"))


@pytest.mark.parametrize(
    ("type_", "fn", "version"),
    [(1, by_host, "1"), (str, by_host, "1"), ("Session", by_host, "1"),
     (object, by_host, "1"), (Session, "host", "1"), (Session, by_host, 2),
     (Session, by_host, "")],
)  # fmt: skip
def test_wrong_uses_are_refused(type_: object, fn: object, version: object) -> None:
    """Nothing is registered that could never be met or called."""
    before = dict(registry._registered)
    with pytest.raises(DigestRefused):
        nd.register_digest(type_, fn, version=version)
    assert registry._registered == before


def test_the_example_of_the_page_runs() -> None:
    """docs/digests.md shows code that works as it stands."""
    code = "\n".join(b.text for b in blocks(PAGE) if b.language == "python")
    check = "from nbdurable.engine.identity.canonical import digest\nassert digest(Session('a')) == digest(Session('a'))"
    subprocess.run([sys.executable, "-c", f"{code}\n{check}"], check=True)
