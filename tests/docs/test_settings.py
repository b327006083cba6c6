"""Every environment variable of ours that the code reads is documented, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "settings.md"
VARIABLE = re.compile(r"\bNBDURABLE_[A-Z][A-Z_]*[A-Z]\b")


def _in_code() -> set[str]:
    sources = [
        path
        for folder in ("kernel_ext", "store")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert sources
    return {name for path in sources for name in VARIABLE.findall(path.read_text())}


def test_every_setting_is_documented() -> None:
    """docs/settings.md has a row for each variable that the code names."""
    rows = re.findall(r"^\| `(NBDURABLE_\w+)`", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert _in_code() - set(rows) == set(), f"add a row to {PAGE}"


def test_every_documented_setting_exists() -> None:
    """No page speaks of a variable that nothing reads."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    told = {name for page in pages for name in VARIABLE.findall(page.read_text())}
    assert told - _in_code() == set()
