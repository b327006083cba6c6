"""Agents of the frameworks, unmodified, in durable cells: killed, replayed, counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbdurable.testing.model_server import ModelServer
from tests.frameworks.running import HERE, Program, Warm, case

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

ALONE = ("crewai",)
"""Programs whose framework has an environment of its own."""

PROGRAMS = [
    case("crewai" if path.stem in ALONE else "agents", path, path.stem)
    for path in sorted((HERE / "programs").glob("*.py"))
]


@pytest.mark.parametrize(("warm", "path"), PROGRAMS, indirect=["warm"], scope="session")
def test_an_agent_goes_on_and_replays(
    path: Path, warm: tuple[Warm, Warm], tmp_path: Path
) -> None:
    """Killed in its last request, run again, run once more with its cell edited.

    All processes together ask the model once more than an undisturbed run does, for the
    answer that never came; no tool runs twice, and the edited cell asks for nothing.
    """
    script = path.with_suffix(".json")
    turns = json.loads(script.read_text()) if script.exists() else ()
    with ModelServer(tmp_path / "requests.jsonl", turns) as server:
        _goes_on_and_replays(path, warm, server, tmp_path)


def _goes_on_and_replays(
    path: Path, warm: tuple[Warm, Warm], server: ModelServer, tmp_path: Path
) -> None:
    first, second = warm
    undisturbed = Program(path, tmp_path / "undisturbed", server)
    expected = undisturbed.run(first)["r"]
    requests = undisturbed.asked
    assert requests >= 3
    assert sorted(w.partition(" ")[0] for w in undisturbed.world) == ["book", "search"]

    killed = Program(path, tmp_path / "killed", server)
    killed.killed_in(requests, first)
    assert killed.world == undisturbed.world
    assert killed.asked == 2 * requests
    assert killed.run(second)["r"] == expected
    assert killed.asked == 2 * requests + 1

    edited = killed.run(second, edited=True)
    assert edited["r"] == expected
    assert killed.asked == 2 * requests + 1
    assert killed.world == undisturbed.world
    assert "replayed" in str(edited["told"])
