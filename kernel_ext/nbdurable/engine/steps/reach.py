"""Which tools a cell can call, as far as its inputs and the notebook say.

A tool that was renamed stays in the kernel under its old name until that is deleted, so
what the notebook holds says nothing: what the cell's code reaches does. It doesn't reach
what is made while it runs, or what an object without a digest holds. Such a tool counts
as one that it can call while it lives, unless another one took its place. One that was
deleted goes on living until nothing refers to it; only such an object may hold it still.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping

from nbdurable.engine.calls.promised import Tool
from nbdurable.engine.calls.wrapping import living, tool_of
from nbdurable.engine.identity.inputs import Inputs
from nbdurable.engine.identity.variables import function_of


def gone_from(inputs: Inputs, namespace: Mapping[str, object]) -> Callable[[str], bool]:
    """Says of a tool's name whether a cell can't call such a tool any more.

    Args:
        inputs: What the cell reads.
        namespace: The variables of the notebook.
    """
    found = (tool_of(function) for function in inputs.tools)
    reached = {made.name for made in found if made is not None}

    def gone(name: str) -> bool:
        root = name.partition(".")[0]
        if name in reached or root in inputs.binds:
            return False
        held = bool(inputs.undigestible)
        if not held and root in namespace:
            return True
        alive = (made for made in living() if _lives(made, name, namespace))
        return not any(held or not _is_deleted(made) for made in alive)

    return gone


def together_in(namespace: Mapping[str, object]) -> Callable[[str, str], bool]:
    """Says of two tools' names whether one cell of the notebook defines both.

    Then neither is the other one's new name. Of tools of two cells nobody knows: the
    one may have been renamed since, and be left in the kernel.

    Args:
        namespace: The variables of the notebook.
    """

    @functools.cache
    def cell_of(name: str) -> str:
        for made in living():
            own = made.fn.__globals__ is namespace
            if (
                own
                and made.name == name
                and _at(made.fn.__qualname__, namespace) is made
            ):
                return made.fn.__code__.co_filename
        return ""

    def together(one: str, other: str) -> bool:
        return cell_of(one) != "" and cell_of(one) == cell_of(other)

    return together


def _lives(made: Tool, name: str, namespace: Mapping[str, object]) -> bool:
    if made.name != name:
        return False
    own = made.fn.__globals__
    home = str(own.get("__name__"))
    module = None if home == namespace.get("__name__") else sys.modules.get(home)
    if own is not namespace and (module is None or own is not vars(module)):
        return False  # of a kernel that was left
    standing = _at(made.fn.__qualname__, own)
    return standing is None or standing is made


def _is_deleted(made: Tool) -> bool:
    """Whether it was defined at a name, and nothing has that name any more."""
    root, *path = made.fn.__qualname__.split(".")
    return "<locals>" not in path and root not in made.fn.__globals__


def _at(qualified: str, namespace: Mapping[str, object]) -> Tool | None:
    """The tool that stands at this name by now."""
    root, *path = qualified.split(".")
    value = namespace.get(root)
    for name in path:
        value = vars(value).get(name) if issubclass(type(value), type) else None
    value = function_of(value)
    return tool_of(value) if callable(value) else None
