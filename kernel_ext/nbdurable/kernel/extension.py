"""Turn durable cells on in an IPython, and off again without a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbdurable.kernel import capture, magics, transform
from nbdurable.kernel.execution import Parts
from nbdurable.kernel.runner import Runner
from nbdurable.kernel.seam import Engine
from nbdurable.kernel.tracebacks import Tracebacks

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@dataclass(frozen=True, slots=True)
class Installed:
    """What was put into a shell."""

    shell: InteractiveShell
    engine: Engine
    tap: capture.Tap
    tracebacks: Tracebacks
    runner: Runner


_installed: list[Installed] = []
"""At most one: a process has one IPython, and one session with its store."""


def load(shell: InteractiveShell, engine: Engine) -> None:
    """Turn durable cells on. Idempotent; nothing is opened or created on disk."""
    if _installed:
        return
    tap = capture.tap(shell)
    tracebacks = Tracebacks(shell, engine.kept)
    runner = Runner(shell, Parts(engine=engine, tap=tap, tracebacks=tracebacks))
    # before IPython's own cell_magic, which would take the whole cell as an argument
    shell.input_transformer_manager.line_transforms.insert(0, transform.as_comment)
    magics.install(shell)
    _installed.append(Installed(shell, engine, tap, tracebacks, runner))


def unload(_shell: object) -> None:
    """Put everything back as it was. Idempotent."""
    while _installed:
        was = _installed.pop()
        transforms = was.shell.input_transformer_manager.line_transforms
        if transform.as_comment in transforms:
            transforms.remove(transform.as_comment)
        magics.uninstall(was.shell)
        was.runner.close()
        was.tracebacks.close()
        was.tap.close()
        was.engine.close()
