"""Processes in which the frameworks are imported already: two per environment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.frameworks.running import Warm

MODULES = {
    "agents": [
        "langchain.agents",
        "langchain_openai",
        "pydantic_ai",
        "agents",
        "agno.agent",
        "smolagents",
        "autogen_agentchat.agents",
        "autogen_ext.models.openai",
    ],
    "crewai": ["crewai"],
}
"""What each environment is slow to import."""


@pytest.fixture(scope="session", params=["agents"])
def warm(request: pytest.FixtureRequest) -> Iterator[tuple[Warm, Warm]]:
    """Two processes with the frameworks; their hashes differ."""
    modules = MODULES[request.param]
    pair = Warm(request.param, modules, 1), Warm(request.param, modules, 2)
    yield pair
    for one in pair:
        one.close()
