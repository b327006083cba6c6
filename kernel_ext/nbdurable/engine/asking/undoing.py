"""`%durable undo STEP`: take back what a step did to the world, latest first.

Each undo is a journaled `write` of its own, in a step beside the cells: killed in the
middle it goes on where it was, and what may have been undone is asked about, never done
twice. A call that was undone counts as not done: its cell runs again and does it anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from nbdurable.engine.calls.attempt import Attempt
from nbdurable.engine.calls.given import Changed
from nbdurable.engine.calls.invoking import invoke
from nbdurable.engine.calls.promised import Ours, Tool
from nbdurable.engine.calls.wrapping import tool_of
from nbdurable.engine.codec import JSON, decode
from nbdurable.engine.past import kinds
from nbdurable.engine.past.attempts import StepState
from nbdurable.engine.past.belonging import holders
from nbdurable.engine.past.circumstances import in_doubt
from nbdurable.engine.past.history import CallPast, CallState, History, StepPast
from nbdurable.engine.past.policy import Effect, OnDoubt, Policy
from nbdurable.engine.steps.cells import Cell, Replayed
from nbdurable.engine.steps.rebuilding import Rebuilding
from nbdurable.engine.steps.running import Running
from nbdurable.engine.steps.session import Session
from nbdurable.engine.steps.step import begin
from nbdurable.engine.telling.reference import find_step
from nbdurable.engine.where.whereabouts import Facts
from nbdurable.errors import DurableError, Remedy
from nbdurable_store.records import Kind

UNDO: Final = "undo:"
"""How the step of an undo is called: no cell may be called so, and a shell and a magic
take it as one word, since its calls may have to be settled."""


@dataclass(kw_only=True, eq=False)
class NotUndoable(DurableError):
    """What an undo needs is not in the journal.

    Attributes:
        call: The call as people read it.
        why: What is missing.
    """

    slug: ClassVar[str] = "not-undoable"
    call: str
    why: str

    def fact(self) -> str:
        """One line about the call."""
        return f"{self.call} can't be undone: {self.why}."

    def detail(self) -> str:
        """What was not done."""
        return "It was not undone, and neither was any call before it."

    def remedies(self) -> tuple[Remedy, ...]:
        """An undo that needs less."""
        return (
            Remedy("an undo of the result alone", "@nd.tool(undo=lambda result: …)"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What an undo did.

    Attributes:
        step: Name of the step.
        undone: The calls that were undone, in the order in which they were.
        left: The calls that were not, each with why.
    """

    step: str
    undone: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        """What people read."""
        done = f"undone: {', '.join(self.undone)}" if self.undone else "nothing to undo"
        left = [f"not undone: {', '.join(self.left)}"] if self.left else []
        they = "it" if len(self.undone) == 1 else "them"
        again = [f"its cell does {they} anew when it runs again"] * bool(self.undone)
        return " · ".join([f"{self.step} · {done}", *left, *again])

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be undone, latest first, and what can't be.

    Attributes:
        calls: With the tool that made each.
        left: As people read them, with why.
    """

    calls: list[tuple[CallPast, Tool]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def undo(
    session: Session,
    step: StepPast,
    namespace: MutableMapping[str, Any],
    facts: Facts,
    hidden: frozenset[str],
) -> Undone:
    """Undo the writes of a step.

    Args:
        session: The kernel's session.
        step: Whose writes.
        namespace: Where the tools are.
        facts: What is known of the kernel.
        hidden: Names of the namespace that are not the user's.

    Raises:
        DurablePause: An undo may have happened, or a write can't be told from another.
        BaseException: What an undo raised; those before it are recorded.
    """
    wanted = plan(session.history, step, namespace)
    if not wanted.calls:
        return Undone(step=step.name, left=tuple(wanted.left))
    ids = ",".join(_execution(call) for call, _ in wanted.calls)
    cell = Cell(
        name=f"{UNDO}{step.name}",
        raw=f"# undo {step.name}",
        transformed=f"'undo {ids}'",
        filename=f"<undo {ids}>",
        facts=facts,
        files=False,
        hidden=hidden,
    )
    session.stay(closed=True)  # an undo belongs where its call is
    try:
        done = _carried_out(wanted, begin(session, cell, namespace))
    finally:
        if session.history.closed is not None:
            session.new_run()
    return Undone(step=step.name, undone=done, left=tuple(wanted.left))


def _carried_out(
    wanted: Plan, running: Replayed | Rebuilding | Running
) -> tuple[str, ...]:
    """Undo what is planned; the calls as people read them."""
    assert not isinstance(running, (Replayed, Rebuilding)), (
        "what was undone is resolved"
    )
    done: list[str] = []
    try:
        with running.active():
            for call, made in wanted.calls:
                _undo(running.attempt, call, made)
                done.append(call.text)
    except BaseException as error:
        running.fail(error, ())
        raise
    running.complete((), None)
    return tuple(done)


def plan(history: History, step: StepPast, namespace: Mapping[str, object]) -> Plan:
    """What an undo of a step would do, latest first."""
    tools = {made.name: made for made in map(_tool, namespace.values()) if made}
    calls = [c for c in _of_slot(history, step) if c.writes]
    taken_back = {c.id for c in calls if _undoer(tools.get(c.name)) is not None}
    found = Plan()
    for call in sorted(calls, key=lambda c: c.order, reverse=True):
        inside = any(outer.id in taken_back for outer in holders(history, call))
        if call.resolved == kinds.UNDONE or inside or call.kind == "step":
            continue
        made = tools.get(call.name)
        why = _why_not(history, call, made)
        if why:
            found.left.append(f"{call.text} ({why})")
        elif made is not None and call.state is CallState.COMPLETED:
            found.calls.append((call, made))
    return found


def meant(history: History, name: str) -> StepPast:
    """The step whose writes are to be undone; by default the last one, undos aside.

    Raises:
        ReferenceUnknown: The run has no such step.
    """
    steps = sorted(
        history.steps.values(), key=lambda s: (s.active_us, s.order), reverse=True
    )
    others = (s for s in steps if not _is_undo(history, s))
    last = None if name else next(others, None)
    return last or find_step(history, name, "%durable undo")


def _is_undo(history: History, step: StepPast) -> bool:
    found = {call.kind for call in history.calls_of(step)}
    return step.name.startswith(UNDO) and found <= {Undo.kind}


def _of_slot(history: History, step: StepPast) -> list[CallPast]:
    """The calls of an attempt, and of those before it up to one that completed.

    One that stopped early has not come to all that was done.
    """
    found = {call.id: call for call in history.calls_of(step)}
    for attempt in history.attempts(step.slot):
        if attempt.order < step.order:
            mine = (c for c in history.calls_of(attempt) if c.slot == step.slot)
            found = {call.id: call for call in mine} | found
        if attempt.order <= step.order and attempt.state is StepState.COMPLETED:
            break
    return list(found.values())


def _tool(value: object) -> Tool | None:
    return tool_of(value) if callable(value) else None


def _undoer(made: Tool | None) -> Callable[..., object] | None:
    return made.policy.undo if made is not None else None


def _why_not(history: History, call: CallPast, made: Tool | None) -> str:
    if in_doubt(history, call):
        return "it may have happened: settle it first"
    if call.state is not CallState.COMPLETED:
        return ""
    if made is None:
        return "its tool is not defined here: run its cell"
    return "" if made.policy.undo is not None else "its tool has no undo="


@dataclass(frozen=True, eq=False)
class Undo(Ours):
    """The undo of one call.

    Attributes:
        call: Which execution of which call; two that look alike are two.
    """

    kind: ClassVar[str] = kinds.UNDO
    call: str = ""

    def counted(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The call, instead of how it is shown."""
        return {**arguments, "call": self.call}


def _undo(attempt: Attempt, call: CallPast, made: Tool) -> None:
    undoer, doubt = made.policy.undo, made.policy.on_doubt
    assert undoer is not None, "planned"
    result, arguments = _kept(attempt, call, undoer)

    def undo(call: str) -> object:
        del call
        return undoer(result, **arguments)

    promised = Policy(
        effect=Effect.WRITE,
        on_doubt=doubt if isinstance(doubt, OnDoubt) else OnDoubt.ASK,
        not_done=made.policy.not_done,
    )
    one = Undo(
        fn=undo, name=f"undo {made.name}", policy=promised, call=_execution(call)
    )
    invoke(one, (call.text,), {})
    said = {"how": kinds.UNDONE, "slot": call.slot, "by": "person"}
    record = attempt.record(Kind.CALL_RESOLVED, call.id, call.key, said)
    attempt.home.append((record,), sync=True)


def _execution(call: CallPast) -> str:
    """One that was undone and done anew can be undone anew."""
    return f"{call.id}.{call.attempts}"


def _kept(
    attempt: Attempt, call: CallPast, undoer: Callable[..., object]
) -> tuple[object, dict[str, object]]:
    """The result of a call, and those of its arguments that its undo asks for.

    Raises:
        NotUndoable: They are not kept.
    """
    store, secrets = attempt.home.store, attempt.home.secrets
    wanted = list(inspect.signature(undoer).parameters)[1:]
    if call.outcome is None:
        raise NotUndoable(call=call.text, why="its result is not kept")
    value = decode(call.outcome.codec, store.get(call.outcome), secrets=secrets)
    result = value.value if isinstance(value, Changed) else value
    kept = call.arguments
    if not wanted:
        return result, {}
    if kept is None:
        raise NotUndoable(call=call.text, why="its arguments are not kept")
    data = kept.encode() if isinstance(kept, str) else store.get(kept)
    arguments = decode(JSON, data, secrets=secrets)
    assert isinstance(arguments, dict), "as they are kept"
    missing = [name for name in wanted if name not in arguments]
    if missing:
        raise NotUndoable(call=call.text, why=f"it had no {missing[0]}=")
    return result, {name: arguments[name] for name in wanted}
