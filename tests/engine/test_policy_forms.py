"""Each row of the policy table, seen from outside, in each form that a tool can have.

A call is made in one life of a kernel and again in the next one. Whether it happened
twice is counted outside; what it was taken for is told by the question, where it asks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import pytest

from nbdurable.engine.asking import commands
from nbdurable.engine.asking.forking import fork
from nbdurable.engine.calls.invoking import invoke
from nbdurable.engine.calls.promised import Tool
from nbdurable.engine.identity import keys
from nbdurable.engine.past.decide import TABLE, Past, Verdict, decide
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.errors import CallPause, NotDone
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle

MODEL = Policy(effect=Effect.READ, model=True)


def model(question: object) -> object:
    """Stands for a model call: a read that is known to be one."""
    asked = Tool(fn=lambda question: question, name="model", policy=MODEL)
    return invoke(asked, (question,), {})


@dataclass(frozen=True)
class Form:
    """A form of a tool.

    Attributes:
        define: The tool ``act``; its body is ``{body}``, which binds ``got``.
        call: Binds ``r`` to the result of a call of it with ``{given}``.
    """

    define: str
    call: str = "r = act({given})"


QUICK: Final = {"sync", Effect.WRITE}
"""What `make check` tries too: all others take most of a minute."""

DEF = "@tool(effect={effect!r})\ndef act(x, extra=0):\n{body}\n    return got"
ASYNC = f"{DEF.replace('def', 'async def')}"
FORMS: Final = {
    "sync": Form(DEF),
    "async": Form(ASYNC, "r = asyncio.run(act({given}))"),
    "task": Form(
        ASYNC,
        "async def go(): return await asyncio.create_task(act({given}))\n"
        "r = asyncio.run(go())",
    ),
    "gather": Form(
        ASYNC,
        "async def go(): return (await asyncio.gather(act({given})))[0]\n"
        "r = asyncio.run(go())",
    ),
    "generator": Form(
        "@tool(effect={effect!r})\ndef act(x, extra=0):\n"
        "    yield 'first'\n{body}\n    yield got\n    return 'end'",
        "r = [*act({given})][1]",
    ),
    "async generator": Form(
        "@tool(effect={effect!r})\nasync def act(x, extra=0):\n"
        "    yield 'first'\n{body}\n    yield got",
        "async def go(): return [v async for v in act({given})][1]\n"
        "r = asyncio.run(go())",
    ),
    "method": Form(
        "class Agent:\n    @tool(effect={effect!r})\n    def act(self, x, extra=0):\n"
        "{inner}\n        return got",
        "r = Agent().act({given})",
    ),
    "nested": Form(
        f"{DEF}\n@tool(effect='read')\ndef outer(*given):\n"
        "    return [{life!r}, act(*given)][1]",
        "r = outer({given})",
    ),
    "pool": Form(
        DEF, "with ThreadPoolExecutor(1) as p: r = p.submit(act, {given}).result()"
    ),
    "thread": Form(
        ASYNC.replace("async ", ""),
        "async def go(): return await asyncio.to_thread(act, {given})\n"
        "r = asyncio.run(go())",
    ),
}

IMPORTS = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
@tool
def put(x): return world(f"put {x}")
"""
CAUGHT = "try:\n    {call}\nexcept ValueError as e: r = str(e)"
HAPPENS = "got = world('act ' + str(x)[:9])"


@dataclass(frozen=True)
class Row:
    """How a past comes about.

    Attributes:
        before: The first life's cell; "" for none.
        after: The second life's cell.
        first: What the tool does in the first life, once it has happened.
        then: The same in the second one.
        given: The arguments.
        between: What happens between the two lives.
        cell: Name and id of the second life's cell.
        data: What the cells read as ``DATA``.
        other: The arguments of the second life, where they are others.
        kept: Whether there is a life between the two, of the second one's cell, in which
            every question is answered with «keep».
        edit: What of the tool's definition, and of its calls, is another text in the
            second life: both texts.
        back: Whether it is the first one that is edited so.
    """

    before: str = "{call}"
    after: str = "{call}\nmore = 1"
    first: str = HAPPENS
    then: str = HAPPENS
    given: str = "1"
    between: Callable[[Notebook], None] = lambda _: None
    cell: tuple[str, str] = ("s", "c1")
    data: tuple[int, int] = (1, 1)
    other: str = field(default="1")
    kept: bool = False
    edit: tuple[str, str] = ("", "")
    back: bool = False

    def edited(self, text: str, life: int) -> str:
        """A text of the tool as it is in this life."""
        return text.replace(*self.edit) if self.edit[0] and life != self.back else text


def _rerun(nb: Notebook) -> None:
    """A person asks for everything afresh."""
    (step,) = nb.session.history.steps.values()
    commands.rerun(nb.session, step)


def _did_not(nb: Notebook) -> None:
    """A person says that it did not happen; only of a write anybody asks."""
    for asked in questions(nb.session.history):
        settle(nb, asked.reference, Answer.DID_NOT)


def _forked(nb: Notebook) -> None:
    """A person goes on from before the call, in another run."""
    fork(nb.session, "begin")


def _rekeyed(_: Notebook) -> None:
    """What a release does that computes keys differently."""
    patch, key = pytest.MonkeyPatch(), keys.call_key
    patches.append(patch)
    newer = {**keys.ALGORITHMS, "next": "9.9.0"}
    patch.setattr(keys, "ALGORITHMS", newer)
    patch.setattr(keys, "ALGORITHM", "next")
    patch.setattr(keys, "call_key", lambda name, whole: key(f"{name} next", whole))
    plain = keys.plain_call_key
    patch.setattr(keys, "plain_call_key", lambda name, of: plain(f"{name} next", of))
    patch.setattr("nbdurable.engine.past.matching._OURS", {"next"})


patches: list[pytest.MonkeyPatch] = []

INTERRUPTED = f"{HAPPENS}; raise KeyboardInterrupt"
FAILED = f"{HAPPENS}; raise ValueError('declined')"
UNSTORED = f"{HAPPENS}; got = (i for i in ())"
TWIN = "1, (i for i in ())"
WRAPPED = (
    "@tool(effect='read')\ndef wrap():\n    {call}\n"
    "    if DATA: raise ValueError('behind it')\n    return r\nr = wrap()"
)
WITH_PUT = f"{HAPPENS}; put(x)"
ROWS: Final = {
    Past.NOTHING: Row(before=""),
    Past.COMPLETED: Row(),
    Past.EDITED: Row(then=f"edited = 1; {HAPPENS}"),
    Past.UNRECOVERABLE: Row(first=UNSTORED, then=UNSTORED),
    Past.IN_DOUBT: Row(first=INTERRUPTED),
    Past.RAISED_FATAL: Row(first=FAILED),
    Past.RAISED_NOT_DONE: Row(first=f"{HAPPENS}; raise NotDone"),
    Past.MADE_ANEW: Row(first=INTERRUPTED, between=_did_not),
    Past.RAISED_SEEN: Row(
        before=CAUGHT, after=f"{CAUGHT}\nmore = 1", first=FAILED, then=FAILED
    ),
    Past.UNDIGESTIBLE: Row(before="", given=TWIN),
    Past.UNDIGESTIBLE_TWIN: Row(given=TWIN),
    Past.ELSEWHERE: Row(cell=("two", "c2")),
    Past.FORKED: Row(between=_forked, after="{call}"),
    Past.REKEYED: Row(between=_rekeyed, given="'1' * 20_000"),
    Past.AFRESH: Row(between=_rerun, after="{call}"),
    Past.STALE: Row(before="put(1)\n{call}", after="put(2)\n{call}"),
    Past.EMPTIED: Row(after="put(1)\n{call}", first=WITH_PUT, then=WITH_PUT),
    Past.STOOD_IN: Row(
        before="model(1)\n{call}",
        after="model(2)\n{call}\n{first}",
        other="2",
        kept=True,
    ),
    Past.NEW_DATA: Row(before="DATA\n{call}", after="DATA\n{call}", data=(1, 2)),
    Past.OTHER_IN_DOUBT: Row(first=INTERRUPTED, other="2"),
    Past.INSTEAD: Row(before="model(1)\n{call}", after="model(2)\n{call}", other="2"),
    Past.REPLACED: Row(edit=("act", "deed"), then=f"edited = 1; {HAPPENS}"),
    Past.EARLIER_TRY: Row(before=WRAPPED, after=WRAPPED, other="2", data=(1, 0)),
}
"""How each past comes about."""
OPTIONS: Final = "effect={effect!r}"
EDITS: Final = {
    "added": ("x, extra=0", "x, note='', extra=0"),
    "renamed": ("x, extra=0", "x2, extra=0"),
    "with another default": ("extra=0", "extra=1"),
    "left out": (OPTIONS, f"{OPTIONS}, ignore='extra'"),
    "any number of": ("extra=0", "extra=0, **more"),
}
"""Edits of the parameters that leave the call what it was."""
RENAMED: Final = {
    "name": (OPTIONS, f"{OPTIONS}, name='deed'"),
    "function": ("act", "deed"),
}
"""Edits of the tool's name."""
AGAIN: Final = {
    **{
        f"{what}{', back' * back}": (
            Past.EDITED,
            Row(edit=edit, back=back),
        )
        for what, edit in (EDITS | RENAMED).items()
        for back in (False, True)
    },
    **{
        f"{what}, in doubt": (
            Past.OTHER_IN_DOUBT,
            Row(first=INTERRUPTED, edit=edit),
        )
        for what, edit in (EDITS | RENAMED).items()
    },
    "moved": (
        Past.OTHER_IN_DOUBT,
        Row(first=INTERRUPTED, other="2", cell=("two", "c2")),
    ),
    "of the parent run": (
        Past.OTHER_IN_DOUBT,
        Row(between=_forked, after="{call}", first=INTERRUPTED, other="2"),
    ),
}
"""Other ways in which one comes about."""
CASES: Final = {past.value: (past, row) for past, row in ROWS.items()} | AGAIN


def life(nb: Notebook, form: Form, row: Row, effect: Effect, number: int) -> str:
    """Begin a kernel with the tool; gives the cell of this life."""
    body = row.then if number else row.first
    lines = body.split("; ")
    if row.edit == EDITS["renamed"] and number != row.back:
        lines = [line.replace("str(x)", "str(x2)") for line in lines]
    nb.namespace |= {"model": model, "NotDone": NotDone, "DATA": row.data[number]}
    nb.plain(IMPORTS)
    nb.plain(
        row.edited(form.define, number).format(
            effect=effect.value,
            body="\n".join(f"    {line}" for line in lines),
            inner="\n".join(f"        {line}" for line in lines),
            life=number,
        )
    )
    given = row.given if not number or row.other == "1" else row.other
    made = row.edited(form.call, number)
    call, earlier = (made.format(given=of) for of in (given, row.given))
    cell = row.after if number else row.before
    if "    {call}" in cell:
        call = call.replace("\n", "\n    ")
    return cell.format(call=call, first=earlier)


def keep_all(nb: Notebook, cell: str, place: tuple[str, str]) -> None:
    """A person runs the cell, keeps what it asks about, and ends the kernel."""
    with contextlib.suppress(CallPause):
        nb.run(cell, *place)
    for asked in questions(nb.session.history):
        settle(nb, asked.reference, Answer.KEEP)
    nb.restart()


def seen(
    nb: Notebook, effect: Effect, run: Callable[[], object]
) -> tuple[Verdict, str]:
    """What becomes of the call, and for a question what it is about."""
    before, result = acts(nb), nb.namespace.get("r")
    del result
    try:
        run()
    except CallPause:
        assert acts(nb) == before
        step = nb.session.history.latest(slot_of(nb))
        assert step is not None
        asked = step.fields["asked"]
        assert isinstance(asked, dict)
        (told,) = asked.values()
        return Verdict.ASK, told[1]
    if acts(nb) > before:
        return Verdict.EXECUTE, ""
    raised = nb.namespace["r"] == "declined"
    return Verdict.REPLAY_EXCEPTION if raised else Verdict.REPLAY, ""


def slot_of(nb: Notebook) -> str:
    """The slot that was executed last."""
    steps = nb.session.history.steps.values()
    return max(steps, key=lambda s: s.order).slot


def acts(nb: Notebook) -> int:
    """How often the tool took effect."""
    return sum(e.startswith("act") for e in nb.world.effects)


def kept(value: str) -> object:
    """A form or an effect, marked where `make check` leaves it out."""
    return pytest.param(value, marks=() if value in QUICK else pytest.mark.slow)


@pytest.mark.parametrize("form", [*map(kept, FORMS)])
@pytest.mark.parametrize("effect", [*map(kept, Effect)])
@pytest.mark.parametrize("case", CASES)
def test_a_row(case: str, effect: Effect, form: str) -> None:
    """What the table says of a past and an effect is what happens, in every form."""
    past, row = CASES[case]
    nb, forks = Notebook(), row.between is _forked
    with contextlib.closing(nb.session):
        if forks:
            nb.run("begun = 1", "begin", "c0")
        cell = life(nb, FORMS[form], row, effect, 0)
        if cell:
            with contextlib.suppress(KeyboardInterrupt, ValueError, NotDone):
                nb.run(cell, "s", "c1")
            assert acts(nb) == 1
            first = nb.namespace.get("r")
            row.between(nb)
            if not forks:
                nb.restart()
        if row.kept:
            keep_all(nb, life(nb, FORMS[form], row, effect, 1), row.cell)
        try:
            cell = life(nb, FORMS[form], row, effect, 1)
            verdict, about = seen(nb, effect, lambda: nb.run(cell, *row.cell))
        finally:
            while patches:
                patches.pop().undo()
    expected = decide(past, Policy(effect=effect))
    assert verdict is expected
    if verdict is Verdict.ASK:
        assert about == past.name
    if verdict is Verdict.REPLAY:
        assert nb.namespace["r"] == first


OF_ONE_FORM: Final = {
    Past.CUT,  # an answer over HTTP: test_http_journal
    Past.RETRYING,  # a tool with retry=: test_retries
}


def test_every_row_is_here() -> None:
    """A row that is added to the table is seen in every form."""
    assert ROWS.keys() | OF_ONE_FORM == TABLE.keys()
