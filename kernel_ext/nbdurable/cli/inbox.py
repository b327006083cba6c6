"""What waits for a person, in all runs of a store, and answering it without a kernel."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from nbdurable.cli import commands, shell
from nbdurable.cli.answers import Answer
from nbdurable.engine.asking import answering
from nbdurable.engine.asking.commands import OpenRun
from nbdurable.engine.past.history import History
from nbdurable.engine.past.said import value_of
from nbdurable.engine.past.waits import Waiting, WaitKind
from nbdurable.engine.telling import reference
from nbdurable.engine.values.redact import Secrets
from nbdurable.engine.waits.pauses import NotWaiting
from nbdurable.engine.waits.sending import account
from nbdurable.engine.where.ids import RANDOM_IDS
from nbdurable.errors import NothingDurable
from nbdurable.timeline import Inbox, Pending, history_of, inbox_of
from nbdurable.timeline.previews import line
from nbdurable_store.clock import SYSTEM_CLOCK
from nbdurable_store.protocol import Store


def inbox(given: argparse.Namespace) -> Answer:
    """What waits for somebody, oldest first."""
    try:
        with commands.opened(given) as store:
            found = _open(store, given.run)
    except NothingDurable:
        if given.run:
            raise
        return commands.none_yet(given)
    return Answer(shell.answers(str(found), given.run), found.data())


def _open(store: Store, run: str) -> Inbox:
    """The questions of one run, or of all that aren't closed."""
    rows = commands.run_rows(store)
    meant = [reference.find_run(rows, run)] if run else rows
    ids = [row.id for row in meant if run or not row.closed]
    return inbox_of(store, ids, commands.now())


def answer(given: argparse.Namespace) -> Answer:
    """Answer a question."""
    return _answered(given, lambda found: answering.typed(found.wait, given.value))


def approve(given: argparse.Namespace) -> Answer:
    """Say yes, or no, to what asks for an approval."""

    def said(found: Waiting) -> object:
        if found.wait.kind is not WaitKind.APPROVAL:
            state = f"is no approval: {found.command}"
            raise NotWaiting(given=found.reference, state=state)
        return not given.no

    return _answered(given, said)


def send(given: argparse.Namespace) -> Answer:
    """Send a value into a run."""
    with commands.opened(given) as store:
        run = _run(store, _for_name(store, given))
        told, records = answering.send(
            run, given.name, value_of(given.value), **_sender()
        )
        store.append(records, sync=True)
    return Answer(str(told), {"sent": given.name, "told": str(told)})


def _for_name(store: Store, given: argparse.Namespace) -> History:
    """The run that was named, else the one that waits longest for it, else the latest."""
    pending = () if given.run else _open(store, "").pending
    for asked in pending:
        wait = asked.waiting.wait
        if (wait.kind, wait.text) == (WaitKind.SIGNAL, given.name):
            return asked.history
    row = reference.find_run(commands.run_rows(store), given.run)
    return history_of(store, row.id)


def _answered(given: argparse.Namespace, said: Callable[[Waiting], object]) -> Answer:
    with commands.opened(given) as store:
        call = given.call if reference.apart(given.call)[1] else _agreed(store, given)
        if call is None:
            return Answer("nothing was answered", {"answered": ""})
        history = _meant(store, given, call)
        found = answering.seen(history, call, f"nbdurable {given.command}")
        told, records = answering.answer(
            _run(store, history), found, said(found), **_sender()
        )
        store.append(records, sync=True)
        after = history_of(store, history.run)
        answering.must_count(after, found, records[0].subject)
    return Answer(str(told), {"answered": found.reference, "told": str(told)})


def _agreed(store: Store, given: argparse.Namespace) -> str | None:
    """The call that is meant, bound to what a person at a terminal now sees.

    Returns:
        None if that isn't what they want to answer; as it was typed where nobody sits.
    """
    if given.json or not shell.has_person():
        return str(given.call)
    history = _meant(store, given, given.call)
    found = answering.find(history, given.call, f"nbdurable {given.command}")
    shown = Pending(history, found).told(commands.now())
    value = getattr(given, "value", "no" if getattr(given, "no", False) else "yes")
    agrees = shell.agreed(f"{shown}\nAnswer «{line(value)}»? [y/N] ")
    return found.asked if agrees else None


def _meant(store: Store, given: argparse.Namespace, call: str) -> History:
    """The run that was named, else the one that waits for such a call, else the latest."""
    if not given.run:
        pending = _open(store, "").pending
        meant, _ = reference.apart(call)
        exactly = [p.history for p in pending if p.waiting.asked == call]
        alike = [p.history for p in pending if p.waiting.reference == meant]
        for history in (*exactly, *alike):
            return history
    row = reference.find_run(commands.run_rows(store), given.run)
    return history_of(store, row.id)


def _run(store: Store, history: History) -> OpenRun:
    return OpenRun(
        store=store, history=history, clock=SYSTEM_CLOCK, secrets=Secrets(os.environ)
    )


def _sender() -> dict[str, str]:
    return {"by": account(), "via": "command", "signal": RANDOM_IDS.new()}
