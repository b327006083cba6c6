"""`nd.map` on real local clusters of Dask and ipyparallel."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from unittest import mock

import pytest

from nbdurable.engine.fanout.failures import MapFailed
from nbdurable.errors import CallInDoubt
from tests.engine.notebooks import Notebook

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("clusters"),
    pytest.mark.filterwarnings("ignore"),  # theirs
]


@contextlib.contextmanager
def dask(failures: int = 3) -> Iterator[Executor]:
    """Two workers of Dask, which gives all later processes a hash seed by `os.environ`."""
    import dask.config
    from distributed import Client, LocalCluster

    setting = {"distributed.scheduler.allowed-failures": failures}
    with (
        mock.patch.dict(os.environ),
        dask.config.set(setting),
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client.get_executor()


@contextlib.contextmanager
def ipyparallel() -> Iterator[Executor]:
    """Two engines of ipyparallel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ipyparallel as ipp

    with ipp.Cluster(n=2, log_level=40) as client:
        client.wait_for_engines(2)
        yield client.load_balanced_view().executor


READ = """
import nbdurable as nd

@tool(effect="read")
def note(n, folder=folder):
    import os, pathlib
    with open(pathlib.Path(folder) / "noted", "a") as file:
        file.write(f"{n} {os.getpid()}\\n")
    return 2 * n
"""

PAY = """
import nbdurable as nd

def happened(n, folder=folder):
    import pathlib
    account = pathlib.Path(folder) / "paid"
    if account.exists() and f"{n}\\n" in account.read_text().splitlines(keepends=True):
        return n
    raise nd.NotDone

@tool(effect="write", on_doubt=happened)
def pay(n, folder=folder):
    import os, pathlib, signal
    with open(pathlib.Path(folder) / "paid", "a") as file:
        file.write(f"{n}\\n")
    if n == 5 and not (pathlib.Path(folder) / "died").exists():
        (pathlib.Path(folder) / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return n
"""


@pytest.mark.parametrize("cluster", [dask, ipyparallel])
def test_items_run_on_the_cluster(
    cluster: Callable[[], contextlib.AbstractContextManager[Executor]], tmp_path: Path
) -> None:
    """Elsewhere, in order, and not again after a restart."""
    nb = Notebook()
    with cluster() as pool:
        for _ in range(2):
            nb.namespace |= {"folder": str(tmp_path), "pool": pool}
            nb.plain(READ)
            nb.run("made = nd.map(note, range(12), executor=pool)", name="m")
            assert nb.namespace["made"] == [2 * n for n in range(12)]
            nb.restart()
    noted = [line.split() for line in (tmp_path / "noted").read_text().splitlines()]
    assert sorted(int(n) for n, _ in noted) == list(range(12))
    assert str(os.getpid()) not in {pid for _, pid in noted}


@pytest.mark.parametrize(
    "cluster",
    [dask, lambda: dask(failures=0), ipyparallel],
    ids=["dask that repeats", "dask", "ipyparallel"],
)
def test_a_killed_worker_costs_only_what_it_held(
    cluster: Callable[[], contextlib.AbstractContextManager[Executor]], tmp_path: Path
) -> None:
    """What may have happened is looked up, what was not begun is done: each once.

    Dask would run the call again by itself, three times where nobody says otherwise.
    """
    nb = Notebook()
    with cluster() as pool:
        nb.namespace |= {"folder": str(tmp_path), "pool": pool}
        nb.plain(PAY)
        with pytest.raises(MapFailed) as failed:
            nb.run("paid = nd.map(pay, range(12), limit=2, executor=pool)", name="m")
        assert 5 in [f.index for f in failed.value.failed]
        nb.run("paid = nd.map(pay, range(12), limit=2, executor=pool)", name="m")
    assert nb.namespace["paid"] == list(range(12))
    assert sorted(map(int, (tmp_path / "paid").read_text().split())) == list(range(12))


LOSE = """
@tool(effect="write", on_doubt=happened)
def pay(n, folder=folder):
    import os, pathlib, signal
    with open(pathlib.Path(folder) / "paid", "a") as file:
        file.write(f"{n}\\n")

    class Receipt:
        def __reduce__(self):  # on its way from the worker
            if n == 2 and not (pathlib.Path(folder) / "died").exists():
                (pathlib.Path(folder) / "died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return int, (n,)

    return Receipt()
"""


@pytest.mark.parametrize("failures", [0, 3])
def test_a_result_that_died_with_its_worker_is_not_made_again(
    tmp_path: Path, failures: int
) -> None:
    """Dask would make it again; the item fails, and the next run looks it up."""
    nb = Notebook()
    with dask(failures) as pool:
        nb.namespace |= {"folder": str(tmp_path), "pool": pool}
        nb.plain(PAY + LOSE)
        with pytest.raises(MapFailed) as failed:
            nb.run("paid = nd.map(pay, range(4), limit=1, executor=pool)", name="m")
        assert [f.index for f in failed.value.failed] == [2]
        nb.run("paid = nd.map(pay, range(4), limit=1, executor=pool)", name="m")
    assert nb.namespace["paid"] == list(range(4))
    assert sorted(map(int, (tmp_path / "paid").read_text().split())) == list(range(4))


@pytest.mark.parametrize("failures", [0, 3])
def test_a_death_is_no_error_of_the_tool(tmp_path: Path, failures: int) -> None:
    """Of a payment whose worker died nobody knows, whatever its tool says of errors."""
    nb = Notebook()
    with dask(failures) as pool:
        nb.namespace |= {"folder": str(tmp_path), "pool": pool}
        nb.plain(PAY.replace("on_doubt=happened", "not_done=Exception"))
        with pytest.raises(MapFailed):
            nb.run("paid = nd.map(pay, [5], executor=pool)", name="m")
        with pytest.raises(CallInDoubt):
            nb.run("paid = nd.map(pay, [5], executor=pool)", name="m")
    assert (tmp_path / "paid").read_text().split() == ["5"]


ONCE = """
import nbdurable as nd

@tool(effect="read")
def look(n, folder=folder):
    import os, pathlib, signal
    if (pathlib.Path(folder) / "died").exists():
        raise ValueError(f"no {n} any more")

    class Answer:
        def __reduce__(self):  # on its way from the worker
            (pathlib.Path(folder) / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    return Answer()
"""


@pytest.mark.timeout(90)
def test_a_read_that_fails_when_dask_repeats_it_fails(tmp_path: Path) -> None:
    """Its result died with the worker, and making it again raises: the map goes on."""
    nb = Notebook()
    with dask() as pool:
        nb.namespace |= {"folder": str(tmp_path), "pool": pool}
        nb.plain(ONCE)
        with pytest.raises(MapFailed, match="ValueError: no 5 any more") as failed:
            nb.run("found = nd.map(look, [5], executor=pool)", name="m")
    (error,) = failed.value.exceptions
    assert "in look" in "".join(error.__notes__), "where it was raised over there"


ALWAYS = """
import nbdurable as nd

@tool(effect="read")
def look(n, folder=folder):
    import os, pathlib, signal
    with open(pathlib.Path(folder) / "begun", "a") as file:
        file.write(f"{n}\\n")

    class Answer:
        def __reduce__(self):  # on its way from the worker
            os.kill(os.getpid(), signal.SIGKILL)

    return Answer() if n == 5 else n
"""


@pytest.mark.parametrize("failures", [0, 1])
def test_a_read_whose_workers_all_die_fails(tmp_path: Path, failures: int) -> None:
    """Dask would make it again and again; it fails after as many deaths as are allowed."""
    nb = Notebook()
    with dask(failures) as pool:
        nb.namespace |= {"folder": str(tmp_path), "pool": pool}
        nb.plain(ALWAYS)
        with pytest.raises(MapFailed, match="WorkerDied: each worker") as failed:
            nb.run("found = nd.map(look, [5, 6], limit=1, executor=pool)", name="m")
    assert [f.index for f in failed.value.failed] == [0]
    assert (tmp_path / "begun").read_text().split().count("5") == failures + 1
