"""Keeps what plain cells made, at the moment a durable cell is given it.

Imports, functions and classes of the notebook, and every value that the step reads: a
restore after a restart finds them although no durable cell made them. What is kept
already with an equal digest is not stored again, and chunks are shared anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nbdurable.engine.calls.home import Home
from nbdurable.engine.identity.codes import is_shell_name
from nbdurable.engine.identity.inputs import Inputs
from nbdurable.engine.steps.beside import with_aliases
from nbdurable.engine.steps.kept_now import Keeping, is_code
from nbdurable.engine.steps.snapshot import take
from nbdurable.engine.telling.wording import both
from nbdurable.engine.where.moments import size
from nbdurable_store.errors import DurableError
from nbdurable_store.records import Kind

if TYPE_CHECKING:
    from nbdurable.engine.calls.attempt import Attempt

NOTEBOOK = "__main__"

ANNOUNCED_BYTES_MIN = 200_000_000
"""Storing more takes longer than people wait without wondering: half a second."""


def keep_given(
    attempt: Attempt,
    known: Keeping,
    inputs: Inputs,
    namespace: Mapping[str, object],
    hidden: Collection[str],
) -> None:
    """Store what a step is given, as far as the run doesn't keep it yet."""
    home = attempt.home
    mine = {
        name: value
        for name, value in list(namespace.items())
        if name not in hidden and not is_shell_name(name)
    }
    digests = {**inputs.digests, **inputs.reached}
    values = _definitions(known, mine) | _inputs(known, mine, digests)
    values = with_aliases(known, mine, values)
    modules = {n: v.__name__ for n, v in mine.items() if isinstance(v, ModuleType)}
    modules = {n: m for n, m in modules.items() if known.modules.get(n) != m}
    if not (values or modules):
        return
    _announce(home, values)
    taken = take(values, home.store.put, secrets=home.secrets)
    groups = known.new(taken.groups)
    fields = {
        "names": [list(group.names) for group in groups],
        "modules": modules,
        "unsaved": taken.unstorable,
    }
    refs = tuple(group.ref for group in groups)
    record = attempt.record(Kind.STEP_GIVEN, attempt.step.id, b"", fields, refs)
    try:
        if groups or modules or taken.unstorable:
            home.append((record,), sync=False)
    except (DurableError, OSError) as unwritten:
        told = unwritten.fact() if isinstance(unwritten, DurableError) else unwritten
        home.tell_once(f"what plain cells made is not kept: {told}")
        return
    known.modules |= modules
    for name in values:  # one that is kept beside them may be another value by now
        known.digests.pop(name, None)
    known.digests |= {n: d for n in values if (d := digests.get(n)) is not None}
    known.code |= {n: v for n, v in values.items() if is_code(v) or not digests.get(n)}
    known.blobs |= {n: (g.ref.id, g.names) for g in groups for n in g.names}


def _announce(home: Home, values: Mapping[str, object]) -> None:
    """Say what takes a while: the cell has not begun yet."""
    sizes = {name: _bytes(value) for name, value in values.items()}
    big = {name: n for name, n in sizes.items() if n >= ANNOUNCED_BYTES_MIN}
    if big:
        told = both([f"{name} ({size(n)})" for name, n in big.items()])
        home.tell_once(f"keeping {told} for a restore, once")


def _bytes(value: Any) -> int:
    """How large an array or frame is, in bytes; 0 for anything else."""
    try:
        if hasattr(value, "memory_usage"):
            return int(value.memory_usage().sum())
        return int(getattr(value, "nbytes", 0))
    except Exception:  # noqa: BLE001  # somebody else's attribute of that name
        return 0


def _definitions(known: Keeping, mine: Mapping[str, object]) -> dict[str, object]:
    """Functions and classes of the notebook that are new or defined anew."""
    return {
        name: value
        for name, value in mine.items()
        if is_code(value)
        and value.__module__ == NOTEBOOK
        and known.code.get(name) is not value
    }


def _inputs(
    known: Keeping, mine: Mapping[str, object], digests: Mapping[str, bytes | None]
) -> dict[str, object]:
    """Values that the step reads and that are not kept as they are now."""
    found = dict[str, object]()
    for name, digest in digests.items():
        value = mine.get(name)
        if name not in mine or isinstance(value, ModuleType):
            continue
        if is_code(value):
            kept = value.__module__ == NOTEBOOK or known.code.get(name) is value
        elif digest is None:
            kept = known.code.get(name) is value
        else:
            kept = known.digests.get(name) == digest
        if not kept:
            found[name] = value
    return found
