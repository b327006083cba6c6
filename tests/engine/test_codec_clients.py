"""Clients are stored as recipes and come back with the key of the environment."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import httpx
import httpx2
import openai
import pytest

from nbdurable.engine import codec
from nbdurable.engine.values.redact import SecretAbsent, Secrets

OPENAI = "sk-proj-abcdEFGH0123456789abcdEFGH0123456789"
ANTHROPIC = "sk-ant-abcdEFGH0123456789abcdEFGH0123456789"
ENVIRONMENT = {
    "OPENAI_API_KEY": OPENAI,
    "ANTHROPIC_API_KEY": ANTHROPIC,
    "AZURE_OPENAI_API_KEY": "azure-0123456789",
}
SECRETS = Secrets(ENVIRONMENT)


def _round(client: Any, *, at_load: Secrets = SECRETS) -> Any:
    encoded = codec.encode(client, secrets=SECRETS)
    assert not SECRETS.holds(encoded.data)
    return codec.decode(encoded.codec, encoded.data, secrets=at_load)


pytestmark = pytest.mark.xdist_group("clients")  # one worker imports anthropic, for 2 s

SDK: dict[str, Callable[[], Any]] = {
    "openai": lambda: openai.OpenAI(api_key=OPENAI),
    "openai, configured": lambda: openai.OpenAI(
        api_key=OPENAI,
        base_url="http://127.0.0.1:1/v1",
        organization="org",
        project="p",
        timeout=openai.Timeout(9, connect=2),
        max_retries=7,
        default_headers={"x-team": "a"},
        default_query={"v": "1"},
    ),
    "openai, a number as timeout": lambda: openai.OpenAI(api_key=OPENAI, timeout=3.5),
    "openai, no timeout": lambda: openai.OpenAI(api_key=OPENAI, timeout=None),
    "openai, async": lambda: openai.AsyncOpenAI(api_key=OPENAI),
    "openai, copied": lambda: openai.OpenAI(api_key=OPENAI).with_options(max_retries=1),
    "azure": lambda: openai.AzureOpenAI(
        api_key="azure-0123456789",
        azure_endpoint="https://x.test",
        azure_deployment="d",
        api_version="2026-01-01",
    ),
    "azure, base URL": lambda: openai.AsyncAzureOpenAI(
        api_key="azure-0123456789", base_url="https://x.test/y", api_version="1"
    ),
    "anthropic": lambda: import_module("anthropic").Anthropic(
        api_key=ANTHROPIC, max_retries=1
    ),
    "anthropic, async": lambda: import_module("anthropic").AsyncAnthropic(
        api_key=ANTHROPIC, base_url="http://127.0.0.1:1"
    ),
}
SHOWN = (
    "api_key",
    "auth_token",
    "base_url",
    "organization",
    "project",
    "max_retries",
    "timeout",
    "_custom_headers",
    "_custom_query",
    "_api_version",
    "_azure_deployment",
    "_azure_endpoint",
)


@pytest.mark.wide
@pytest.mark.parametrize("name", SDK)
def test_an_sdk_client_is_configured_again(name: str) -> None:
    """Every setting that decides what is sent where is the same."""
    client = SDK[name]()
    back = _round(client)
    assert type(back) is type(client)
    for attribute in SHOWN:
        ours, theirs = vars(back).get(attribute), vars(client).get(attribute)
        assert ours == theirs or str(ours) == str(theirs), attribute
    assert str(back.base_url) == str(client.base_url)


def test_the_key_of_today_is_used() -> None:
    """The key is read from the environment when the client is loaded."""
    today = Secrets({"OPENAI_API_KEY": "another-key-0123456789"})
    assert _round(SDK["openai"](), at_load=today).api_key == "another-key-0123456789"
    with pytest.raises(SecretAbsent, match="OPENAI_API_KEY"):
        _round(SDK["openai"](), at_load=Secrets({}))


def test_a_short_key_of_a_test_server_works_too() -> None:
    """A key that is too short to search for is still named, not stored."""
    known = Secrets({"OPENAI_API_KEY": "test"})
    encoded = codec.encode(openai.OpenAI(api_key="test"), secrets=known)
    assert b'"test"' not in encoded.data
    back: Any = codec.decode(encoded.codec, encoded.data, secrets=known)
    assert back.api_key == "test"


def test_a_base_url_of_the_environment_follows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client whose URL came from a variable gets that variable's URL of today."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    known = Secrets({**ENVIRONMENT, "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})
    encoded = codec.encode(openai.OpenAI(api_key=OPENAI), secrets=known)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:2/v1")
    back: Any = codec.decode(encoded.codec, encoded.data, secrets=known)
    assert str(back.base_url) == "http://127.0.0.1:2/v1/"


def test_two_clients_in_one_value_are_two() -> None:
    """Clients are told apart, and one client met twice is one."""
    one, two = SDK["openai"](), SDK["openai, configured"]()
    back = _round([one, two, one])
    assert back[0] is back[2]
    assert back[1].max_retries == 7


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "another key": (lambda: openai.OpenAI(api_key="x"), "api_key"),
    "a key from a function": (
        lambda: openai.OpenAI(api_key=lambda: "x"),
        "its key comes from a function",
    ),
    "its own transport": (
        lambda: openai.OpenAI(api_key=OPENAI, http_client=httpx2.Client()),
        "its own http_client",
    ),
    "a class of its own": (lambda: Mine(api_key=OPENAI), "a client class of its own"),
    "a webhook secret": (
        lambda: openai.OpenAI(api_key=OPENAI, webhook_secret="w"),
        "webhook_secret",
    ),
    "cookies": (lambda: httpx.Client(cookies={"a": "b"}), "cookies"),
    "authentication": (lambda: httpx.Client(auth=("a", "b")), "authentication"),
    "no certificate check": (lambda: httpx.Client(verify=False), "certificate"),
    "a mock transport": (
        lambda: httpx.Client(transport=httpx.MockTransport(lambda _: None)),
        "transport",
    ),
    "hooks": (lambda: httpx.Client(event_hooks={"request": [print]}), "hooks"),
    "closed": (lambda: _closed(httpx.Client()), "closed"),
}


class Mine(openai.OpenAI):
    """A subclass, whose constructor we can't know."""


def _closed(client: httpx.Client) -> httpx.Client:
    client.close()
    return client


@pytest.mark.parametrize("name", REFUSED)
def test_a_client_that_cannot_be_described_is_refused(name: str) -> None:
    """The refusal says what stands in the way."""
    make, why = REFUSED[name]
    with pytest.raises(codec.Unstorable) as raised:
        codec.encode({"client": make()}, secrets=SECRETS)
    assert why in raised.value.why
    assert raised.value.path.startswith("['client']")


@pytest.mark.parametrize(
    "kind",
    [httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient],
    ids=lambda kind: f"{kind.__module__}.{kind.__name__}",
)
def test_an_httpx_client_is_configured_again(kind: Callable[..., Any]) -> None:
    """Base URL, headers, limits and the rest are the same."""
    client = kind(
        base_url="https://x.test/a",
        headers={"x-team": "a"},
        params={"v": "1"},
        timeout=9,
        follow_redirects=True,
        max_redirects=3,
        http1=True,
    )
    back = _round(client)
    assert type(back) is kind
    for attribute in ("base_url", "headers", "params", "follow_redirects"):
        assert getattr(back, attribute) == getattr(client, attribute)
    assert back.timeout.as_dict() == client.timeout.as_dict()
    assert back.max_redirects == 3
