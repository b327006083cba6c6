"""Tools of MCP servers in durable cells, over each way to reach a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.model_server import ModelServer
from tests.frameworks.running import HERE, Program, Warm, case

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

CLIENTS = [
    case("agents", "stdio", "stdio"),
    case("agents", "over_http", "http"),
    case("agents", "memory", "memory"),
    case("agents", "fastmcp_client", "fastmcp"),
    case("crewai", "stdio", "mcp 1"),
]

EFFECTS = {
    "weather.forecast": "read",
    "weather.warn": "write",
    "weather.fails": "write",
}


@pytest.mark.parametrize(
    ("warm", "client"), CLIENTS, indirect=["warm"], scope="session"
)
def test_a_call_of_a_server_is_made_once(
    client: str, warm: tuple[Warm, Warm], tmp_path: Path
) -> None:
    """Results come back as they were, failures among them; `readOnlyHint` is a read."""
    with ModelServer(tmp_path / "requests.jsonl") as server:
        path = HERE / "programs" / "mcp" / f"{client}.py"
        program = Program(path, tmp_path / "program", server)
        first = program.run(warm[0])
        assert program.world == [
            *("forecast Berlin", "warn Berlin", "fails Nowhere", "forecast Berlin"),
        ]
        again = program.run(warm[1], edited=True)
        assert again["r"] == first["r"]
        assert len(program.world) == 4
        assert first["effects"] == again["effects"] == EFFECTS
        assert "127.0.0.1" not in str(first["told"])


@pytest.mark.xdist_group("frameworks-agents")
@pytest.mark.parametrize("warm", ["agents"], indirect=True, scope="session")
def test_outside_of_cells_nothing_is_recorded(
    warm: tuple[Warm, Warm], tmp_path: Path
) -> None:
    """A plain cell asks each time, frozen mode refuses it, and `remove` unpatches."""
    with ModelServer(tmp_path / "requests.jsonl") as server:
        path = HERE / "programs" / "mcp" / "outside.py"
        program = Program(path, tmp_path / "program", server)
        said = program.run(warm[0])["r"]
        assert isinstance(said, list)
        refused, *patched = said
        assert "weather.warn(city='Berlin')" in refused
        assert patched == [False, False]
        assert program.world == ["warn Berlin", "warn Berlin", "forecast Berlin"]
