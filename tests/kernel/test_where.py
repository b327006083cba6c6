"""The facts from which the engine chooses a run."""

from __future__ import annotations

import pytest

from nbdurable.engine.where.whereabouts import RESUME_HOURS
from nbdurable.kernel.where import hours, notebook

CELL = "vscode-notebook-cell:/home/anna/b.ipynb#W0sZmlsZQ%3D%3D"


@pytest.mark.parametrize(
    ("namespace", "env", "cell_id", "expected"),
    [
        ({}, {}, None, ""),
        ({}, {"JPY_SESSION_NAME": "/home/anna/a.ipynb"}, "ab12", "/home/anna/a.ipynb"),
        ({"__session__": "sub/a.ipynb"}, {}, "ab12", "/start/sub/a.ipynb"),
        ({}, {"JPY_SESSION_NAME": "/stale.ipynb"}, CELL, "/home/anna/b.ipynb"),
        ({"__vsc_ipynb_file__": "/home/c.ipynb"}, {}, CELL, "/home/c.ipynb"),
        ({"__vsc_ipynb_file__": 7}, {}, None, ""),
    ],
)
def test_the_notebook_is_what_the_front_end_says(namespace, env, cell_id, expected):
    """VS Code's variable, then its cell ids, then what jupyter-server set."""
    assert notebook(namespace, env, cell_id, "/start") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", RESUME_HOURS), ("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("soon", RESUME_HOURS)],
)
def test_resume_hours_are_a_number_or_the_default(text, expected):
    """A setting that can't be read doesn't stop a notebook."""
    assert hours(text) == expected
