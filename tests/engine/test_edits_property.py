"""Any edit of a cell's calls in any form, with every question of the table answered.

Each version of a cell is a permutation, insertion or deletion of the version before. It
may run on other data, after a stop in a `write`, after a failure, with another model
answer, and with a `write` whose parameters or whose name were edited, so that whatever
row of `decide` asks is met. A person says «keep» where money asks, and of a call that
may have happened what the account of the world says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nbdurable.engine.calls.nested import step
from nbdurable.engine.fanout import mapping
from nbdurable.engine.identity.sources import Sources
from nbdurable.engine.past.decide import OTHERS, Past
from nbdurable.engine.past.settle import Answer, answer, fits, questions
from nbdurable.errors import CallPause
from tests.engine.notebooks import Notebook, World
from tests.engine.test_policy_forms import model

QUESTIONS_MAX: Final = 30
"""Answers after which a cell of at most eight calls has to have ended."""

TOOLS = """
@tool(effect="read")
def read(x): return world(f"read {x}")
@tool(effect="pure")
def pure(x): return world(f"pure {x}")
@effects.step
def in_step(tool, x): return tool(x)
def boom(): raise ZeroDivisionError
"""

SIGNATURES: Final = {
    "plain": "@tool\ndef {name}(x): return world(f'write {{x}}')",
    "added": "@tool\ndef {name}(x, note=''): return world(f'write {{x}}')",
    "another default": "@tool\ndef {name}(x, note='-'): return world(f'write {{x}}')",
    "renamed": "@tool\ndef {name}(amount): return world(f'write {{amount}}')",
    "any number": "@tool\ndef {name}(x, *a, **kw): return world(f'write {{x}}')",
    "left out": "@tool(ignore='note')\ndef {name}(x, note=''):\n"
    "    return world(f'write {{x}}')",
}
NAMES: Final = ["write", "pay", "settle"]

FORMS: Final = {
    "sync": "r.append({tool}({x}))",
    "step": "r.append(in_step({tool}, {x}))",
    "map": "r += effects.map({tool}, [{x}], limit=1)",
    "data": "r.append({tool}(DATA))",
}

Call = tuple[str, str, int]
"""Form, tool and argument."""

calls = st.tuples(
    st.sampled_from([*FORMS, "data"]),
    st.sampled_from(["read", "write", "pure", "write"]),
    st.integers(0, 2),
)


class Interrupting(World):
    """The kernel is interrupted in one effect, the first time that it happens."""

    stops = ""

    def __call__(self, effect: str) -> str:
        """Let it happen."""
        done = super().__call__(effect)
        if effect == self.stops:
            self.stops = ""
            raise KeyboardInterrupt
        return done


@dataclass(frozen=True)
class Version:
    """A cell as it is run once, until it ends.

    Attributes:
        body: Its calls.
        data: What the calls with data are made with.
        asks: The question that a model is asked first, or None.
        stops: The effect in which the kernel is interrupted, the first time.
        fails: Whether the cell ends with an exception of its own, or where it is
            interrupted is left so.
        killed: Whether it runs in another kernel than the version before.
        signature: That of the tool which writes.
        name: Its name.
    """

    body: tuple[Call, ...]
    data: int = 0
    asks: int | None = None
    stops: str = ""
    fails: bool = False
    killed: bool = False
    signature: str = "plain"
    name: str = "write"

    def source(self) -> str:
        """Its code."""
        first = [] if self.asks is None else [f"effects.model({self.asks})"]
        named = {"write": self.name}
        made = [FORMS[f].format(tool=named.get(t, t), x=x) for f, t, x in self.body]
        return "\n".join(["r = []", *first, *made, *["boom()"] * self.fails])

    def wanted(self) -> list[str]:
        """Each call as its result shows it."""
        return [f"{t} {self.data if f == 'data' else x}" for f, t, x in self.body]


@st.composite
def versions(draw: st.DrawFn) -> list[Version]:
    """Versions of one cell."""
    body = tuple(draw(st.lists(calls, max_size=4)))
    found: list[Version] = []
    edits = draw(st.sampled_from(["none", "signature", "name"]))
    signature, name = "plain", "write"
    for _ in range(draw(st.integers(2, 4))):
        data = draw(st.integers(0, 2))
        made = [f"{t} {data if f == 'data' else x}" for f, t, x in body]
        writes = [effect for effect in made if effect.startswith("write")]
        version = Version(
            body=body,
            data=data,
            asks=draw(st.sampled_from([None, None, 1, 2])),
            stops=draw(st.sampled_from(["", *writes])),
            fails=draw(st.sampled_from([False, False, True])),
            killed=draw(st.booleans()),
            signature=signature,
            name=name,
        )
        found.append(version)
        if edits == "signature":  # both at once is another tool
            signature = draw(st.sampled_from([*SIGNATURES]))
        elif edits == "name":
            name = draw(st.sampled_from(NAMES))
        if draw(st.booleans()):
            continue
        kept = [call for call in body if draw(st.integers(0, 4))]
        body = tuple(draw(st.permutations(kept + draw(st.lists(calls, max_size=2)))))
    return found


def opened(nb: Notebook, version: Version) -> None:
    """Begin a kernel if there is none or the last one was killed."""
    if version.killed and nb.count:
        nb.restart()
    nd = SimpleNamespace(step=step, map=mapping.map, model=model)
    nb.namespace |= {"effects": nd, "DATA": version.data}
    if version.killed or "read" not in nb.namespace:
        nb.session.sources = Sources()  # the test's own modules are as if installed
        nb.plain(TOOLS)
    nb.plain(SIGNATURES[version.signature].format(name=version.name))


def keep(nb: Notebook) -> set[str]:
    """Answer every question; gives the calls that were said to stand for others."""
    stands: set[str] = set()
    asked = questions(nb.session.history)
    assert asked
    for question in asked:
        past = question.past or Past.IN_DOUBT
        said = Answer.KEEP if fits(past, Answer.KEEP) else Answer.HAPPENED
        name, _, given = question.call.text.partition("(")
        name = "write" if name in NAMES else name
        effect = f"{name} {given.rstrip(')')}"
        if past in OTHERS:
            stands.add(name)
        value = None
        if said is Answer.HAPPENED:
            value = nb.session.store.put("json", f'"{effect}#said"'.encode())
        made = answer(nb.session.history, question, said, at_us=1, value=value)
        nb.session.append(made, sync=True)
    return stands


def ended(nb: Notebook, version: Version) -> set[str] | None:
    """Run a version until it ends; gives the tools of which one call stands for another.

    None where it is interrupted and left at that: the next version finds it in doubt.
    """
    stands: set[str] = set()
    for _ in range(QUESTIONS_MAX):
        try:
            nb.run(version.source(), "", "c1")
        except KeyboardInterrupt:
            if version.fails:
                return None
        except CallPause:
            stands |= keep(nb)
        except ZeroDivisionError:
            assert version.fails
            return stands
        else:
            return stands
    raise AssertionError(version)


PAY: Final[Call] = ("data", "write", 0)
ASKED: Final = {
    Past.IN_DOUBT: [Version((PAY,), stops="write 0")],
    Past.NEW_DATA: [Version((PAY,)), Version((PAY,), data=1)],
    Past.OTHER_IN_DOUBT: [
        Version((PAY,), stops="write 0", fails=True),
        Version((PAY, PAY), data=1, killed=True),
    ],
    Past.INSTEAD: [
        Version((PAY,), asks=1),
        Version((("sync", "write", 1),), asks=2, killed=True),
    ],
    Past.STOOD_IN: [
        Version((("sync", "write", 0),), asks=1),
        Version((("sync", "write", 1), ("step", "write", 0)), asks=2),
    ],
}
"""Edits of which each asks."""

STOOD_IN_A_STEP: Final = [
    Version((("sync", "write", 0),)),
    Version((("step", "write", 1), ("sync", "write", 0)), asks=1),
]
"""The call that another one stands for is made in a step, which is completed by then."""


STOOD_IN_BEFORE_AN_EDIT: Final = [
    Version((("sync", "write", 0),), stops="write 0", fails=True),
    Version((("sync", "write", 1), ("sync", "write", 0)), signature="added"),
]
"""The call that another one stands for was made with other parameters."""


RENAMED_WITH_OTHER_DATA: Final = [
    Version((PAY,), data=2),
    Version((PAY,), name="pay"),
    Version((PAY,), data=2, name="pay"),
]
"""What was made by the old name asks about the data, too."""


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(max_examples=400)
@given(edits=versions())
@example(edits=ASKED[Past.IN_DOUBT])
@example(edits=ASKED[Past.NEW_DATA])
@example(edits=ASKED[Past.OTHER_IN_DOUBT])
@example(edits=ASKED[Past.INSTEAD])
@example(edits=ASKED[Past.STOOD_IN])
@example(edits=[Version((PAY,)), Version((PAY,), signature="renamed")])
@example(edits=[Version((PAY,)), Version((PAY,), name="pay")])
@example(edits=RENAMED_WITH_OTHER_DATA)
@example(edits=STOOD_IN_BEFORE_AN_EDIT)
@example(edits=STOOD_IN_A_STEP)
@example(edits=[*STOOD_IN_A_STEP, Version(STOOD_IN_A_STEP[-1].body)])
def test_any_edit_with_every_question_answered(edits: list[Version]) -> None:
    """Each call has a result of its own arguments, and no write happens once too often."""
    world, most = Interrupting(), Counter[str]()
    nb, stood = Notebook(world=world), set[str]()
    for version in edits:
        opened(nb, version)
        world.stops = version.stops
        most |= Counter(version.wanted())
        stands = ended(nb, version)
        if stands is None:
            continue
        stood |= stands  # an answer is remembered while the cell's source is the same
        results = nb.namespace["r"]
        assert isinstance(results, list)
        got = [str(r).partition("#")[0] for r in results]
        for had, wanted in zip(got, version.wanted(), strict=True):
            assert had == wanted or wanted.split()[0] in stood
    happened = Counter(nb.world.effects)
    for effect, times in happened.items():
        if not effect.startswith("read"):
            assert times <= most[effect], effect
