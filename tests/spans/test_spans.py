"""Spans of model calls on replay, with the real instrumentors."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests import environments

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MADE: Final = {
    "openinference": {
        **dict.fromkeys(["chat", "chat stream", "async chat"], "ChatCompletion"),
        "responses": "Response",
        "embeddings": "CreateEmbeddings",
    },
    "traceloop": {
        **dict.fromkeys(["chat", "chat stream", "async chat"], "openai.chat"),
        "responses": "openai.response",
        "embeddings": "openai.embeddings",
    },
    "httpx": dict.fromkeys(
        ["chat", "chat stream", "async chat", "responses", "embeddings"], "POST"
    ),
    "anthropic's own": dict.fromkeys(
        ["messages", "messages stream helper"], "anthropic.messages.create"
    ),
}
"""By instrumentor and shape the name of the span that a call makes."""

UNMARKED: Final = {("traceloop", "responses")}
"""Their span is made when the answer is there: nobody can mark it at the call, and it is
known by the answer's id when it is exported."""


@pytest.mark.parametrize("instrumentor", MADE)
def test_a_served_call_is_not_exported(instrumentor: str, tmp_path: Path) -> None:
    """What is sent makes its span as ever; one of the user's own around it is kept."""
    python = environments.python(Path(__file__).with_name("spans.txt"))
    program = ["-W", "ignore", "-m", "tests.spans.program", str(tmp_path / "log")]
    done = subprocess.run(
        [str(python), *program, instrumentor],
        capture_output=True,
        text=True,
        check=False,
        env=environments.variables(),
    )
    assert done.returncode == 0, done.stderr
    found = {
        said.pop("shape"): said for said in map(json.loads, done.stdout.splitlines())
    }
    assert found.keys() == MADE[instrumentor].keys()
    for shape, name in MADE[instrumentor].items():
        live, replayed = found[shape]["sent"], found[shape]["served"]
        assert (live["requests"], replayed["requests"]) == (1, 0)
        assert live["made"] == live["exported"] == [name, "agent"]
        assert live["marked"] == []
        again = [] if instrumentor == "httpx" else [name]
        unmarked = again if (instrumentor, shape) in UNMARKED else []
        assert replayed["made"] == [*again, "agent"]
        assert replayed["marked"] == [n for n in again if n not in unmarked]
        assert replayed["exported"] == ["agent"]
