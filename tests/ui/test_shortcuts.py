"""The sidebar's shortcuts and commands, held against what JupyterLab and Notebook 7 have."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ROOT / "kernel_ext/data/labextension/schemas/nbdurable/plugin.json"
HOSTS = Path(sys.prefix) / "share/jupyter/lab/schemas"
"""Settings of JupyterLab and, in a folder of its own, of Notebook 7."""

SETS = ("keys", "macKeys", "winKeys", "linuxKeys")
LETTER = re.compile(r"[A-Z]")


def shortcuts(path: Path) -> Iterator[tuple[str, frozenset[str]]]:
    """Each command with the first keys that it is called by, on each system."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    for shortcut in schema.get("jupyter.lab.shortcuts", []):
        for name in SETS:
            for first in filter(None, shortcut.get(name, [])[:1]):
                yield from ((shortcut["command"], held) for held in spelled(first))


def spelled(keys: str) -> Iterator[frozenset[str]]:
    """Keys that are pressed together, in any order; Accel is another key on a Mac."""
    parts = [key.upper() if len(key) == 1 else key for key in keys.split()]
    for accel in ("Ctrl", "Cmd"):
        yield frozenset(accel if key == "Accel" else key for key in parts)


def test_the_shortcuts_are_free() -> None:
    """No shortcut of JupyterLab or Notebook 7 begins with keys that the sidebar takes."""
    ours = dict(shortcuts(OURS))
    assert len(set(ours.values())) == len(ours) >= 3
    hosts = sorted(HOSTS.rglob("*.json"))
    assert {path.relative_to(HOSTS).parts[0] for path in hosts} >= {
        "@jupyterlab",
        "@jupyter-notebook",
    }
    taken = [one for path in hosts for one in shortcuts(path)]
    assert len(taken) > 100
    assert [(c, keys) for c, keys in taken if keys in ours.values()] == []


def test_the_shortcuts_type_nothing() -> None:
    """They hold Alt and Shift: neither AltGr (Ctrl Alt) nor what a browser keeps for itself."""
    for command, keys in shortcuts(OURS):
        assert keys >= {"Alt", "Shift"}, command
        assert not keys & {"Ctrl", "Cmd"}, command
        (key,) = keys - {"Alt", "Shift"}
        assert LETTER.fullmatch(key), command


def test_each_command_is_documented() -> None:
    """The page names each command of the palette, and the keys of those that have some."""
    source = (ROOT / "labextension/src/lab/commands.ts").read_text(encoding="utf-8")
    labels = dict(re.findall(r'add\("([\w-]+)", "([^"]+)"', source))
    assert len(labels) >= 5
    page = (ROOT / "docs/sidebar.md").read_text(encoding="utf-8")
    for label in labels.values():
        assert f"`{label}`" in page
    schema = json.loads(OURS.read_text(encoding="utf-8"))
    for shortcut in schema["jupyter.lab.shortcuts"]:
        label = labels[shortcut["command"].removeprefix("nbdurable:")]
        assert re.search(rf"`{label}`[^\n]*{shortcut['keys'][0]}", page), label


def test_each_setting_is_documented() -> None:
    """The page names the settings, by the titles that the editor shows."""
    page = (ROOT / "docs/sidebar.md").read_text(encoding="utf-8")
    schema = json.loads(OURS.read_text(encoding="utf-8"))
    for setting in schema["properties"].values():
        assert setting["title"] in page
