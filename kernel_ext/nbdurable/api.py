"""Whatever a magic can do, a function can do: `nd.restore`, `nd.why`, `nd.resolve`.

The shell of this process attaches itself as a `Front`; each function acts on it and
returns an object that shows itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbdurable.engine.asking import commands, forking, which
from nbdurable.engine.asking.back import Back
from nbdurable.engine.asking.back import back as go_back
from nbdurable.engine.asking.commands import OpenRun, present
from nbdurable.engine.asking.freezing import Frozen
from nbdurable.engine.asking.given import compared
from nbdurable.engine.asking.loading import loaded
from nbdurable.engine.asking.rebuilt import Execute, Shell
from nbdurable.engine.asking.rebuilt import rebuild as bring_again
from nbdurable.engine.asking.restore import Restored
from nbdurable.engine.asking.restore import restore as bring_back
from nbdurable.engine.asking.stale import Here, stale
from nbdurable.engine.asking.told import Told
from nbdurable.engine.asking.undoing import Undone
from nbdurable.engine.asking.undoing import meant as undone_step
from nbdurable.engine.asking.undoing import undo as take_back
from nbdurable.engine.past.attempts import StepPast
from nbdurable.engine.past.history import History
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.settle import Answer
from nbdurable.engine.steps.cells import Places, no_places
from nbdurable.engine.steps.session import Session
from nbdurable.engine.telling import explain
from nbdurable.engine.telling.explain import Why
from nbdurable.engine.telling.reference import find_step
from nbdurable.engine.telling.sides import sides
from nbdurable.engine.where.whereabouts import Facts
from nbdurable.errors import DurableError, NothingDurable
from nbdurable.integrations import http
from nbdurable.integrations.http import captured

if TYPE_CHECKING:  # three dozen modules, of which a cell needs none
    from nbdurable.timeline import Diff, Shown

capture, capture_http = captured.capture, captured.capture_http

UNSAID = object()
"""Stands for a value that was not given; None is a value."""


def _nowhere(source: str, filename: str) -> None:
    del source, filename
    raise NothingDurable(command="%durable rebuild")


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What these functions act on.

    Attributes:
        session: The engine's session of this process.
        namespace: The user's variables, now.
        facts: What is known of the kernel, now.
        switch: Turns durable cells on or off.
        on: Whether they are on.
        hidden: Names of the namespace that are not the user's.
        places: Where names were assigned last.
        mentioned: The names that the cell which runs now mentions.
        execute: Runs code under a file name, and shows nothing of it.
    """

    session: Session
    namespace: Callable[[], MutableMapping[str, object]]
    facts: Callable[[], Facts]
    switch: Callable[[bool], None]
    on: Callable[[], bool]
    hidden: Callable[[], Collection[str]] = frozenset
    places: Places = no_places
    mentioned: Callable[[], Collection[str]] = frozenset
    execute: Execute = _nowhere

    def here(self) -> Here:
        """The variables, now."""
        return Here(self.namespace(), frozenset(self.hidden()), self.places)


_fronts: list[Front] = []


def attach(front: Front) -> None:
    """Make a shell the one that these functions act on."""
    _fronts[:] = [front]


def detach() -> None:
    """Leave these functions without a shell."""
    _fronts.clear()


def front_of(command: str) -> Front:
    """The shell of this process.

    Raises:
        NothingDurable: There is none.
    """
    if not _fronts:
        raise NothingDurable(command=command)
    return _fronts[0]


def attended(command: str) -> tuple[Front, History]:
    """The shell of this process, and the run that it is in.

    Raises:
        NothingDurable: There is no shell, or no run.
    """
    front = front_of(command)
    return front, front.session.attend(front.facts(), command)


def run() -> Shown:
    """The run of this notebook: its cells, their calls, and what waits for you.

    Before the first durable cell it says how to begin.
    """
    from nbdurable.timeline import living, show

    front = front_of("%durable")
    try:
        history = front.session.attend(front.facts(), "%durable")
    except NothingDurable:
        return show(History(""))
    store = front.session.store
    return show(
        history,
        alive=living(store),
        get=store.get,
        clock=front.session.clock,
        stale=stale(front.session, front.here()),
    )


def restore(*names: str, overwrite: bool = False, at: str = "") -> Restored:
    """Bring variables back from the journal, executing nothing.

    What may take long (large values, those whose libraries have to be imported) is
    loaded when a cell first uses it, unless it is named here.

    Args:
        names: Which; all that the run holds if none is given.
        overwrite: Also those assigned since the kernel started.
        at: As of the end of this step; the latest values if none is given.

    Raises:
        ReferenceUnknown: The run holds no such name, or no such completed step.
    """
    front, history = attended("%durable restore")
    front.session.stay()
    return bring_back(
        front.session,
        front.namespace(),
        names,
        overwrite=overwrite,
        until=find_step(history, at, "%durable restore --at") if at else None,
        used=front.mentioned(),
    )


def why(what: str = "") -> Why:
    """Why a step or call ran, was served or waits; the last step if none is named."""
    front, history = attended("%durable why")
    return explain.why(history, what, present(front.session))


def rerun(step: str = "") -> Told:
    """Begin a step or a call afresh when its cell runs again; else the last step.

    Args:
        step: Its name, or STEP.CALL such as ``review.2``.

    Raises:
        NothingToSettle: The call has no outcome that would be served.
        ReferenceUnknown: The run has no such step or call.
    """
    front, history = attended("%durable rerun")
    found = which.to_rerun(history, step)
    if isinstance(found, CallPast):
        return commands.rerun_call(front.session, step.strip(), found)
    return commands.rerun(front.session, found)


def rebuild(step: str = "") -> Told:
    """Make again what a step could not keep, such as a generator: its code runs again.

    It is given what it was given then, and every call is served from the journal. What
    its code does beside its calls (files, processes, connections) happens again.

    Args:
        step: Its name; the last step if none is named.

    Raises:
        ReferenceUnknown: The run has no such completed step.
        RebuildStopped: A call is not in the journal, or what the step read can't be had
            as it was.
    """
    front, history = attended("%durable rebuild")
    found = find_step(history, step, "%durable rebuild")
    shell = Shell(
        namespace=front.namespace(),
        hidden=front.hidden(),
        facts=front.facts(),
        execute=front.execute,
    )
    return bring_again(front.session, found, shell)


def resolve(
    call: str,
    *,
    happened: object = UNSAID,
    did_not: bool = False,
    keep: bool = False,
    again: bool = False,
) -> Told:
    """Say what became of a call that somebody has to decide about.

    Args:
        call: STEP.CALL@DIGEST, such as ``review.2@3fa2c1``; STEP.CALL where only one
            question can be meant.
        happened: The value it returned.
        did_not: It didn't happen.
        keep: Keep the recorded result.
        again: Do it once more.

    Raises:
        NothingToSettle: The answer doesn't fit.
        ReferenceUnknown: The run has no such call.
        ValueError: Not exactly one answer was given.
    """
    front, history = attended("%durable resolve")
    said = [
        *([Answer.HAPPENED] if happened is not UNSAID else []),
        *([Answer.DID_NOT] if did_not else []),
        *([Answer.KEEP] if keep else []),
        *([Answer.AGAIN] if again else []),
    ]
    if len(said) != 1:
        raise ValueError("one answer: happened=, did_not=, keep= or again=")
    session, run = front.session, open_run(front)
    asked = which.question(history, call)
    told, records = commands.resolve(run, asked, said[0], happened)
    session.append(records, sync=True)
    return told


def open_run(front: Front) -> OpenRun:
    """The run that these functions act on, as it is now."""
    session = front.session
    return OpenRun(
        store=session.store,
        history=session.history,
        clock=session.clock,
        secrets=session.secrets,
        executing=frozenset(session.executing),
    )


def undo(step: str = "") -> Undone:
    """Take back what a step did to the world, latest first.

    Each of its writes whose tool has an ``undo=`` is undone by a journaled write; its cell
    does them anew when it runs again.

    Args:
        step: Its name; the last step, undos aside, if none is named.

    Raises:
        ReferenceUnknown: The run has no such step.
        NotUndoable: What an undo needs is not kept.
    """
    front, history = attended("%durable undo")
    found = undone_step(history, step)
    here = front.namespace(), front.facts(), frozenset(front.hidden())
    return take_back(front.session, found, *here)


def back() -> Back:
    """Give variables their values of before the last step; its effects stay.

    Called again it goes back behind the step before that. Executing the cell again brings
    its variables back without running anything.

    Raises:
        ReferenceUnknown: No completed step is left.
    """
    front, _ = attended("%durable back")
    return go_back(front.session, front.namespace())


def diff(old: str, new: str = "") -> Diff:
    """What differs between two attempts, steps or runs, aligned by content.

    A name is the latest attempt of a step, ``review@1`` its first attempt, a number a run.

    Args:
        old: One side.
        new: The other one. Without it, an attempt is compared with the one before it, and
            a run with the present one.

    Raises:
        ReferenceUnknown: The run has no such step or attempt.
        RunUnknown: There is no such run.
    """
    from nbdurable.timeline import Reader, compare, find_history

    front, history = attended("%durable diff")
    session = front.session

    def values(step: StepPast, names: Collection[str]) -> Mapping[str, object]:
        return loaded(session.store, session.secrets, step, names)

    pair = sides(history, old, new, functools.partial(find_history, session.store))
    given = functools.partial(compared, session, (pair[0].history, pair[1].history))
    return compare(*pair, Reader(session.store.get, values, given))


def fork(at: str = "", *, of: str = "") -> Told:
    """Go on in a new run that shares what this one did, and copies nothing.

    A `write` that this run made behind the place of the fork asks before it is made again.

    Args:
        at: The last step that is shared; all of them if none is named.
        of: File name of the notebook whose run is forked instead, or the id of a run: for
            a copy of that notebook.

    Raises:
        ReferenceUnknown: The run has no such step, or the store no such notebook.
    """
    if of:
        front = front_of("%durable fork")
        return Told(forking.fork_of(front.session, front.facts(), of, at))
    front, _ = attended("%durable fork")
    return Told(forking.fork(front.session, at))


def new() -> Told:
    """Close the run: the next durable cell begins another one."""
    front, _ = attended("%durable new")
    return commands.new(front.session)


def status() -> Told:
    """Where this kernel is: store, run, and whether durable cells are on."""
    front = front_of("%durable status")
    problem, again = "", dict[str, str]()
    try:
        front.session.attend(front.facts(), "%durable status")
        again.update(stale(front.session, front.here()))
    except NothingDurable:
        pass
    except DurableError as unusable:
        problem = unusable.fact()
    here = front.session, front.facts()
    told = commands.status(*here, on=front.on(), problem=problem, stale=again)
    return Told(f"{told}{captured.line()}")


def frozen(state: str = "on") -> Frozen:
    """Serve recorded calls and refuse new ones, everywhere in this process.

    A new call raises `CallNotRecorded`, which names the nearest recorded one. Outside of
    durable cells tools (but ``pure`` ones) and model calls are refused too. As a context
    manager it is for the block alone.

    Args:
        state: ``on`` or ``off``.

    Raises:
        OptionUnknown: Another word.
    """
    switched = Frozen(state)
    http.install()  # model calls are calls outside of durable cells, too
    return switched


def off() -> Told:
    """Run durable cells as plain ones until `on`."""
    front_of("%durable off").switch(False)
    return Told("durable cells run unprotected in this kernel until %durable on")


def on() -> Told:
    """Make durable cells durable again."""
    front_of("%durable on").switch(True)
    return Told("durable cells are durable again")
