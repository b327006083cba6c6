"""Doing what a view asks for: by the functions that the magics and the command line use.

What only a kernel can do (variables, another run, an interrupt) is handed to it; without
one it is refused with the command to type.
"""

from __future__ import annotations

from typing import Final

from nbdurable.engine.asking import afresh, answering, commands, pinning, which
from nbdurable.engine.asking.told import Told as Said
from nbdurable.engine.past import fields, settle
from nbdurable.engine.past.pasts import CallPast
from nbdurable.engine.past.said import value_of
from nbdurable.engine.waits.sending import account
from nbdurable.engine.where.ids import RANDOM_IDS
from nbdurable.engine.where.moments import Now
from nbdurable.errors import DurableError
from nbdurable.timeline.bundle import page_script
from nbdurable.timeline.frames import rows_of
from nbdurable.timeline.model import run_view
from nbdurable.timeline.pages import page
from nbdurable.timeline.previews import line
from nbdurable.timeline.protocol import Refused, Told
from nbdurable.timeline.requests import Act, Cancel, Doing, Misread, Resolve, Signal
from nbdurable.timeline.show import history_of
from nbdurable.timeline.told import File

_TYPED: Final = {
    "fork": ("%durable fork", "--at"),
    "branch": ("%durable fork", "--of"),
    "restore": ("%durable restore", "--at"),
    "cancel": ("interrupt the kernel", ""),
}
"""For each of `IN_KERNEL` what is typed there instead, and what stands before its place."""


def do(run: commands.OpenRun, request: Doing, now: Now) -> Told | Refused | File:
    """Do it, append what says so, and tell what it did; a kernel's doings aside.

    Args:
        run: The run, as it is now.
        request: What is asked for.
        now: The present as the reader sees it.

    Raises:
        Misread: There is nothing of this name.
    """
    try:
        match request:
            case Resolve():
                told = _resolve(run, request)
            case Signal():
                told = _signal(run, request)
            case Act(what="export"):
                return _export(run, now)
            case Act(what="rerun"):
                told = _rerun(run, request.about)
            case Act(what="pin" | "unpin"):
                told = _pin(run, pinned=request.what == "pin")
            case _:
                return _without_kernel(request)
    except DurableError as refused:
        return refusal(about(request), refused)
    return Told(about=about(request), line=line(str(told)))


def about(request: Doing) -> str:
    """What a request is about: the place where its answer is shown."""
    return request.about if isinstance(request, Act) else request.call


def what(request: Doing) -> str:
    """What is to be done, by the word for it."""
    return request.what if isinstance(request, Act) else request.type


def refusal(of: str, refused: DurableError) -> Refused:
    """An error as a view shows it."""
    ways = tuple(line(remedy.command) for remedy in refused.remedies())
    return Refused(about=of, line=line(refused.fact()), remedies=ways)


def _without_kernel(request: Cancel | Act) -> Refused:
    wanted = what(request)
    if wanted not in _TYPED:
        raise Misread(f"nothing is called {wanted!r}")
    at = about(request)
    command, option = _TYPED[wanted]
    command += f" {option} {at}" if at and option else ""
    says = "only a kernel of this run can do that, and none answers. Nothing was done."
    return Refused(about=at, line=says, remedies=(command,))


def _resolve(run: commands.OpenRun, request: Resolve) -> Said:
    if request.said not in {*settle.Answer}:
        raise Misread(f"{request.said!r} is no answer")
    asked = which.question(run.history, request.call)
    said = settle.Answer(request.said)
    value = value_of(request.text) if said is settle.Answer.HAPPENED else None
    told, records = commands.resolve(run, asked, said, value)
    run.store.append(records, sync=True)
    return told


def _signal(run: commands.OpenRun, request: Signal) -> Said:
    if request.ask and request.ask in run.history.signals:
        return Said(f"{request.call} has this answer")  # another source took it
    found = answering.seen(run.history, request.call, "%durable answer")
    value = answering.typed(found.wait, request.text)
    sender = {
        "by": account(),
        "via": "widget",
        "signal": request.ask or RANDOM_IDS.new(),
    }
    told, records = answering.answer(run, found, value, **sender)
    run.store.append(records, sync=True)
    after = history_of(run.store, run.history.run)
    answering.must_count(after, found, sender["signal"])
    return told


def _rerun(run: commands.OpenRun, reference: str) -> Said:
    history, at_us = run.history, run.clock.now_us()
    found = which.to_rerun(history, reference)
    told, record = (
        afresh.call(history, reference, found, at_us)
        if isinstance(found, CallPast)
        else afresh.step(history, found, at_us)
    )
    run.store.append((record,), sync=True)
    return told


def _pin(run: commands.OpenRun, *, pinned: bool) -> Said:
    at_us = run.clock.now_us()
    told, record = pinning.pin(run.history.run, at_us, pinned=pinned)
    run.store.append((record,), sync=True)
    return Said(f"the run {told}")


def _export(run: commands.OpenRun, now: Now) -> File:
    alive = frozenset(o.id for o in run.store.owners() if o.alive)
    store, history = run.store, run.history
    shown = run_view(history, now, alive=alive, get=store.get, frames=rows_of)
    opened = history.opened
    number = fields.number(opened.fields, "number", 1) if opened else 1
    title = shown.title.removesuffix(".ipynb")
    return File(name=f"{title}-run-{number}.html", text=page(shown, page_script()))
