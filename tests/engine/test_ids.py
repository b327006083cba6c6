"""Ids of runs, steps and calls."""

from __future__ import annotations

import os

from nbdurable.engine.where.ids import AT_ONCE, RANDOM_IDS


def test_none_comes_twice() -> None:
    """Those that are drawn together differ, and so do the next ones."""
    ids = [RANDOM_IDS.new() for _ in range(3 * AT_ONCE)]
    assert len(set(ids)) == len(ids)
    assert {len(one) for one in ids} == {12}


def test_a_fork_hands_out_its_own() -> None:
    """What its parent had drawn and not handed out is not handed out twice."""
    RANDOM_IDS.new()  # the rest of them is drawn now
    receives, sends = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(sends, RANDOM_IDS.new().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(receives, 100).decode()
    os.close(receives)
    os.close(sends)
    assert theirs not in {RANDOM_IDS.new() for _ in range(AT_ONCE)}
