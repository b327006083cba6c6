"""A request with a fresh key to a captured host, in a cell that was edited since."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from nbdurable.engine.calls.pauses import MadeInEarlierTry
from nbdurable.engine.past.settle import Answer
from nbdurable.integrations.http import install, remove
from nbdurable.integrations.http.captured import capture_http
from nbdurable.testing import account
from nbdurable.testing.loopback import LoopbackServer, json_reply
from tests.engine.notebooks import Notebook
from tests.engine.test_calls import settle


@pytest.fixture
def nb(tmp_path: Path) -> Iterator[Notebook]:
    """A notebook that pays over HTTP; a service counts what it is asked."""
    install()
    log = tmp_path / "asked.jsonl"
    with LoopbackServer(log, lambda request: json_reply({"n": request.n})) as running:
        capture_http(running.url)
        made = Notebook()
        made.namespace |= {"url": running.url, "client": httpx2.Client()}
        made.plain(PAY)
        made.asked = lambda: len(account.read(log))  # type: ignore[attr-defined]  # for the tests here
        with contextlib.closing(made.session), made.namespace["client"]:  # type: ignore[attr-defined]  # a client
            yield made
    remove()


PAY = """
import uuid, time
def pay(who, **more): return client.post(url + '/pay', json={"who": who, **more}).json()["n"]
def form(who, **more): return client.post(url + '/pay', data={"who": who, **more}).json()["n"]
def sent(who, **more): return client.post(url + '/pay', params={"who": who, **more}).json()["n"]
"""
FRESH = {
    "in the body": "r = pay('ann', key=uuid.uuid4().hex)",
    "the time": "r = pay('ann', at=time.time())",
    "in an object": "r = pay('ann', meta={'key': str(uuid.uuid4())})",
    "in a form": "r = form('ann', key=uuid.uuid4().hex)",
    "in the query": "r = sent('ann', key=uuid.uuid4().hex)",
}


@pytest.mark.wide
@pytest.mark.parametrize("fresh", FRESH)
@pytest.mark.parametrize("stops", ["", "\n1 / 0"], ids=["completed", "stopped"])
@pytest.mark.parametrize(("said", "payments"), [(Answer.KEEP, 1), (Answer.AGAIN, 2)])
def test_an_edited_cell_asks(
    said: Answer, payments: int, stops: str, fresh: str, nb: Notebook
) -> None:
    """Nothing but what looks drawn is another one."""
    with contextlib.suppress(ZeroDivisionError):
        nb.run(FRESH[fresh] + stops, "s", "c1")
    edited = f"{FRESH[fresh]}\nmore = 1"
    for _ in range(2):
        with pytest.raises(MadeInEarlierTry):
            nb.run(edited, "s", "c1")
    assert nb.asked() == 1  # type: ignore[attr-defined]
    settle(nb, "s.1", said)
    nb.run(edited, "s", "c1")
    assert (nb.namespace["r"], nb.asked()) == (payments, payments)  # type: ignore[attr-defined]


OTHERS = {
    "somebody else": "pay('bob', key=uuid.uuid4().hex)",
    "a member more": "pay('ann', sum=3)",
    "a member less": "pay('ann')",
    "another place": "client.post(url + '/refund', json={'who': 'ann', 'key': uuid.uuid4().hex})",
}


@pytest.mark.wide
@pytest.mark.parametrize("other", OTHERS)
def test_another_request_is_just_made(other: str, nb: Notebook) -> None:
    """A request has no signature that could have been edited."""
    nb.run("pay('ann', key=uuid.uuid4().hex)", "s", "c1")
    nb.run(OTHERS[other], "s", "c1")
    assert nb.asked() == 2  # type: ignore[attr-defined]


def test_both_requests_are_told_with_their_bodies(nb: Notebook) -> None:
    """By the address alone nobody knows which payment is which; keys have marks."""
    nb.run("pay('ann', order='0f7a1c9e5b3d4f60', key='2f7a1c9e5b3d4f60')", "s", "c1")
    with pytest.raises(MadeInEarlierTry) as asked:
        nb.run(
            "pay('ann', order='90ab12cd34ef56aa', key='3f7a1c9e5b3d4f60')", "s", "c1"
        )
    said = re.sub(r"127\.0\.0\.1:\d+", "HOST", asked.value.fact())
    assert re.fullmatch(
        r'POST HOST/pay {"who": "ann", "order": "90ab12cd34ef56aa", "key": "‹secret:key ....›"}'
        r" was not made: an earlier attempt of s made"
        r' POST HOST/pay {"who": "ann", "order": "0f7a1c9e5b3d4f60", "key": "‹secret:key ....›"}\.',
        said,
    )


def test_a_credential_in_a_body_is_not_kept(nb: Notebook) -> None:
    """What is named like one is in no record: neither in the text nor in the arguments."""
    key = "northwind-7Q2m9ZxK4t"
    nb.run(f"pay('ann', password={key!r}, to={{'api_key': {key!r}}})", "s", "c1")
    (call,) = nb.session.history.calls.values()
    assert call.text.endswith("/pay")
    assert call.arguments is None
