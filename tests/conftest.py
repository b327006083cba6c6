"""What every test shares: what can't run here is one visible line, and an error in CI."""

from __future__ import annotations

import gc
import os
import re
import shutil
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from tests.kept.told import tell_kinds
from tests.pythons import absent
from tests.together import keep_together, without_group
from tests.warm import kernels

settings.register_profile("shared", deadline=None)  # a busy machine is no failure
settings.register_profile("quick", deadline=None, max_examples=30)
settings.load_profile("shared")
kernels.use()

OLD_GARBAGE = 1_000
"""How often younger garbage is looked for between two looks at all there is."""

ALL_SLOW = re.compile(r"^pytestmark = .*\bpytest\.mark\.slow\b", re.MULTILINE)

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file for `make check` of which no test would be left."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return bool(ALL_SLOW.search(collection_path.read_text())) or None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for old garbage rarely, and for none while modules are imported.

    A million objects of pytest and of libraries stay, and each look at them takes a
    second.
    """
    young, middle, _ = gc.get_threshold()
    gc.disable()
    try:
        return (yield)
    finally:
        gc.set_threshold(young, middle, OLD_GARBAGE)
        gc.enable()


def pytest_sessionfinish() -> None:
    """Collect what is left once: pytest's own looks, of each worker, are short then."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Show ids that can be typed, where results are shown."""
    if hasattr(report, "node"):  # xdist's, of a worker
        report.nodeid = without_group(report.nodeid)


@pytest.hookimpl(tryfirst=True, specname="pytest_collection_modifyitems")
def pytest_wide_tables(items: list[pytest.Item]) -> None:
    """Leave one row of each wide table to `make check`: before `-m` chooses."""
    seen = set[str]()
    for item in items:
        table = item.nodeid.partition("[")[0]
        if item.get_closest_marker("wide") is not None and table in seen:
            item.add_marker(pytest.mark.slow)
        seen.add(table)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Keep together what one worker runs."""
    if getattr(config.option, "loadgroup", False):
        keep_together(items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose `needs` names a program that this machine lacks."""
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where CI is set."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[
    None, pytest.CollectReport, pytest.CollectReport
]:
    """Turn the skip of a whole module into an error where CI is set."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not IN_CI or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr
    reason = reason[2] if isinstance(reason, tuple) else str(reason)
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid}: can't be skipped in CI. {reason}"


TORCH_IS_HERE = find_spec("torch") is not None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which kinds came back, and what is tried only where it is installed.

    What isn't is no error in CI: torch is too big to install for the tests, and a Debian
    has one Python.
    """
    tell_kinds(terminalreporter)
    if not TORCH_IS_HERE:
        terminalreporter.write_line("not tried: digests of torch, it is not installed")
    if missing := absent():
        terminalreporter.write_line(
            f"not tried: keys made by Python {', '.join(missing)}, not installed"
        )
