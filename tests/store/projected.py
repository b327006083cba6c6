"""A store, its projection, and an eye of the test's own on ``store.duckdb``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb

from nbdurable_store.backends.ingest import Backlog, Row
from nbdurable_store.backends.local import LocalStore
from nbdurable_store.backends.projection import Projection, Turn
from nbdurable_store.folder.format import read, signer_of
from nbdurable_store.killpoints import VARIABLE
from nbdurable_store.opening import open as open_store
from nbdurable_store.records import Record

INGEST = """
import sys
from pathlib import Path
from nbdurable_store.backends.projection import Turn
from tests.store.projected import Projected
projected = Projected(Path(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    while projected.projection.ingest() is Turn.MORE:
        pass
    print("done", flush=True)
"""
RUN = "run-1"


class Projected:
    """One view of the folder of a store, as a process of its own would have it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        store = open_store(root)
        assert isinstance(store, LocalStore)
        # The tests say when something is ingested, and by whom.
        store._background.close()
        self.store = store
        said = read(root)
        assert said is not None
        self.journal = root / said.journal
        self.signer = signer_of(root, said)
        self.file = root / "store.duckdb"
        self.projection = Projection(root, self.journal, self.signer)

    def append(self, count: int, run: str = RUN) -> None:
        """Append ``count`` calls, each with a small value."""
        for n in range(count):
            self.store.append([self.call(n, run)], sync=False)

    def call(self, n: int, run: str = RUN) -> Record:
        """The n-th call of a run."""
        return Record(
            kind="call.completed",
            run=run,
            step="step-1",
            subject=f"call-{n}",
            key=n.to_bytes(32, "big"),
            at_us=1_700_000_000_000_000 + n,
            fields={"name": "search", "ms": n / 2, "tokens_in": n},
            blobs=(self.store.put("json", b"[%d]" % n * 20),),
        )

    def ingest(self) -> None:
        """Take over everything there is."""
        while self.projection.ingest() is Turn.MORE:
            pass

    def notices(self) -> list[str]:
        """What the user is told."""
        return self.projection.notices()

    def expected(self) -> list[Row]:
        """The rows that the segments make."""
        backlog = Backlog(self.journal, self.signer)
        return [
            row
            for owner in backlog.owners()
            for row, _mark in backlog.rows(owner)
            if row is not None
        ]

    def held(self) -> list[Row]:
        """The rows that the file holds, as any tool would see them."""
        with duckdb.connect(str(self.file), read_only=True) as tool:
            tool.execute("select * from entries order by owner, seq")
            return [Row(*row) for row in tool.fetchall()]

    def meddle(self, *statements: str) -> None:
        """Change the file with a tool that isn't ours."""
        with duckdb.connect(str(self.file)) as tool:
            for statement in statements:
                tool.execute(statement)

    def close(self) -> None:
        """Let go of everything."""
        self.projection.close()
        self.store.close()


class Ingester:
    """Another process that ingests when it is told to.

    Args:
        root: The store's folder.
        kill: Kill points to arm in it.
    """

    def __init__(self, root: Path, kill: str = "") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", INGEST, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, VARIABLE: kill, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self._say() == "ready\n"

    def begin(self) -> None:
        """Let it take over everything there is; don't wait."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def finish(self) -> None:
        """Wait until it is done."""
        assert self._say() == "done\n"

    def died_of_kill(self) -> bool:
        """Wait for its end; whether it was killed."""
        self._process.communicate(timeout=60)
        return self._process.returncode == -signal.SIGKILL

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=60)

    def _say(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()
