"""What model calls cost, against prices computed by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from nbdurable.integrations.http.asked import asked
from nbdurable.integrations.http.pricing import measured
from nbdurable.integrations.http.recording import Recording
from nbdurable.integrations.own_prices import PricesUnusable, read
from nbdurable.integrations.prices import Prices

if TYPE_CHECKING:
    from pathlib import Path

JSON = (("content-type", "application/json"),)
SSE = (("content-type", "text/event-stream"),)
CHAT = "https://api.openai.com/v1/chat/completions"
MESSAGES = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
LOCAL = "http://127.0.0.1:8790/v1/chat/completions"


def cost(
    place: str, model: str, usage: object, name: str = "usage"
) -> dict[str, object]:
    """What is recorded of an answer with this usage."""
    body = json.dumps({"model": model, name: usage}).encode()
    answer = Recording(status=200, headers=JSON, body=body)
    return measured(asked("POST", place, {}, b"{}"), answer, model=True)


BY_HAND: dict[str, tuple[str, str, dict[str, object], str]] = {
    # gpt-4o-mini: 0.15 in, 0.075 cached, 0.60 out, per million
    "plain": (
        CHAT,
        "gpt-4o-mini-2024-07-18",
        {"prompt_tokens": 1_000, "completion_tokens": 100},
        "0.00021",  # 1000 × 0.15 + 100 × 0.60
    ),
    "cached": (
        CHAT,
        "gpt-4o-mini",
        {
            "prompt_tokens": 1_000,
            "prompt_tokens_details": {"cached_tokens": 400},
            "completion_tokens": 100,
        },
        "0.00018",  # 600 × 0.15 + 400 × 0.075 + 100 × 0.60
    ),
    # gpt-5-mini: 0.25 in, 2.00 out; reasoning is part of the output, and is paid once
    "reasoning": (
        CHAT,
        "gpt-5-mini",
        {
            "prompt_tokens": 1_000,
            "completion_tokens": 500,
            "completion_tokens_details": {"reasoning_tokens": 400},
        },
        "0.00125",  # 1000 × 0.25 + 500 × 2
    ),
    # claude-sonnet-4-5: 3 in, 15 out, 0.30 read, 3.75 written for 5 min, 6 for an hour;
    # its input_tokens are those beside the cache
    "cache writes and reads": (
        MESSAGES,
        "claude-sonnet-4-5",
        {
            "input_tokens": 1_000,
            "cache_read_input_tokens": 10_000,
            "cache_creation_input_tokens": 2_000,
            "output_tokens": 100,
        },
        "0.015",  # 1000 × 3 + 10000 × 0.3 + 2000 × 3.75 + 100 × 15
    ),
    "cache writes for an hour": (
        MESSAGES,
        "claude-sonnet-4-5",
        {
            "input_tokens": 0,
            "cache_creation_input_tokens": 2_000,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 500,
                "ephemeral_1h_input_tokens": 1_500,
            },
            "output_tokens": 0,
        },
        "0.010875",  # 500 × 3.75 + 1500 × 6
    ),
    "by its name behind a proxy": (
        LOCAL,
        "gpt-4o-mini",
        {"prompt_tokens": 1_000, "completion_tokens": 100},
        "0.00021",
    ),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_prices_are_those_computed_by_hand(case: str) -> None:
    """Cached, reasoning and written tokens cost what the provider's page says."""
    place, model, usage, usd = BY_HAND[case]
    found = cost(place, model, usage)
    assert found["usd"] == usd
    assert str(found["prices"]).startswith("genai-prices ")
    assert found["model"] == model


def test_thoughts_of_gemini_are_paid_as_output() -> None:
    """Gemini counts its thoughts apart from its answer."""
    used = {
        "promptTokenCount": 1_000,
        "candidatesTokenCount": 100,
        "thoughtsTokenCount": 300,
    }
    found = cost(f"{GEMINI}:generateContent", "gemini-2.5-flash", used, "usageMetadata")
    assert found["tokens_out"] == 400
    assert found["usd"] == "0.0013"  # 1000 × 0.30 + 400 × 2.50


def stream(*events: object) -> Recording:
    """A streamed answer."""
    lines = b"".join(b"data: " + json.dumps(e).encode() + b"\n\n" for e in events)
    return Recording(status=200, headers=SSE, body=lines + b"data: [DONE]\n\n")


def test_a_stream_is_priced_by_its_last_word() -> None:
    """Of a stream with usage the greatest numbers count; without, no price is made up."""
    facts = asked("POST", CHAT, {}, b'{"model": "gpt-4o-mini"}')
    said = {"model": "gpt-4o-mini", "choices": [{"delta": {"content": "x"}}]}
    used = {"prompt_tokens": 1_000, "completion_tokens": 100}
    whole = measured(facts, stream(said, {**said, "usage": used}), model=True)
    assert whole["usd"] == "0.00021"
    silent = measured(facts, stream(said, said), model=True)
    assert silent == {"model": "gpt-4o-mini", "unmetered": True}


def test_an_unknown_model_has_no_price() -> None:
    """What no table knows is recorded with its tokens, and with no amount."""
    found = cost(CHAT, "nobody-1", {"prompt_tokens": 3, "completion_tokens": 2})
    assert found == {"model": "nobody-1", "tokens_in": 3, "tokens_out": 2}


def test_counting_tokens_costs_nothing() -> None:
    """Paths that are free are recorded without tokens."""
    counted = cost(f"{MESSAGES}/count_tokens", "claude-sonnet-4-5", {"input_tokens": 9})
    assert counted == {}


def test_numbers_that_contradict_each_other_cost_no_call() -> None:
    """More cached tokens than tokens: no price, and no error."""
    usage = {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 400}}
    assert "usd" not in cost(CHAT, "gpt-4o-mini", usage)


# ---- a table of one's own ------------------------------------------------------------


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of the user's, named in the environment and not written yet."""
    path = tmp_path / "prices.json"
    monkeypatch.setenv("NBDURABLE_PRICES", str(path))
    return path


def test_own_prices_come_first(table: Path) -> None:
    """A model of one's own, a public one at another price, a public one's other name."""
    models = {
        "nobody-1": {"input": 0.5, "output": 1.5, "cached": 0.1},
        "gpt-4o-mini": {"input": 0, "output": 0},
        "ours": {"like": "gpt-4o-mini-2024-07-18"},
    }
    table.write_text(json.dumps({"currency": "USD", "models": models}))
    usage = {
        "prompt_tokens": 1_000,
        "prompt_tokens_details": {"cached_tokens": 400},
        "completion_tokens": 100,
    }
    own = cost(CHAT, "Nobody-1", usage)
    assert own["usd"] == "0.00049"  # 600 × 0.5 + 400 × 0.1 + 100 × 1.5
    assert own["prices"] == "NBDURABLE_PRICES"
    assert cost(CHAT, "gpt-4o-mini", usage)["usd"] == "0"
    assert cost(CHAT, "ours", usage)["usd"] == "0.00018"


def test_a_table_is_read_again_when_it_has_changed(table: Path) -> None:
    """No kernel has to be restarted for a price."""
    prices, used = Prices(), {"tokens_in": 1_000_000}
    for price in (1, 2.5):
        table.write_text(json.dumps({"models": {"x": {"input": price}}}))
        found = prices.price(["x"], "", used)
        assert found is not None
        assert found.usd == Decimal(str(price))


UNUSABLE = {
    "another currency": ('{"currency": "EUR", "models": {}}', "'EUR'"),
    "no json": ("prices", "Expecting value"),
    "no models": ("[]", 'no "models"'),
    "a word": ('{"models": {"x": {"input": "cheap"}}}', "input is no price"),
    "negative": ('{"models": {"x": {"input": -1}}}', "input is no price"),
    "infinite": ('{"models": {"x": {"input": Infinity}}}', "input is no price"),
    "a yes": ('{"models": {"x": {"input": true}}}', "input is no price"),
    "per token": ('{"models": {"x": {"input": 1e9}}}', "input is no price"),
    "unknown kind": ('{"models": {"x": {"inputs": 1}}}', "'inputs' is no price"),
    "no prices": ('{"models": {"x": 3}}', "x has no prices"),
    "both": ('{"models": {"x": {"like": "y", "input": 1}}}', 'prices and "like"'),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_table_that_is_none_is_refused(table: Path, case: str) -> None:
    """What can't be a price in dollars is named; nothing of the table is used."""
    text, why = UNUSABLE[case]
    table.write_text(text)
    with pytest.raises(PricesUnusable) as refused:
        Prices().price(["x"], "", {"tokens_in": 1})
    assert why in refused.value.why


def test_an_unusable_table_costs_no_call(table: Path) -> None:
    """The answer is recorded with its tokens; the price is not taken from elsewhere."""
    table.write_text('{"currency": "EUR", "models": {}}')
    found = cost(CHAT, "gpt-4o-mini", {"prompt_tokens": 3, "completion_tokens": 2})
    said = found.pop("unpriced")
    assert "its currency is 'EUR'" in str(said)
    assert found == {"model": "gpt-4o-mini", "tokens_in": 3, "tokens_out": 2}


def test_a_table_that_is_too_large_or_missing(table: Path) -> None:
    """A file that is not there, or without end, is refused too."""
    with pytest.raises(PricesUnusable, match=r"prices\.json"):
        Prices().price(["x"], "", {"tokens_in": 1})
    with pytest.raises(ValueError, match="larger than"):
        read(b" " * 4_000_001)


def test_many_who_ask_at_once_wait_for_one_table() -> None:
    """Ten threads that are the first to need a price all get it."""
    prices, used = Prices(), {"tokens_in": 1_000_000}
    with ThreadPoolExecutor(10) as pool:
        asked_for = [
            pool.submit(prices.price, ["gpt-4o-mini"], "", used) for _ in "x" * 10
        ]
    assert {f.result() and f.result().usd for f in asked_for} == {Decimal("0.15")}


@pytest.mark.slow
def test_the_table_is_not_loaded_before_a_model_is_asked() -> None:
    """Importing nbdurable and all that journals requests loads no prices."""
    program = """
import sys
import nbdurable, nbdurable.api, nbdurable.integrations.http.calls
assert "genai_prices" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
