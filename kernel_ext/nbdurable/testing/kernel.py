r"""A real Jupyter kernel that a test drives, interrupts and kills.

The kernel runs in a process of its own, with its own IPython profile, and finds this
nbdurable; what it writes to its real stdout and stderr goes to ``.kernel/log.txt`` in
its folder. Every wait has a deadline; the kernel ends with the ``with`` block, and by
itself when the process that started it ends.

Example:
    >>> with Kernel(folder) as kernel:                               # doctest: +SKIP
    ...     kernel.run("%%durable\nx = pay('ann', 3)")
    ...     kernel.kill()
    ...     kernel.restart()
    ...     print(kernel.run("%%durable\nx = pay('ann', 3)").text)
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeVar

import nbdurable
import nbdurable_store
from nbdurable.testing.ran import OUTPUTS, Ran
from nbdurable_store.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jupyter_client.blocking.client import BlockingKernelClient
    from jupyter_client.manager import KernelManager

T = TypeVar("T")

START_S_MAX = 90.0
"""A kernel start takes 1 s; on a crowded machine up to 20 s were seen."""

RUN_S = 60.0
"""How long a cell may take when the test doesn't say."""

PORT_TAKEN = "Address already in use"
"""What a kernel says that ends because somebody has one of its ports."""

SLICE_S = 0.25
"""How often a wait looks whether the kernel still lives."""


class KernelDiedError(RuntimeError):
    """The kernel's process ended while something was awaited from it."""


class Kernel:
    """One kernel process at a time, in a folder.

    Args:
        folder: Its working directory; profile and connection file go to
            ``folder/.kernel``.
        extension: Load nbdurable at the start, as an installed extension does; if
            false, also where it is installed the kernel starts without it.
        env: Variables to set, or with ``None`` to remove, on top of the caller's
            environment without its ``NBDURABLE_*``.
        arguments: More arguments of ``ipykernel_launcher``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        extension: bool = True,
        env: Mapping[str, str | None] | None = None,
        arguments: Iterable[str] = (),
    ) -> None:
        self.folder = Path(folder)
        self._home = self.folder / ".kernel"
        off = {} if extension else {nbdurable.AUTOLOAD: "0"}
        self._env = _environment(self._home, {**off, **(env or {})})
        self._arguments = [*(["--ext=nbdurable"] if extension else []), *arguments]
        self._manager: KernelManager | None = None
        self._client: BlockingKernelClient | None = None
        self._log: BinaryIO | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id of the living or last kernel."""
        return int(getattr(self.manager.provisioner, "pid", 0))

    @property
    def log(self) -> str:
        """What the kernel's process wrote to its real stdout and stderr."""
        place = self._home / "log.txt"
        return place.read_text(errors="replace") if place.exists() else ""

    @property
    def manager(self) -> KernelManager:
        """The jupyter_client manager of the started kernel."""
        return _started(self._manager)

    @property
    def client(self) -> BlockingKernelClient:
        """The jupyter_client client of the started kernel."""
        return _started(self._client)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._manager is not None and self._manager.is_alive()

    def start(self) -> None:
        """Start a kernel and wait until it answers."""
        for last in (False, False, True):
            try:
                self._start()
            except KernelDiedError as error:
                # Its ports were chosen before it binds them: somebody may be quicker.
                if last or PORT_TAKEN not in str(error):
                    raise
            else:
                return

    def _start(self) -> None:
        from jupyter_client.manager import KernelManager

        self._home.mkdir(parents=True, exist_ok=True)
        self._manager = KernelManager(connection_file=str(self._home / "kernel.json"))
        self._log = (self._home / "log.txt").open("ab")
        self._manager.start_kernel(
            extra_arguments=self._arguments,
            cwd=str(self.folder),
            env=self._env,
            stdout=self._log,
            stderr=self._log,
        )
        self._connect()

    def send(self, code: str, *, metadata: Mapping[str, Any] | None = None) -> Ran:
        """Send a cell and return at once; `wait` or `wait_for` collects what comes.

        Args:
            code: The cell.
            metadata: The request's metadata, such as ``{"cellId": …, "tags": […]}``.
        """
        session, channel = self.client.session, self.client.shell_channel
        request = session.msg(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": True,
            },
            metadata=dict(metadata or {}),
        )
        channel.send(request)
        return Ran(request["header"]["msg_id"])

    def run(
        self,
        code: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        timeout_s: float = RUN_S,
    ) -> Ran:
        """Run a cell to its end.

        Raises:
            TimeoutError: It took longer; the kernel was killed.
            KernelDiedError: The kernel ended in the middle.
        """
        return self.wait(self.send(code, metadata=metadata), timeout_s=timeout_s)

    def wait(self, ran: Ran, *, timeout_s: float = RUN_S) -> Ran:
        """Collect until the cell has ended; raises as `run` does."""
        return self.wait_for(ran, lambda: ran.done, timeout_s=timeout_s)

    def wait_for(
        self, ran: Ran, condition: Callable[[], bool], *, timeout_s: float = RUN_S
    ) -> Ran:
        """Collect until a condition holds or the cell has ended; raises as `run`."""
        deadline = SYSTEM_CLOCK.monotonic_s() + timeout_s
        while not (condition() or ran.done):
            if SYSTEM_CLOCK.monotonic_s() > deadline:
                self.kill()
                told = f"still running after {timeout_s} s; so far: {ran.text[-2000:]}"
                raise TimeoutError(told)
            if not self._receive(ran) and not self.alive:
                raise KernelDiedError(ran.text[-2000:])
        return ran

    def complete(self, code: str, *, timeout_s: float = RUN_S) -> list[str]:
        """What the kernel offers at the end of a code, as the tab key asks for it.

        Raises:
            TimeoutError: No answer came.
        """
        request = self.client.complete(code)
        deadline = SYSTEM_CLOCK.monotonic_s() + timeout_s
        while SYSTEM_CLOCK.monotonic_s() < deadline:
            with contextlib.suppress(Empty):
                reply = self.client.get_shell_msg(timeout=SLICE_S)
                if reply["parent_header"].get("msg_id") == request:
                    matches: list[str] = reply["content"]["matches"]
                    return matches
        raise TimeoutError(f"nothing offered after {timeout_s} s: {code}")

    def wait_after(
        self, ran: Ran, condition: Callable[[], bool], *, timeout_s: float = RUN_S
    ) -> Ran:
        """Collect what a cell that has ended still shows, until a condition holds.

        Raises:
            TimeoutError: It took longer.
        """
        deadline = SYSTEM_CLOCK.monotonic_s() + timeout_s
        while not condition():
            if SYSTEM_CLOCK.monotonic_s() > deadline:
                raise TimeoutError(ran.text[-2000:])
            with contextlib.suppress(Empty):
                message = self.client.get_iopub_msg(timeout=SLICE_S)
                if message["parent_header"].get("msg_id") == ran.id:
                    _note(ran, message)
        return ran

    def interrupt(self) -> None:
        """Send SIGINT, as the stop button does."""
        self.manager.interrupt_kernel()

    def shutdown(self) -> None:
        """End the kernel as a front end does: it may finish what it has to."""
        self.manager.shutdown_kernel(now=False)
        self._disconnect()

    def kill(self) -> None:
        """End the process with SIGKILL and wait until it is gone."""
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
        self._await_end()

    def restart(self) -> None:
        """Kill the process if it lives and start a new one with the same kernel id."""
        self._disconnect()
        self.manager.restart_kernel(now=True)
        self._connect()

    def stop(self) -> None:
        """End the process at once and free the sockets. Idempotent."""
        self._disconnect()
        if self._manager is not None:
            self.kill()
            self._manager.shutdown_kernel(now=True)
            self._manager.cleanup_resources()
            self._manager = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def _connect(self) -> None:
        self._client = self.manager.client()
        self._client.start_channels()
        deadline = SYSTEM_CLOCK.monotonic_s() + START_S_MAX
        while not self._answers():
            late = SYSTEM_CLOCK.monotonic_s() > deadline
            if late or not self.alive:
                self.stop()
                raise KernelDiedError(self.log[-2000:])

    def _answers(self) -> bool:
        """Ask once; its answer may come before the outputs' channel is connected.

        `wait_for_ready` of jupyter_client waits 0.2 s more for outputs of others, which
        `run` passes over.
        """
        self.client.kernel_info()
        with contextlib.suppress(Empty):
            self.client.get_shell_msg(timeout=SLICE_S)
            self.client.get_iopub_msg(timeout=SLICE_S)
            return True
        return False

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.stop_channels()
            self._client = None

    def _await_end(self) -> None:
        deadline = SYSTEM_CLOCK.monotonic_s() + START_S_MAX
        while self.alive:
            if SYSTEM_CLOCK.monotonic_s() > deadline:
                raise TimeoutError(self.pid, "survives SIGKILL")
            SYSTEM_CLOCK.sleep(SLICE_S / 10)

    def _receive(self, ran: Ran) -> bool:
        """Take one message of either channel; false if none came within a slice."""
        if ran.idle:
            return self._receive_reply(ran)
        try:
            message = self.client.get_iopub_msg(timeout=SLICE_S)
        except Empty:
            return False
        if message["parent_header"].get("msg_id") == ran.id:
            _note(ran, message)
        return True

    def _receive_reply(self, ran: Ran) -> bool:
        try:
            message = self.client.get_shell_msg(timeout=SLICE_S)
        except Empty:
            return False
        if message["parent_header"].get("msg_id") == ran.id:
            ran.reply = message["content"]
        return True


def _started(part: T | None) -> T:
    if part is None:
        raise RuntimeError("the kernel was not started")
    return part


def _note(ran: Ran, message: dict[str, Any]) -> None:
    if message["msg_type"] in OUTPUTS:
        ran.messages.append(message)
    elif message["msg_type"] == "status":
        ran.idle = message["content"]["execution_state"] == "idle"


def _environment(home: Path, changes: Mapping[str, str | None]) -> dict[str, str]:
    """The caller's environment with our packages found and nobody's profile."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("NBDURABLE_")}
    places = [
        str(Path(m.__file__ or "").parents[1]) for m in (nbdurable, nbdurable_store)
    ]
    env["PYTHONPATH"] = os.pathsep.join([*places, env.get("PYTHONPATH", "")]).strip(":")
    env |= {
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    for name, value in changes.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return env
