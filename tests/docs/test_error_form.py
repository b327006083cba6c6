"""Every error survives a pickle and is told in one form."""

from __future__ import annotations

import dataclasses
import pickle
import types
import typing
from decimal import Decimal

import pytest

from nbdurable_store.errors import DurableError, DurablePause, Told
from tests.docs.test_errors import CLASSES

BLAMING = ("please", "failed to", "unable to", "invalid", "oops", "sorry")
PLAIN: dict[object, object] = {
    Decimal: Decimal("1.50"),
    str: "review.2",
    int: 3,
    float: 2.5,
    bool: True,
    bytes: b"\1",
    Exception: ValueError("3"),
}


def _sample(hint: object) -> object:
    """Some value of a field's type."""
    if hint in PLAIN:
        return PLAIN[hint]
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        kept = [one for one in inner if one is not Ellipsis]
        return tuple(_sample(one) for one in kept)
    if origin in (types.UnionType, typing.Union):
        return _sample(inner[0])
    if dataclasses.is_dataclass(hint):
        parts = typing.get_type_hints(hint).items()
        return hint(**{name: _sample(part) for name, part in parts})
    raise AssertionError(f"say what a sample of {hint} is")


def _made(cls: type[Told], *, least: bool) -> Told:
    """An instance with every field set, or only with those it needs."""
    hints = typing.get_type_hints(cls)
    fields = {
        field.name: _sample(hints[field.name])
        for field in dataclasses.fields(cls)
        if not least
        or (
            field.default is dataclasses.MISSING
            and field.default_factory is dataclasses.MISSING
        )
    }
    return cls(**fields)


@pytest.mark.parametrize("least", [True, False], ids=["least", "all"])
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.slug)
def test_an_error_survives_a_pickle(cls: type[Told], *, least: bool) -> None:
    """An error comes back from a pickle with its class, its fields and its text."""
    error = _made(cls, least=least)
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is cls
    assert str(back) == str(error)
    assert isinstance(error, DurableError) != isinstance(error, DurablePause)


@pytest.mark.parametrize("least", [True, False], ids=["least", "all"])
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.slug)
def test_an_error_has_our_form(cls: type[Told], *, least: bool) -> None:
    """A fact, what was not done, what to type, and the slug at the end; no blame."""
    error = _made(cls, least=least)
    lines = error.told().splitlines()
    assert lines[0].startswith(f"{cls.__name__}: ")
    assert lines[0].removeprefix(f"{cls.__name__}: ").strip()
    assert lines[-1].endswith(cls.slug)
    assert error.remedies(), "say what to type"
    assert not [word for word in BLAMING if word in error.told().lower()]
    assert error._render_traceback_() == lines
