"""Each edit of the table, across a restart of a real kernel with another hash seed.

Two kernels in all. The first runs every story as it was and is killed; the second runs
every story as it is after its edit. A cell replays exactly where the edit doesn't count.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from tests.engine.identity_edits import HIT, MISS, PACKAGES, State
from tests.engine.identity_notebook import write
from tests.kernel.notebook import lines_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ALL = {**HIT, **MISS}

AFRESH = f"""
import importlib, sys
for name in [n for n in sys.modules if n.partition(".")[0] in {PACKAGES}]:
    del sys.modules[name]
importlib.invalidate_caches()
for name in [n for n in globals() if n[:1] != "_" and n not in ("In", "Out", "exit", "quit", "open", "get_ipython")]:
    del globals()[name]
del name
"""


def install(folder: Path, version: str) -> None:
    """An installed package of this version; its code is the same in all of them."""
    site = folder / "env" / "site-packages"
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    info = f"fakelib-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: fakelib\nVersion: {version}\n"
    write(
        {
            "fakelib.py": "def double(x):\n    return 2 * x\n",
            f"{info}/METADATA": metadata,
            f"{info}/top_level.txt": "fakelib\n",
        },
        site,
    )


def started(folder: Path, seed: str) -> Kernel:
    """A kernel with a hash seed, that finds the package and the modules."""
    path = f"{folder / 'env' / 'site-packages'}"
    env = {"PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1", "SITE": path}
    return Kernel(folder, env=env)


def run(kernel: Kernel, story: str, state: State) -> str:
    """Run one state of a notebook; the line under its durable cell."""
    write(state.files, kernel.folder)
    kernel.run(AFRESH)
    assert kernel.run(state.setup).ok, story
    if state.upstream:
        kernel.run(f"%%durable\n{state.upstream}", metadata={"cellId": f"{story} up"})
    # Cells of different stories are different, else one would be served another's step.
    cell = f"{state.mark} {state.line}\n{state.cell}\nstory = {story!r}"
    ran = kernel.run(cell, metadata={"cellId": story})
    assert ran.ok, (story, ran.text)
    return " / ".join(lines_of(ran))


FIRST = "import os, sys\nsys.path.append(os.environ['SITE'])\nhash('a')"


def outcomes(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Per story the line after its edit; and the hash seeds' effect in each kernel."""
    lines, hashes = dict[str, str](), list[str]()
    install(folder, "1.0")
    with started(folder, "1") as kernel:
        hashes.append(kernel.run(FIRST).text)
        for story, edit in ALL.items():
            for state in edit.before():
                assert "replayed" not in run(kernel, story, state), story
        kernel.kill()
    install(folder, "1.1")
    with started(folder, "2") as kernel:
        hashes.append(kernel.run(FIRST).text)
        for story, edit in ALL.items():
            lines[story] = run(kernel, story, edit.after())
    return lines, hashes


def test_an_edit_runs_again_exactly_what_it_must(tmp_path: Path) -> None:
    """After a restart a cell replays if its edit doesn't count, and runs if it does."""
    lines, hashes = outcomes(tmp_path)
    assert hashes[0] != hashes[1]
    replayed = {story for story, line in lines.items() if "replayed" in line}
    told = {s: lines[s] for s in replayed ^ HIT.keys()}
    assert told == {}
    assert (len(HIT) >= 25, len(MISS) >= 35) == (True, True)
    print(f"{len(HIT)} edits replayed, {len(MISS)} ran again")
