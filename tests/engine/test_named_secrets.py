"""A variable that is named like a credential is not stored, whatever it looks like."""

from __future__ import annotations

import json

import pytest

from nbdurable.engine.asking.restore import restore
from nbdurable.engine.values.named import LENGTH_MAX, is_credential
from nbdurable.errors import ResultGone
from tests.engine.notebooks import Notebook

KEY = "northwind-7Q2m9ZxK4t"
"""No pattern knows it, and no environment variable holds it."""


def stored(nb: Notebook, run: str = "") -> str:
    """All that the store holds, as text."""
    entries, _ = nb.store.read(run or nb.session.history.run)
    blobs = [nb.store.get(ref) for e in entries for ref in e.record.blobs]
    return json.dumps([repr(e.record) for e in entries]) + repr(blobs)


@pytest.mark.parametrize(
    "plain",
    [
        "api_key = {!r}",
        "config = {{'name': 'x', 'api_key': {!r}}}",
        "config = [{{'db': {{'password': {!r}}}}}]",
    ],
)
def test_what_a_cell_is_given(plain: str) -> None:
    """It stands neither in what is written down of the attempt nor in what is kept."""
    nb = Notebook()
    nb.plain(plain.format(KEY))
    name = plain.partition(" ")[0]
    nb.run(f"n = len({name})", "s", "c1")
    assert KEY not in stored(nb)


def test_what_a_cell_makes() -> None:
    """It runs again for it, and the line says why."""
    nb = Notebook()
    first, _, second = KEY.partition("-")
    nb.plain(f"def login():\n    return '-'.join([{first!r}, {second!r}])")
    line = nb.run("token = login(); n = 7", "s", "c1")
    assert "token" in line
    assert "named like a credential" in line
    assert KEY not in stored(nb)
    nb.restart()
    nb.session.attend(nb.facts, "%durable restore")
    done = restore(nb.session, nb.namespace)
    assert nb.namespace["n"] == 7
    assert "token" in done.not_back


def test_what_a_call_is_given() -> None:
    """Neither its arguments nor its text hold it; another one is another call."""
    nb = Notebook()
    nb.plain(
        "@tool(effect='read')\ndef login(user, password):\n    return len(world(user))"
    )
    nb.run("n = login('ann', 'northwind-' + '7Q2m9ZxK4t')", "s", "c1")
    nb.run("n = login('ann', 'northwind-' + '8Q2m9ZxK4t')", "s", "c1")
    assert len(nb.world.effects) == 2
    assert KEY not in stored(nb)


RESULTS = {
    "{'user': x, 'access_token': secret()}": "access_token",
    "[{'db': {'password': secret()}}]": "password",
}


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("effect", ["read", "write"])
def test_what_a_call_returns(result: str, effect: str) -> None:
    """It isn't kept, and the line says so: a `read` runs again, a `write` asks."""
    nb, (first, _, second) = Notebook(), KEY.partition("-")
    tools = (
        f"def secret(): return '-'.join([{first!r}, {second!r}])\n"
        f"@tool(effect={effect!r})\ndef login(x): world('login'); return {result}"
    )
    why = f"{RESULTS[result]} in it is named like a credential"
    nb.plain(tools)
    assert f"login ({why})" in nb.run("n = len(login('ann'))", "s", "c1")
    assert KEY not in stored(nb)

    nb.restart()
    nb.plain(tools)
    if effect == "read":
        nb.run("n = len(login('ann')); more = 1", "s", "c1")
        assert nb.world.effects == ["login", "login"]
    else:
        with pytest.raises(ResultGone, match="can't be brought back") as asked:
            nb.run("n = len(login('ann')); more = 1", "s", "c1")
        assert why in asked.value.detail()
        assert nb.world.effects == ["login"]


def test_ordinary_names_are_kept() -> None:
    """A keyword, a tokenizer, the key of a table."""
    nb = Notebook()
    nb.run(
        "keyword = 'climate change'; tokenizer = 'bert-base-uncased'\n"
        "primary_key = 'customer_identifier'; tokens = 123456789012",
        "s",
        "c1",
    )
    nb.restart()
    nb.session.attend(nb.facts, "%durable restore")
    assert restore(nb.session, nb.namespace).not_back == {}
    assert nb.namespace["primary_key"] == "customer_identifier"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OPENAI_API_KEY", KEY, True),
        ("apiKey", KEY, True),
        ("db_password", "correct-horse-battery", True),
        ("dsn", "postgres://ann:pw@db/x", True),
        ("token", "short", False),
        ("token", b"0123456789ab", True),
        ("token", 123456789012, False),
        ("token", b"0" * (LENGTH_MAX + 1), False),
        ("sort_key", "customer_identifier", False),
        ("sort_key", KEY, True),
        ("next_page_token", KEY, False),
        ("secret_santa_text", KEY, False),
        ("password_hint", "the name of my dog", False),
    ],
)
def test_which_names_and_values(name: str, value: object, *, said: bool) -> None:
    """By its last word, at least twelve characters, no prose, and no mass of data."""
    assert is_credential(name, value) is said
