"""The command line beside a kernel of a test, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def shell(folder: Path, *words: str) -> Any:
    """What the command line answers, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "nbdurable", *words, "--json"],
        cwd=folder,
        env={**os.environ, "JUPYTER_DATA_DIR": str(folder / ".kernel" / "data")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def asked(folder: Path) -> str:
    """The one question that waits, as it is to be answered."""
    (waits,) = shell(folder, "inbox")
    return str(waits["asked"])
