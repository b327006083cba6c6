"""An upgrade that changes how keys are computed repeats nothing silently, and says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import nbdurable
import nbdurable_store
from nbdurable.engine.identity import keys
from nbdurable.testing.kernel import Kernel

pytestmark = pytest.mark.slow

TOOLS = """
import nbdurable as nd
from nbdurable.testing.effects import effect

@nd.tool
def pay(who, amount):
    return effect("pay", who=who)

@nd.tool(effect="read")
def look(x, log=None):
    return effect("look", x=x)

@nd.tool
def tell(text):
    return effect("tell", text=str(len(text)))
"""
LONG = "'x' * 20_000"
"""Arguments that are too big to be kept."""


def upgraded(folder: Path) -> str:
    """A copy of nbdurable whose keys are of another version; gives its PYTHONPATH."""
    new = folder / "upgraded"
    shutil.copytree(Path(nbdurable.__file__).parent, new / "nbdurable")
    place = new / "nbdurable/engine/identity/keys.py"
    text = place.read_text()
    table = f"= {dict(keys.ALGORITHMS)!r}".replace("'", '"')
    assert table in text
    place.write_text(text.replace(table, f'{table[:-1]}, "next": "9.9.0"}}', 1))
    store = Path(nbdurable_store.__file__).parents[1]
    return os.pathsep.join([str(new), str(store)])


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Kernel, Kernel]]:
    """A kernel that is killed, and the one after the upgrade; neither has begun."""
    new = Kernel(tmp_path, env={"PYTHONPATH": upgraded(tmp_path)})
    yield Kernel(tmp_path), new
    new.stop()


def effects(folder: Path, name: str) -> int:
    """How often a tool took effect."""
    account = folder / "effects.jsonl"
    lines = account.read_text().splitlines() if account.exists() else []
    return sum(f'"{name}"' in line and '"tool"' in line for line in lines)


def test_calls_are_matched_by_their_arguments(
    both: tuple[Kernel, Kernel], tmp_path: Path
) -> None:
    """Calls with equal kept arguments are served; the step and `why` say why it ran."""
    old, new = both
    cell = "%%durable out\na = pay('ann', 3); b = pay('bob', 3); c = look(1)"
    with old:
        old.run(TOOLS)
        assert "3 calls ran" in old.run(cell).text
        old.kill()
    new.start()
    new.run(TOOLS)
    told = new.run(cell).text
    because = "nbdurable computes keys differently since version 9.9.0"
    assert f"ran again because {because} · 3 replayed" in told
    assert because in new.run("%durable why out").text
    assert (effects(tmp_path, "pay"), effects(tmp_path, "look")) == (2, 1)
    assert "replayed from" in new.run(cell).text


def test_a_write_that_cannot_be_compared_asks(
    both: tuple[Kernel, Kernel], tmp_path: Path
) -> None:
    """A write whose arguments were not kept is asked about; both answers hold."""
    old, new = both
    cell = f"%%durable out\ntell({LONG}); tell('y' * 20_000)"
    with old:
        old.run(TOOLS)
        old.run(cell)
        old.kill()
    new.start()
    new.run(TOOLS)
    asked = new.run(cell).text
    assert "KeysDiffer" in asked
    assert "computes keys differently since version 9.9.0" in asked
    assert new.run("%durable resolve out.1 --keep").ok
    assert "KeysDiffer" in new.run(cell).text
    assert new.run("%durable resolve out.2 --again").ok
    assert new.run(cell).ok
    assert effects(tmp_path, "tell") == 3
    assert new.run("%durable rerun out").ok
    assert "HappenedBeforeRerun" in new.run(cell).text
    assert effects(tmp_path, "tell") == 3


def test_a_write_with_other_arguments_asks_once(
    both: tuple[Kernel, Kernel], tmp_path: Path
) -> None:
    """Each recorded write is offered once; a further one runs without a question."""
    old, new = both
    with old:
        old.run(TOOLS)
        old.run("%%durable out\npay('ann', 3)\n1 / 0")
        old.kill()
    new.start()
    new.run(TOOLS)
    told = new.run("%%durable out\npay('ann', 3); pay('bob', 3)")
    assert told.ok
    assert effects(tmp_path, "pay") == 2
