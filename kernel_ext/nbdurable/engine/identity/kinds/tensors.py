"""torch: tensors by dtype, shape and elements; modules and optimizers by attributes.

Where a tensor lies (a device's number) counts, how it is laid out in memory doesn't.
Nothing of torch is imported here.
"""

from __future__ import annotations

import sys
from typing import Any

from nbdurable.engine.identity.forms import (
    Form,
    Kinds,
    Named,
    Undigestible,
    no_label,
    qualified,
    raw_form,
)
from nbdurable.engine.identity.keys import Tag


def _torch() -> Any:
    return sys.modules["torch"]


def _tensor(value: Any) -> Form:
    described = (value.dtype, tuple(value.shape), value.device, value.requires_grad)
    name = qualified(type(value)).encode()
    fields = (name, repr(described).encode(), str(value.layout).encode())
    children = (value.grad if value.is_leaf else None, Named(vars(value)))
    if value.layout is not _torch().strided:
        return Form(Tag.TENSOR, fields, (*_sparse(value), *children), no_label)
    if value.is_quantized or value.device.type == "meta":
        raise Undigestible(
            qualified(type(value)), reason="its elements can't be read as they are"
        )
    return raw_form(Tag.TENSOR, fields, _octets(value), children)


def _octets(value: Any) -> memoryview:
    """The elements in order, as bytes."""
    with _torch().no_grad():
        plain = value.detach().resolve_conj().resolve_neg().cpu().contiguous()
        octets = plain.as_subclass(_torch().Tensor).reshape(-1).view(_torch().uint8)
    return memoryview(octets.numpy())


def _sparse(value: Any) -> tuple[object, ...]:
    """Of a sparse tensor its entries, in order and without duplicates."""
    if value.layout is not _torch().sparse_coo:
        value = value.detach().to_sparse_coo()
    entries = value.detach().coalesce()
    return entries.indices(), entries.values()


def _constant(value: Any) -> Form:
    """A dtype, layout, memory format or device: named by itself."""
    fields = (qualified(type(value)).encode(), repr(value).encode())
    return Form(Tag.SINGLETON, fields)


def _generator(value: Any) -> Form:
    fields = (b"torch.Generator", str(value.device).encode())
    return Form(Tag.TENSOR, fields, (value.get_state(),), no_label)


KINDS: Kinds = {
    "torch.Tensor": _tensor,
    "torch.dtype": _constant,
    "torch.device": _constant,
    "torch.layout": _constant,
    "torch.memory_format": _constant,
    "torch._C.Generator": _generator,
}
