"""The real SDKs in every shape, live and replayed: equal objects and nothing sent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import environments
from tests.sdks.shapes import SDKS
from tests.trusted import write_one

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HERE = Path(__file__).parent

WHERE = {
    "here": ("openai", "legacy", "over aiohttp", "anthropic"),
    "openai2": ("openai", "litellm"),
    "others": (
        "groq",
        "together",
        "mistralai",
        "ollama",
        "cohere",
        "huggingface",
        "google",
        "bedrock",
    ),
}
"""The environments, and which SDKs are tried in each; `here` is the one of the tests."""


def python(environment: str) -> str:
    """The Python that has the SDKs."""
    if environment == "here":
        return sys.executable
    return str(environments.python(HERE / f"{environment}.txt"))


@pytest.mark.parametrize("environment", WHERE)
def test_every_shape_is_served(environment: str, tmp_path: Path) -> None:
    """An edited cell in a fresh kernel gets equal objects and sends nothing."""
    names = WHERE[environment]
    done = subprocess.run(
        [python(environment), "-m", "tests.sdks.program", tmp_path / "log", *names],
        capture_output=True,
        text=True,
        check=False,
        env=environments.variables({"SSL_CERT_FILE": write_one(tmp_path)}),
    )
    assert done.returncode == 0, done.stderr
    found = {
        said.pop("shape"): said for said in map(json.loads, done.stdout.splitlines())
    }
    assert [*found] == [
        f"{name}: {shape}" for name in names for shape in SDKS[name].shapes
    ]
    wrong = {
        shape: said
        for shape, said in found.items()
        if not (said.get("equal") and said["sent"] >= 1 and said["again"] == 0)
    }
    assert wrong == {}
