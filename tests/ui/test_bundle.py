"""The view that is shipped is the view that is written."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from labextension import generate

from nbdurable.timeline.bundle import ASSETS, VIEW, page_script

ROOT = Path(__file__).parents[2]
SIDEBAR = ROOT / "kernel_ext" / "data" / "labextension"
BYTES_MAX = 60_000
"""What a front end loads, gzipped."""


def test_the_bundle_is_fresh() -> None:
    """The bundle was built from the sources as they are now; nobody needs node for this."""
    assert generate.HASH.read_text().strip() == generate.source_hash(), "make ui"


def test_the_hash_sees_every_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed character in any source is another hash."""
    shutil.copytree(
        generate.HERE, tmp_path / "l", ignore=shutil.ignore_patterns("node_modules")
    )
    before = generate.source_hash()
    monkeypatch.setattr(generate, "HERE", tmp_path / "l")
    for path in list(generate.sources()):
        kept = path.read_bytes()
        path.write_bytes(kept + b" ")
        assert generate.source_hash() != before, path
        path.write_bytes(kept)
    assert generate.source_hash() == before


def test_the_bundle_is_small() -> None:
    """A front end loads at most 60 kB, gzipped: the view, and in JupyterLab the sidebar."""
    loaded = VIEW.read_bytes(), (SIDEBAR / "static" / "remoteEntry.js").read_bytes()
    assert sum(len(gzip.compress(part)) for part in loaded) <= BYTES_MAX


def test_the_view_asks_nothing_of_its_host() -> None:
    """VS Code and Colab host it as JupyterLab does: it loads nothing and knows no page."""
    text = VIEW.read_text(encoding="utf-8")
    for needed in (
        "import",
        "require",
        "fetch",
        "XMLHttpRequest",
        "https?:",
        "/static",
        "jupyterapp",
    ):
        assert not re.search(rf"(?<![\w-]){needed}(?![\w-])", text), needed


def test_what_a_browser_keeps_is_of_this_build() -> None:
    """The sidebar's address has the hash of what is loaded, so nothing old is kept."""
    parts = VIEW, SIDEBAR / "static" / "remoteEntry.js"
    digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
    built = json.loads((SIDEBAR / "package.json").read_text())["jupyterlab"]["_build"]
    assert built["load"] == f"static/remoteEntry.js?v={digest[:16]}"


def test_the_sidebar_makes_no_markup_of_data() -> None:
    """The sidebar's own script hands no text to a parser of HTML or of code."""
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|Function\("
    )
    assert not re.search(forbidden, (SIDEBAR / "static" / "remoteEntry.js").read_text())


def test_the_bundle_makes_no_markup_of_data() -> None:
    """Nothing in the view hands text to a parser of HTML or of code, or loads anything."""
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|Function\(|fetch\(|XMLHttp|import\("
    for path in ASSETS.glob("*.js"):
        assert not re.search(forbidden, path.read_text(encoding="utf-8")), path
    assert "</" not in page_script()


def test_the_pins_are_exact_and_name_no_place() -> None:
    """Each tool of the view has one version, and the lock says no address."""
    package = json.loads((generate.HERE / "package.json").read_text())
    assert "dependencies" not in package
    assert all(re.fullmatch(r"[\d.]+", v) for v in package["devDependencies"].values())
    lock = json.loads((generate.HERE / "package-lock.json").read_text())
    found = [one for name, one in lock["packages"].items() if name]
    assert found
    assert all("integrity" in one and "resolved" not in one for one in found)


def tools() -> dict[str, str]:
    """The environment in which the node of this Python's environment is found."""
    here = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_modules_of_the_view() -> None:
    """The pure modules pass their own tests, types are right, and a build is the bundle."""
    env = tools()
    if shutil.which("npm", path=env["PATH"]) is None:
        pytest.skip("npm is not installed")

    def npm(*words: str) -> None:
        done = subprocess.run(
            ["npm", *words],
            cwd=generate.HERE,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"

    npm("ci", "--no-audit", "--no-fund", "--ignore-scripts")
    npm("test")
    built = [*ASSETS.glob("*.js"), *SIDEBAR.rglob("*.js*")]
    before = {path: path.read_bytes() for path in built}
    npm("run", "build")
    assert {path: path.read_bytes() for path in built} == before
