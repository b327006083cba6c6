"""Kernels that the tests fork are what started kernels are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nbdurable.testing.kernel import Kernel
from tests.warm.kernels import IMPORTED

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="kernels fork on Linux"),
]

LOOK = """\
import os, signal, sys
told = {
    "modules": {name for name in sys.modules if not name.startswith("_")},
    "arguments": [arg for arg in sys.argv[1:] if not arg.endswith(".json")],
    "environment": {k: v for k, v in os.environ.items() if k != "JPY_PARENT_PID"},
    "path": sys.path,
    "leads a session": os.getsid(0) == os.getpid(),
    "ends with": int(os.environ["JPY_PARENT_PID"]) == os.getppid(),
    "on interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "folder": os.getcwd(),
    "open": sorted(os.listdir("/proc/self/fd"))[:3],
}
print(told)"""
SEED = "print(hash('seed'))"


@pytest.mark.parametrize("extension", [True, False])
def test_a_forked_kernel_is_a_started_one(tmp_path: Path, *, extension: bool) -> None:
    """Modules, arguments, environment, session and folder are those of a started one."""
    told = []
    for env in ({}, {"PYTHONHASHSEED": "random"}):
        with Kernel(tmp_path, extension=extension, env=env) as kernel:
            seen = eval(kernel.run(LOOK).text)
        seen["environment"].pop("PYTHONHASHSEED", None)
        told.append(seen)
    of_the_command = {"runpy"}  # what `python -m` is made of
    assert told[0].pop("modules") == told[1].pop("modules") - of_the_command
    assert told[0] == told[1]


def test_a_kernel_may_have_imported_more(tmp_path: Path) -> None:
    """Who asks for it has it at the start, is told nothing of it, and others don't."""
    seen = []
    for env in ({}, {IMPORTED: "colorsys wave"}):
        with Kernel(tmp_path, env=env) as kernel:
            seen.append(eval(kernel.run(LOOK).text))
    plain, more = seen
    assert more.pop("modules") - plain.pop("modules") == {"colorsys", "wave"}
    assert more == plain


def test_a_restarted_kernel_has_another_hash_seed(tmp_path: Path) -> None:
    """Kernels one after the other differ in the hashes of strings, as they do for users."""
    with Kernel(tmp_path) as kernel:
        before = kernel.run(SEED).text
        kernel.restart()
        assert kernel.run(SEED).text != before


def test_its_exit_is_seen(kernel: Kernel) -> None:
    """That a cell ends the process is seen, with its exit code."""
    kernel.send("import os; os._exit(7)")
    process = kernel.manager.provisioner.process
    assert process.wait(30) == 7
    assert not kernel.alive
