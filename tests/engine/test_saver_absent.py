"""`DurableSaver` where LangGraph isn't installed."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys

sys.modules["langgraph"] = None  # what Python takes for «there is none»
import nbdurable.cli.disk  # gc needs none of it
from nbdurable.errors import DurableError
try:
    from nbdurable.integrations.langgraph import DurableSaver
except ImportError as error:
    assert isinstance(error, DurableError)
    print(error)
"""


def test_its_import_says_what_to_install() -> None:
    """What happened, what was not done, what to type, and where to read more."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    said = done.stdout
    assert "DurableSaver needs langgraph, which is not installed here." in said
    assert "Nothing was imported." in said
    assert 'pip install "langgraph"' in said
    assert said.rstrip().endswith("package-absent")
