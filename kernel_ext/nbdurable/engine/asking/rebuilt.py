"""`%durable rebuild STEP`: make again what a step could not keep, when a person asks.

The variables may be anything by now, so the code is given what it was given then, loaded
anew: nothing that is there is changed. It runs only if that has the very key of the step.
What the code does beside its calls happens again; that is why a person has to ask.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from nbdurable.engine.asking.stale import source_of
from nbdurable.engine.asking.told import Told
from nbdurable.engine.files.step import StepFiles
from nbdurable.engine.identity import keys
from nbdurable.engine.identity.inputs import Inputs, read_inputs
from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import StepPast, StepState
from nbdurable.engine.past.kept import names_before
from nbdurable.engine.steps.cells import Replayed
from nbdurable.engine.steps.deferred import load
from nbdurable.engine.steps.rebuilding import (
    Made,
    Rebuilding,
    RebuildStopped,
    Served,
    bind,
    made_again,
)
from nbdurable.engine.steps.replaying import missing
from nbdurable.engine.steps.running import Namespace
from nbdurable.engine.steps.session import Session
from nbdurable.engine.telling import causes
from nbdurable.engine.telling.wording import both, line, listed
from nbdurable.engine.values.contents import digest_of
from nbdurable.engine.where.folders import place_of
from nbdurable.engine.where.whereabouts import Facts
from nbdurable.errors import ReferenceUnknown

Execute = Callable[[str, str], None]
"""Runs code in the user's namespace under a file name, and shows nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The kernel that the code runs in.

    Attributes:
        namespace: The user's variables.
        hidden: Names of them that are not the user's.
        facts: What is known of the kernel.
        execute: Runs code.
    """

    namespace: Namespace
    hidden: Collection[str]
    facts: Facts
    execute: Execute


def rebuild(session: Session, step: StepPast, shell: Shell) -> Told:
    """Run the code of a step again for the variables that could not be kept.

    Args:
        session: The kernel's session, attending a run.
        step: The step that is meant, in any attempt.
        shell: Where the code runs.

    Raises:
        ReferenceUnknown: No attempt of it completed.
        RebuildStopped: Its code, its inputs or its files are not what they were, or
            its code could not go on.
    """
    past = _completed(session, step)
    names = tuple(missing(past))
    if not names:
        return Told(f"{past.name} · nothing to make again: all its variables are kept")
    source = source_of(session, past)
    if source is None:
        raise _stopped(past, "what its cell was is not in the journal")
    if awaits(source):
        session.allowed.add(past.id)
        after = f"{both(names)} {'is' if len(names) == 1 else 'are'} made again"
        return Told(f"{past.name} · its cell awaits: run it, and {after}")
    before = dict(shell.namespace)
    try:
        code = _as_then(session, past, source, shell)
        made = _made(code, shell.execute)
    finally:
        bind(shell.namespace, before)
    shell.namespace.update(made)
    repeated = listed(fields.texts(past.fields, "effects"))
    told = made_again(names, code.attempt.used.served)
    return Told(line(past.name, told, repeated and f"repeated: {repeated}"))


def awaits(source: str) -> bool:
    """Whether a cell awaits outside of its functions.

    Example:
        >>> awaits("x = await y"), awaits("async def f(): await g()")
        (True, False)
    """
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(source, "<cell>", "exec", flags, dont_inherit=True)
    return bool(code.co_flags & inspect.CO_COROUTINE)


def _completed(session: Session, step: StepPast) -> StepPast:
    attempts = session.history.attempts(step.slot)
    for past in attempts:
        if past.state is StepState.COMPLETED:
            return past
    raise ReferenceUnknown(given=f"completed step {step.name}")


def _stopped(past: StepPast, why: str) -> RebuildStopped:
    return RebuildStopped(names=tuple(missing(past)), step=past.name, why=why)


def _as_then(session: Session, past: StepPast, source: str, shell: Shell) -> Rebuilding:
    """The code, once the namespace holds what the step was given."""
    facts = shell.facts
    files = StepFiles.of(facts.start_dir, place_of(facts), session.contents, on=True)
    changed = files.changed(past)
    if changed:
        raise _stopped(past, f"{both(sorted(changed))}, which it read, changed")
    filename = f"<{past.name}, made again>"
    session.sources.add(filename, source)
    inputs = _given_again(session, past, source, shell)
    if inputs.key != past.key:
        raise _stopped(past, _differs(past, inputs))
    attempt = Served(session, StepPast.begun(session.ids.new(), past.slot, past.name))
    attempt.used.effects = files.effects
    return Rebuilding(
        names=tuple(missing(past)),
        attempt=attempt,
        namespace=shell.namespace,
        source=source,
        filename=filename,
        allowed=True,
        finish=_nothing_else,
        release=lambda: None,
    )


def _nothing_else(_: Made) -> Replayed:
    """The variables that were kept are left as they are."""
    return Replayed()


def _differs(past: StepPast, inputs: Inputs) -> str:
    bare = sorted(name for name, digest in past.reads.items() if digest is None)
    if bare:
        return f"{both(bare)}, which its cell reads, has no digest"
    names = causes.changed(past.counted, _counted(inputs))
    told = both(sorted({causes.coded(n) for n in names}))
    return f"{told or 'its code'} can't be had as it was"


def _given_again(session: Session, past: StepPast, source: str, shell: Shell) -> Inputs:
    """Load what the step was given, as far as the run keeps it; data always anew."""
    kept, namespace = names_before(session.history, past).known, shell.namespace
    for name in (n for n, d in past.reads.items() if d == keys.MISSING.hex()):
        namespace.pop(name, None)
        kept.pop(name, None)
    done, inputs = set[str](), _read(session, source, shell)
    while todo := (kept.keys() & {*past.reads, *inputs.given, *inputs.unbound}) - done:
        anew = {n: kept[n] for n in sorted(todo) if not _is_code(namespace.get(n))}
        load(session, namespace, anew)
        done |= todo
        inputs = _read(session, source, shell)
    return inputs


def _is_code(value: object) -> bool:
    """What is no data: a second class of one name would be another class."""
    return isinstance(value, FunctionType | ModuleType | type)


def _read(session: Session, source: str, shell: Shell) -> Inputs:
    return read_inputs(
        source,
        shell.namespace,
        session.sources,
        hidden=shell.hidden,
        redact=session.secrets.apart,
        contents=digest_of,
    )


def _counted(inputs: Inputs) -> Mapping[str, str | None]:
    both_kinds: dict[str, bytes | None] = {**inputs.digests, **inputs.codes}
    return {name: d.hex() if d else None for name, d in both_kinds.items()}


def _made(code: Rebuilding, execute: Execute) -> Mapping[str, Any]:
    raised: BaseException | None = None
    try:
        with code.active():
            execute(code.source, code.filename)
    except BaseException as error:  # noqa: BLE001  # told as what stopped it
        raised = error
    code.end(raised)
    return code.made
