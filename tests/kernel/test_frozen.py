"""Frozen mode in a real kernel: by the magic, by its variable, in plain cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing import account
from nbdurable.testing.kernel import Kernel
from nbdurable.testing.model_server import ModelServer
from nbdurable.testing.model_server.__main__ import environment

pytestmark = pytest.mark.slow

CLIENT = "from openai import OpenAI\nclient = OpenAI()"
ASK = "%%durable ask\nsaid = client.responses.create(model='m', input='why?').id"
OTHER = ASK.replace("why?", "why not?")


def test_a_frozen_kernel_asks_nothing(tmp_path: Path) -> None:
    """The magic and the variable refuse new calls, in steps and in plain cells."""
    with ModelServer(tmp_path / "requests.jsonl") as server:
        env = environment(server.url)
        with Kernel(tmp_path, env=env) as kernel:
            assert kernel.run(f"{CLIENT}").ok
            assert kernel.run(ASK).ok
            assert "frozen: recorded calls are" in kernel.run("%durable frozen").text
            told = kernel.run(OTHER).text
            assert "CallNotRecorded: m ← why not? is not in the journal." in told
            assert "nearest recorded call is ask.1:" in told
            assert "input was 'why?', is 'why not?'" in told
            assert "frozen" in kernel.run("%durable status").text
            kernel.run("%durable frozen off")
            assert kernel.run("%durable frozen of").text.startswith("OptionUnknown")
        with Kernel(tmp_path, env={**env, "NBDURABLE_FROZEN": "1"}) as kernel:
            kernel.run(CLIENT)
            plain = kernel.run(ASK.partition("\n")[2]).text
            assert "It stands outside of durable cells" in plain
            again = kernel.run(ASK)
            assert again.ok
            assert "· frozen" in again.text
        assert len(account.read(server.account.path)) == 1
