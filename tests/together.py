"""Which tests one worker runs: those that share what is made once.

A server, a browser or a kernel that a fixture makes for a module would be made by each of
three workers. So the tests of a file that take such a fixture are a group, as those with
one `xdist_group` are, and `--dist loadgroup` sends a group to one worker.
"""

from __future__ import annotations

import pytest
from _pytest.nodeid import NodeId


def keep_together(items: list[pytest.Item]) -> None:
    """Write each test's group behind its id, where xdist reads it.

    xdist 3.8 does so itself, in an attribute that pytest 9.2 no longer has: what it
    wrote was read by nobody, and its groups went to all workers.
    """
    for item in items:
        if group := group_of(item):
            item._id = NodeId.parse(f"{item.nodeid}@{group}")


def group_of(item: pytest.Item) -> str:
    """The group of a test: what it is marked with, else the file of a shared fixture."""
    marked = {str(mark.args[0]) for mark in item.iter_markers("xdist_group")}
    if marked:
        return "_".join(sorted(marked))
    known = item._fixtureinfo.name2fixturedefs.values()
    shares = any(each.scope == "module" for found in known for each in found)
    return f"{item.path.parent.name}/{item.path.stem}" if shares else ""
