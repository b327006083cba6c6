"""Durable cells for Jupyter: a restarted kernel replays what already happened.

In a running IPython, ``import nbdurable`` turns the extension on; elsewhere it does
nothing. Importing is light: every public name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbdurable import aio
    from nbdurable.api import (
        back,
        capture,
        capture_http,
        diff,
        fork,
        frozen,
        new,
        off,
        on,
        rebuild,
        rerun,
        resolve,
        restore,
        run,
        status,
        undo,
        why,
    )
    from nbdurable.engine.calls.checkpoints import checkpoint, last_checkpoint
    from nbdurable.engine.calls.draws import now, random, uuid4
    from nbdurable.engine.calls.idempotency import idempotency_key
    from nbdurable.engine.calls.nested import step
    from nbdurable.engine.calls.tool import tool
    from nbdurable.engine.fanout.failures import MapFailed
    from nbdurable.engine.fanout.mapping import map  # noqa: A004  # as `nd.map`
    from nbdurable.engine.past.retry import Retry
    from nbdurable.engine.values.registering import register_digest
    from nbdurable.engine.waits.blocking import (
        approve,
        ask,
        sleep,
        sleep_until,
        wait_for,
    )
    from nbdurable.engine.waits.webhooks import webhook
    from nbdurable.errors import DurableError, DurablePause, NotDone, TimedOut
    from nbdurable.kernel.widget import view
    from nbdurable.money import budget, forecast
    from nbdurable.replies import answer, inbox, send

__all__ = [
    "DurableError",
    "DurablePause",
    "MapFailed",
    "NotDone",
    "Retry",
    "TimedOut",
    "aio",
    "answer",
    "approve",
    "ask",
    "back",
    "budget",
    "capture",
    "capture_http",
    "checkpoint",
    "diff",
    "forecast",
    "fork",
    "frozen",
    "idempotency_key",
    "inbox",
    "last_checkpoint",
    "map",
    "new",
    "now",
    "off",
    "on",
    "random",
    "rebuild",
    "register_digest",
    "rerun",
    "resolve",
    "restore",
    "run",
    "send",
    "sleep",
    "sleep_until",
    "status",
    "step",
    "tool",
    "undo",
    "uuid4",
    "view",
    "wait_for",
    "webhook",
    "why",
]

AUTOLOAD = "NBDURABLE_AUTOLOAD"
"""Set to ``0``, the extension is on only after ``%load_ext nbdurable``."""

_PLACES = {
    "DurableError": "errors",
    "DurablePause": "errors",
    "MapFailed": "engine.fanout.failures",
    "NotDone": "errors",
    "Retry": "engine.past.retry",
    "TimedOut": "errors",
    "answer": "replies",
    "approve": "engine.waits.blocking",
    "ask": "engine.waits.blocking",
    "budget": "money",
    "checkpoint": "engine.calls.checkpoints",
    "inbox": "replies",
    "forecast": "money",
    "idempotency_key": "engine.calls.idempotency",
    "last_checkpoint": "engine.calls.checkpoints",
    "map": "engine.fanout.mapping",
    "now": "engine.calls.draws",
    "random": "engine.calls.draws",
    "register_digest": "engine.values.registering",
    "send": "replies",
    "sleep": "engine.waits.blocking",
    "sleep_until": "engine.waits.blocking",
    "step": "engine.calls.nested",
    "tool": "engine.calls.tool",
    "uuid4": "engine.calls.draws",
    "view": "kernel.widget",
    "wait_for": "engine.waits.blocking",
    "webhook": "engine.waits.webhooks",
}
"""Public names that are not in `nbdurable.api`, and their modules."""

_OF_A_SHELL = frozenset({"api", "kernel.widget", "money", "replies"})
"""Modules whose functions act on the run of this process."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "aio":
        return importlib.import_module("nbdurable.aio")
    module = _PLACES.get(name, "api")
    place = importlib.import_module(f"nbdurable.{module}")
    extension = sys.modules.get("nbdurable.kernel.extension")
    if extension is not None and module in _OF_A_SHELL:
        extension.attach()
    value = globals()[name] = getattr(place, name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """Turn durable cells on; `%load_ext nbdurable` calls it. Idempotent."""
    from nbdurable.kernel import extension

    extension.load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Put everything back as it was; `%unload_ext nbdurable` calls it."""
    from nbdurable.kernel import extension

    extension.unload(shell)


def _activate() -> None:
    """Load the extension into the IPython that imports this, if there is one."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    if get_ipython is None or os.environ.get(AUTOLOAD) == "0":
        return
    shell = get_ipython()
    if shell is not None:
        shell.extension_manager.load_extension(__name__)


_activate()
