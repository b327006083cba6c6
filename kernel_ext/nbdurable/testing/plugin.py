"""A pytest plugin: tests of library code are served the recorded calls of a notebook.

pytest loads this module in every environment where nbdurable is installed. So it
imports nothing: what a marked test needs is loaded when one runs.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nbdurable.testing.borrowed import Borrowed, Stores

MARK = (
    "durable(notebook, step='', run=''): tools and model calls in this test are served"
    " from what a run of the notebook recorded; a new call is refused"
)
UPDATE = "--durable-update"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that records."""
    group = parser.getgroup("nbdurable")
    says = (
        "make the calls of tests marked durable that are not recorded, and record them"
    )
    group.addoption(UPDATE, action="store_true", help=says)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", MARK)


def pytest_itemcollected(item: pytest.Item) -> None:
    """A marked test needs no argument to be served."""
    names: list[str] | None = getattr(item, "fixturenames", None)
    marked = item.get_closest_marker("durable") is not None
    if marked and names is not None and "durable" not in names:
        names.insert(0, "durable")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """A refused call fails the test where the test's own code made it."""
    if pyfuncitem.get_closest_marker("durable") is None:
        return (yield)
    try:
        return (yield)
    except BaseException as error:  # noqa: BLE001  # raised again, without our frames
        from nbdurable.testing.borrowed import told

        raise told(error, pyfuncitem.nodeid) from error.__cause__


@pytest.fixture(scope="session")
def durable_stores() -> Iterator[Stores]:
    """The stores that tests of this session are served from, each opened once."""
    from nbdurable.testing.borrowed import Stores

    with Stores() as stores:
        yield stores


@pytest.fixture
def durable(
    request: pytest.FixtureRequest, durable_stores: Stores
) -> Iterator[Borrowed]:
    """What a notebook recorded, for a test that is marked with it.

    ``durable["notes"]`` is a variable as the step made it.
    """
    from nbdurable.testing.borrowed import borrowed

    mark = request.node.get_closest_marker("durable")
    if mark is None:
        raise pytest.UsageError('mark the test: @pytest.mark.durable("notebook.ipynb")')
    update = bool(request.config.getoption(UPDATE))
    with borrowed(request.node, mark, durable_stores, update=update) as found:
        yield found
    if (refused := found.refused()) and not _failed(request.node):
        pytest.fail(refused, pytrace=False)


def _failed(node: Any) -> bool:
    """Whether the test itself has failed, and has told why."""
    return bool(node.stash.get(FAILED, False))


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember how a test ended, for what comes after it."""
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report
