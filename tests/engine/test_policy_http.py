"""Rows of the policy table for what a cell asks of a captured host, seen from outside.

A POST is a `write` and a GET a `read`. How often a request arrived is counted by the
service. Code, and arguments without a digest, they have none; a `write` tool that posts
is a tool (`test_policy_forms`, `test_http_tools`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
import pytest

from nbdurable.engine.past.decide import Past, Verdict, decide
from nbdurable.engine.past.policy import Effect, Policy
from nbdurable.errors import CallPause
from nbdurable.integrations.http import install, remove
from nbdurable.integrations.http.captured import capture_http
from nbdurable.testing import account
from nbdurable.testing.loopback import LoopbackServer, json_reply
from nbdurable.testing.rules import Rule
from tests.engine.notebooks import Notebook
from tests.engine.test_policy_forms import (
    _did_not,
    _forked,
    _rerun,
    model,
    slot_of,
)

pytestmark = pytest.mark.slow

SETUP: Final = """
import httpx2
def stop(_):
    if STOPS: raise KeyboardInterrupt
client = httpx2.Client(event_hooks={"response": [stop]})
def ask(x): return client.request(METHOD, f"{URL}/things", params={"x": x}).json()
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
    """

    before: str = "r = ask(1)"
    after: str = "r = ask(1)\nmore = 1"
    trouble: Rule | None = None
    stops: bool = False
    between: Callable[[Notebook], None] = lambda _: None
    cell: tuple[str, str] = ("s", "c1")
    data: tuple[int, int] = (1, 1)


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
}
"""How each past comes about."""


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
            nb.run(row.before, "s", "c1")
        assert arrived(server) == 1
    row.between(nb)
    nb.plain("client.close()")
    return nb.namespace.get("r")


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


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("past", ROWS)
def test_a_row(past: Past, method: str, server: LoopbackServer) -> None:
    """What the table says of a past and an effect is what happens to a request."""
    row, nb = ROWS[past], Notebook()
    effect = Effect.READ if method == "GET" else Effect.WRITE
    with contextlib.closing(nb.session):
        first = first_life(nb, row, server, method)
        verdict, about = second_life(nb, row, server, method)
    expected = decide(past, Policy(effect=effect))
    if expected is Verdict.REPLAY_EXCEPTION:  # the cell caught it, then as now
        expected = Verdict.REPLAY
    assert verdict is expected
    assert about == (past.name if verdict is Verdict.ASK else "")
    if verdict is Verdict.REPLAY:
        assert nb.namespace["r"] == first
