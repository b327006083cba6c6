"""Arrays, scalars, dtypes and random generators of numpy."""

# ruff: noqa: NPY002  # the old random numbers are among the values

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

Make = Callable[[], object]

TEXTS = np.dtypes.StringDType()
MAYBE = np.dtypes.StringDType(na_object=None)


class Tagged(np.ndarray):
    """An array with an attribute."""

    tag: str


def tagged(tag: str) -> Tagged:
    """An array with a tag."""
    made = np.arange(3).view(Tagged)
    made.tag = tag
    return made


def long_double(garbage: int) -> np.ndarray:
    """Long doubles, whose elements are bigger than their numbers."""
    raw = np.full(4 * np.dtype(np.longdouble).itemsize, garbage, np.uint8)
    made = raw.view(np.longdouble)
    made[:] = [1.5, -0.0, np.inf, 0]
    return made


def aligned(garbage: int, shape: tuple[int, ...] = (2,)) -> np.ndarray:
    """Structs in structs, with garbage between their fields."""
    inner = np.dtype([("c", "i1"), ("d", "f8")], align=True)
    dtype = np.dtype([("a", "i1"), ("b", inner, (2,))], align=True)
    size = dtype.itemsize * int(np.prod(shape))
    made = np.full(size, garbage, np.uint8).view(dtype).reshape(shape)
    made["a"] = 1
    made["b"]["c"], made["b"]["d"] = 2, 3
    return made


def masked(garbage: float, **options: object) -> np.ma.MaskedArray:
    """A masked array with something under the mask."""
    return np.ma.MaskedArray([1.0, garbage], mask=[False, True], **options)


def masked_struct(garbage: int) -> np.ma.MaskedArray:
    """The same with fields."""
    dtype = [("a", int), ("b", float)]
    return np.ma.array([(1, garbage), (garbage, 2)], dtype, mask=[(0, 1), (1, 0)])


def asked(array: np.ma.MaskedArray) -> np.ma.MaskedArray:
    """The same array after it was asked for its fill value, which it then keeps."""
    assert array.fill_value == 1e20
    return array


def drawn(generator: np.random.Generator) -> np.random.Generator:
    """The same generator after it was used."""
    generator.random()
    return generator


def big() -> np.ndarray:
    """An array that is hashed on its own."""
    return np.arange(1 << 18, dtype=np.float64).reshape(512, 512)


EQUAL: dict[str, tuple[Make, ...]] = {
    "views": (
        lambda: np.arange(6),
        lambda: np.arange(8)[1:-1] - 1,
        lambda: np.arange(12)[::2] // 2,
        lambda: np.arange(6)[::-1][::-1],
        lambda: np.broadcast_to(np.arange(6), (2, 6))[1],
    ),
    "orders": (
        lambda: np.arange(6).reshape(2, 3),
        lambda: np.asfortranarray(np.arange(6).reshape(2, 3)),
        lambda: np.array([[0, 3], [1, 4], [2, 5]]).T,
    ),
    "big": (big, lambda: np.asfortranarray(big()), lambda: big().T.copy().T),
    "0-d": (lambda: np.array(1.5), lambda: np.array([1.5]).reshape(())),
    "struct": (lambda: aligned(0), lambda: aligned(255), lambda: aligned(7, (4,))[1:3]),
    "struct of 2-d": (lambda: aligned(0, (2, 2)), lambda: aligned(9, (2, 2))),
    "long double": (lambda: long_double(0), lambda: long_double(255)),
    "long complex": (
        lambda: long_double(0).view(np.clongdouble),
        lambda: long_double(77).view(np.clongdouble),
    ),
    "texts": (
        lambda: np.array(["ab", "c"], TEXTS),
        lambda: np.array(["x", "ab", "c"], np.dtypes.StringDType())[1:],
    ),
    "missing texts": (
        lambda: np.array(["ab", None], MAYBE),
        lambda: np.array(["ab", None, "c"], MAYBE)[:2],
    ),
    "bytes": (lambda: np.array([b"ab", b"c"]), lambda: np.array([b"ab", b"c", b"d"])[:2]),
    "objects": (
        lambda: np.array([1, "a", [2]], object),
        lambda: np.array([1, "a", [2], 3], object)[:3],
    ),
    "masked": (
        lambda: masked(0),
        lambda: masked(np.nan),
        lambda: asked(masked(3)),
        lambda: masked(0, fill_value=1e20),
    ),
    "small masked": (
        lambda: np.ma.array([1, 2], "i1", mask=[0, 1]),
        lambda: np.ma.array([1, 3], "i1", mask=[0, 1]),
    ),
    "no mask": (
        lambda: np.ma.array([1, 2]),
        lambda: np.ma.array([1, 2], mask=[False, False]),
    ),
    "masked struct": (lambda: masked_struct(0), lambda: masked_struct(9)),
    "masked row": (lambda: masked_struct(0)[0], lambda: masked_struct(9)[0]),
    "record": (
        lambda: np.rec.array([(1, 2)], dtype=[("a", "i1"), ("b", "i8")]),
        lambda: np.rec.array([(1, 2), (3, 4)], dtype=[("a", "i1"), ("b", "i8")])[:1],
    ),
    "subclass": (lambda: tagged("a"), lambda: tagged("a")),
    "scalar": (lambda: np.int64(1), lambda: np.arange(3)[1], lambda: np.longlong(1)),
    "dates": (
        lambda: np.array(["2026-01-01", "NaT"], "M8[D]"),
        lambda: np.array(["NaT", "2026-01-01"], "M8[D]")[::-1],
    ),
    "dtype": (lambda: np.dtype("i8"), lambda: np.dtype(np.int64), lambda: np.dtype("q")),
    "struct dtype": (lambda: aligned(0).dtype, lambda: aligned(1).dtype),
    "generator": (
        lambda: np.random.default_rng(3),
        lambda: np.random.Generator(np.random.PCG64(3)),
    ),
    "old generator": (
        lambda: np.random.RandomState(3),
        lambda: np.random.RandomState(3),
    ),
    "numpy's own generator": (
        lambda: np.random.mtrand._rand,
        lambda: np.random.rand() and np.random.mtrand._rand,
    ),
    "seeds": (lambda: np.random.SeedSequence(3), lambda: np.random.SeedSequence(3)),
    "function": (lambda: np.add, lambda: sys.modules["numpy"].add),
    "draw": (lambda: np.random.rand, lambda: np.random.seed(4) or np.random.rand),
    "polynomial": (lambda: np.poly1d([1, 2]), lambda: np.poly1d([1.0, 2.0]).__class__([1, 2])),
}  # fmt: skip

DIFFERENT: dict[str, tuple[Make, ...]] = {
    "dtypes": (
        *(lambda c=c: np.ones(2, c) for c in "?bhiqBHIQefdgFDG"),
        *(lambda c=c: np.ones(2, c) for c in (">i8", ">f4", "M8[s]", "M8[ms]", "m8[s]")),
        *(lambda c=c: np.ones(2, c) for c in ("O", "S1", "U1", "S2", "V1", "V2")),
        lambda: np.array(["1", "1"], TEXTS), lambda: np.array(["1", "1"], MAYBE),
        lambda: np.ones(2, "i8").tolist(),
    ),
    "shapes": (
        lambda: np.zeros(4), lambda: np.zeros((2, 2)), lambda: np.zeros((4, 1)),
        lambda: np.zeros((1, 4)), lambda: np.zeros(0), lambda: np.zeros((0, 4)),
        lambda: np.zeros((4, 0)), lambda: np.zeros(()), lambda: np.float64(0),
        lambda: np.zeros(5),
    ),
    "elements": (
        lambda: np.array([1, 2]), lambda: np.array([2, 1]), lambda: np.array([1, 3]),
    ),
    "big": (big, lambda: big().T, lambda: big().reshape(-1), lambda: big() + 0.5),
    "floats": (
        lambda: np.array([0.0]), lambda: np.array([-0.0]), lambda: np.array([np.nan]),
        lambda: np.array([-np.nan]),
    ),
    "classes": (
        lambda: np.arange(3), lambda: tagged("a"), lambda: tagged("b"),
        lambda: np.ma.arange(3), lambda: np.arange(3).view(np.recarray),
    ),
    "masks": (
        lambda: np.ma.array([1, 2], mask=[0, 1]), lambda: np.ma.array([1, 2], mask=[1, 0]),
        lambda: np.ma.array([1, 2]), lambda: np.ma.array([1, 2], mask=[1, 1]),
        lambda: np.ma.array([1, 2], mask=[0, 1], fill_value=5), lambda: np.ma.masked,
    ),
    "objects": (
        lambda: np.array([1, None], object), lambda: np.array([1, np.nan], object),
        lambda: np.array([1.0, None], object), lambda: np.array([True, None], object),
        lambda: np.array([np.int64(1), None], object),
    ),
    "struct": (
        lambda: np.zeros(1, [("a", "i4"), ("b", "i4")]),
        lambda: np.zeros(1, [("b", "i4"), ("a", "i4")]),
        lambda: np.zeros(1, [("a", "i4"), ("b", "f4")]),
        lambda: np.zeros(1, np.dtype([("a", "i4"), ("b", "i4")])).view(np.recarray),
    ),
    "generators": (
        lambda: np.random.default_rng(3), lambda: np.random.default_rng(4),
        lambda: drawn(np.random.default_rng(3)), lambda: np.random.RandomState(3),
        lambda: np.random.PCG64(3), lambda: np.random.Generator(np.random.MT19937(3)),
    ),
    "functions": (lambda: np.add, lambda: np.subtract, lambda: np.dot, lambda: np),
}  # fmt: skip

REFUSED: dict[str, tuple[Make, str, str]] = {
    "made ufunc": (lambda: [np.frompyfunc(len, 1, 1)], "numpy.ufunc", "[0]"),
    "flat": (lambda: np.arange(3).flat, "numpy.flatiter", ""),
    "lambda in an array": (
        lambda: np.array([1, iter(())], object),
        "builtins.tuple_iterator",
        "[1]",
    ),
}
