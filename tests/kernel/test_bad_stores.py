"""A store that can't be used: the cell isn't run, the error says why, the kernel lives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def _file(place: Path) -> None:
    place.write_text("I am no store\n")


def _folder(place: Path) -> None:
    place.mkdir()
    (place / "thesis.txt").write_text("mine\n")


def _newer(place: Path) -> None:
    _made(place)
    form = place / "FORMAT"
    form.write_bytes(form.read_bytes().replace(b'"version":1', b'"version":9'))


def _made(place: Path) -> None:
    with Kernel(place.parent) as kernel:
        assert kernel.run("%%durable before\nx = 1").ok


CASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a file": (_file, "NotAStore"),
    "a folder with other things": (_folder, "NotAStore"),
    "a store of a newer version": (_newer, "StoreNewer"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_no_store_is_refused_and_left_alone(tmp_path: Path, case: str):
    """Nothing runs, nothing is written, and plain cells go on."""
    make, name = CASES[case]
    place = tmp_path / ".nbdurable"
    make(place)
    before = _contents(place)
    with Kernel(tmp_path) as kernel:
        ran = kernel.run("%%durable refused\nran = 1")
        assert ran.reply["status"] == "error"
        assert ran.reply["ename"] == name, ran.text
        assert "Traceback" not in ran.text
        assert "NameError" in kernel.run("ran").text
        assert "2" in kernel.run("1 + 1").text
    assert _contents(place) == before


@pytest.mark.parametrize("code", ["EACCES", "EROFS"])
def test_a_read_only_folder_is_an_error_in_our_form(tmp_path: Path, code: str):
    """The place is named, and the kernel lives on; root is refused by a kill point."""
    refused = {"NBDURABLE_KILLPOINTS": f"store.created=error:{code}"}
    with Kernel(tmp_path, env=refused) as kernel:
        ran = kernel.run("%%durable refused\nran = 1")
        assert ran.reply["ename"] == "StoreUnwritable"
        assert str(tmp_path) in ran.text
        assert "NameError" in kernel.run("ran").text


def test_a_place_that_cannot_be_made_is_an_error_in_our_form(tmp_path: Path):
    """A path through a file is no folder."""
    (tmp_path / "file").write_text("in the way")
    where = {"NBDURABLE_STORE": str(tmp_path / "file" / "store")}
    with Kernel(tmp_path, env=where) as kernel:
        ran = kernel.run("%%durable refused\nran = 1")
        assert ran.reply["status"] == "error"
        assert "store" in ran.reply["ename"].lower(), ran.text
        assert "Traceback" not in ran.text


FULL = {
    "before the step": ("record.written#2=error:ENOSPC", "StoreFull", "(0, None)"),
    "before a call": ("record.written#3=error:ENOSPC", "StoreFull", "(1000, None)"),
    "at its values": ("step.values.durable=error:ENOSPC", "", "(1000, 3)"),
    "at its end": ("step.ended.before=error:ENOSPC", "", "(1000, 3)"),
}


@pytest.mark.parametrize("when", FULL)
def test_a_full_disk_stops_what_is_not_recorded_and_no_more(tmp_path: Path, when: str):
    """Nothing starts without its record; what ran is kept in memory; later cells run."""
    point, name, values = FULL[when]
    with Kernel(tmp_path, env={"NBDURABLE_KILLPOINTS": point}) as kernel:
        kernel.run("import nbdurable as nd\n@nd.tool\ndef pay(x):\n    return x")
        ran = kernel.run("%%durable\nmany = list(range(1000))\npaid = pay(3)")
        assert ran.reply.get("ename", "") == name, ran.text
        if not name:
            assert "not kept" in ran.text
        look = "(len(globals().get('many', ())), globals().get('paid'))"
        assert values in kernel.run(look).text
        assert kernel.run("%%durable\nlater = 1").ok


def _contents(place: Path) -> dict[str, bytes]:
    if place.is_file():
        return {"": place.read_bytes()}
    files = (f for f in place.rglob("*") if f.is_file())
    return {str(f.relative_to(place)): f.read_bytes() for f in files}
