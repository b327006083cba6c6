"""The public functions are typed: a checker accepts right uses and refuses wrong ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = Path(__file__).with_name("public.py")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_public_types() -> None:
    """Mypy, as strict as a user may have it, agrees with every line of public.py."""
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml"]
    done = subprocess.run(
        [*command, str(PAGE)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
