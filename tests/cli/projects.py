"""A folder with a notebook and a store, on which the command is run as a person does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from nbdurable.cli.fileformat import nbformat

ROOT = Path(__file__).parents[2]

TOOLS = """
import nbdurable as nd
from nbdurable.testing.effects import effect

@nd.tool(effect="read")
def ask(prompt):
    return effect("ask", prompt=prompt)

@nd.tool(effect="write")
def send(to):
    return effect("send", to=to)
"""
FINDINGS = "%%durable findings\nnotes = [ask(p) for p in (FIRST, 'two')]"
REVIEW = "%%durable review\nreceipt = send('anna')\nlength = len(notes)"


@dataclass(slots=True)
class Done:
    """How a command ended.

    Attributes:
        code: Its exit code.
        text: What it wrote, errors last.
    """

    code: int
    text: str

    @property
    def data(self) -> dict:
        """What it wrote, as JSON."""
        return json.loads(self.text)


@dataclass(slots=True)
class Project:
    """A folder with a notebook.

    Attributes:
        folder: Where it is.
        home: Where the user's key is.
        env: More variables for the command and its kernel.
    """

    folder: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, *cells: str, named: bool = True) -> None:
        """Write the notebook; equal places have equal cell ids."""
        notebook = nbformat().v4.new_notebook()
        for nth, source in enumerate(cells):
            cell = nbformat().v4.new_code_cell(source)
            cell["id"] = f"cell-{nth}"
            notebook.cells.append(cell)
        notebook.nbformat_minor = 5
        (self.folder / "n.ipynb").write_text(nbformat().writes(notebook))

    def nbdurable(self, *words: str) -> Done:
        """Run the command in the folder."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("NBDURABLE_")}
        env["PYTHONPATH"] = os.pathsep.join(
            [str(ROOT / "kernel_ext"), str(ROOT / "store")]
        )
        env |= {
            "JUPYTER_DATA_DIR": str(self.home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
            "IPYTHONDIR": str(self.home / "ipython"),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            **self.env,
        }
        done = subprocess.run(
            [sys.executable, "-m", "nbdurable.cli", *words],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, f"{done.stdout}{done.stderr}")

    def check(self, *words: str) -> Done:
        """Check the notebook."""
        return self.nbdurable("check", "n.ipynb", *words)

    def effects(self) -> int:
        """How many effects the tools had."""
        account = self.folder / "effects.jsonl"
        lines = account.read_text().splitlines() if account.exists() else []
        return sum('"tool"' in told for told in lines)

    def stored(self) -> dict[str, bytes]:
        """Every file of the store."""
        root = self.folder / ".nbdurable"
        return {
            str(p.relative_to(root)): p.read_bytes()
            for p in root.rglob("*")
            if p.is_file()
        }
