"""Commands on notebooks import no grammar that no notebook needs."""

from __future__ import annotations

import subprocess
import sys

from nbdurable.cli.fileformat import SLOW

PROGRAM = f"""
import importlib, sys
from nbdurable.cli.fileformat import nbformat
print(nbformat().v4.new_notebook().nbformat, "{SLOW}" in sys.modules)
import nbclient
print("lark" in sys.modules)
print(importlib.import_module("{SLOW}").__name__)
print(nbformat() is sys.modules["nbformat"], "{SLOW}" in sys.modules)
"""


def test_the_grammars_of_addresses_are_not_compiled() -> None:
    """Neither nbformat nor nbclient brings them; who wants them can import them."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:-1] == ["4 False", "False", SLOW, "True True"]
