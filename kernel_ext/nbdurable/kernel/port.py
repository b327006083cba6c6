"""The engine of this kernel, loaded when it is first needed.

Every kernel of an environment loads the extension, most never run a durable cell. So
the engine is imported, and its session made, by the first durable cell, the first word
of `%durable` or the first function of `nd` that acts on the run.
"""

from __future__ import annotations

import ast
import contextlib
import functools
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING

from nbdurable import integrations
from nbdurable.engine.steps import stores
from nbdurable.engine.steps.cells import Cell, Replayed
from nbdurable.engine.where.folders import is_store, place_of
from nbdurable.kernel.defects import contained
from nbdurable.kernel.lines import Live, say
from nbdurable.kernel.mentions import ANY, mentioned
from nbdurable.kernel.places import places
from nbdurable.kernel.unseen import run_unseen_now
from nbdurable.kernel.where import facts

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbdurable.engine.past.history import History
    from nbdurable.engine.steps.session import Session
    from nbdurable.kernel.seam import Attempt, Rebuilding
    from nbdurable.timeline.protocol import Refused


class Port:
    """The `Engine` of a shell.

    Args:
        shell: Where cells run.
        switch: Turns durable cells on or off.
        on: Whether they are on.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        switch: Callable[[bool], None],
        on: Callable[[], bool],
    ) -> None:
        self._shell = shell
        self._switch = switch
        self._on = on
        self._nodes: list[ast.AST] = []
        self.greeting: Refused | None = None
        stores.attach(lambda: self.session.open(facts(self._shell)))

    @functools.cached_property
    def session(self) -> Session:
        """The session of this process; `nd` functions act on it too."""
        from nbdurable import api
        from nbdurable.engine.steps.session import Session
        from nbdurable.kernel.questions import Questions

        session = Session(
            notify=lambda line: say(self._shell, line, "notice"),
            transform=self._shell.transform_cell,
        )
        session.parked.ask = Questions(self._shell, session)
        session.parked.progress = Live(self._shell, session.clock.monotonic_s)
        front = api.Front(
            session=session,
            namespace=lambda: self._shell.user_ns,
            facts=lambda: facts(self._shell),
            switch=self._switch,
            on=self._on,
            hidden=lambda: frozenset(self._shell.user_ns_hidden),
            places=functools.partial(places, self._shell),
            mentioned=self._mentioned,
            execute=self._run_again,
        )
        api.attach(front)
        return session

    def begin(
        self, cell: Cell, namespace: MutableMapping[str, object]
    ) -> Replayed | Rebuilding | Attempt:
        """Replay a cell's step, or begin an attempt of it."""
        from nbdurable.engine.steps import step

        begun = step.begin(self.session, cell, namespace)
        if not isinstance(begun, Replayed):
            integrations.install()
        return begun

    def _run_again(self, source: str, filename: str) -> None:
        """Run the code of a step; its model calls are calls here, too."""
        integrations.install()
        run_unseen_now(self._shell, source, filename)

    def touch(self, nodes: list[ast.AST]) -> None:
        """A cell is about to run: load what it uses of the names that wait."""
        self._nodes = nodes
        if "session" not in vars(self) or not self.session.deferred.waiting:
            return
        from nbdurable.engine.steps.deferred import reached

        deferred, namespace = self.session.deferred, self._shell.user_ns
        found = reached(namespace, deferred.waiting, self._mentioned())
        while found:
            failed = deferred.load(self.session, namespace, found)
            for name, why in failed.items():
                say(self._shell, f"{name} is not back: {why}", "warning")
            found = reached(namespace, deferred.waiting, found)

    def _mentioned(self) -> set[str]:
        names = mentioned(self._nodes)
        if names & ANY and "session" in vars(self):
            return names | self.session.deferred.waiting.keys()
        return names

    def kept(self, name: str) -> str:
        """How to get a name back, for behind a NameError; "" for an unknown one."""
        from nbdurable.engine.past.kept import cure_unloaded, names_of
        from nbdurable.engine.telling import wording
        from nbdurable.engine.telling.lines import now

        history = self.run()
        if history is None:
            return ""
        found, failed = names_of(history), self.session.deferred.failed
        source, lost = found.known.get(name), found.lost.get(name)
        if source is not None and name in failed:
            step, cure = source.step.name, cure_unloaded(source)
            return wording.name_is_lost(name, step, cure, "loaded")
        if lost is not None:
            return wording.name_is_lost(name, lost.step.name, lost.cure)
        if source is None:
            return ""
        at = now(self.session.clock.now_us())
        return wording.name_is_kept(name, source.step.name, source.at_us, at)

    def run(self) -> History | None:
        """The run of the notebook; None if there is none, or it can't be read."""
        from nbdurable.errors import DurableError

        with contextlib.suppress(DurableError):
            return self.session.attend(facts(self._shell), "%durable")
        return None

    @property
    def made(self) -> Session | None:
        """The session if there is one already; any thread may ask."""
        return vars(self).get("session")

    def named(self) -> str:
        """Id of the run that this kernel is in, or ""."""
        return self.made.run_id if self.made is not None else ""

    def look(self) -> None:
        """Attend the run of the notebook, if the store has one. Only the main thread may.

        The run learns where its notebook is by now; where there is no run, `greeting` is
        what is to be said of the notebook, or of a store that can't be used.
        """
        with contained("the run of the notebook is not looked for"):
            from nbdurable.engine.steps import elsewhere
            from nbdurable.errors import DurableError
            from nbdurable.timeline.greeting import greeting
            from nbdurable.timeline.refusals import refused
            from nbdurable_store import may_stand
            from nbdurable_store.records import Kind

            here = facts(self._shell)
            stored = is_store(place_of(here))
            if stored and self.run() is not None:
                moved = elsewhere.moved_to(self.session.history.notebook, here)
                if moved:
                    self.session.journal(Kind.RUN_RENAMED, {"notebook": moved})
                return
            try:
                if stored:
                    self.session.open(here)
                else:
                    may_stand(place_of(here), named=bool(here.store))
                self.greeting = greeting(here, self.session.rows() if stored else ())
            except DurableError as error:  # what is there can't be used
                self.greeting = refused(error)

    def close(self) -> None:
        """Seal the store, let model calls pass, and leave `nd` without a shell."""
        stores.detach()
        if "session" not in vars(self):
            return
        from nbdurable import api

        integrations.remove()
        api.detach()
        self.session.close()
        del self.session
