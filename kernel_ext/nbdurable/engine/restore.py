"""Bring variables back from the journal, executing nothing."""

from __future__ import annotations

from collections.abc import Collection, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbdurable.engine import lines
from nbdurable.engine.history import History, StepPast, StepState
from nbdurable.engine.snapshot import Group, put_back
from nbdurable.errors import ReferenceUnknown
from nbdurable_store.errors import DurableError

if TYPE_CHECKING:
    from nbdurable.engine.session import Session


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Restored:
    """What came back.

    Attributes:
        back: Names that are back, with the step that made each.
        not_back: Names that are not, with what makes them.
        kept: Names left alone because they were assigned since the kernel started.
        line: The whole as one line.
    """

    back: dict[str, str] = field(default_factory=dict)
    not_back: dict[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    line: str = ""

    def __str__(self) -> str:
        return self.line

    def __repr__(self) -> str:
        return self.line


def kept_names(history: History) -> dict[str, StepPast]:
    """Each name that the run holds, with the step that last made it."""
    steps = [s for s in history.steps.values() if s.state is StepState.COMPLETED]
    found: dict[str, StepPast] = {}
    for step in sorted(steps, key=_last_us):
        for name in (n for group in step.groups for n in group if n.isidentifier()):
            found[name] = step
        deleted = step.fields.get("deleted", ())
        for name in deleted if isinstance(deleted, (list, tuple)) else ():
            found.pop(str(name), None)
    return found


def lost_names(history: History) -> dict[str, str]:
    """Each name that could not be stored, with the step that makes it."""
    lost: dict[str, str] = {}
    for step in sorted(history.steps.values(), key=_last_us):
        unsaved = step.fields.get("unsaved", {})
        for name in unsaved if isinstance(unsaved, dict) else ():
            if name:
                lost[str(name)] = step.name
    return lost


def restore(
    session: Session,
    namespace: MutableMapping[str, object],
    names: Collection[str] = (),
    *,
    overwrite: bool = False,
) -> Restored:
    """Give names their value at the last durable step that made them.

    Args:
        session: The kernel's session, attending a run.
        namespace: The user's variables; changed in place.
        names: Which; empty for all.
        overwrite: Also those assigned since the kernel started.

    Raises:
        ReferenceUnknown: The run holds no such name.
    """
    began_s = session.clock.monotonic_s()
    known, lost = kept_names(session.history), lost_names(session.history)
    wanted = list(names) or [*known, *(n for n in lost if n not in known)]
    unknown = next((n for n in wanted if n not in known and n not in lost), None)
    if unknown is not None:
        raise ReferenceUnknown(given=f"name {unknown}", known=tuple(known))
    kept = tuple(n for n in wanted if n in namespace and not overwrite)
    asked = [n for n in wanted if n not in kept]
    back, failed = _bring_back(session, namespace, known, asked)
    not_back = {n: f"run {lost[n]}" for n in asked if n not in known} | failed
    line = lines.restored(
        back=back,
        steps=[known[n] for n in back],
        not_back=not_back,
        kept=kept,
        ms=(session.clock.monotonic_s() - began_s) * 1000,
        now_us=session.clock.now_us(),
    )
    return Restored(back=back, not_back=not_back, kept=kept, line=line)


def _last_us(step: StepPast) -> tuple[int, int]:
    return max([step.ended_us, *step.replays]), step.ended_us


def _bring_back(
    session: Session,
    namespace: MutableMapping[str, object],
    known: dict[str, StepPast],
    asked: list[str],
) -> tuple[dict[str, str], dict[str, str]]:
    back: dict[str, str] = {}
    failed: dict[str, str] = {}
    for step in {known[n].id: known[n] for n in asked if n in known}.values():
        mine = [n for n in asked if n in known and known[n].id == step.id]
        for names, ref in zip(step.groups, step.blobs[1:], strict=True):
            here = [n for n in names if n in mine]
            if not here:
                continue
            made: dict[str, object] = {}
            try:
                data = session.store.get(ref, stream=True)
                group = Group(names=names, codec=ref.codec, data=data)
                put_back([group], made, secrets=session.secrets)
            except DurableError:
                failed.update((n, f"run {step.name}") for n in here)
                continue
            namespace.update((n, made[n]) for n in here)
            back.update((n, step.name) for n in here)
    return back, failed
