"""A server in a process of its own, which never outlives whoever started it.

It ends when its standard input closes (asked for with ``--until-stdin-closes``, as
`start` does: the pipe closes even if the parent is killed), when its parent is gone,
or when nobody used it for ``--idle-s`` seconds.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from nbdurable.testing.loopback import LoopbackServer, Respond
from nbdurable_store.clock import SYSTEM_CLOCK

IDLE_S = 1800.0
"""Half an hour: longer than any test, shorter than a forgotten evening."""
WATCH_S = 0.5
"""How often a server looks whether its parent still lives."""
IN_USE = (
    "This port is in use, perhaps by another `make lab` or model server on this machine.\n"
    "End that one, or let this one find a free port with --port 0."
)

STOP_S = 10.0
"""A server has this long to end after its input closed."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""No proxy stands between two processes of one machine."""


def call(url: str, body: object = None, *, timeout_s: float = 60.0) -> object:
    """GET, or POST a JSON body, on the loopback address; gives the JSON answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})  # noqa: S310  # our own loopback URL
    with _DIRECT.open(request, timeout=timeout_s) as answer:
        return json.load(answer)


def options(prog: str, about: str) -> argparse.ArgumentParser:
    """The options that every server has."""
    parser = argparse.ArgumentParser(prog=f"python -m {prog}", description=about)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--log", type=Path, required=True, help="the account, a file")
    parser.add_argument("--idle-s", type=float, default=IDLE_S, help="end when unused")
    parser.add_argument("--until-stdin-closes", action="store_true")
    return parser


def serve(args: argparse.Namespace, respond: Respond) -> None:
    """Serve until there is a reason to end; prints the URL first."""
    ended = threading.Event()
    if args.until_stdin_closes:
        threading.Thread(target=_until_eof, args=(ended,), daemon=True).start()
    parent = os.getppid()
    with LoopbackServer(args.log, respond, port=args.port) as server:
        print(server.url, flush=True)  # its output
        while not SYSTEM_CLOCK.wait(ended, WATCH_S):
            idle_s = SYSTEM_CLOCK.monotonic_s() - server.busy_until_s
            if os.getppid() != parent or idle_s > args.idle_s:
                break


def run(main: Callable[[], None]) -> None:
    """Run a server's main function; Ctrl-C is a normal end, a port in use no defect."""
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(IN_USE)


def _until_eof(ended: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    ended.set()


@dataclass(slots=True)
class Running:
    """A server process; a context manager that ends it.

    Attributes:
        url: Its address.
        log: Its account.
        process: The process.
    """

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def rule(self, **rule: object) -> None:
        """Add a rule, see `nbdurable.testing.rules.Rule`."""
        call(f"{self.url}/control", rule)

    def wait_held(self, timeout_s: float = 30.0) -> list[int]:
        """Wait until a request is held; their numbers, empty after the timeout."""
        held = self._wait("held", timeout_s)
        assert isinstance(held, list)
        return held

    def wait_quiet(self, timeout_s: float = 30.0) -> bool:
        """Wait until nobody is connected, so that all that was sent is counted."""
        return bool(self._wait("quiet", timeout_s))

    def _wait(self, what: str, timeout_s: float) -> object:
        url = f"{self.url}/control/{what}?timeout_s={timeout_s}"
        answer = call(url, timeout_s=timeout_s + STOP_S)
        assert isinstance(answer, dict)
        return answer[what]

    def release(self) -> None:
        """Let held requests go on."""
        self.rule(release=True)

    def clear(self) -> None:
        """Forget all rules and let held requests go on."""
        self.rule(clear=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        assert self.process.stdin  # we made the pipes
        assert self.process.stdout
        self.process.stdin.close()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def start(module: str, log: Path, *more: str) -> Running:
    """Start a server of this package as a process and wait for its address.

    Args:
        module: ``nbdurable.testing.model_server`` or ``nbdurable.testing.effects``.
        log: Its account.
        more: Further options.
    """
    command = [sys.executable, "-m", module, "--log", str(log), "--until-stdin-closes"]
    process = subprocess.Popen(  # noqa: S603  # our own modules
        [*command, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout  # asked for above
    url = process.stdout.readline().decode().strip()
    if not url:
        raise RuntimeError(f"{module} ended with {process.wait()} before it served")
    return Running(url, log, process)
