"""Each row of the policy table for what a cell asks of a captured host, from outside.

A POST is a `write` and a GET a `read`. How often a request arrived is counted by the
service. Which rows a request can't have, and why, says `NO_ROW`, and the docs say it too; a
`write` tool that posts is a tool (`test_policy_forms`, `test_http_tools`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from nbdurable.engine.identity import keys
from nbdurable.engine.past.decide import TABLE, Past, Verdict, decide
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.engine.past.settle import Answer, questions
from nbdurable.errors import CallPause
from nbdurable.integrations.http import install, remove
from nbdurable.integrations.http.captured import capture_http
from nbdurable.testing import account
from nbdurable.testing.loopback import LoopbackServer, json_reply
from nbdurable.testing.rules import Rule
from nbdurable_store.errors import BlobDamaged
from nbdurable_store.records import BlobRef
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle
from tests.engine.test_policy_forms import (
    _did_not,
    _forked,
    _rekeyed,
    _rerun,
    model,
    patches,
    slot_of,
)

pytestmark = pytest.mark.slow

SETUP: Final = """
import httpx2, uuid
def stop(_):
    if STOPS: raise KeyboardInterrupt
client = httpx2.Client(event_hooks={"response": [stop]})
def ask(x): return client.request(METHOD, f"{URL}/things", params={"x": x}).json()
def told(x): return client.request(METHOD, f"{URL}/things", params={"x": x}).raise_for_status()
def begin(x):
    with client.stream(METHOD, f"{URL}/things", params={"x": x}) as answer:
        return next(answer.iter_raw())
def post(x): return client.post(f"{URL}/others", json=x).json()
"""


@dataclass(frozen=True)
class Row:
    """How a past comes about.

    Attributes:
        before: The first life's cell; "" for none.
        after: The second life's cell.
        trouble: What the service does to the first request.
        stops: Whether the first life is interrupted when the answer comes.
        between: What happens between the two lives.
        cell: Name and id of the second life's cell.
        data: What the cells read as ``DATA``.
        kept: Whether there is a life between the two, of the second one's cell, in which
            every question is answered with «keep».
        dies: Whether the kernel dies when the first life's cell has run.
    """

    before: str = "r = ask(1)"
    after: str = "r = ask(1)\nmore = 1"
    trouble: Rule | None = None
    stops: bool = False
    between: Callable[[Notebook], None] = lambda _: None
    cell: tuple[str, str] = ("s", "c1")
    data: tuple[int, int] = (1, 1)
    kept: bool = False
    dies: bool = False


def _damaged(nb: Notebook) -> None:
    """The disk gives back the answer with a bit flipped."""
    (call,) = nb.session.history.calls.values()
    get = nb.store.get

    def flipped(ref: BlobRef, **how: Any) -> Any:
        if call.outcome is not None and ref.id == call.outcome.id:
            raise BlobDamaged(id=ref.id.hex(), place="memory", why="a bit is flipped")
        return get(ref, **how)

    nb.store.get = flipped  # type: ignore[method-assign]  # a fault of the disk


def _keys_differ(nb: Notebook) -> None:
    """What a release does that computes keys differently."""
    _rekeyed(nb)
    patch, key = pytest.MonkeyPatch(), keys.http_key
    patches.append(patch)

    def newer(**asked: Any) -> bytes:
        return key(**{**asked, "method": f"{asked['method']} next"})

    patch.setattr("nbdurable.integrations.http.asked.http_key", newer)


LOST: Final = Rule(do="cut", chunks=0)
CAUGHT: Final = "try: r = ask(1)\nexcept httpx2.HTTPError as e: r = type(e).__name__"
ROWS: Final = {
    Past.NOTHING: Row(before=""),
    Past.COMPLETED: Row(),
    Past.IN_DOUBT: Row(stops=True),
    Past.RAISED_FATAL: Row(trouble=LOST),
    Past.RAISED_SEEN: Row(before=CAUGHT, after=f"{CAUGHT}\nmore = 1", trouble=LOST),
    Past.MADE_ANEW: Row(stops=True, between=_did_not),
    Past.ELSEWHERE: Row(cell=("two", "c2")),
    Past.FORKED: Row(between=_forked, after="r = ask(1)"),
    Past.AFRESH: Row(between=_rerun, after="r = ask(1)"),
    Past.STALE: Row(before="post(1)\nr = ask(1)", after="post(2)\nr = ask(1)"),
    Past.NEW_DATA: Row(
        before="DATA\nr = ask(1)", after="DATA\nr = ask(1)", data=(1, 2)
    ),
    Past.OTHER_IN_DOUBT: Row(stops=True, after="r = ask(2)"),
    Past.INSTEAD: Row(before="model(1)\nr = ask(1)", after="model(2)\nr = ask(2)"),
    Past.UNRECOVERABLE: Row(between=_damaged),
    Past.RAISED_NOT_DONE: Row(
        before="r = told(1)", after="r = ask(1)", trouble=Rule(do="fail", status=422)
    ),
    Past.CUT: Row(before="r = begin(1)"),
    Past.REKEYED: Row(between=_keys_differ),
    Past.STOOD_IN: Row(
        before="model(1)\nr = ask(1)",
        after="model(2)\nr = ask(2)\nr = ask(1)",
        kept=True,
    ),
    Past.EARLIER_TRY: Row(
        before="r = ask(uuid.uuid4().hex)", after="r = ask(uuid.uuid4().hex)", dies=True
    ),
}
"""How each past comes about."""
NO_ROW: Final = {
    Past.EDITED: "it has no code",
    Past.REPLACED: "it has no code",
    Past.RETRYING: "it has no `retry=`",
    Past.UNDIGESTIBLE: "a body without a digest (a generator, a file) is not journaled",
    Past.UNDIGESTIBLE_TWIN: "a body without a digest (a generator, a file) is not journaled",
    Past.EMPTIED: "nothing is called inside it",
}
"""The rows that no request can have, and why."""
AT_ONCE: Final = {(Past.CUT, "POST")}
"""What is read to its end before the cell gets it, so that it is never cut there."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LoopbackServer]:
    """A service that counts what it is asked, and says how often that was."""
    install()
    log = tmp_path / "asked.jsonl"
    with LoopbackServer(log, lambda request: json_reply({"n": request.n})) as running:
        capture_http(running.url)
        yield running
    remove()


def arrived(server: LoopbackServer) -> int:
    """How many of the requests reached the service."""
    log = account.read(server.account.path)
    return sum(seen.path.startswith("/things") for seen in log)


def live(
    nb: Notebook, row: Row, number: int, server: LoopbackServer, method: str
) -> None:
    """Begin a life of the kernel: its variables, and a client."""
    nb.namespace |= {"model": model, "URL": server.url, "DATA": row.data[number]}
    nb.namespace |= {"STOPS": row.stops and not number, "METHOD": method}
    nb.plain(SETUP)


def first_life(nb: Notebook, row: Row, server: LoopbackServer, method: str) -> object:
    """The request is made, if it is; gives its result."""
    if row.between is _forked:
        nb.run("begun = 1", "begin", "c0")
    live(nb, row, 0, server, method)
    if row.trouble is not None:
        server.rules.add(row.trouble)
    if row.before:
        with contextlib.suppress(KeyboardInterrupt, httpx2.HTTPError):
            nb.run(row.before, "s", "c1", dies=row.dies)
        assert arrived(server) == 1
    row.between(nb)
    nb.plain("client.close()")
    return nb.namespace.get("r")


def keep_all(nb: Notebook, row: Row, server: LoopbackServer, method: str) -> None:
    """A person runs the cell, and keeps what it asks about."""
    nb.restart()
    live(nb, row, 1, server, method)
    with contextlib.suppress(CallPause):
        nb.run(row.after, *row.cell)
    for asked in questions(nb.session.history):
        settle(nb, asked.reference, Answer.KEEP)
    nb.plain("client.close()")


def second_life(
    nb: Notebook, row: Row, server: LoopbackServer, method: str
) -> tuple[Verdict, str]:
    """What becomes of it in the next one, and for a question what that is about."""
    if row.between is not _forked:
        nb.restart()
    live(nb, row, 1, server, method)
    before, about = arrived(server), ""
    try:
        nb.run(row.after, *row.cell)
    except CallPause:
        step = nb.session.history.latest(slot_of(nb))
        assert step is not None
        ((_, about),) = step.fields["asked"].values()  # type: ignore[union-attr, misc]  # plain data
    finally:
        nb.plain("client.close()")
    if arrived(server) > before:
        return Verdict.EXECUTE, about
    return (Verdict.ASK if about else Verdict.REPLAY), about


ROOT: Final = Path(__file__).parents[2]
HAS: Final = [(p, m) for p in ROWS for m in ("GET", "POST") if (p, m) not in AT_ONCE]


@pytest.mark.parametrize(("past", "method"), HAS)
def test_a_row(past: Past, method: str, server: LoopbackServer) -> None:
    """What the table says of a past and an effect is what happens to a request."""
    row, nb = ROWS[past], Notebook()
    effect = Effect.READ if method == "GET" else Effect.WRITE
    with contextlib.closing(nb.session):
        try:
            first = first_life(nb, row, server, method)
            if row.kept:
                keep_all(nb, row, server, method)
            verdict, about = second_life(nb, row, server, method)
        finally:
            while patches:
                patches.pop().undo()
    expected = decide(past, Policy(effect=effect))
    if expected is Verdict.REPLAY_EXCEPTION:  # the cell caught it, then as now
        expected = Verdict.REPLAY
    assert verdict is expected
    assert about == (past.name if verdict is Verdict.ASK else "")
    if verdict is Verdict.REPLAY:
        assert nb.namespace["r"] == first


def test_every_row_is_here() -> None:
    """Each row is seen for requests, or it is said why they can't have it."""
    assert ROWS.keys() | NO_ROW.keys() == TABLE.keys()
    assert not ROWS.keys() & NO_ROW.keys()
    page = (ROOT / "docs" / "decisions.md").read_text()
    for past, why in NO_ROW.items():
        assert f"| {past.value} | {why}" in page
