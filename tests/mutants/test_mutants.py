"""Seeded mutants: each breaks one promise, and the suite must notice.

A mutant is a copy of the repository with one replacement in the product. The tests that
hold the broken promise are run there, and have to fail; the same tests pass unmutated,
since they are part of this suite.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PARTS = ("kernel_ext", "store", "tests", "docs", "pyproject.toml")
OPTIONS = [
    *("-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"),
    *("--assert=plain", "--tb=native"),  # nobody reads why: half of the CPU
]


@dataclass(frozen=True)
class Mutant:
    """One seeded fault.

    Attributes:
        file: Where it is planted.
        old: What stands there, exactly once.
        new: What is put in its place.
        tests: Which tests have to notice.
        needs: A program that these tests need.
    """

    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    needs: str = ""


MUTANTS = {
    "skip the sync": Mutant(
        "kernel_ext/nbdurable/engine/calls/executing.py",
        "yield Append(started, write)",
        "yield Append(started, False)",
        ("tests/crash/test_order_of_writes.py",),
        "strace",
    ),
    "complete before the blob is durable": Mutant(
        "store/nbdurable_store/chunks/blobs.py",
        "            self._file.sync()\n",
        "",
        ("tests/crash/test_order_of_writes.py",),
        "strace",
    ),
    "ignore in doubt": Mutant(
        "kernel_ext/nbdurable/engine/past/decide.py",
        "        OnDoubt.ASK: Verdict.ASK,",
        "        OnDoubt.ASK: Verdict.EXECUTE,",
        ("tests/engine/test_calls.py", "tests/engine/test_decide.py"),
    ),
    "drop a MAC check": Mutant(
        "store/nbdurable_store/keys.py",
        "    return hmac.compare_digest(one, other)",
        "    return bool(one) and bool(other)",
        (
            "tests/store/test_damage.py::test_a_segment_of_another_owner_counts_for_nothing",
        ),
    ),
    "serve by position": Mutant(
        "kernel_ext/nbdurable/engine/past/matching.py",
        "            ids = self.history.by_key.get(key, ())",
        "            ids = self.history.calls",
        ("tests/engine/test_calls.py",),
    ),
    "replay on a changed file": Mutant(
        "kernel_ext/nbdurable/engine/steps/step.py",
        "if serves(session, place.slot, step) and not looked.files.changed(step):",
        "if serves(session, place.slot, step):",
        ("tests/engine/test_files.py",),
    ),
    "take a loop for certain": Mutant(
        "kernel_ext/nbdurable/engine/identity/flow.py",
        "        self.branch(node.target, node.body)",
        "        self.statements([node.target, *node.body])",
        ("tests/engine/test_identity_reads.py",),
    ),
    "collect what a living kernel put": Mutant(
        "store/nbdurable_store/chunks/gc.py",
        "return since_ns - MARGIN_NS",
        "return 1 << 62",
        (
            "tests/store/test_removing_crash.py::test_a_value_that_no_record_names_yet_is_kept",
        ),
    ),
    "collect before the new file has its name": Mutant(
        "store/nbdurable_store/chunks/gc.py",
        "                change.new.rename(change.path.with_name(name))\n",
        "",
        (
            "tests/store/test_removing_crash.py::test_a_removal_is_killed[collect.removed]",
        ),
    ),
    "forget what a parent did behind its fork": Mutant(
        "kernel_ext/nbdurable/engine/past/forks.py",
        "    _take(history, lineage.later)",
        "    _take(history, lineage.later[:0])",
        ("tests/engine/test_forks.py::test_a_write_of_the_parent_asks_in_the_fork",),
    ),
    "pay in a fork once more after an edit of the tool": Mutant(
        "kernel_ext/nbdurable/engine/past/behind.py",
        "        found = self._versions_of(wanted.name).earlier(marks)\n",
        "        found = self._versions_of(wanted.name).earlier({})[:0]\n",
        ("tests/engine/test_forks_edits.py",),
    ),
    "pay once more what moved to another cell": Mutant(
        "kernel_ext/nbdurable/engine/past/moved.py",
        "        yield from self._versions_of(wanted.name).earlier(marks)\n",
        "",
        (
            "tests/engine/test_edits_moved.py::test_calls_that_moved_ask_once[keep-2-added-same]",
        ),
    ),
    "make again what another cell has kept": Mutant(
        "kernel_ext/nbdurable/engine/past/settle.py",
        "standing_of(history, call, here, {}) in _OPEN)",
        "call.state is CallState.COMPLETED)",
        (
            "tests/engine/test_edits_moved.py::test_again_in_a_new_cell_leaves_what_the_old_one_kept",
        ),
    ),
    "pay once more with a fresh key": Mutant(
        "kernel_ext/nbdurable/engine/past/redrawn.py",
        "            shape = _shape(marks, changes)\n",
        "            shape = None\n",
        ("tests/engine/test_redrawn.py::test_a_cell_that_stopped_asks",),
    ),
    "try a write again that may have happened": Mutant(
        "kernel_ext/nbdurable/engine/past/policy.py",
        "        if self.effect is Effect.WRITE:\n            return False\n",
        "",
        ("tests/engine/test_retries.py",),
    ),
    "take the end of a limit for nothing": Mutant(
        "kernel_ext/nbdurable/engine/calls/outcomes.py",
        "        return TimedOut in types\n",
        "        return isinstance(error, types)\n",
        ("tests/engine/test_limits.py",),
    ),
    "make the calls inside once more": Mutant(
        "kernel_ext/nbdurable/engine/calls/attempt.py",
        "            self.matcher.reopen(within(history, call_id))\n",
        "            self.matcher.reopen(())\n",
        ("tests/engine/test_retries.py",),
    ),
    "take another key for each attempt": Mutant(
        "kernel_ext/nbdurable/engine/calls/idempotency.py",
        "attempt.store.id, call_id, before)",
        "attempt.store.id, call_id, len(attempt.used.calls))",
        ("tests/engine/test_idempotency.py",),
    ),
    "use what came late for another attempt": Mutant(
        "kernel_ext/nbdurable/engine/past/history.py",
        '    if over or fields.number(record.fields, "attempt") != call.attempts:\n',
        "    if over:\n",
        ("tests/engine/test_limits.py",),
    ),
    "repeat after an upgrade": Mutant(
        "kernel_ext/nbdurable/engine/past/matching.py",
        "        if best is None and self.history.algorithms - {keys.ALGORITHM}:",
        "        if best is None and not self.history.algorithms:",
        ("tests/kernel/test_upgrades.py",),
    ),
    "serve one record to two calls": Mutant(
        "kernel_ext/nbdurable/engine/past/matching.py",
        "        if taken:\n",
        "        if taken is None:\n",
        ("tests/engine/test_doubts.py",),
    ),
    "make what did not happen beside what did": Mutant(
        "kernel_ext/nbdurable/engine/past/matching.py",
        "best = self._best_that_may_have(candidates, wanted) or best",
        "best = best or self._best_that_may_have(candidates, wanted)",
        ("tests/engine/test_tried_by_hand.py",),
    ),
    "pay beside a doubt in another cell": Mutant(
        "kernel_ext/nbdurable/engine/past/doubts.py",
        "call.slot != slot:",
        "call.slot is slot:",
        ("tests/engine/test_doubts.py",),
    ),
    "pay once per signature": Mutant(
        "kernel_ext/nbdurable/engine/past/versions.py",
        "for v in versions if edited(v.made, new) for",
        "for v in versions if v.made is new for",
        ("tests/engine/test_edits_signatures.py",),
    ),
    "take any call for one of an earlier version": Mutant(
        "kernel_ext/nbdurable/engine/past/edits.py",
        "    if any(_differ(mine[name], its[name]) for name in mine.keys() & its.keys()):\n",
        "    if not mine and not its:\n",
        ("tests/engine/test_edits_signatures.py",),
    ),
    "pay by a new name": Mutant(
        "kernel_ext/nbdurable/engine/steps/reach.py",
        "        if not held and root in namespace:\n            return True\n",
        "",
        ("tests/engine/test_edits_signatures.py",),
    ),
    "run an item of a map before its sync": Mutant(
        "kernel_ext/nbdurable/engine/fanout/conducting.py",
        "            if command.sync:\n",
        "            if command.sync and call.begun:\n",
        ("tests/engine/test_map_order.py",),
    ),
    "leave what was begun ahead in doubt": Mutant(
        "kernel_ext/nbdurable/engine/fanout/carrying.py",
        "            outcomes.not_begun(attempt, call_id, self._request)\n",
        "            del attempt, call_id\n",
        ("tests/engine/test_map_ending.py",),
    ),
    "give a result to another customer": Mutant(
        "kernel_ext/nbdurable/engine/past/holding.py",
        "    return found is ALL or found <= shown.differ\n",
        "    return True\n",
        ("tests/engine/test_another_call.py",),
    ),
    "forget in a fork what was kept": Mutant(
        "kernel_ext/nbdurable/engine/past/forks.py",
        "        known_as(history, call, record)\n",
        "        return\n",
        ("tests/engine/test_forks_renewed.py",),
    ),
    "pay once per try": Mutant(
        "kernel_ext/nbdurable/engine/past/tries.py",
        "        if not outer.earlier:\n",
        "        if outer.earlier:\n",
        ("tests/engine/test_doubts.py",),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_can_be_planted(name: str) -> None:
    """Its line stands in the code once, so that a mutant is never none."""
    mutant = MUTANTS[name]
    text = (REPOSITORY / mutant.file).read_text()
    assert text.count(mutant.old) == 1, f"plant {mutant.old!r} elsewhere"


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fails_the_suite(name: str, tmp_path: Path) -> None:
    """With one promise broken, the tests that hold it fail."""
    mutant = MUTANTS[name]
    if mutant.needs and shutil.which(mutant.needs) is None:
        pytest.skip(f"{mutant.needs} is not installed")
    _plant(mutant, tmp_path)
    ran = subprocess.run(  # our own tests
        [sys.executable, "-m", "pytest", *OPTIONS, *mutant.tests],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": _path(tmp_path), "CI": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert ran.returncode == 1, ran.stdout[-3000:]
    assert " failed" in ran.stdout


def _path(folder: Path) -> str:
    """Where the processes that the tests start find the mutant."""
    return os.pathsep.join(str(folder / part) for part in ("kernel_ext", "store"))


def _plant(mutant: Mutant, folder: Path) -> None:
    for part in PARTS:
        source = REPOSITORY / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("*pytest*.pyc", "mutants")  # have paths
            shutil.copytree(source, folder / part, ignore=ignored)
        else:
            shutil.copy(source, folder / part)
    path = folder / mutant.file
    path.write_text(path.read_text().replace(mutant.old, mutant.new))
