"""A client is where it points and how it behaves, never the key it carries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from importlib import import_module
from typing import Any

import httpx
import httpx2
import openai
import pytest

from nbdurable.engine.identity.canonical import digest
from nbdurable.engine.identity.forms import Undigestible

ONE, TWO = "sk-one-0123456789abcdef", "sk-two-0123456789abcdef"

pytestmark = pytest.mark.xdist_group("clients")

SDKS: dict[str, Callable[..., Any]] = {
    "openai": openai.OpenAI,
    "openai async": openai.AsyncOpenAI,
    "anthropic": lambda **more: import_module("anthropic").Anthropic(**more),
    "anthropic async": lambda **more: import_module("anthropic").AsyncAnthropic(**more),
}
"""Its import takes two seconds, which not every worker has to spend."""

HTTP = {
    "httpx": httpx.Client,
    "httpx async": httpx.AsyncClient,
    "httpx2": httpx2.Client,
    "httpx2 async": httpx2.AsyncClient,
}

OPTIONS: dict[str, dict[str, object]] = {
    "place": {"base_url": "http://localhost:1/v1"},
    "retries": {"max_retries": 7},
    "timeout": {"timeout": 3.0},
    "header": {"default_headers": {"X-Team": "a"}},
    "query": {"default_query": {"v": "2"}},
}


@pytest.mark.parametrize("sdk", SDKS)
def test_the_key_of_a_client_does_not_count(sdk: str) -> None:
    """Two clients that differ in their key have one digest."""
    assert digest(SDKS[sdk](api_key=ONE)) == digest(SDKS[sdk](api_key=TWO))


@pytest.mark.wide
@pytest.mark.parametrize("sdk", SDKS)
def test_the_configuration_of_a_client_counts(sdk: str) -> None:
    """Place, retries, timeout, custom headers and query each count."""
    made = [SDKS[sdk](api_key=ONE, **options) for options in OPTIONS.values()]
    assert len({digest(client) for client in [SDKS[sdk](api_key=ONE), *made]}) == 6


def test_clients_differ_by_class() -> None:
    """A sync client is no async client, and one library isn't the other."""
    made = [SDKS[sdk](api_key=ONE) for sdk in SDKS]
    assert len({digest(client) for client in made}) == len(made)


def test_credentials_in_headers_do_not_count() -> None:
    """A custom header that carries a key counts as being there, not by its value."""
    made = [
        openai.OpenAI(api_key=ONE, default_headers={"X-Api-Key": key})
        for key in (ONE, TWO)
    ]
    assert len({digest(client) for client in made}) == 1


@pytest.mark.wide
@pytest.mark.parametrize("library", HTTP)
def test_http_clients_count_by_what_was_configured(library: str) -> None:
    """Base address, headers, parameters and redirects; not cookies or auth."""
    make: Callable[..., object] = HTTP[library]
    plain, again = make(), make(auth=("user", ONE), cookies={"session": TWO})
    others = [
        make(base_url="http://localhost:1"),
        make(headers={"X-Team": "a"}),
        make(params={"q": "1"}),
        make(follow_redirects=True),
        make(verify=False),
        make(timeout=3),
    ]
    assert digest(plain) == digest(again)
    assert len({digest(client) for client in [plain, *others]}) == 7


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_requests_and_answers_count_without_credentials(library: Any) -> None:
    """Who asks and how long it took don't count; what was asked and answered does."""

    def ask(key: str, **more: object) -> object:
        return library.Request(
            "POST", "http://u:p@a/b?c=1", headers={"Authorization": key}, **more
        )

    answers = [library.Response(200, json={"a": 1}) for _ in range(2)]
    answers[0].elapsed = dt.timedelta(seconds=1)
    assert digest(ask(ONE)) == digest(ask(TWO))
    assert digest(ask(ONE)) != digest(ask(ONE, content=b"x"))
    assert digest(answers[0]) == digest(answers[1])
    assert digest(answers[0]) != digest(library.Response(200, json={"a": 2}))
    assert digest(answers[0]) != digest(library.Response(201, json={"a": 1}))
    with pytest.raises(Undigestible, match="RequestNotRead"):
        digest(ask(ONE, content=iter([b"x"])))


@pytest.mark.slow
@pytest.mark.parametrize("sdk", SDKS)
def test_what_hangs_from_a_client_counts_like_it(sdk: str) -> None:
    """A resource and its methods have a digest, and no key is in it."""
    one, two = (SDKS[sdk](api_key=key) for key in (ONE, TWO))
    for client in (one, two):
        assert digest(client) == digest(one)
    again = one.with_options(max_retries=9)
    for name in ("models", "beta"):
        here, there, other = (getattr(c, name) for c in (one, two, again))
        assert digest(here) == digest(there) != digest(other)
    assert digest(one.models.list) == digest(two.models.list)
    assert digest(one.models.list) != digest(one.models.retrieve)


def test_answers_of_a_model_have_a_digest() -> None:
    """The pydantic models of an SDK are values; which fields were set doesn't count."""
    usage = openai.types.CompletionUsage
    one = usage(completion_tokens=1, prompt_tokens=2, total_tokens=3)
    two = usage.model_validate(one.model_dump())
    assert digest(one) == digest(two)
    assert digest(one) != digest(one.model_copy(update={"total_tokens": 4}))


def test_a_stream_has_no_digest() -> None:
    """What is still being read is no value."""
    with pytest.raises(Undigestible):
        digest(chunk for chunk in [b"data"])
