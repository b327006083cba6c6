"""Start the kernels of tests by a fork, which takes a third of the CPU.

Half of a kernel's start are the imports of ipykernel. `use` makes jupyter_client fork
kernels of this Python from a process that has done them and knows nothing of nbdurable;
one for which a hash seed is given starts as always. Two such processes take turns, so that
a restarted kernel has another hash seed, as it has for users.

`IMPORTED` is for tests whose kernels all import what takes seconds, and that are about
something else; some kernel always has to import the same in its cell, as a user's does.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from tests.warm.parent import IMPORTED, PACKET_BYTES

LAUNCHER = [sys.executable, "-m", "ipykernel_launcher"]
NAME = "warm"
EARLY = ("PYTHON", "LC_", "LANG", "LD_", IMPORTED)
"""How the names of variables begin that a process reads at its start."""

STREAMS = ((1, "stdout"), (2, "stderr"))
"""What a kernel writes to: without others, what the process does that starts it."""

TURNS = (0, 1)
TURN = itertools.cycle(TURNS)

Early = tuple[tuple[str, str], ...]


class Parent:
    """The other side of a running `tests.warm.parent`."""

    def __init__(self, channel: socket.socket) -> None:
        self._lock = threading.Lock()
        self._channel = channel

    @classmethod
    def start(cls, program: str, env: Mapping[str, str]) -> Parent:
        """Start one for kernels or for servers; it ends with this process."""
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        script = Path(__file__).with_name("parent.py")
        with theirs:
            process = subprocess.Popen(
                [sys.executable, str(script), str(theirs.fileno()), program],
                env={**env, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},  # else it warns
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        atexit.register(process.wait, 30)
        atexit.register(ours.close)  # what it forked follows it within a second
        return cls(ours)

    def branch(self) -> socket.socket:
        """The channel of a fork of the process, for another process to ask."""
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            self.ask({"branch": True}, theirs.fileno())
        return ours

    def fork(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], *given: int
    ) -> Forked:
        """Fork a program, with the file descriptors of its stdout, its stderr and more."""
        asked = {"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}
        return Forked(self, self.ask(asked, *given)["pid"])

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


PARENTS: dict[tuple[int, Early], Parent] = {}
"""The processes that fork kernels, by their turns and their early variables."""


def early(env: Mapping[str, str]) -> Early:
    """The variables that a process reads at its start."""
    return tuple((k, v) for k, v in sorted(env.items()) if k.startswith(EARLY))


def parent(turn: int, env: Mapping[str, str]) -> Parent:
    """The process that forks kernels with this environment; started once."""
    key = turn, early(env)
    if key not in PARENTS:
        PARENTS[key] = Parent.start("kernel", {**os.environ, **dict(key[1])})
    return PARENTS[key]


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
            done, _, _ = select.select([ended], [], [], timeout)
            os.close(ended)
            if not done:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
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
        said = [more.get(name) or number for number, name in STREAMS]
        files = [each if isinstance(each, int) else each.fileno() for each in said]
        self.cwd = more.get("cwd") or Path.cwd()
        made_by = parent(next(TURN), env)
        env = {name: value for name, value in env.items() if name != IMPORTED}
        self.process = made_by.fork(cmd[3:], self.cwd, env, *files)
        self.pid = self.pgid = self.process.pid
        return self.connection_info


def use(given: Sequence[socket.socket] = ()) -> None:
    """Fork kernels from now on in this process; on Linux, which can.

    Args:
        given: Channels of processes that fork kernels with the environment of this one.
    """
    if sys.platform == "linux":
        for turn, channel in enumerate(given):
            PARENTS[turn, early(os.environ)] = Parent(channel)
        factory = KernelProvisionerFactory.instance()
        factory.provisioners[NAME] = EntryPoint(
            NAME, f"{__name__}:Warm", factory.GROUP_NAME
        )
        factory.default_provisioner_name = NAME
