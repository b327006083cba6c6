"""Stores that can't be used, seen from a real kernel: an error in our form, no loss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from tests.cli import hostile
from tests.kernel.test_sidebar import Panel

pytestmark = pytest.mark.slow

CELL = "%%durable s\nx = 1\nprint('ran')"


def a_file(place: Path) -> None:
    """A file stands where the store should be."""
    place.write_text("notes")


def a_folder(place: Path) -> None:
    """Somebody's folder stands there."""
    place.mkdir()
    (place / "thesis.txt").write_text("years of work")


def a_newer_store(place: Path) -> None:
    """A store that a later version wrote."""
    place.mkdir()
    (place / "FORMAT").write_text('{"version": 99, "store": "0011223344556677"}\n')


def a_foreign_store(place: Path) -> None:
    """A store that another user's key signed, with records that look finished."""
    hostile.make(place)
    hostile.segment(place, hostile.frames(hostile.begun()))


def read_only(place: Path) -> None:
    """A folder in which nobody can make another one, root included."""
    place.parent.rmdir()
    place.parent.symlink_to("/sys" if Path("/sys").is_dir() else "/System")


def sealed(place: Path) -> None:
    """A folder of which the system says to root, too, that nobody may write in it."""
    place.parent.rmdir()
    place.parent.symlink_to("/proc/sys" if Path("/proc/sys").is_dir() else "/System")


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file in a folder with its bytes, the kernel's own folder left out."""
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p: p.read_bytes() for p in files if folder / "home" not in p.parents}


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (a_file, "NotAStore"),
        (a_folder, "NotAStore"),
        (a_newer_store, "StoreNewer"),
        (a_foreign_store, "StoreForeign"),
        (read_only, "StoreUnwritable"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_an_unusable_place_is_refused(
    tmp_path: Path, make: Callable[[Path], None], error: str
) -> None:
    """The cell isn't run unprotected, nothing is touched, the kernel lives on."""
    place = tmp_path / "parent" / "store"
    place.parent.mkdir()
    make(place)
    before = contents(tmp_path)
    with Kernel(tmp_path / "home", env={"NBDURABLE_STORE": str(place)}) as kernel:
        ran = kernel.run(CELL)
        assert ran.reply["ename"] == error, ran.text
        assert "\nran" not in ran.text
        assert kernel.run("print('alive')").text.strip() == "alive"
    assert contents(tmp_path) == before


def test_status_says_why_a_store_cannot_be_used(tmp_path: Path) -> None:
    """Whoever looks before the first durable cell is told what that cell will say."""
    place = tmp_path / "store"
    a_newer_store(place)
    with Kernel(tmp_path / "home", env={"NBDURABLE_STORE": str(place)}) as kernel:
        assert "has format 99" in kernel.run("%durable status").text


@pytest.mark.parametrize(
    ("make", "fact", "way"),
    [
        (a_newer_store, "has format 99", "pip install --upgrade nbdurable"),
        (a_foreign_store, "was not signed", "nbdurable trust"),
        (a_file, "a file stands there", "NBDURABLE_STORE"),
        (a_folder, "it holds other things", "NBDURABLE_STORE"),
        (sealed, "can't be written", "NBDURABLE_STORE"),
    ],
)
def test_the_sidebar_says_why_a_store_cannot_be_used(
    tmp_path: Path, make: Callable[[Path], None], fact: str, way: str
) -> None:
    """Before any cell runs the panel has a sentence for it, and what to do next."""
    place = tmp_path / "parent" / "store"
    place.parent.mkdir()
    make(place)
    before = contents(tmp_path)
    with Kernel(tmp_path / "home", env={"NBDURABLE_STORE": str(place)}) as kernel:
        panel = Panel(kernel)
        told = panel.hears("refused")
        while fact not in told["line"]:
            told = panel.hears("refused")
        assert any(way in remedy for remedy in told["remedies"]), told
    assert contents(tmp_path) == before


def test_a_kernel_says_what_stands_there_and_not_how_to_begin(tmp_path: Path) -> None:
    """Whoever looks at the run beside a file in the store's place is told of the file."""
    place = tmp_path / "store"
    a_file(place)
    with Kernel(tmp_path / "home", env={"NBDURABLE_STORE": str(place)}) as kernel:
        for look in ("%durable", "%durable inbox", "import nbdurable as nd; nd.view()"):
            told = kernel.run(look).text
            assert "a file stands there" in told, told
            assert "%%durable" not in told


def test_where_nothing_ran_nothing_waits(tmp_path: Path) -> None:
    """`%durable inbox` has a sentence for it, and makes no store."""
    with Kernel(tmp_path) as kernel:
        told = kernel.run("%durable inbox").text
        assert told.strip() == "nothing waits for an answer"
        assert not (tmp_path / ".nbdurable").exists()


TOOLS = """
import nbdurable as nd
from nbdurable.testing.effects import effect

@nd.tool
def pay(x):
    return effect("pay", x=x)
"""


@pytest.mark.parametrize("nth", [5, 6])
def test_a_full_disk_loses_nothing(tmp_path: Path, nth: int) -> None:
    """A disk that fills during a call stops the cell; run again, it pays once."""
    env = {"NBDURABLE_KILLPOINTS": f"record.written#{nth}=error:ENOSPC"}
    with Kernel(tmp_path, env=env) as kernel:
        assert kernel.run(TOOLS).ok
        ran = kernel.run("%%durable s\nr = [pay(1), pay(2)]")
        assert ran.reply["ename"] == "StoreFull", ran.text
        again = kernel.run("%%durable s\nr = [pay(1), pay(2)]")
        assert again.ok, again.text
        assert "pay" in kernel.run("print(r)").text
    lines = (tmp_path / "effects.jsonl").read_text().splitlines()
    assert sum('"tool"' in line for line in lines) == 2


def test_a_value_that_cannot_be_stored_is_named(tmp_path: Path) -> None:
    """A generator that has begun isn't kept; the line says so and everything else is."""
    with Kernel(tmp_path) as kernel:
        said = kernel.run(
            "%%durable s\nstream = (i for i in range(3))\nnext(stream)\nx = 5"
        ).text
        assert "not kept: stream" in said
        kernel.restart()
        kernel.run("%durable restore")
        assert kernel.run("print(x)").text.strip() == "5"
