"""What an object's own ``__reduce__`` leaves out, and is kept all the same.

A class written in C that is subclassed in a notebook (an array, a date, a decimal)
often reduces to what it knew when it was compiled: the attributes of the subclass are
gone after a load, and nobody hears of it. So where the reduce is in C, and what it
says doesn't hold the attributes, they are written beside it.

Some need a way of their own: the row of a masked table loses its mask, a tensor its
gradient, and the functions of `random` come back as methods of a copied generator.
"""

from __future__ import annotations

import sys
import types
from typing import Any, Final

from nbdurable.engine.codec import rebuild, reopen

_DRAWING: Final = ("random", "numpy.random.mtrand")
"""Modules whose functions are methods of a generator of their own."""

_OWN: Final = (("random", "_inst"), ("numpy.random.mtrand", "_rand"))
"""Where these generators are."""

_dict_offset = type.__dict__["__dictoffset__"].__get__


def leaves_out(kind: type) -> bool:
    """Whether instances have attributes, and a reduce in C that may not know of them."""
    has_attributes = _dict_offset(kind) and not issubclass(kind, type)
    return bool(has_attributes) and _compiled(kind) is not None


def _compiled(kind: type) -> type | None:
    """The base that says in C how its instances are reduced, if one does."""
    for cls in kind.__mro__[:-1]:
        ways = [vars(cls).get(name) for name in ("__reduce_ex__", "__reduce__")]
        kinds = {type(way) for way in ways if way is not None}
        if kinds:
            return cls if kinds == {types.MethodDescriptorType} else None
    return None


def with_attributes(_: object, value: Any) -> Any:
    """What the object says itself, and the attributes that are not in it."""
    reduced = value.__reduce_ex__(5)
    if not isinstance(reduced, tuple):
        return NotImplemented  # found by name
    reduced = _natively(type(value), reduced)
    attributes = getattr(value, "__dict__", None)
    if not attributes or _held(attributes, reduced[1:]):
        return reduced
    return beside(reduced, dict(attributes))


def _natively(kind: Any, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    """Made by the base that wrote the arguments: a subclass may take other ones."""
    base = _compiled(kind)
    ways = {type(kind.__new__), type(kind.__init__)}
    if base is None or reduced[0] is not kind or types.FunctionType not in ways:
        return reduced
    makers = (c for c in kind.__mro__ if "__new__" in vars(c))
    compiled = (c for c in makers if type(c.__new__) is types.BuiltinFunctionType)
    if not issubclass(base, next(compiled)):
        return reduced  # something in between takes arguments of its own
    return rebuild.native, (base, kind, reduced[1]), *reduced[2:]


def beside(
    reduced: tuple[Any, ...], more: object, set_more: Any = rebuild.set_all
) -> tuple[Any, ...]:
    """A reduce that brings more than the object says itself."""
    make, arguments, state, items, pairs, setter = (*reduced, *[None] * 4)[:6]
    return make, arguments, (state, setter, more), items, pairs, set_more


def _held(attributes: dict[str, Any], parts: tuple[Any, ...], room: int = 1) -> bool:
    """Whether a part, or a part of a part, is a dict with these names."""
    for part in parts:
        if isinstance(part, dict) and attributes.keys() <= part.keys():
            return True
        if room and isinstance(part, tuple) and _held(attributes, part, room - 1):
            return True
    return False


# --- random numbers ------------------------------------------------------------------


def method(_: object, value: Any) -> Any:
    """A function that `random` or `numpy.random` hands out is stored by name.

    As a method of a copy it would no longer draw what the others draw.
    """
    name = getattr(value, "__name__", "")
    for module in _DRAWING:
        if getattr(sys.modules.get(module), name, None) is value:
            return reopen.sentinel, (module, name)
    return NotImplemented


def _generator(graph: object, value: Any) -> Any:
    """The generator of a module is a part of the module."""
    for module, name in _OWN:
        if getattr(sys.modules.get(module), name, None) is value:
            return reopen.sentinel, (module, name)
    own = type(value).__module__ in _DRAWING
    return NotImplemented if own else with_attributes(graph, value)


# --- frames, arrays and tensors --------------------------------------------------------------


def noted(frame: Any) -> dict[str, Any]:
    """What somebody noted on a frame or series, such as ``df.source = "…"``."""
    kind = type(frame)
    # Its own begin with "_"; accessors and what a subclass brings stand in the class.
    return {
        name: item
        for name, item in vars(frame).items()
        if name[:1] != "_" and name not in frame._metadata and not hasattr(kind, name)  # noqa: SLF001  # pandas documents it for subclasses
    }


def frame(_: object, value: Any) -> Any:
    """A frame or series with what somebody noted on it, which pandas leaves out."""
    attributes = noted(value)
    return beside(value.__reduce_ex__(5), attributes) if attributes else NotImplemented


def is_turned(dtype: Any) -> bool:
    """Moments and spans in the other byte order: numpy's reduce turns them around."""
    return dtype.kind in "mM" and not dtype.isnative


_TURNED: Final = (
    "moments in the byte order of another machine are kept in plain arrays only"
)


def subclassed(graph: object, value: Any) -> Any:
    """An array of a class of its own."""
    if not leaves_out(type(value)):
        return NotImplemented
    return _TURNED if is_turned(value.dtype) else with_attributes(graph, value)


_SET_ANYWAY: Final = frozenset(
    {"_mask", "_fill_value", "_baseclass", "_isfield", "_sharedmask"}
)
"""Attributes of a masked array that its own reduce brings, or that a load decides."""


def masked(_: object, value: Any) -> Any:
    """A masked array with what is in no state of it: a hard mask, attributes."""
    if is_turned(value.dtype):
        return _TURNED
    if type(value).__name__ == "mvoid":
        return _masked_row(value)
    attributes = {k: v for k, v in vars(value).items() if k not in _SET_ANYWAY}
    if not any(attributes.values()):
        return NotImplemented
    return beside(value.__reduce__(), attributes)


def _masked_row(value: Any) -> Any:
    """A row of a masked table: the only one of a table."""
    masked: Any = sys.modules["numpy.ma"]
    table = masked.MaskedArray(
        value.data.reshape(1) if hasattr(value.data, "reshape") else [value.data],
        mask=masked.getmaskarray(value).reshape(1),
        fill_value=value.fill_value,
        hard_mask=value.hardmask,
    )
    return rebuild.masked_row, (table,)


def _tensor(graph: Any, value: Any) -> Any:
    """A tensor with its gradient, on the memory that others see too."""
    make, arguments, *rest = value.__reduce_ex__(5)
    if make.__name__ == "_rebuild_tensor_v2":
        arguments = (graph.storage(arguments[0]), *arguments[1:])
    reduced = (make, arguments, *rest)
    if not value.is_leaf or value.grad is None:
        return reduced
    return beside(reduced, value.grad, rebuild.set_gradient)


def _moment(_: object, value: Any) -> Any:
    """A pandas moment or span: its reduce forgets attributes, and classes of its own."""
    if str(type(value).__module__).partition(".")[0] != "pandas":
        name = type(value).__name__
        return f"a {name} comes back as what it is a subclass of: pandas makes it so"
    attributes = getattr(value, "__dict__", None)
    return (
        beside(value.__reduce__(), dict(attributes)) if attributes else NotImplemented
    )


# --- types ---------------------------------------------------------------------------


_VARIANCES: Final = ("covariant", "contravariant")

_UNBOUND: Final = (None, type(None))
"""What the bound is where there is none: from Python 3.12 on it is the type."""


def _type_variable(graph: Any, value: Any) -> Any:
    """A type variable of the notebook, in the module that it was made in."""
    if value.__module__ != "__main__":
        return NotImplemented
    kind = type(value)
    if kind.__name__ == "TypeVar":
        make, arguments = graph.dispatch_table[kind](value)
    else:
        varies = any(getattr(value, f"__{way}__", False) for way in _VARIANCES)
        if varies or getattr(value, "__bound__", None) not in _UNBOUND:
            return NotImplemented
        make, arguments = kind, (value.__name__,)
    return rebuild.in_notebook, (make, arguments)


KINDS: Final = {
    "builtins.method": method,
    "builtins.builtin_function_or_method": method,
    "random.Random": _generator,
    "numpy.random.mtrand.RandomState": _generator,
    "pathlib.PurePath": with_attributes,
    "pathlib._local.PurePath": with_attributes,  # in Python 3.13
    "fractions.Fraction": with_attributes,
    "pandas.DataFrame": frame,
    "pandas.Series": frame,
    "pandas.core.frame.DataFrame": frame,
    "pandas.core.series.Series": frame,
    "pandas.Timestamp": _moment,
    "pandas.Timedelta": _moment,
    "pandas._libs.tslibs.timestamps.Timestamp": _moment,
    "pandas._libs.tslibs.timedeltas.Timedelta": _moment,
    "typing.TypeVar": _type_variable,
    "typing.ParamSpec": _type_variable,
    "typing.TypeVarTuple": _type_variable,
    "torch.Tensor": _tensor,
}
"""How each of these is taken apart, by qualified name."""
