"""Calls that were made with another signature are found without a look at each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nbdurable.engine.past.edits import Marks, agree, edited
from nbdurable.engine.past.history import CallPast, CallState
from nbdurable.engine.past.pasts import Order
from nbdurable.engine.past.policy import Effect
from nbdurable.engine.past.versions import Versions

PARAMETER = st.sampled_from(["1", "2", "-1", "-2", "?", "-"])
ENTRY = st.sampled_from(["1", "2", "?"])
MARKS = st.fixed_dictionaries(
    {}, optional={"a": PARAMETER, "b": PARAMETER, "c": PARAMETER, "*d": ENTRY}
)
"""Signatures of a few parameters, defaults, unknown values and any number of arguments."""

HERE: Order = (1, "k", 1)


def made(number: int, marks: Marks) -> CallPast:
    """A call that has completed."""
    return CallPast(
        id=str(number), key=b"", name="pay", number=number, slot="s", step="s1",
        scope="", after="", parent="", order=HERE, ended_order=HERE,
        effect=Effect.WRITE, kind="tool", code="", text="pay()", marks=marks,
        state=CallState.COMPLETED,
    )  # fmt: skip


@given(st.lists(MARKS, max_size=8), MARKS)
def test_none_is_left_out_that_agrees(old: list[Marks], new: Marks) -> None:
    """Held against an oracle that looks at each of them."""
    calls = [made(number, marks) for number, marks in enumerate(old)]
    found = [call.id for call in Versions.of(calls).earlier(new)]
    assert len(found) == len({*found})
    agreeing = (n for n, m in enumerate(old) if edited(m, new) and agree(m, new))
    assert {str(n) for n in agreeing} <= {*found}


def test_of_thousands_one_is_looked_at() -> None:
    """Whether a default was added, or an argument that is given."""
    calls = [made(number, {"x": f"{number:x}"}) for number in range(2000)]
    versions = Versions.of(calls)
    for more in ("-ab", "ab"):
        found = versions.earlier({"x": "7c0", "note": more})
        assert [call.number for call in found] == [0x7C0]
