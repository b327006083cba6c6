"""Classes whose statements tell others of them, loaded in another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.test_codec_notebook import PRELUDE

CELL = """
class Plugin:
    known = {}
    def __init_subclass__(cls, *, key, **more):
        super().__init_subclass__(**more)
        if key in Plugin.known:
            raise ValueError(f"{key} is there twice")
        Plugin.known[key] = cls

class Csv(Plugin, key="csv"):
    def __init__(self, path):
        self.path = path

class Meta(type):
    made = []
    def __new__(mcs, name, bases, body, **more):
        cls = super().__new__(mcs, name, bases, body)
        Meta.made.append(cls)
        return cls
    def __init__(cls, *named, tag):
        cls.tag = tag

class Row(metaclass=Meta, tag="r"):
    def half(self):
        return self.tag * 2
"""
KEPT = {
    "a class is in its registry": (
        "Csv",
        (
            "Csv, = (value,); Plugin = Csv.__mro__[1]\n"
            "assert Plugin.known == {'csv': Csv} and Csv('p').path == 'p'"
        ),
    ),
    "a registry has its classes": (
        "Plugin",
        (
            "assert value.known['csv']('p').path == 'p'\n"
            "assert issubclass(value.known['csv'], value) and len(value.known) == 1"
        ),
    ),
    "an instance is of the class in the registry": (
        "Csv('p')",
        "assert type(value) is type(value).__mro__[1].known['csv']",
    ),
    "a class of a metaclass that notes it": (
        "Row",
        (
            "assert type(value).made == [value] and value.tag == 'r'\n"
            "assert value().half() == 'rr'"
        ),
    ),
    "hooks hear of new classes again": (
        "Plugin",
        "class Json(value, key='json'): pass\nassert value.known['json'] is Json",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("made", "holds"), KEPT.values(), ids=KEPT)
def test_no_hook_runs_while_a_class_is_loaded(
    tmp_path: Path, made: str, holds: str
) -> None:
    """What a hook did is in the values; nothing does it once more to half a class."""
    for code in (
        f"cell(1, {CELL!r})\nsave('value', {made})",
        f"value = load('value')\n{holds}",
    ):
        command = [sys.executable, "-c", PRELUDE + code]
        ran = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
