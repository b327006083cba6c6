"""Start the servers of tests by a fork, which takes a fifth of the CPU.

A process that has imported JupyterLab forks them. Each server has processes of its own
that fork its kernels, so that they end with it however it ends.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.warm.kernels import TURNS, Forked, Parent, parent


@functools.cache
def _parent() -> Parent:
    """The process that forks servers; started once."""
    return Parent.start("server", os.environ)


def launch(
    arguments: Sequence[str], cwd: Path, env: Mapping[str, str], log: int
) -> Forked | subprocess.Popen[bytes]:
    """Start JupyterLab.

    Args:
        arguments: What it is told.
        cwd: Where it runs.
        env: Its environment.
        log: The file descriptor that it writes to.
    """
    if sys.platform != "linux":
        command = [sys.executable, "-m", "jupyterlab", *arguments]
        return subprocess.Popen(command, cwd=cwd, env=env, stdout=log, stderr=log)
    with ExitStack() as open_here:
        forks = [open_here.enter_context(parent(n, env).branch()) for n in TURNS]
        given = [log, log, *(fork.fileno() for fork in forks)]
        return _parent().fork(arguments, cwd, env, *given)
