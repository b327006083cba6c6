"""A memory map is one of its file again, or its name is not back and the reason told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nbdurable.engine.asking.restore import restore
from tests.engine.notebooks import Notebook

MAP = "import numpy as np\nm = np.memmap({!r}, 'i4', 'r+'); total = int(m.sum())"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of six numbers."""
    path = tmp_path / "data"
    np.arange(6, dtype="i4").tofile(path)
    return path


@pytest.fixture
def nb(path: Path) -> Notebook:
    """A notebook in whose last kernel a step mapped the file."""
    nb = Notebook()
    nb.run(MAP.format(str(path)), "load", "c1")
    nb.restart()
    return nb


def test_a_restored_map_writes_to_its_file(nb: Notebook, path: Path) -> None:
    """What is assigned after a restore is in the file."""
    nb.session.attend(nb.facts, "%durable restore")
    done = restore(nb.session, nb.namespace, ("m",))
    assert [*done.back] == ["m"]
    nb.plain("m[2] = 77; m.flush()")
    assert np.fromfile(path, "i4")[2] == 77


def test_a_map_of_a_changed_file_is_not_back(nb: Notebook, path: Path) -> None:
    """Its name stays unbound, and the reason names the file; the rest is back."""
    path.write_bytes(bytes(24))
    nb.session.attend(nb.facts, "%durable restore")
    done = restore(nb.session, nb.namespace, ("m", "total"))
    assert [*done.back] == ["total"]
    assert f"the mapped file {path} holds something else now" in str(done.rows())
    assert "m" not in nb.namespace


def test_a_replay_without_the_file_gives_no_copy(nb: Notebook, path: Path) -> None:
    """The step runs again, or the name is missing: no array stands in for the map."""
    path.write_bytes(bytes(24))
    nb.run(MAP.format(str(path)), "load", "c1")
    assert nb.namespace["total"] == 0
    nb.plain("m[2] = 77; m.flush()")
    assert np.fromfile(path, "i4")[2] == 77


def test_what_a_later_step_wrote_is_written_once(nb: Notebook, path: Path) -> None:
    """A step that counts up in a map counts once, whatever is replayed."""
    nb.run(MAP.format(str(path)), "load", "c1")
    nb.run("m += 1", "count", "c2")
    nb.restart()
    nb.session.attend(nb.facts, "%durable restore")
    restore(nb.session, nb.namespace, ("m",))
    assert np.fromfile(path, "i4").tolist() == [1, 2, 3, 4, 5, 6]
    assert nb.namespace["m"].tolist() == [1, 2, 3, 4, 5, 6]  # type: ignore[attr-defined]
