"""Programs of the frameworks in processes, against a fake model and a counted world."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from nbdurable.testing import account
from nbdurable.testing.model_server import ModelServer, Rule
from tests import environments

HERE = Path(__file__).parent

HELD_S_MAX = 60


def case(environment: str, value: object, name: str) -> ParameterSet:
    """A parameter of a test that needs an environment: one worker has it warm."""
    group = pytest.mark.xdist_group(f"frameworks-{environment}")
    return pytest.param(environment, value, id=name, marks=group)


class Warm:
    """A process that has imported the frameworks, see `tests.frameworks.warm`.

    Args:
        environment: Name of a file of requirements beside this one.
        modules: What it imports.
        seed: That of its hashes: nothing sent may depend on it.
    """

    def __init__(self, environment: str, modules: list[str], seed: int) -> None:
        python = environments.python(HERE / f"{environment}.txt")
        self._process = subprocess.Popen(
            [str(python), "-m", "tests.frameworks.warm", *modules],
            env=environments.variables({"PYTHONHASHSEED": str(seed)}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, asked: dict[str, object]) -> int:
        """Begin a program in a process of its own; its pid."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def ended(self) -> int:
        """Wait for its end; its exit status."""
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def close(self) -> None:
        """End it."""
        self._process.communicate()


@dataclass(slots=True)
class Program:
    """A program in one folder, in as many processes as it takes.

    Attributes:
        path: Its file.
        folder: Where its store and the account of its world are.
        server: The model that it asks.
    """

    path: Path
    folder: Path
    server: ModelServer

    def start(self, warm: Warm, *, edited: bool = False) -> int:
        """Begin it in a process of its own; its pid."""
        self.folder.mkdir(exist_ok=True)
        variables = {
            "HOME": str(self.folder),
            "NBDURABLE_KEY_FILE": str(self.folder / "key"),
            "OPENAI_BASE_URL": f"{self.server.url}/v1",
            "OPENAI_API_KEY": "any-key-at-all",
            "WORLD": str(self.folder / "world.txt"),
            "MCP_SERVER": str(HERE / "programs" / "mcp" / "weather_server.py"),
        }
        asked = {"folder": str(self.folder), "program": str(self.path)}
        out = str(self.folder / "out.txt")
        return warm.start(
            {**asked, "edited": edited, "variables": variables, "out": out}
        )

    def run(self, warm: Warm, *, edited: bool = False) -> dict[str, object]:
        """Run it to its end; what it printed."""
        self.start(warm, edited=edited)
        status, out = warm.ended(), (self.folder / "out.txt").read_text()
        assert status == 0, out[-4000:]
        said = json.loads(next(x for x in out.splitlines() if x.startswith('{"told"')))
        assert isinstance(said, dict)
        return said

    def killed_in(self, request: int, warm: Warm) -> None:
        """Run it until it waits for the answer to this request, and kill it there."""
        self.server.rules.add(Rule(do="hold", at=self.asked + request))
        child = self.start(warm)
        held = self.server.rules.wait_held(HELD_S_MAX)
        os.kill(child, signal.SIGKILL)
        status = warm.ended()
        self.server.rules.clear()
        assert held, (self.folder / "out.txt").read_text()[-4000:]
        assert status == -signal.SIGKILL

    @property
    def asked(self) -> int:
        """How many requests the model was sent so far, by anybody."""
        return len(account.read(self.server.account.path))

    @property
    def world(self) -> list[str]:
        """What its tools did."""
        path = self.folder / "world.txt"
        return path.read_text().splitlines() if path.exists() else []
