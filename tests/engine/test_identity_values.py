"""Equal values have equal digests in every process; unequal ones differ."""

from __future__ import annotations

import copy
import itertools
import pickle
import struct
import sys
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.engine.identity import keys, plain
from nbdurable.engine.identity.canonical import Hasher, digest
from nbdurable.engine.identity.forms import Undigestible
from nbdurable.engine.values.redact import Secrets
from tests.engine import identity_values as values


def same(a: object, b: object) -> bool:
    """Whether two values are equal in type and meaning: the oracle."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, set | frozenset):
        return len(a) == len(b) and all(any(same(x, y) for y in b) for x in a)
    return a == b


ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(0, 2), st.sampled_from([0.0, -0.0, 1.0]),
    st.sampled_from(["", "a", "b"]), st.sampled_from([b"", b"a"]),
)  # fmt: skip
HASHABLE = st.one_of(ATOMS, st.frozensets(ATOMS, max_size=2), st.tuples(ATOMS))
TREES = st.recursive(
    st.one_of(ATOMS, st.frozensets(HASHABLE, max_size=3)),
    lambda below: st.one_of(
        st.lists(below, max_size=2),
        st.tuples(below, below),
        st.dictionaries(HASHABLE, below, max_size=2),
        st.sets(HASHABLE, max_size=2),
    ),
    max_leaves=5,
)


@given(TREES, TREES)
def test_equal_means_equal_digest(a: object, b: object) -> None:
    """Two values have one digest if and only if they are the same value."""
    assert (digest(a) == digest(b)) == same(a, b)


@given(TREES)
def test_digest_survives_storage(value: object) -> None:
    """A round trip and a deep copy keep the digest, and hashing keeps the value."""
    before = digest(value)
    assert (
        digest(pickle.loads(pickle.dumps(value))) == before
    )  # our own bytes, as an oracle
    assert digest(copy.deepcopy(value)) == before
    assert digest(value) == before


@pytest.mark.slow
@given(TREES)
def test_every_part_counts(value: object) -> None:
    """A value inside an object, beside an odd neighbour, and in a long list counts."""
    for wrap in (
        lambda v: values.Plain(v=v),
        lambda v: [v, values.Colour.RED],
        lambda v: [v] + [0] * 5000 + [values.Colour.RED],
    ):
        assert digest(wrap(value)) != digest(wrap([value]))
        assert digest(wrap(value)) == digest(wrap(copy.deepcopy(value)))


def test_call_arguments_keep_the_order_of_an_ordered_dict() -> None:
    """Two of them are equal only in one order; so is what is made of the class."""
    mine = type("Mine", (OrderedDict,), {"__module__": "textwrap"})
    for cls in (OrderedDict, mine):
        one, same, turned = (
            digest({"order": [cls(pairs)]}, call_arguments=True)
            for pairs in ([("a", 1), ("b", 2)], {"a": 1, "b": 2}, {"b": 2, "a": 1})
        )
        assert one == same != turned


def test_call_arguments_ignore_the_order_of_names() -> None:
    """Dicts with string keys are equal in any order, at every depth, others aren't."""
    pairs = [("b", {"d": [1], "c": (2, {"z": 1, "y": 2})}), ("a", 3)]
    turned = [("a", 3), ("b", {"c": (2, {"y": 2, "z": 1}), "d": [1]})]
    for wrap in (dict, lambda p: [dict(p), values.Colour.RED]):
        one, two = (digest(wrap(p), call_arguments=True) for p in (pairs, turned))
        assert one == two
        assert digest(wrap(pairs)) != digest(wrap(turned))
    numbered = ({1: 0, 2: 0}, {2: 0, 1: 0})
    assert digest(numbered[0], call_arguments=True) != digest(
        numbered[1], call_arguments=True
    )


def scrub(text: str) -> str:
    """Stand-in for the redaction of the engine."""
    return text.replace("sk-12345678901234", "‹secret:KEY›")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda key: key,
        lambda key: {"headers": [f"Bearer {key}"], "n": 1},
        lambda key: {key: 1},
        lambda key: key.encode(),
        lambda key: values.Plain(key=key),
        lambda key: [values.Colour.RED, f"a{key}b"],
        lambda key: {f"x{key}", "y"},
        lambda key: [f"a{n}" for n in range(9000)] + [values.Colour.RED, key],
    ],
    ids=["text", "json", "key", "bytes", "attribute", "mixed", "set", "long"],
)
def test_secrets_are_replaced_before_hashing(wrap: object) -> None:
    """A value with the secret hashes like one with its name, wherever it stands."""
    real, named = wrap("sk-12345678901234"), wrap("‹secret:KEY›")
    assert digest(real, redact=scrub) == digest(named, redact=scrub)
    assert digest(named, redact=scrub) == digest(named)
    assert digest(real, redact=scrub) != digest(real)


@pytest.mark.slow
def test_no_path_depends_on_sharing() -> None:
    """Children shared 60 levels deep are quick, and equal when built twice."""

    def build() -> object:
        tree: object = ["leaf"]
        for _ in range(60):
            tree = [tree] * 4
        return tree

    assert digest(build()) == digest(build())


@pytest.mark.parametrize(
    "odd", [bytearray(b"a"), memoryview(b"a"), frozenset("a"), values.Words("a")]
)
def test_nothing_odd_hides_in_a_plain_tree(odd: object) -> None:
    """The census sees every element, key and value, at every level."""
    trees = [[odd], (odd,), {"a": odd}, {1: odd}, [{"a": [1, {"b": ("c", odd)}]}]]
    trees += [{key: 1, "b": 2} for key in (odd,) if type(odd) is frozenset]
    assert [plain.census(tree) for tree in trees] == [None] * len(trees)


def test_what_a_dict_held_before_does_not_count() -> None:
    """A dict that had other keys than texts is the one that never had."""
    used = {"a": 1, 2: 3, "b": [4]}
    del used[2]
    fresh = {"a": 1, "b": [4]}
    assert digest(used) == digest(fresh)
    texts: list[str] = []
    plain.census(used, texts)
    assert {*texts} == {"a", "b"}


def test_fast_path_depends_on_the_expanded_value() -> None:
    """A shared tree too big for the fast path equals its expanded copy."""
    inner = list(range(1000))
    shared = [inner] * 300
    assert plain.census(shared) is None
    assert digest(shared) == digest([list(inner) for _ in range(300)])


def test_long_lists_differ_wherever_they_differ() -> None:
    """In a list of three stretches, each position counts."""
    base = list(range(plain.NODES_MAX + 10))
    found = {digest(base)}
    for place in (0, 4095, 4096, len(base) - 1):
        found.add(digest([*base[:place], -1, *base[place + 1 :]]))
    assert len(found) == 5


class Reducing:
    """Says how it is rebuilt, or raises what it is told to."""

    def __init__(self, problem: BaseException | None = None) -> None:
        self.problem = problem

    def __reduce__(self) -> tuple[object, ...]:
        if self.problem:
            raise self.problem
        return Reducing, ()


REFUSED = {
    "generator": (lambda: (x for x in ()), "builtins.generator", ""),
    "lock": (lambda: [1, {"a": threading.Lock()}], "_thread.lock", "[1]['a']"),
    "iterator": (lambda: values.Plain(a=values.Plain(b=zip())), "builtins.zip", ".a.b"),
    "raising": (lambda: [Reducing(OSError("no"))], f"{__name__}.Reducing", "[0]"),
    "code": (lambda: lambda: 1, "builtins.function", ""),
    "far": (lambda: (*range(9000), itertools.count()), "itertools.count", "[9000]"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_type_and_path(case: str) -> None:
    """What has no digest is named, with where it was found."""
    make, name, path = REFUSED[case]
    with pytest.raises(Undigestible) as caught:
        digest(make())
    assert (caught.value.type, caught.value.path) == (name, path)


def test_paths_show_no_secret_and_no_long_key() -> None:
    """The path of a refusal is told and kept: keys in it are redacted, and cut."""
    odd = iter(())
    value = {"sk-12345678901234": {"x" * 9000: odd}}
    with pytest.raises(Undigestible) as caught:
        digest(value, redact=scrub)
    assert caught.value.path == f"['‹secret:KEY›']['{'x' * 39}…]"


def test_a_method_counts_with_its_owner_whatever_it_is_bound_to() -> None:
    """A method that a module has under its own name is still one of its object."""
    module = sys.modules[__name__]
    try:
        found = []
        for n in (1, 2):
            module.tell = Teller(n).tell  # type: ignore[attr-defined]  # that is what is tested
            found.append(digest(module.tell))
        assert found[0] != found[1]
    finally:
        del module.tell


class Teller:
    """Has a method."""

    def __init__(self, n: int) -> None:
        self.n = n

    def tell(self) -> int:
        """A method."""
        return self.n


def test_an_open_file_has_no_digest() -> None:
    """A file is where it stands in the world, not a value."""
    with (
        Path(__file__).open() as file,
        pytest.raises(Undigestible, match="TextIOWrapper"),
    ):
        digest(file)


def test_a_hasher_goes_on_after_a_refusal() -> None:
    """A refusal in one value leaves nothing behind that a later one could meet."""
    walk = Hasher()
    loop = values.looped("a")
    with pytest.raises(Undigestible):
        walk.digest([loop, (x for x in ())])
    assert walk.digest([loop]) == digest([values.looped("a")])
    assert walk.digest(values.Plain(a=1)) == digest(values.Plain(a=1))


def test_a_class_is_no_part_of_a_value_but_is_reported() -> None:
    """A hasher tells the types it met, so that a step's key can count their code."""
    walk = Hasher()
    walk.digest([values.Point(1), {"a": values.Plain()}])
    assert {values.Point, values.Plain} <= walk.types


NAMED = st.dictionaries(
    st.text(max_size=3),
    st.one_of(
        ATOMS, st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary()
    ),
    max_size=4,
)
SECRET = "sk-proj-" + "a1B2" * 12
SECRETS = Secrets({"THE_API_KEY": "correct horse battery"})


@given(NAMED)
def test_arguments_of_atoms_have_the_key_of_any_arguments(
    arguments: dict[str, object],
) -> None:
    """The short way to a call's key leads to the key that the long one leads to."""
    atoms = plain.of_atoms(arguments, SECRETS.found)
    whole = digest(arguments, call_arguments=True, redact=SECRETS.apart)
    assert atoms is not None
    assert keys.plain_call_key("f", atoms) == keys.call_key("f", whole)


@pytest.mark.parametrize(
    "arguments",
    [
        {"key": SECRET},
        {"key": f"x {SECRET} y".encode()},
        {SECRET: 1},
        {"a": 1, "of": "the correct horse battery"},
        {"a": [1]},
        {"a": True, "b": {}},
        {"a": int},
        {"a": type("Text", (str,), {})("a")},
    ],
)
def test_only_atoms_without_a_secret_go_the_short_way(
    arguments: dict[str, object],
) -> None:
    """A secret, a container, a class or a subclass of an atom takes the long way."""
    assert plain.of_atoms(arguments, SECRETS.found) is None


def test_keys_are_tagged_and_length_prefixed() -> None:
    """No two kinds of key and no two splits of one text share a key."""
    found = [
        keys.call_key("ab", b"c"),
        keys.call_key("a", b"bc"),
        keys.step_key(b"ab", []),
        keys.step_key(b"ab", [("c", b"d")]),
        keys.step_key(b"ab", [], [("c", b"d")]),
        keys.step_key(b"ab", [("c", None)]),
        keys.source_digest(b"ab"),
        keys.http_key(method="POST", url="u", query=[], headers=[], body=b""),
        keys.http_key(method="POST", url="u", query=[("a", "b")], headers=[], body=b""),
        keys.http_key(method="POST", url="u", query=[], headers=[("a", "b")], body=b""),
        keys.MISSING,
        keys.UNKNOWN,
    ]
    assert len(set(found)) == len(found)
    assert {len(key) for key in found} == {keys.DIGEST_BYTES}


def test_the_order_of_reads_does_not_count() -> None:
    """A step's key is one of a set of reads."""
    pairs = [("a", b"1"), ("b", b"2")]
    assert keys.step_key(b"s", pairs) == keys.step_key(b"s", pairs[::-1])


def test_keys_are_golden() -> None:
    """Keys stay what they are: an edit that changes them must raise ALGORITHM."""
    arguments = digest({"query": "batteries", "limit": 3}, call_arguments=True)
    step = keys.step_key(keys.source_digest(b"x"), [("a", digest(1)), ("b", None)])
    http = keys.http_key(
        method="POST", url="https://a/v1", query=[("q", "1")], headers=[], body=b"{}"
    )
    assert keys.call_key("search", arguments).hex() == (
        "c30b6f52f97d7c29396721c96b02fc84152b4941c7da23595ddf724870ed6a04"
    )
    assert step.hex() == (
        "64c6d919b80b3b7e347a2ca5304f729cdd81bb0571b8677550e1a49b3cba4410"
    )
    assert http.hex() == (
        "ed96f23389f8d378044478c88a1c112f9473b5b5062db0c42e814da4e865e2a1"
    )


def test_a_masked_array_of_halves_is_read_without_a_warning() -> None:
    """The default fill value is beyond the greatest half; warnings are errors here."""
    halves = np.ma.MaskedArray(np.array([1, 2], np.float16), [False, True])
    assert digest(halves) == digest(halves.copy()) != digest(halves[:1])


class Settings:
    """An object whose attributes are shown as a dict."""

    def __init__(self) -> None:
        self.host, self.key = "localhost", SHOWN_SECRET


SHOWN_SECRET = "sk-" + "shown" * 8


def test_the_dict_of_an_object_is_what_is_in_it() -> None:
    """`vars(settings)` counts as an equal dict does, and a secret in it is seen."""
    settings, redact = Settings(), Secrets({"OPENAI_API_KEY": SHOWN_SECRET}).scrub
    shown = vars(settings)
    assert digest(shown) == digest({**shown})
    assert digest(shown, redact=redact) == digest({**shown}, redact=redact)
    assert digest(shown, redact=redact) != digest(shown)
