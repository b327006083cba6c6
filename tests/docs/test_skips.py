"""What can't run somewhere is one visible line, and an error in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INNER = '''
import pytest

@pytest.mark.needs("no-such-program")
def test_inner():
    """Never runs."""
'''


def _run(folder: Path, ci: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "test_inner.py").write_text(INNER)
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = -ra\nmarkers = needs(program): needed\n"
    )
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ci", "code", "line"),
    [
        ("", 0, "SKIPPED [1] conftest.py"),
        ("true", 1, "can't be skipped in CI. Skipped: no-such-program is not"),
    ],
)
def test_a_skip_is_seen(tmp_path: Path, ci: str, code: int, line: str) -> None:
    """A missing program skips with its name in the summary; with CI set it fails."""
    done = _run(tmp_path, ci)
    assert done.returncode == code, done.stdout
    assert line in done.stdout
    assert "no-such-program" in done.stdout
