"""Start the kernels of tests by a fork, which takes a third of the CPU.

Half of a kernel's start are the imports of ipykernel. `use` makes jupyter_client fork
kernels of this Python from a process that has done them and knows nothing of nbdurable;
one for which a hash seed is given starts as always. Two such processes take turns, so that a restarted kernel has another hash
seed, as it has for users.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from tests.warm.parent import PACKET_BYTES

LAUNCHER = [sys.executable, "-m", "ipykernel_launcher"]
NAME = "warm"
EARLY = ("PYTHON", "LC_", "LANG", "LD_")
"""How the names of variables begin that a process reads at its start."""

TURN = itertools.cycle((0, 1))


class Parent:
    """A running `tests.warm.parent`."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        script = Path(__file__).with_name("parent.py")
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, str(script), str(theirs.fileno())],
                env=dict(env),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        atexit.register(self.close)

    def close(self) -> None:
        """End the process; its kernels follow it within a second."""
        self._channel.close()
        self.process.wait(30)

    def ask(self, asked: Mapping[str, Any], *descriptors: int) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises:
            RuntimeError: The process has ended.
        """
        with self._lock:
            socket.send_fds(self._channel, [json.dumps(asked).encode()], descriptors)
            answer = self._channel.recv(PACKET_BYTES)
        if not answer:
            raise RuntimeError("the process that forks kernels has ended")
        told: dict[str, Any] = json.loads(answer)
        return told


@functools.cache
def parent(_turn: int, early: tuple[tuple[str, str], ...]) -> Parent:
    """The process that forks kernels with these early variables; started once."""
    return Parent({**os.environ, **dict(early)})


class Forked:
    """A forked kernel, as jupyter_client wants to see a process."""

    stdin = stdout = stderr = None

    def __init__(self, made_by: Parent, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._made_by = made_by

    def poll(self) -> int | None:
        """The exit code; none while it lives."""
        if self.returncode is None:
            self.returncode = self._made_by.ask({"pid": self.pid})["code"]
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until it has ended; gives its exit code."""
        if self.poll() is None:
            ended = os.pidfd_open(self.pid)
            select.select([ended], [], [], timeout)
            os.close(ended)
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal, if it lives."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)


class Warm(LocalProvisioner):
    """Forks the kernels that may be forked."""

    async def launch_kernel(self, cmd: list[str], **more: Any) -> KernelConnectionInfo:
        """Launch a kernel."""
        env = more["env"]
        if cmd[:3] != LAUNCHER or "PYTHONHASHSEED" in env:
            return await super().launch_kernel(cmd, **more)
        early = tuple((k, v) for k, v in sorted(env.items()) if k.startswith(EARLY))
        made_by = parent(next(TURN), early)
        asked = {"arguments": cmd[3:], "cwd": str(more["cwd"]), "env": dict(env)}
        told = made_by.ask(asked, more["stdout"].fileno(), more["stderr"].fileno())
        self.process = Forked(made_by, told["pid"])
        self.pid = self.pgid = told["pid"]
        self.cwd = more["cwd"]
        return self.connection_info


def use() -> None:
    """Fork kernels from now on in this process; on Linux, which can."""
    if sys.platform == "linux":
        factory = KernelProvisionerFactory.instance()
        factory.provisioners[NAME] = EntryPoint(
            NAME, f"{__name__}:Warm", factory.GROUP_NAME
        )
        factory.default_provisioner_name = NAME
