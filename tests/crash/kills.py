"""A notebook whose kernel is killed at a named moment, and its account outside."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from nbdurable.testing.account import body_digest, read
from nbdurable.testing.effects import receipt
from nbdurable.testing.kernel import Kernel, KernelDiedError
from nbdurable.testing.ran import Ran

CALLS = 3
"""Calls of the cell; the second one is killed, so that one was seen and one is new."""

TOOLS = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
import nbdurable as nd
from nbdurable.testing.effects import effect

@nd.tool(effect={effect!r})
def call(i):
    return effect("call", i=i, size={size}) + {padding} * ' '

@nd.tool(effect={effect!r})
async def acall(i):
    return effect("call", i=i, size={size}) + {padding} * ' '
"""

CELLS = {
    "sync": "r = [call(i) for i in range(3)]",
    "await": "r = [await acall(i) for i in range(3)]",
    "pool": "with ThreadPoolExecutor(1) as pool: r = list(pool.map(call, range(3)))",
}
"""The same three calls, made in three ways."""


@dataclass
class Story:
    """One notebook in one folder, in as many kernels as it takes.

    Attributes:
        folder: Where the store and the account are.
        url: The process that counts effects.
        log: Its account, shared by all stories.
        effect: What the tools do to the world.
        cell: Which of `CELLS`.
        size: Makes the arguments of this story its own.
        padding: Spaces at the end of each result.
    """

    folder: Path
    url: str
    log: Path
    effect: str
    cell: str
    size: int
    padding: int = 0

    def kernel(self, killpoints: str = "") -> Kernel:
        """A kernel on this folder, killed at a named moment if one is given."""
        env = {"NBDURABLE_EFFECTS": self.url, "NBDURABLE_KILLPOINTS": killpoints}
        return Kernel(self.folder, env=env)

    def run(self, kernel: Kernel) -> Ran:
        """Run the cells; a plain one with the tools, a durable one with the calls."""
        self.tools(kernel)
        return kernel.run(f"%%durable s\n{CELLS[self.cell]}")

    def tools(self, kernel: Kernel) -> None:
        """Run the plain cell."""
        values = {"effect": self.effect, "size": self.size, "padding": self.padding}
        assert kernel.run(TOOLS.format(**values)).ok, kernel.log

    def killed_at(self, killpoints: str) -> None:
        """Run until the kernel dies at the named moment; it must die."""
        with self.kernel(killpoints) as kernel, pytest.raises(KernelDiedError):
            self.run(kernel)

    def counted(self) -> Counter[int]:
        """How often each call of this story happened outside."""
        mine = [a.more["args"] for a in read(self.log) if "args" in a.more]
        return Counter(a["i"] for a in mine if a.get("size") == self.size)

    def results(self, kernel: Kernel) -> list[str]:
        """What the cell gave."""
        ran = kernel.run("print(*r)")
        assert ran.ok, ran.text
        return ran.text.split()

    def settle(self, kernel: Kernel, said: str) -> None:
        """Answer the question about a call by looking at the account."""
        number = int(re.findall(r"%durable resolve s\.(\d+)", said)[0])
        answer = "--did-not"
        if self.counted()[number - 1]:
            answer = f'--happened "{self.receipt(number - 1)}"'
        ran = kernel.run(f"%durable resolve s.{number} {answer}")
        assert ran.ok, ran.text

    def receipt(self, i: int) -> str:
        """What the account gives for a call: it shows the arguments."""
        body = {"tool": "call", "args": {"i": i, "size": self.size}}
        return receipt("call", body_digest(json.dumps(body).encode()))
