"""Turn durable cells on in an IPython, and off again without a trace."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbdurable.kernel import capture, magics, transform
from nbdurable.kernel.completion import Completion
from nbdurable.kernel.execution import Parts
from nbdurable.kernel.port import Port
from nbdurable.kernel.runner import Runner
from nbdurable.kernel.sidebar import Sidebar
from nbdurable.kernel.tracebacks import Tracebacks

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbdurable.engine.steps.session import Session

FROZEN = "NBDURABLE_FROZEN"
"""Set, the kernel makes no call from its start: what isn't recorded is refused."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What was put into a shell."""

    shell: InteractiveShell
    port: Port
    parts: Parts
    runner: Runner
    completion: Completion
    sidebar: Sidebar


_installed: list[Installed] = []
"""At most one: a process has one IPython, and one session with its store."""


def load(shell: InteractiveShell) -> None:
    """Turn durable cells on. Idempotent; nothing is opened or created on disk."""
    if _installed:
        return
    port = Port(shell, _switch, _on)
    tracebacks = Tracebacks(shell, port.kept)
    parts = Parts(engine=port, tap=capture.tap(shell), tracebacks=tracebacks)
    runner = Runner(shell, parts)
    # before IPython's own cell_magic, which would take the whole cell as an argument
    shell.input_transformer_manager.line_transforms.insert(0, transform.as_comment)
    magics.install(shell, attach)
    completion = Completion(shell, port.run)
    sidebar = Sidebar(shell, port)
    _installed.append(Installed(shell, port, parts, runner, completion, sidebar))
    if "nbdurable.api" in sys.modules:  # its functions were in use before
        attach()
    if os.environ.get(FROZEN, "0") not in {"", "0"}:
        from nbdurable import api

        api.frozen()


def unload(_shell: object) -> None:
    """Put everything back as it was. Idempotent."""
    while _installed:
        was = _installed.pop()
        transforms = was.shell.input_transformer_manager.line_transforms
        if transform.as_comment in transforms:
            transforms.remove(transform.as_comment)
        magics.uninstall(was.shell)
        was.sidebar.close()
        was.completion.close()
        was.runner.close()
        was.parts.tracebacks.close()
        was.parts.tap.close()
        was.port.close()


def attach() -> None:
    """Let the functions of `nbdurable.api` act on this shell, if there is one."""
    for here in _installed:
        _ = here.port.session


def sessions() -> list[Session]:
    """The session of this process, if a shell has one."""
    return [here.port.session for here in _installed]


def _on() -> bool:
    return all(here.runner.on for here in _installed)


def _switch(on: bool) -> None:  # noqa: FBT001  # the shape that api.Front wants
    for here in _installed:
        here.runner.on = on
