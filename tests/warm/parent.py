"""A process that has imported what a kernel imports, and forks kernels when asked.

Run as a script with the number of a socket's file descriptor. A request is a packet of
JSON with the descriptors of the kernel's stdout and stderr beside it; the answer is a
packet of JSON. It ends when the other side of the socket is closed.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

PACKET_BYTES = 1 << 17
"""More than a kernel's arguments and environment take."""


def serve(channel: socket.socket) -> dict[str, Any] | None:
    """Fork and reap as asked; gives in each child the kernel it is to be."""
    while True:
        raw, descriptors, _, _ = socket.recv_fds(channel, PACKET_BYTES, 2)
        if not raw:
            return None
        asked = json.loads(raw)
        if "pid" in asked:
            answer = reaped(asked["pid"])
        elif (child := os.fork()) == 0:
            channel.close()
            return {**asked, "descriptors": descriptors}
        else:
            answer = {"pid": child}
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(json.dumps(answer).encode())


def reaped(pid: int) -> dict[str, int | None]:
    """The exit code of a child, as subprocess gives it; none while it lives."""
    done, status = os.waitpid(pid, os.WNOHANG)
    return {"code": os.waitstatus_to_exitcode(status) if done else None}


def become(kernel: dict[str, Any]) -> None:
    """Be what a process is that was started for a kernel."""
    os.setsid()
    stdin = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in enumerate([stdin, *kernel["descriptors"]]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(kernel["cwd"])
    os.environ.clear()
    # A kernel ends when the parent that it is told of has ended: that is this process.
    os.environ.update(kernel["env"], JPY_PARENT_PID=str(os.getppid()))
    sys.argv = [sys.argv[0], *kernel["arguments"]]


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    import ipykernel.ipkernel
    import ipykernel.kernelapp

    asked = serve(socket.socket(fileno=int(sys.argv[1])))
    if asked is not None:
        become(asked)
        ipykernel.kernelapp.launch_new_instance()
