"""pydantic's models, secrets and errors; nothing of pydantic is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbdurable.engine.identity.forms import (
    Form,
    Kinds,
    named_form,
    no_label,
    qualified,
)
from nbdurable.engine.identity.keys import Tag
from nbdurable.engine.identity.kinds.objects import caches_of, own_dict

if TYPE_CHECKING:
    from pydantic import BaseModel


def _model(value: BaseModel) -> Form:
    """A pydantic model; which fields were set explicitly doesn't count."""
    cls = type(value)
    caches = caches_of(cls)
    attributes = {k: v for k, v in own_dict(value).items() if k not in caches}
    extra = value.__pydantic_extra__ or {}
    private = {
        f"_private {k}": v for k, v in (value.__pydantic_private__ or {}).items()
    }
    fields = (qualified(cls).encode(),)
    return named_form(Tag.INSTANCE, fields, attributes | extra | private)


def _old_model(value: Any) -> Form:
    """A model of pydantic 1, or of its copy in pydantic 2."""
    private = {
        f"_private {name}": getattr(value, name)
        for name in value.__private_attributes__
        if hasattr(value, name)
    }
    fields = (qualified(type(value)).encode(),)
    return named_form(Tag.INSTANCE, fields, {**own_dict(value), **private})


def _secret(value: object) -> Form:
    """A value that was declared to be a secret: no digest ever holds one."""
    return Form(Tag.SECRET, (qualified(type(value)).encode(),))


def _validation(value: Any) -> Form:
    """What pydantic found wrong; its arguments are empty."""
    found = value.errors(include_url=False, include_context=False)
    return Form(
        Tag.EXCEPTION,
        (qualified(type(value)).encode(),),
        (value.title, found),
        no_label,
    )


KINDS: Kinds = {
    "pydantic.main.BaseModel": _model,
    "pydantic.v1.main.BaseModel": _old_model,
    "pydantic.types._SecretBase": _secret,
    "pydantic_core._pydantic_core.ValidationError": _validation,
}
