"""Variables are taken as groups and put back: aliases, failures, changes in place."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbdurable.engine import codec
from nbdurable.engine.codec.connected import connected
from nbdurable.engine.codec.grafts import MARKS_MAX
from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.steps.snapshot import Group, mark, put_back, take
from nbdurable.engine.values.redact import Secrets
from nbdurable_store.backends.memory import MemoryStore
from tests.engine.notebooks import Notebook

KEY = "sk-proj-abcdEFGH0123456789abcdEFGH0123456789"
SECRETS = Secrets({"OPENAI_API_KEY": KEY})


@dataclasses.dataclass
class Agent:
    """An object with a history that others hold too."""

    name: str
    history: list[Any] = dataclasses.field(default_factory=list)


class Slotted:
    """An object whose attributes are slots."""

    __slots__ = ("a", "b")


@dataclasses.dataclass
class _Stored:
    """What was taken, as it is read from a store."""

    groups: list[Group]
    unstorable: dict[str, str]
    replaced: list[str]


def _take(values: Any, **given: Any) -> _Stored:
    store = MemoryStore()
    taken = take(values, store.put, **given)
    groups = [
        Group(names=g.names, codec=g.ref.codec, data=store.get(g.ref, stream=True))
        for g in taken.groups
    ]
    return _Stored(groups, taken.unstorable, taken.replaced)


def _names(taken: _Stored) -> list[tuple[str, ...]]:
    return [group.names for group in taken.groups]


def _back(taken: _Stored) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    put_back(taken.groups, namespace, secrets=SECRETS)
    return namespace


# --- groups --------------------------------------------------------------------------


def test_values_that_share_nothing_are_apart() -> None:
    """Plain variables are one JSON text each."""
    taken = _take({"a": [1], "b": {"x": "y"}, "c": 3}, secrets=SECRETS)
    assert _names(taken) == [("a",), ("b",), ("c",)]
    assert {group.codec for group in taken.groups} == {"json"}
    assert _back(taken) == {"a": [1], "b": {"x": "y"}, "c": 3}


def test_aliases_stay_aliases() -> None:
    """A list that two variables reach is one list again, through objects and closures."""
    shared = [1]
    agent = Agent("a", shared)

    def closure() -> list[int]:
        return shared

    values = {"s": shared, "deep": ({"x": [shared]},), "agent": agent, "n": 1}
    taken = _take({**values, "method": agent.history.append}, secrets=SECRETS)
    assert _names(taken) == [("s", "deep", "agent", "method"), ("n",)]
    back = _back(taken)
    back["method"](2)
    assert back["s"] == [1, 2]
    assert back["deep"][0]["x"][0] is back["s"] is back["agent"].history
    assert connected({"s": shared, "f": closure})[0][0] == ("s", "f")


def test_what_cannot_change_does_not_connect() -> None:
    """Atoms, tuples, types, modules, indexes and dtypes that are shared mean nothing."""
    atom, frame = "x" * 1000, pd.DataFrame({"a": [1]})
    same = (1, atom)
    values = {
        "a": [atom, same, np, Agent, print, np.dtype("f8")],
        "b": [atom, same, np, Agent, print, np.dtype("f8")],
        "c": [frame],
        "d": [frame * 2],
    }
    assert len(connected(values)) == 4


class Waiting:
    """Keeps what a thing of this process holds, and not that thing."""

    def __init__(self, thing: Any, content: Callable[[Any], Any]) -> None:
        self.thing, self.content = thing, content

    def __getstate__(self) -> dict[str, Any]:
        return {"of": self.content(self.thing)}


@pytest.mark.parametrize("kind", ["future", "local", "thread"])
def test_what_is_kept_of_a_thing_of_this_process_is_shared(kind: str) -> None:
    """The thing isn't kept, and what its holder keeps of it is one with its other name."""
    rows = [1]
    loop = asyncio.new_event_loop()
    future, local = loop.create_future(), threading.local()
    future.set_result(rows)
    local.rows = rows
    things: dict[str, tuple[Any, Callable[[Any], Any]]] = {
        "future": (future, lambda f: f.result()),
        "local": (local, lambda found: found.rows),
        "thread": (threading.Thread(target=len, args=(rows,)), lambda t: t._args[0]),
    }
    loop.close()
    (group,) = connected({"held": Waiting(*things[kind]), "rows": rows})
    assert group.names == ("held", "rows")


def test_two_names_of_one_pool_are_together() -> None:
    """A pool is made anew, unlike others of its kind, and is one for both names."""
    with ThreadPoolExecutor(1) as pool:
        (group,) = connected({"pool": pool, "same": pool})
    assert group.names == ("pool", "same")


def test_an_error_does_not_hold_the_variables_of_its_frames() -> None:
    """What the traceback of an error leads to stands in another group."""
    namespace: dict[str, Any] = {"rows": [[1], [2]]}
    exec(
        "try:\n    rows[7]\nexcept IndexError as raised:\n    error = raised", namespace
    )
    error = namespace["error"]
    assert error.__traceback__.tb_frame.f_globals["rows"] is namespace["rows"]
    groups = connected({name: namespace[name] for name in ("error", "rows")})
    assert [group.names for group in groups] == [("error",), ("rows",)]
    error.args = (error.args[0], namespace["rows"])
    (group,) = connected({name: namespace[name] for name in ("error", "rows")})
    assert group.names == ("error", "rows")


def test_views_are_with_their_base() -> None:
    """Arrays over one memory are one group, and share it again."""
    base = np.arange(10.0)
    back = _back(_take({"base": base, "view": base[2:]}, secrets=SECRETS))
    back["base"][2] = -1
    assert back["view"][0] == -1


def test_objects_in_arrays_and_cycles_are_walked() -> None:
    """An object array and a cycle are followed to the end."""
    shared: list[Any] = []
    shared.append(shared)
    values = {"a": np.array([shared, None], dtype=object), "b": {"k": shared}}
    assert len(connected(values)) == 1


@given(st.integers(1, 6), st.data())
def test_names_are_together_exactly_if_they_share(count: int, data: Any) -> None:
    """Any pattern of sharing gives the components of its graph."""
    lists: list[list[Any]] = [[i] for i in range(count)]
    edges = data.draw(
        st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)))
    )
    components = [{i} for i in range(count)]
    for one, other in edges:
        lists[one].append(lists[other])
        merged = components[one] | components[other]
        for member in merged:
            components[member] = merged
    values = {str(i): value for i, value in enumerate(lists)}
    found = {frozenset(map(int, names)) for names, _ in connected(values)}
    assert found == {frozenset(c) for c in components}


# --- values that can't be stored -----------------------------------------------------


def test_one_bad_value_costs_only_itself() -> None:
    """The others of its group are stored, still together, and the culprit is named."""
    shared = [1]
    lock = threading.Lock()
    lock.acquire()
    values = {"a": [shared], "bad": {"s": shared, "k": [lock]}, "b": (shared,), "c": 1}
    taken = _take(values, secrets=SECRETS)
    assert _names(taken) == [("c",), ("a", "b")] or _names(taken) == [
        ("a", "b"),
        ("c",),
    ]
    assert taken.unstorable == {
        "bad": "a lock that is held is tied to this process (bad['k'][0])"
    }
    back = _back(taken)
    assert back["a"][0] is back["b"][0]


def test_a_value_alone_is_named_with_its_place() -> None:
    """The reason says where in the variable the culprit is."""
    rows = (row for row in (1, 2))
    next(rows)
    taken = _take({"x": [1, rows], "g": rows, "secret": Agent(KEY)}, secrets=SECRETS)
    assert (
        taken.unstorable["x"]
        == "a generator that has begun is tied to this process (x[1])"
    )
    assert taken.unstorable["g"] == "a generator that has begun is tied to this process"
    assert taken.unstorable["secret"].endswith("(secret.name)")
    assert not taken.groups


class Hostile:
    """Raises whatever it is asked for."""

    def __getattribute__(self, name: str) -> Any:
        raise ZeroDivisionError(name)

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError

    def __hash__(self) -> int:
        raise ZeroDivisionError

    def __bool__(self) -> bool:
        raise ZeroDivisionError


def test_taking_never_raises() -> None:
    """An object that misbehaves in every way is named, and the rest is stored."""
    hostile = Hostile()
    taken = _take({"h": hostile, "in": [hostile], "ok": 1}, secrets=SECRETS)
    assert _names(taken) == [("ok",)]
    assert set(taken.unstorable) == {"h", "in"}


@pytest.mark.slow
def test_a_deep_value_does_not_stop_the_walk() -> None:
    """Nesting beyond any stack costs nothing but itself."""
    deep: Any = object
    for _ in range(100_000):
        deep = [deep, len]
    taken = _take({"deep": deep, "ok": 1}, secrets=SECRETS)
    assert _names(taken) == [("ok",)]
    assert "nested too deeply" in taken.unstorable["deep"]
    while type(deep) is list:
        deep = deep[0]


# --- putting back --------------------------------------------------------------------


def test_nothing_is_bound_unless_everything_can_be_read() -> None:
    """A group that can't be read leaves the namespace as it was."""
    good = _take({"a": 1}, secrets=SECRETS).groups
    bad = Group(names=("b",), codec="json", data=b"{")
    namespace: dict[str, Any] = {"a": 0}
    with pytest.raises(codec.Unreadable):
        put_back([*good, bad], namespace, secrets=SECRETS)
    assert namespace == {"a": 0}


def test_a_group_of_other_length_is_refused() -> None:
    """A group must hold as many values as it has names."""
    (group,) = _take({"a": (1, 2)}, secrets=SECRETS).groups
    forged = dataclasses.replace(group, names=("a", "b", "c"))
    with pytest.raises(codec.Unreadable):
        put_back([forged], {}, secrets=SECRETS)


def test_names_can_go_aside() -> None:
    """The value of the last expression is bound elsewhere."""
    aside: dict[str, object] = {}
    namespace: dict[str, Any] = {}
    taken = _take({"a": 1, "it": 2}, secrets=SECRETS)
    put_back(taken.groups, namespace, secrets=SECRETS, aside={"it": aside})
    assert (namespace, aside) == ({"a": 1}, {"it": 2})


# --- in place ------------------------------------------------------------------------


def _replayed(
    make: Callable[[], dict[str, Any]],
    cell: Callable[[dict[str, Any]], None],
    reads: set[str],
) -> tuple[dict[str, Any], dict[str, Any], _Stored]:
    """Run a cell in one namespace, replay it in another: what both hold then."""
    first, second = make(), make()
    before = dict(first)
    marks = mark(first, reads)
    cell(first)
    changed = {
        name: value
        for name, value in first.items()
        if name in reads or before.get(name) is not value
    }
    taken = _take(changed, secrets=SECRETS, marks=marks)
    assert not taken.unstorable
    put_back(taken.groups, second, secrets=SECRETS, in_place=reads)
    return first, second, taken


def _append(ns: dict[str, Any]) -> None:
    ns["x"].append(KEY)


def _nested(ns: dict[str, Any]) -> None:
    ns["x"]["list"][0].append(3)
    ns["x"]["new"] = {"a": ns["x"]["list"]}


def _attribute(ns: dict[str, Any]) -> None:
    ns["x"].name = "b"
    ns["x"].history.append(ns["x"])
    ns["x"].other = {1, 2}


def _slots(ns: dict[str, Any]) -> None:
    ns["x"].a = [1]
    del ns["x"].b


def _array(ns: dict[str, Any]) -> None:
    ns["x"][1:] *= 2


def _frame(ns: dict[str, Any]) -> None:
    ns["x"]["b"] = ns["x"]["a"] * 2


def _clear(ns: dict[str, Any]) -> None:
    ns["x"].clear()
    ns["x"].update({5: 6} if isinstance(ns["x"], dict) else {5})


def _grow(ns: dict[str, Any]) -> None:
    ns["x"].extend(b"abc")


def _slotted() -> Slotted:
    made = Slotted()
    made.a, made.b = 1, 2
    return made


IN_PLACE: dict[str, tuple[Callable[[], Any], Callable[[dict[str, Any]], None]]] = {
    "list": (lambda: [1], _append),
    "nested": (lambda: {"list": [[1, 2]]}, _nested),
    "dict": (lambda: {1: 2}, _clear),
    "set": (lambda: {1}, _clear),
    "Counter": (lambda: collections.Counter("aab"), _clear),
    "OrderedDict": (lambda: collections.OrderedDict(a=1), _clear),
    "defaultdict": (lambda: collections.defaultdict(list, {1: []}), _clear),
    "bytearray": (lambda: bytearray(b"x"), _grow),
    "deque": (lambda: collections.deque([1], maxlen=3), _grow),
    "array": (lambda: np.arange(4.0), _array),
    "object": (lambda: Agent("a"), _attribute),
    "slotted object": (_slotted, _slots),
    "frame": (lambda: pd.DataFrame({"a": [1, 2]}), _frame),
}


@pytest.mark.parametrize("kind", IN_PLACE)
def test_a_changed_input_is_changed_in_place(kind: str) -> None:
    """Whoever else holds the object sees the change when the step is replayed."""
    make, cell = IN_PLACE[kind]
    holders: list[Any] = []

    def namespace() -> dict[str, Any]:
        value = make()
        holders.append(value)
        return {"x": value}

    first, second, taken = _replayed(namespace, cell, {"x"})
    assert second["x"] is holders[1]
    assert not taken.replaced
    if kind == "slotted object":
        assert second["x"].a == [1]
        assert not hasattr(second["x"], "b")
    else:
        assert repr(second["x"]) == repr(first["x"])
    assert type(second["x"]) is type(first["x"])


def test_a_deep_input_is_changed_in_place() -> None:
    """Data of a thousand levels is kept, and whoever holds its outer ones sees changes."""
    held: list[Any] = []

    def namespace() -> dict[str, Any]:
        inner = value = [0]
        for _ in range(3000):
            value = [value]  # type: ignore[list-item]
        held.append((value, value[0][0], inner))  # type: ignore[index]
        return {"x": value}

    def cell(ns: dict[str, Any]) -> None:
        value = ns["x"]
        value.append("outer")
        value[0][0].append("third")
        while type(value[0]) is list:
            value = value[0]
        value.append("innermost")

    first, second, taken = _replayed(namespace, cell, {"x"})
    assert not taken.replaced
    assert digest(second["x"]) == digest(first["x"])
    outer, third, _ = held[1]
    assert second["x"] is outer
    assert outer[0][0] is third
    assert third[1] == "third"


def test_an_object_inside_an_input_stays_the_one_that_others_hold() -> None:
    """A list deep in an input is changed too, not replaced by an equal one."""
    held: list[list[Any]] = []

    def namespace() -> dict[str, Any]:
        history = [1]
        held.append(history)
        return {"agents": [(Agent("a", history),)]}

    def cell(ns: dict[str, Any]) -> None:
        ns["agents"][0][0].history.append(2)
        ns["last"] = ns["agents"][0][0].history

    _, second, _ = _replayed(namespace, cell, {"agents"})
    assert held[1] == [1, 2]
    assert second["last"] is held[1] is second["agents"][0][0].history


def test_an_object_that_was_replaced_leaves_the_old_one_alone() -> None:
    """What the cell put in place of an old list is new; the old list is not touched."""
    held: list[list[Any]] = []

    def namespace() -> dict[str, Any]:
        old = [1]
        held.append(old)
        return {"state": {"plan": old}}

    def cell(ns: dict[str, Any]) -> None:
        ns["state"]["plan"] = [7]

    _, second, _ = _replayed(namespace, cell, {"state"})
    assert held[1] == [1]
    assert second["state"] == {"plan": [7]}


def test_a_result_that_holds_an_unchanged_input_holds_that_input() -> None:
    """An alias of an input that the cell only put somewhere is an alias on replay."""

    def cell(ns: dict[str, Any]) -> None:
        ns["result"] = {"all": ns["messages"]}

    _, second, _ = _replayed(lambda: {"messages": [{"a": 1}]}, cell, {"messages"})
    assert second["result"]["all"] is second["messages"]


def test_moved_objects_keep_their_identity() -> None:
    """Two objects that changed places are the same two objects in the new places."""
    held: list[tuple[Any, Any]] = []

    def namespace() -> dict[str, Any]:
        pair = ({"n": 1}, {"n": 2})
        held.append(pair)
        return {"x": list(pair)}

    def cell(ns: dict[str, Any]) -> None:
        ns["x"].reverse()

    _, second, _ = _replayed(namespace, cell, {"x"})
    assert second["x"][0] is held[1][1]
    assert second["x"][1] is held[1][0]
    assert held[1] == ({"n": 1}, {"n": 2})


def test_restored_elsewhere_places_are_made_anew() -> None:
    """Without the inputs, equal places are one new object, in order and in cycles."""

    def cell(ns: dict[str, Any]) -> None:
        ns["x"]["self"] = ns["x"]
        ns["y"] = [ns["x"], ns["x"]["array"]]

    make = lambda: {"x": {"array": np.arange(3), "text": "a"}}  # noqa: E731
    _, _, taken = _replayed(make, cell, {"x"})
    back = _back(taken)
    assert back["x"]["self"] is back["x"] is back["y"][0]
    assert back["y"][1] is back["x"]["array"]
    assert back["x"]["array"].tolist() == [0, 1, 2]


def test_an_object_with_a_state_of_its_own_is_filled_whole() -> None:
    """A Series that was changed in place keeps its attributes too."""

    def cell(ns: dict[str, Any]) -> None:
        ns["load"] += 1
        ns["load"].attrs["unit"] = "MW"

    first, second, _ = _replayed(lambda: {"load": pd.Series([1.0])}, cell, {"load"})
    assert second["load"].attrs == first["load"].attrs == {"unit": "MW"}
    assert second["load"].tolist() == [2.0]


def test_plain_changes_in_place_need_no_pickle() -> None:
    """A list of messages that grew is plain data, and its secret is cut out."""

    def cell(ns: dict[str, Any]) -> None:
        ns["messages"].append({"content": f"the key is {KEY}"})

    _, second, taken = _replayed(
        lambda: {"messages": [{"a": b"x"}]}, cell, {"messages"}
    )
    assert [group.codec for group in taken.groups] == ["json"]
    assert not SECRETS.holds(taken.groups[0].data)
    assert second["messages"][1]["content"].endswith(KEY)


def test_what_cannot_be_changed_in_place_is_named() -> None:
    """An input that is no fillable object is bound anew, and the snapshot says so."""
    values = {"q": iter([1, 2]), "f": frozenset({1}), "n": 5}
    marks = mark(values, values)
    next(values["q"])
    taken = _take({"q": values["q"]}, secrets=SECRETS, marks=marks)
    assert taken.replaced == ["q"]
    assert next(_back(taken)["q"]) == 2


JSON_VALUES = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda c: (
        st.lists(c, max_size=3) | st.dictionaries(st.text(max_size=2), c, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.lists(JSON_VALUES, max_size=4), JSON_VALUES, st.booleans())
def test_any_change_replays_to_the_same(
    start: list[Any], added: object, reverse: bool
) -> None:
    """Whatever an input is and becomes, the replayed one is equal and the same object."""
    text = repr(start)

    def cell(ns: dict[str, Any]) -> None:
        for item in ns["x"]:
            if isinstance(item, list):
                item.append(added)
            elif isinstance(item, dict):
                item["new"] = ns["x"][0]
        if reverse:
            ns["x"].reverse()
        ns["y"] = {"x": ns["x"], "first": ns["x"][:1]}

    first, second, _ = _replayed(lambda: {"x": eval(text)}, cell, {"x"})
    assert repr(second) == repr(first)
    assert second["y"]["x"] is second["x"]


# --- in steps ------------------------------------------------------------------------

INPUTS = """
class Agent:
    def __init__(self):
        self.history = ["hello"]
agent = Agent()
held = agent.history
"""
TALKS = """
agent.history.append("world")
everything = {"agent": agent, "last": agent.history}
agent
"""


def test_a_replayed_step_changes_its_input_where_others_hold_it() -> None:
    """A list inside an input, held by a variable the step never saw, has the change."""
    nb = Notebook()
    nb.plain(INPUTS)
    nb.run(TALKS)
    nb.restart()
    nb.plain(INPUTS)
    assert "replayed" in nb.run(TALKS)
    ns: Any = nb.namespace
    assert ns["held"] == ["hello", "world"]
    assert ns["everything"]["last"] is ns["held"]
    assert ns["everything"]["agent"] is ns["agent"]


@pytest.mark.slow
def test_no_more_objects_are_looked_at_than_are_marked():
    """A long list of dicts costs what its first ones cost; those are marked."""
    rows = [{"n": n} for n in range(200_000)]
    tracemalloc.start()
    try:
        marks = mark({"rows": rows}, ["rows"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert marks.place(rows[0]) == ("rows", (("at", 0),))
    assert len(marks.found) == MARKS_MAX
    assert peak < 8_000_000
