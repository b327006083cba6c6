"""CHANGELOG says what there is, in the usual form."""

from __future__ import annotations

import argparse
import re
import tomllib

from nbdurable.cli.main import parser
from nbdurable.kernel.options import OPTIONS
from nbdurable.kernel.words import WORDS
from tests.docs.blocks import ROOT

CHANGES = (ROOT / "CHANGELOG.md").read_text()
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_the_version_has_a_section() -> None:
    """The newest section is that of the version, and says what was added and fixed."""
    sections = re.findall(r"(?m)^## (\S+)", CHANGES)
    assert sections[0] == VERSION
    newest = CHANGES.split("\n## ")[1]
    assert re.findall(r"(?m)^### (\w+)", newest) == ["Added", "Fixed"]


def test_whatever_can_be_typed_is_named() -> None:
    """Each word of `%durable`, each option of `%%durable` and each command has its name."""
    (commands,) = (
        set(action.choices)
        for action in parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    quoted = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", CHANGES))))
    assert {*WORDS, *OPTIONS, *commands} <= quoted


def test_its_links_lead_somewhere() -> None:
    """Each relative link has a target in the repository."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", CHANGES)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
