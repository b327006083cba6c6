"""Which objects can be given the content of another one, and how.

So that whoever holds such an object sees what a step did to it, when it is replayed.
"""

from __future__ import annotations

import collections
import contextlib
import copyreg
import sys
from collections.abc import Callable
from typing import Any, Final

from nbdurable.engine.codec import reducers, remainders

_HEAP_TYPE: Final = 1 << 9
"""Flag of types made by a ``class`` statement."""


def fills(value: object) -> bool:
    """Whether an object of this kind can be given the content of another one."""
    kind = type(value)
    if kind in _FILL or reducers.qualified(kind) in GENERATORS:
        return True
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
        array: Any = value
        return bool(array.flags.writeable)
    return bool(
        kind.__flags__ & _HEAP_TYPE
        and not issubclass(kind, type)
        and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__
        and kind.__new__ is object.__new__
        and reducers.find(kind) in (None, reducers.delegating, remainders.frame)
    )


def stamp(value: Any) -> Any:
    """What an existing object must have in common with the one that was written."""
    if type(value) is collections.deque:
        return value.maxlen
    if reducers.qualified(type(value)) == _NUMPY_GENERATOR:
        return type(value.bit_generator).__name__
    if hasattr(type(value), "__array_interface__"):
        return _elements(value.dtype), value.shape
    return None


def _elements(dtype: Any) -> Any:
    """The type of elements as a text, or itself, where no text says all of it."""
    try:
        again = sys.modules["numpy"].dtype(dtype.str)
    except TypeError:  # numpy has no text for its own type of texts
        return dtype
    return dtype.str if again == dtype else dtype


def attributes(value: object) -> dict[str, object]:
    """The attributes of an object itself, whatever its class says of them."""
    try:
        found: dict[str, object] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found


def slots(value: object) -> dict[str, object]:
    """The same for those that have no place in a ``__dict__``."""
    names: list[str] = copyreg._slotnames(type(value))  # type: ignore[attr-defined]  # noqa: SLF001  # as pickle does
    found = {}
    for name in names:
        with contextlib.suppress(AttributeError):
            found[name] = object.__getattribute__(value, name)
    return found


def fresh(kind: Any, mark: Any) -> object:
    """An empty object of a kind with such a `stamp`."""
    if kind is collections.deque:
        return collections.deque(maxlen=mark)
    if kind in _FILL or (mark is None and reducers.qualified(kind) in GENERATORS):
        return kind()
    if reducers.qualified(kind) == _NUMPY_GENERATOR:
        return kind(getattr(sys.modules["numpy"].random, mark)())
    if mark is not None:
        numpy: Any = sys.modules["numpy"]
        return numpy.empty(mark[1], mark[0])
    return kind.__new__(kind)


def fill(old: object, new: object) -> None:
    """Give an object the content of another one, of the same kind and `stamp`."""
    _FILL.get(type(old), _fill_other)(old, new)


def _fill_list(old: Any, new: Any) -> None:
    old[:] = new


def _fill_dict(old: Any, new: Any) -> None:
    old.clear()
    old.update(new)


def _fill_defaultdict(old: Any, new: Any) -> None:
    _fill_dict(old, new)
    old.default_factory = new.default_factory


def _fill_counter(old: Any, new: Any) -> None:
    # Counter.update would add.
    dict.clear(old)
    dict.update(old, new)


def _fill_deque(old: Any, new: Any) -> None:
    old.clear()
    old.extend(new)


def _fill_numpy_generator(old: Any, new: Any) -> None:
    old.bit_generator.state = new.bit_generator.state


def _fill_numpy_state(old: Any, new: Any) -> None:
    old.set_state(new.get_state())


def _fill_random(old: Any, new: Any) -> None:
    old.setstate(new.getstate())


_NUMPY_GENERATOR: Final = "numpy.random._generator.Generator"

GENERATORS: Final[dict[str, Callable[[Any, Any], None]]] = {
    _NUMPY_GENERATOR: _fill_numpy_generator,
    "numpy.random.mtrand.RandomState": _fill_numpy_state,
    "random.Random": _fill_random,
}
"""Random generators go on where the step left them, for whoever holds them."""


def _fill_other(old: Any, new: Any) -> None:
    generator = GENERATORS.get(reducers.qualified(type(old)))
    if generator is not None:
        generator(old, new)
        return
    if stamp(old) is not None:
        old[...] = new
        return
    held = attributes(old)
    held.clear()
    held.update(attributes(new))
    left = slots(new)
    for name in slots(old).keys() - left.keys():
        object.__delattr__(old, name)
    for name, item in left.items():
        object.__setattr__(old, name, item)


_FILL: Final[dict[type, Callable[[Any, Any], None]]] = {
    list: _fill_list,
    bytearray: _fill_list,
    dict: _fill_dict,
    set: _fill_dict,
    collections.OrderedDict: _fill_dict,
    collections.defaultdict: _fill_defaultdict,
    collections.Counter: _fill_counter,
    collections.deque: _fill_deque,
}

FILLED: Final = frozenset(_FILL)
"""Containers that are filled by their own methods."""
