"""A process that has imported what a kernel or a server imports, and forks them.

Run as a script with the number of a socket's file descriptor and the name of the program.
A request is a packet of JSON with file descriptors beside it; the answer is a packet of
JSON. Who asks for a program sends its stdout, its stderr, and whatever else it is to have.
Who asks for a branch sends a socket: a fork of this process serves it. Each ends when the
other side of its socket is closed.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKET_BYTES = 1 << 17
"""More than a program's arguments and environment take."""

DESCRIPTORS_MAX = 8

IMPORTED = "WARM_IMPORTED"
"""A variable of a kernel: what it has imported when it starts beside what every kernel
has, as names of modules with spaces between them."""


def serve(channel: socket.socket) -> dict[str, Any] | None:
    """Fork and reap as asked; gives in each child the program it is to be."""
    while True:
        raw, descriptors, _, _ = socket.recv_fds(channel, PACKET_BYTES, DESCRIPTORS_MAX)
        if not raw:
            return None
        asked = json.loads(raw)
        if "pid" in asked:
            answer = reaped(asked["pid"])
        elif (child := os.fork()) == 0:
            channel.close()
            if "branch" not in asked:
                return {**asked, "descriptors": descriptors}
            channel = socket.socket(fileno=descriptors[0])
            continue
        else:
            answer = {"pid": child}
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(json.dumps(answer).encode())


def reaped(pid: int) -> dict[str, int | None]:
    """The exit code of a child, as subprocess gives it; none while it lives."""
    done, status = os.waitpid(pid, os.WNOHANG)
    return {"code": os.waitstatus_to_exitcode(status) if done else None}


def become(program: dict[str, Any]) -> list[int]:
    """Be what a process is that was started for a program; gives what else it has."""
    os.setsid()
    stdin = os.open(os.devnull, os.O_RDONLY)
    stdout, stderr, *more = program["descriptors"]
    for number, descriptor in enumerate([stdin, stdout, stderr]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(program["cwd"])
    os.environ.clear()
    os.environ.update(program["env"])
    sys.argv = [sys.argv[0], *program["arguments"]]
    return more


def kernel() -> Callable[[list[int]], None]:
    """Import what every kernel imports, and what is asked for; gives what runs one."""
    before = dict(os.environ)
    import ipykernel.debugger
    import ipykernel.ipkernel
    import ipykernel.kernelapp

    added = {k: v for k, v in os.environ.items() if before.get(k) != v}

    for name in os.environ.get(IMPORTED, "").split():
        importlib.import_module(name)

    def run(_: list[int]) -> None:
        # It ends when this parent has ended; the variable is read by the import above.
        os.environ.update(added, JPY_PARENT_PID=str(os.getppid()))
        ipykernel.kernelapp.launch_new_instance(parent_handle=os.getppid())

    return run


def server() -> Callable[[list[int]], None]:
    """Import what JupyterLab's server imports, with its extensions; gives what runs one.

    Not the grammars of addresses in letters of any script, which take as long as all else:
    no event of a server has one.
    """
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # as documented
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import jupyterlab.labapp
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.extension.config import ExtensionConfigManager

    import nbdurable.server.route  # noqa: F401  # a server imports it when it starts
    from tests.warm import kernels

    known = ExtensionConfigManager(read_config_path=jupyter_config_path())
    for name, enabled in known.get_jpserver_extensions().items():
        if enabled:
            importlib.import_module(name)
    del sys.path[0]

    def run(given: list[int]) -> None:
        kernels.use([socket.socket(fileno=descriptor) for descriptor in given])
        jupyterlab.labapp.main()

    return run


PROGRAMS = {"kernel": kernel, "server": server}

if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    run = PROGRAMS[sys.argv[2]]()
    # A fork takes one thread along, and whatever lock another one held.
    assert len([*Path("/proc/self/task").iterdir()]) == 1
    asked = serve(socket.socket(fileno=int(sys.argv[1])))
    if asked is not None:
        run(become(asked))
