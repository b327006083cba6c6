"""Money in a real kernel: told when it is spent and when it is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nbdurable.testing.kernel import Kernel
from nbdurable.testing.model_server import ModelServer
from nbdurable.testing.model_server.__main__ import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

CLIENT = "from openai import OpenAI\nclient = OpenAI()"
ASK = """%%durable ask
said = [client.responses.create(model="{}", input=f"why {{n}}?").output_text for n in "ab"]
"""
KNOWN, UNKNOWN = ASK.format("gpt-5-pro"), ASK.format("nobody-1")
LOADED = "import sys; print('genai_prices' in sys.modules)"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    """A fake model server."""
    with ModelServer(tmp_path / "requests.jsonl") as running:
        yield running


def test_money_is_told_and_a_replay_loads_no_prices(
    tmp_path: Path, server: ModelServer
) -> None:
    """The line says what was paid; a fresh kernel says what was saved, without a table."""
    with Kernel(tmp_path, env=environment(server.url)) as kernel:
        kernel.run(CLIENT)
        paid = kernel.run(KNOWN).text
        assert "ask · 2 calls ran · " in paid
        assert " · $0.0" in paid
        assert kernel.run(LOADED).text.strip() == "True"
        kernel.kill()
        kernel.restart()
        kernel.run(CLIENT)
        kernel.run(KNOWN)
        edited = kernel.run(f"{KNOWN}edited = 1").text
        assert "2 replayed" in edited
        assert "saved $0.0" in edited
        assert "spent $0.0" in kernel.run("%durable").text
        assert kernel.run(LOADED).text.strip() == "False"


def test_an_unknown_model_is_named_once(tmp_path: Path, server: ModelServer) -> None:
    """The first step that asked it says so; tokens stand for the money."""
    with Kernel(tmp_path, env=environment(server.url)) as kernel:
        kernel.run(CLIENT)
        first = kernel.run(UNKNOWN).text
        again = kernel.run(UNKNOWN.replace("why", "how")).text
    assert first.count("price of nobody-1 unknown") == 1
    assert "$" not in first
    assert "price of" not in again


def test_a_budget_survives_the_kernel(tmp_path: Path, server: ModelServer) -> None:
    """Typed with a dollar sign before the first cell, it still holds after a kill."""
    with Kernel(tmp_path, env=environment(server.url)) as kernel:
        assert (
            "the next run may spend $0.001" in kernel.run("%durable budget $0.001").text
        )
        kernel.run(CLIENT)
        stopped = kernel.run(KNOWN)
        assert "BudgetReached" in stopped.text
        assert "%durable budget $1" in stopped.text
        kernel.kill()
        kernel.restart()
        kernel.run(CLIENT)
        assert "run 1 may spend $0.001" in kernel.run("%durable budget").text
        assert "BudgetReached" in kernel.run(KNOWN).text
        assert "may spend $5.00" in kernel.run("%durable budget $5").text
        assert kernel.run(KNOWN).ok
        assert "ask  replays, nothing is paid" in kernel.run("%durable forecast").text
        assert "of $5.00" in kernel.run("%durable").text
