"""What a run keeps of each name: where its value is, as of which step. Pure.

A name has its value from the last step that made or changed it, or that was given it:
what plain cells made is kept when the first durable cell reads it (`plaincells`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from nbdurable.engine.past import fields
from nbdurable.engine.past.attempts import GivenPast, StepPast, StepState
from nbdurable.engine.past.history import History
from nbdurable_store.records import BlobRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the value of a name is.

    Attributes:
        step: The step that made it or was given it.
        at_us: When it had this value, microseconds since 1970 UTC.
        names: The names that are stored with it, in order.
        ref: Their values; ``None`` for a module.
        module: The module's name, or "".
        given: Whether a plain cell made it.
        digests: Of the values that are stored with it, where they have one.
    """

    step: StepPast
    at_us: int
    names: tuple[str, ...] = ()
    ref: BlobRef | None = None
    module: str = ""
    given: bool = False
    digests: Mapping[str, bytes] = field(default_factory=dict)

    def beside(self, other: Source) -> bool:
        """Whether both are in one graph: they share an object."""
        graphs = (self.ref, self.names), (other.ref, other.names)
        return self.ref is not None and graphs[0] == graphs[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A name that could not be kept.

    Attributes:
        step: The step that makes it, or was given it.
        why: The reason.
        given: Whether it was made by a plain cell.
    """

    step: StepPast
    why: str
    given: bool = False

    @property
    def cure(self) -> str:
        """What makes it, as people say it."""
        if self.given:
            return "run the cell that makes it"
        return f"%durable rebuild {self.step.name}"


def cure_unloaded(source: Source) -> str:
    """What makes a value that is kept and can't be loaded, as people say it.

    A rebuild makes what was never kept; here the cell has to run, and is served its calls.
    """
    if source.given:
        return "run the cell that makes it"
    return f"run the cell {source.step.name}"


@dataclass(slots=True)
class Names:
    """Every name of a run.

    Attributes:
        known: Where the value of each is.
        lost: The others, with why.
    """

    known: dict[str, Source] = field(default_factory=dict)
    lost: dict[str, Lost] = field(default_factory=dict)


def names_of(
    history: History,
    until: StepPast | None = None,
    *,
    without: Collection[str] = (),
) -> Names:
    """Every name of a run, as of now or as of the end of a step.

    Args:
        history: The run.
        until: The step; ``None`` for now.
        without: Ids of steps that count as if they had not been executed.
    """
    found, before = Names(), _before_ties(history)
    for at, _, event in sorted(_events(history), key=lambda e: e[:2]):
        if until is not None and at > (last_us(until), until.ended_us):
            break
        if isinstance(event, GivenPast):
            _given(found, event, history.steps[event.step])
        elif event.id not in without:
            _completed(found, event, before.get(event.id, {}))
    return found


def names_before(history: History, step: StepPast) -> Names:
    """Every name as of the beginning of a step, with what plain cells gave it.

    Args:
        history: The run.
        step: The step.
    """
    found = Names()
    events: list[tuple[int, int, StepPast | GivenPast]] = [
        (given.at_us, 0, given)
        for given in history.given
        if given.step in history.steps
        and (given.step == step.id or given.at_us < step.started_us)
    ]
    for past in history.steps.values():
        times = [t for t in (past.ended_us, *past.replays) if t <= step.started_us]
        if past.state is StepState.COMPLETED and past.id != step.id and times:
            events.append((max(times), 1, past))
    for _, _, event in sorted(events, key=lambda e: e[:2]):
        if isinstance(event, StepPast):
            _completed(found, event)
        else:
            _given(found, event, history.steps[event.step])
    return found


def last_us(step: StepPast) -> int:
    """When a step ended or was replayed last, microseconds since 1970 UTC."""
    return max([step.ended_us, *step.replays])


_Digests = Mapping[str, bytes | None]

_Event = tuple[tuple[int, int], int, StepPast | GivenPast]


def _events(history: History) -> Iterator[_Event]:
    for given in history.given:
        if given.step in history.steps:
            yield (given.at_us, given.at_us), 0, given
    for step in history.steps.values():
        if step.state is StepState.COMPLETED:
            yield (last_us(step), step.ended_us), 1, step


def _before_ties(history: History) -> Mapping[str, _Digests]:
    """The digests that names had before a step which was replayed tied them, by its id."""
    replayed = {s.id for s in history.steps.values() if s.beside and s.replays}
    found: dict[str, _Digests] = {}
    now: dict[str, bytes | None] = {}
    for _, _, event in sorted(
        _timeline(history) if replayed else (), key=lambda e: e[:2]
    ):
        if isinstance(event, GivenPast):
            read = history.steps[event.step].reads
            now |= {
                n: bytes.fromhex(read.get(n) or "") for g in event.groups for n in g
            }
            continue
        if event.id in replayed - found.keys():
            found[event.id] = {
                n: now.get(n) for names, _ in event.beside for n in names
            }
        stored = (*event.stored, *event.beside)
        now |= {n: event.digests.get(n) for names, _ in stored for n in names}
    return found


def _timeline(history: History) -> Iterator[tuple[int, int, StepPast | GivenPast]]:
    for given in history.given:
        if given.step in history.steps:
            yield given.at_us, 0, given
    for step in history.steps.values():
        if step.state is StepState.COMPLETED:
            yield from ((at, 1, step) for at in (step.ended_us, *step.replays))


def _completed(found: Names, step: StepPast, before: _Digests | None = None) -> None:
    own = {n for names, _ in step.stored for n in names}
    graphs = [found.known[n] for n in own if n in found.known]
    _take(found, step, step.ended_us, step.stored, digests=step.digests)
    for names, ref in step.beside:
        _tie(found, step, names, ref, _tied_before(found, graphs, before or {}))
    for name, why in fields.mapping(step.fields, "unsaved").items():
        if name.isidentifier():
            found.known.pop(name, None)
            found.lost[name] = Lost(step=step, why=str(why))
    for name in fields.texts(step.fields, "deleted"):
        found.known.pop(name, None)
        found.lost.pop(name, None)


def _tied_before(
    found: Names, graphs: Collection[Source], before: _Digests
) -> set[str]:
    """Names that are as they were before a step, and hang together with what it changed.

    Args:
        found: What is kept when it is replayed.
        graphs: Of the names that it made or changed, as they were kept then.
        before: The digests that names had before it was executed.
    """
    return {
        name
        for name, digest in before.items()
        if digest
        and (known := found.known.get(name)) is not None
        and digest == known.digests.get(name)
        and any(known.beside(graph) for graph in graphs)
    }


def _tie(
    found: Names,
    step: StepPast,
    names: tuple[str, ...],
    ref: BlobRef,
    as_before: Collection[str],
) -> None:
    """Take what shares an object with what a step made from one graph with it.

    Unless such a name got another value since: the step may have been replayed later.
    An equal one, made anew before that replay, is the one that it was tied to, and so is
    one that was equal and tied before a step that changed it by another name.
    """
    at_us, digests = step.ended_us, step.digests
    source = Source(step=step, at_us=at_us, names=names, ref=ref, digests=digests)
    own = {name for group in step.groups for name in group}
    for name in names:
        known = found.known.get(name)
        if name in own:
            found.known[name] = source
        elif known is not None and (name in as_before or _is_of(known, name, source)):
            found.known[name] = replace(source, step=known.step, given=known.given)


def _is_of(known: Source, name: str, graph: Source) -> bool:
    """Whether a graph holds what a name has, though that may have been kept later."""
    digest = known.digests.get(name)
    equal = digest is not None and digest == graph.digests.get(name)
    return equal or known.at_us <= graph.at_us


def _given(found: Names, given: GivenPast, step: StepPast) -> None:
    stored = list(zip(given.groups, given.blobs, strict=False))
    read = {n: bytes.fromhex(d) for n, d in step.reads.items() if d}
    _take(found, step, given.at_us, stored, given=True, digests=read)
    for name, why in given.unsaved.items():
        found.known.pop(name, None)
        # A step that made it says more than one that was given it.
        found.lost.setdefault(name, Lost(step=step, why=str(why), given=True))
    for name, module in given.modules.items():
        found.known[name] = Source(
            step=step, at_us=given.at_us, module=str(module), given=True
        )
        found.lost.pop(name, None)


def _take(
    found: Names,
    step: StepPast,
    at_us: int,
    stored: list[tuple[tuple[str, ...], BlobRef]],
    *,
    given: bool = False,
    digests: Mapping[str, bytes],
) -> None:
    for names, ref in stored:
        source = Source(
            step=step,
            at_us=at_us,
            names=names,
            ref=ref,
            given=given,
            digests=digests,
        )
        for name in filter(str.isidentifier, names):
            found.known[name] = source
            found.lost.pop(name, None)
