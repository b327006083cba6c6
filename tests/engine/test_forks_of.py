"""A fork of another notebook's run: which one, where several have its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nbdurable.engine.asking.forking import NotebookUnclear, fork_of
from nbdurable.errors import ReferenceUnknown
from nbdurable_store.backends.memory import MemoryStore, World
from tests.engine.notebooks import Notebook

PAY = "@tool\ndef pay(who): return world(f'pay {who}')"
Opens = Callable[[str], Notebook]


@pytest.fixture
def opens(tmp_path: Path) -> Opens:
    """Opens a notebook of that name in a folder; all of them have the same cell."""
    world = World()

    def opened(place: str) -> Notebook:
        path = tmp_path / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"cells": [{"id": "c1"}]}))
        nb = Notebook(store=MemoryStore(world), path=str(path))
        nb.plain(PAY)
        return nb

    return opened


def paid(nb: Notebook) -> str:
    """Its run, after its cell has paid."""
    nb.run("bill = pay('ann')", "bill", "c1")
    return nb.session.run_id


def test_a_name_means_another_notebook(opens: Opens) -> None:
    """A copy in another folder has the same file name: not its own run is meant."""
    first = paid(opens("a/report.ipynb"))
    copy = opens("b/report.ipynb")
    copy.run("x = 1", "x", "c1")
    fork_of(copy.session, copy.facts, "report.ipynb")
    opened = copy.session.history.opened
    assert opened is not None
    assert opened.fields["parent"] == first
    copy.run("bill = pay('ann')", "bill", "c1")
    assert copy.world.effects == []


def test_a_run_of_its_own_is_named_by_its_id(opens: Opens) -> None:
    """By its name there is no other notebook, and that is said."""
    own = opens("a/report.ipynb")
    run = paid(own)
    with pytest.raises(ReferenceUnknown):
        fork_of(own.session, own.facts, "report.ipynb")
    assert "forked from run 1" in fork_of(own.session, own.facts, run)


def test_a_name_of_several_notebooks_is_refused(opens: Opens) -> None:
    """Each is named with the id of its run; a path is unique."""
    runs = [paid(opens(f"{folder}/report.ipynb")) for folder in "ab"]
    other = opens("c/other.ipynb")
    with pytest.raises(NotebookUnclear) as told:
        fork_of(other.session, other.facts, "report.ipynb")
    assert [r.command for r in told.value.remedies()] == [
        f"%durable fork --of {run}" for run in runs
    ]
    path = told.value.runs[0][0]
    assert "forked from run 1" in fork_of(other.session, other.facts, path)


def test_a_copy_offers_an_id_where_its_original_has_a_common_name(opens: Opens) -> None:
    """What its first line says can be typed as it is."""
    runs = [paid(opens(f"{folder}/report.ipynb")) for folder in "ab"]
    copy = opens("c/copy.ipynb")
    copy.run("x = 1", "x", "c1")
    assert f"%durable fork --of {runs[1]}" in "\n".join(copy.told)
