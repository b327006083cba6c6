"""What a user can ask of a run, beside executing cells: settle, rerun, new.

Each function does one thing and returns what to tell. The magic, `nd` and the command
line are thin shells over these.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from nbdurable.engine.asking import afresh
from nbdurable.engine.asking.given import compared
from nbdurable.engine.asking.told import Told
from nbdurable.engine.calls import frozen
from nbdurable.engine.codec import encode
from nbdurable.engine.past import fields, settle
from nbdurable.engine.past.circumstances import in_doubt
from nbdurable.engine.past.decide import OTHERS, Past
from nbdurable.engine.past.fates import in_the_world
from nbdurable.engine.past.history import CallPast, CallState, History, StepPast
from nbdurable.engine.past.kept_arguments import arguments_of, evidence_of
from nbdurable.engine.past.nothing import NothingToSettle
from nbdurable.engine.past.present import Present
from nbdurable.engine.past.settle import Answer, Question
from nbdurable.engine.steps.session import Session
from nbdurable.engine.telling import lines
from nbdurable.engine.telling.wording import listed
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.where import disk
from nbdurable.engine.where.folders import place_of
from nbdurable.engine.where.moments import count
from nbdurable.engine.where.whereabouts import DEFAULT_NOTEBOOK, Facts
from nbdurable_store.clock import Clock
from nbdurable_store.protocol import Store
from nbdurable_store.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run that a person looks at: in a kernel, or in a store without one.

    Attributes:
        store: The store.
        history: The run, as of now.
        clock: Tells the time.
        secrets: What must not be stored.
        executing: Logical ids of the calls that this process executes now.
    """

    store: Store
    history: History
    clock: Clock
    secrets: Secrets
    executing: Collection[str] = frozenset()

    def executes(self, call: CallPast) -> bool:
        """Whether somebody executes this call now, so that its end isn't known yet."""
        if call.state is not CallState.STARTED:
            return False
        if call.owner == self.store.owner:
            return call.id in self.executing
        return any(o.alive and o.id == call.owner for o in self.store.owners())


def resolve(
    run: OpenRun, asked: Question, said: Answer, value: object = None
) -> tuple[Told, tuple[Record, ...]]:
    """What a person says of a call, as records for the caller to append.

    Args:
        run: The run.
        asked: What they answer.
        said: What they say.
        value: What the call returned, if it happened.

    Raises:
        NothingToSettle: The answer doesn't fit the question, or the call is still being
            executed.
        Unstorable: The value can't be stored.
    """
    if run.executes(asked.call):
        raise NothingToSettle(
            reference=asked.asked,
            call=asked.call.text,
            state="is being executed now",
        )
    ref = None
    if said is Answer.HAPPENED:
        encoded = encode(value, secrets=run.secrets)
        ref = run.store.put(encoded.codec, encoded.data)
    at_us = run.clock.now_us()
    records = settle.answer(run.history, asked, said, at_us=at_us, value=ref)
    fate = {
        Answer.HAPPENED: "is served from now on",
        Answer.DID_NOT: "runs when its cell runs again",
        Answer.KEEP: "is served from now on",
        Answer.AGAIN: "runs once more when its cell runs again",
    }[said]
    if said is Answer.AGAIN and asked.past in OTHERS:
        fate = "stays as it is; another one is made when the cell runs again"
    if said is Answer.HAPPENED and asked.past is Past.OTHER_IN_DOUBT:
        fate = "is taken for the call that is made now: that one is served, not made"
    return Told(f"{asked.reference} · {asked.call.text} {fate}"), records


def rerun_call(session: Session, text: str, call: CallPast) -> Told:
    """Make one call afresh when its cell runs again: its result isn't served.

    Raises:
        NothingToSettle: It has no outcome that would be served.
    """
    told, record = afresh.call(session.history, text, call, session.clock.now_us())
    session.append((record,), sync=True)
    return told


def rerun(session: Session, step: StepPast) -> Told:
    """Begin a step afresh: no recorded call is served when its cell runs again."""
    told, record = afresh.step(session.history, step, session.clock.now_us())
    session.append((record,), sync=True)
    return told


def new(session: Session) -> Told:
    """Close the run: the next durable cell begins another one."""
    history = session.history
    writes = sum(map(in_the_world, history.calls.values()))
    doubts = {
        asked.call.id: (asked.call.text, asked.asked)
        for asked in settle.questions(history)
        if in_doubt(history, asked.call) and asked.call.id not in session.executing
    }
    opened = history.opened.fields if history.opened else {}
    number = fields.number(opened, "number", 1)
    session.new_run()
    many = count(writes, "write")
    can = f" · {many} of the old run can happen again" if writes else ""
    told = f"the next durable cell begins a new run{can}"
    left = lines.stays_open(number, [*doubts.values()]) if doubts else ""
    return Told("\n".join(filter(None, (told, left))))


def status(
    session: Session,
    facts: Facts,
    *,
    on: bool,
    problem: str = "",
    stale: Mapping[str, str] | None = None,
) -> Told:
    """Where a kernel is: its store, its notebook, its run, and whether cells are on.

    Args:
        session: The kernel's session.
        facts: What is known of the kernel.
        on: Whether durable cells are durable.
        problem: Why the store can't be used, if it can't.
        stale: By slot, why its cell would run again now.
    """
    place = session.store.place if session.run_id else place_of(facts)
    history = session.history
    run = problem or "no run yet: put %%durable NAME on a cell's first line"
    if history.opened is not None:
        number = fields.number(history.opened.fields, "number", 1)
        steps = len(history.slots)
        calls = count(len(history.calls), "call")
        run = f"run {number}, {count(steps, 'step')}, {calls}"
        run += ", closed" if history.closed is not None else ""
        run += _stale(history, stale or {})
    kind = "interactive" if facts.interactive else "headless: tags don't reach it"
    notebook = facts.notebook or DEFAULT_NOTEBOOK
    cells = "on" if on else "off in this kernel: %durable on"
    takes = disk.large(place)
    told = f"store {place}{f' · {takes}' if takes else ''}\nnotebook {notebook} ({kind})\n{run}"
    ice = (
        "\nfrozen: a new call is refused: %durable frozen off" if frozen.is_on() else ""
    )
    return Told(f"{told}\ndurable cells are {cells}{ice}")


def _stale(history: History, stale: Mapping[str, str]) -> str:
    told = [
        f"{step.name} ({why})"
        for slot, why in stale.items()
        if (step := history.latest(slot)) is not None
    ]
    return f"\nstale, would run again: {listed(told)}" if told else ""


def present(session: Session) -> Present:
    """From where the user of this kernel asks."""
    get = session.store.get
    return Present(
        now=lines.now(session.clock.now_us()),
        alive={o.id for o in session.store.owners() if o.alive},
        arguments=arguments_of(get),
        evidence=evidence_of(get),
        here=session.store.owner,
        compared=functools.partial(compared, session, (session.history,) * 2),
    )
