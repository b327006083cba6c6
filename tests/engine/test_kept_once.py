"""A value is taken apart for storing once, however many steps read it."""

from __future__ import annotations

import pytest

from nbdurable.engine.asking.restore import restore
from tests.engine.notebooks import Notebook

COUNTED = """
class Counted:
    def __init__(self, *parts):
        self.parts = [*parts]
    def __getstate__(self):
        import sys
        by = sys._getframe(1).f_code.co_filename
        if 'identity' not in by:
            world(f'stored {self.parts}')
        return {'parts': self.parts}
"""


@pytest.fixture
def nb() -> Notebook:
    """A notebook with a class that tells when an instance is stored."""
    made = Notebook()
    made.plain(COUNTED)
    return made


def test_what_a_step_made_is_not_stored_by_its_readers(nb: Notebook) -> None:
    """The first step that reads it knows that it is kept."""
    nb.run("x = Counted(1)", "a", "c1")
    stored = [*nb.world.effects]
    assert len({*stored}) == 1
    nb.run("y = len(x.parts)", "b", "c2")
    nb.run("z = x.parts[0]", "c", "c3")
    assert nb.world.effects == stored


def test_what_a_plain_cell_changed_is_stored_again(nb: Notebook) -> None:
    """Equal means equal by its digest, not that a step made it once."""
    nb.run("x = Counted(1)", "a", "c1")
    nb.plain("x.parts.append(2)")
    nb.run("y = len(x.parts)", "b", "c2")
    assert nb.world.effects[-1].startswith("stored [1, 2]")


@pytest.mark.slow
def test_a_restored_kernel_knows_what_is_kept(nb: Notebook) -> None:
    """What came back is not stored again by the first step that reads it."""
    nb.run("x = Counted(1)", "a", "c1")
    nb.restart()
    nb.session.attend(nb.facts, "%durable restore")
    restore(nb.session, nb.namespace)
    nb.session.stay()
    stored = [*nb.world.effects]
    nb.run("y = len(x.parts)", "b", "c2")
    assert nb.world.effects == stored


def test_an_older_value_is_stored_again(nb: Notebook) -> None:
    """A value of an earlier step is kept as the latest one once a step reads it."""
    nb.run("x = [1]", "a", "c1")
    nb.run("x = [2]", "b", "c2")
    nb.restart()
    history = nb.session.attend(nb.facts, "%durable restore")
    first = next(s for s in history.steps.values() if s.name == "a")
    restore(nb.session, nb.namespace, until=first)
    nb.session.stay()
    nb.run("y = len(x)", "c", "c3")
    nb.restart()
    nb.session.attend(nb.facts, "%durable restore")
    restore(nb.session, nb.namespace)
    assert nb.namespace["x"] == [1]
