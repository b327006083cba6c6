"""Disks that fail under a kernel: nothing starts without its record, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


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
    "at its random state": ("record.written#3=error:ENOSPC", "StoreFull", "(0, None)"),
    "at what it is given": ("record.written#4=error:ENOSPC", "", "(1000, 3)"),
    "before a call": ("record.written#5=error:ENOSPC", "StoreFull", "(1000, None)"),
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
