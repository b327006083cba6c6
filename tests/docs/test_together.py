"""Tests that share what is made once are run by one worker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARKED = '''
import os
import re
from pathlib import Path
import pytest

@pytest.mark.xdist_group("some")
@pytest.mark.parametrize("n", range(6))
def test_marked(n):
    """Tells who runs it."""
    Path(f"marked-{n}").write_text(str(os.getpid()))
'''
SHARING = '''
import os
import re
from pathlib import Path
import pytest

@pytest.fixture(scope="module")
def shared():
    """Made once."""

@pytest.mark.parametrize("n", range(6))
def test_sharing(n, shared):
    """Tells who runs it."""
    Path(f"sharing-{n}").write_text(str(os.getpid()))
'''

QUICK = '''
import os
import re
from pathlib import Path
import pytest

@pytest.mark.parametrize("n", range(3))
def test_quick(n):
    """Tells who runs it."""
    assert len([*Path().glob("sharing-*"), *Path().glob("marked-*")]) > 3
    Path(f"quick-{n}").write_text(str(os.getpid()))
'''


@pytest.mark.slow
def test_a_group_is_run_by_one_worker(tmp_path: Path) -> None:
    """Those that are marked, that take a module's fixture or are a file's quick ones."""
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_marked.py").write_text(MARKED)
    (tmp_path / "test_sharing.py").write_text(SHARING)
    (tmp_path / "test_quick.py").write_text(QUICK)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  slow: slow\n")
    options = [
        "-v",
        "-n",
        "2",
        "--dist",
        "loadgroup",
        "--no-loadscope-reorder",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "15 passed" in done.stdout, done.stdout
    assert re.search(
        r"PASSED test_quick\.py::test_quick\[0\] *$", done.stdout, re.MULTILINE
    )
    ran = {
        kind: {each.read_text() for each in tmp_path.glob(f"{kind}-*")}
        for kind in ("marked", "sharing", "quick")
    }
    assert [len(workers) for workers in ran.values()] == [1, 1, 1]
    assert ran["marked"] != ran["sharing"]
